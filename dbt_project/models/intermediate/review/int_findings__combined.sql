-- Findings of all rules in one list.
select * from {{ ref('int_findings__duplicate_fee_line') }}
union all
select * from {{ ref('int_findings__price_above_ceiling') }}
