-- Stopped batches of an area, or of every area, each with the critical rules that the newest run found broken in it.
select
    stopped_batch.batch_id,
    string_agg(distinct format('%%s %%s', result.table_name, result.rule_id), ', ') as broken_rules
from intake.stopped_batch
inner join intake.batch
    on stopped_batch.batch_id = batch.batch_id
inner join intake.expectation_result as result
    on stopped_batch.batch_id = any(result.failing_batch_ids)
    and not result.is_success
    and result.severity = 'critical'
    and result.expectation_run_id = (
        select max(newest.expectation_run_id)
        from intake.expectation_run as newest
        where stopped_batch.batch_id = any(newest.batch_ids)
    )
where %(area_code)s::text is null or batch.area_code = %(area_code)s
group by stopped_batch.batch_id
order by stopped_batch.batch_id
