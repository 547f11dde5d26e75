-- Accepted receipt batches that are not recorded yet, in the order they were received.
select batch.batch_id
from intake.batch
where
    batch.kind = 'bank_receipt'
    and batch.status = 'accepted'
    and not exists (
        select
        from ledger.receipt_batch
        where receipt_batch.batch_id = batch.batch_id
    )
order by batch.load_id
