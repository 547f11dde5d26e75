-- Whether a batch was accepted that no run of the expectations has judged; stopped ones were.
select exists (
    select
    from intake.batch_to_judge
    where not exists (select from intake.stopped_batch where stopped_batch.batch_id = batch_to_judge.batch_id)
)
