#!/bin/sh
# Superset's own tables and account; the warehouse is added as the read-only bi_reader.
set -eu
superset db upgrade
superset fab create-admin --username admin --password "$SUPERSET_ADMIN_PASSWORD" \
    --firstname Admin --lastname Admin --email admin@localhost
superset init
superset set-database-uri --database_name settlement --uri "$SETTLEMENT_BI_READER_DSN"
