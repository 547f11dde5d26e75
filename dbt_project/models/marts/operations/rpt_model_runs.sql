-- What every stage did, node by node: which model is slow, which test failed, and on which day.
select
    model_run_id,
    stage,
    pay_date,
    area_code,
    node_name,
    node_type,
    status,
    run_seconds,
    row_count,
    message,
    finished_at
from {{ ref('stg_audit__model_runs') }}
