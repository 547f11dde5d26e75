-- Where late events of a closed month are booked: the first day of the next open month.
with closed_months as (

    select
        area_code,
        settlement_month,
        to_date(settlement_month, 'YYYY-MM') as month_start
    from {{ ref('stg_ledger__closed_months') }}

)

-- The month after a closed one is open, or is closed itself and then looks further.
select
    closed_months.area_code,
    closed_months.settlement_month,
    min(followers.month_start + interval '1 month')::date as next_open_date
from closed_months
inner join closed_months as followers
    on closed_months.area_code = followers.area_code
    and closed_months.month_start <= followers.month_start
left join closed_months as successors
    on followers.area_code = successors.area_code
    and followers.month_start + interval '1 month' = successors.month_start
where successors.area_code is null
group by
    closed_months.area_code,
    closed_months.settlement_month
