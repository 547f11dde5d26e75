#!/bin/sh
# Bring metadata, warehouse, pools, roles and accounts up to date. Every step may run again.
set -eu
here=$(dirname "$0")

airflow db migrate
python -m settlement migrate

airflow dags reserialize          # the roles below name DAGs, so Airflow must know them
airflow sync-perm --include-dags
airflow pools import "$here/pools.json"
airflow roles import "$here/roles.json"

# The first accounts; the agency adds its own in the pages (Security > List Users).
airflow users create --username admin --password "$AIRFLOW_ADMIN_PASSWORD" \
    --role Admin --firstname Admin --lastname Admin --email admin@localhost
airflow users create --username service --password "$SETTLEMENT_AIRFLOW_PASSWORD" \
    --role Service --firstname Run --lastname Notes --email service@localhost
