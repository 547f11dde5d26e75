# Airflow, dbt and the package in one environment, from the lock file; run as an account without rights.
# deploy/pin_images.sh puts the digest behind every tag (按摘要固定镜像).
FROM python:3.11.14-slim-bookworm AS environment
COPY requirements.lock requirements-dev.lock pyproject.toml /tmp/
COPY deploy/install_uv.sh /tmp/deploy/install_uv.sh
# What builds stays in this stage: the environment has no compiler, no test tool, no pip and no database server.
RUN python -m venv /opt/build \
    && /tmp/deploy/install_uv.sh /opt/build/bin/python /tmp/requirements-dev.lock \
    && /opt/build/bin/uv pip sync --no-cache --require-hashes --python /opt/build/bin/python /tmp/requirements-dev.lock \
    && python -m venv --without-pip /opt/venv \
    && /opt/build/bin/uv pip sync --no-cache --require-hashes --compile-bytecode \
        --python /opt/venv/bin/python /tmp/requirements.lock \
    && /opt/build/bin/cyclonedx-py environment --pyproject /tmp/pyproject.toml --output-reproducible \
        --output-file /opt/venv/sbom.cdx.json /opt/venv/bin/python

FROM python:3.11.14-slim-bookworm AS airflow
# The image's own pip and setuptools are not needed, and are the first thing a scanner finds.
RUN python -m pip uninstall --yes --quiet setuptools wheel pip \
    && useradd --uid 10001 --create-home settlement \
    && useradd --uid 10002 --gid 10001 --no-create-home pages \
    && install --directory --owner 10001 --group 10001 --mode 2770 /var/lib/settlement/inbox \
    && install --directory --owner 10001 --group 10001 --mode 2750 /var/lib/settlement/outbox \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/settlement/state \
    && install --directory --owner 10001 --group 10001 --mode 2770 /var/lib/settlement/logs
COPY --from=environment /opt/venv /opt/venv
WORKDIR /opt/settlement
COPY database ./database
COPY expectations ./expectations
COPY dbt_project ./dbt_project
COPY plugins ./plugins
COPY dags ./dags
COPY deploy ./deploy
RUN /opt/venv/bin/python -m compileall -q plugins dags
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/settlement/plugins \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001

# The published image lacks a PostgreSQL driver and three packages that 6.1 imports.
FROM apache/superset:6.1.0 AS superset
USER root
RUN uv pip install --no-cache --python /app/.venv/bin/python \
    psycopg2-binary==2.9.13 rich==15.0.0 cachetools==6.2.2 flask-caching==2.3.1
COPY deploy /opt/settlement/deploy
USER superset
