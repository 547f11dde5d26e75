-- Areas for which a payment run has anything to post or to mark.
select area_code from entries.entry_accrued
union
select area_code from entries.entry_deducted
union
select area_code from entries.entry_restored
union
select area_code from intermediate.int_batch_days__unaccrued
order by area_code
