-- The newest posting run of every area with its seal.
select distinct on (area_code) area_code, posting_run_id, seal
from ledger.posting_run
order by area_code, posting_run_id desc
