insert into audit.model_run (
    stage, pay_date, area_code, node_name, node_type, status, run_seconds, row_count, message
)
values (
    %(stage)s, %(pay_date)s, %(area_code)s, %(node_name)s, %(node_type)s, %(status)s, %(run_seconds)s, %(row_count)s,
    %(message)s
)
