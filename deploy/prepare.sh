#!/bin/sh
# Bring metadata, warehouse, pools, roles and accounts up to date. Every step may run again.
set -eu
here=$(dirname "$0")

airflow db migrate
python -m settlement migrate

airflow dags reserialize          # the roles below name DAGs, so Airflow must know them
airflow sync-perm --include-dags
airflow pools import "$here/pools.json"
python "$here/roles.py"

# The first accounts; the agency adds its own in the pages (Security > List Users). Those that exist get the password
# that the environment gives now.
python "$here/accounts.py"
