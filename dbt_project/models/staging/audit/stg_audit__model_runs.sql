-- What every stage did, node by node.
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
from {{ source('audit', 'model_run') }}
