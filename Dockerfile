# Airflow, dbt and the package in one environment, from the lock file; run as an account without rights.
FROM python:3.11.14-slim-bookworm AS environment
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir "$(grep -oE '^uv==[0-9.]+' /tmp/requirements.lock)" \
    && /opt/venv/bin/uv pip sync --no-cache --compile-bytecode --python /opt/venv/bin/python /tmp/requirements.lock

FROM python:3.11.14-slim-bookworm AS airflow
RUN useradd --uid 10001 --create-home settlement \
    && install --directory --owner 10001 --group 10001 /var/lib/settlement/inbox /var/lib/settlement/outbox \
        /var/lib/settlement/state /var/lib/settlement/logs
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
