-- The booked month's cases whose list has come, as the grouping reads them: ages, weight, and codes in their order.
{{ config(materialized='work_table', tags=['case_booking']) }}
with inpatient_cases as (

    select * from {{ ref('int_inpatient_cases') }}
    where method in ('drg', 'dip') and scheme_id is not null and has_list

),

lists as (

    select * from {{ ref('stg_raw__settlement_lists') }}
    where business_date between {{ booked_month_start() }} and {{ booked_month_end() }}

),

-- Western diagnoses only: those of Chinese medicine have codes of their own, which no scheme reads. The main one is the
-- one that is flagged, else the first, as the gate has it.
diagnoses as (

    select
        fixmedins_code,
        setl_id,
        array_agg(diag_code order by is_main_flagged desc nulls last, seq) as dx_codes
    from {{ ref('stg_raw__settlement_list_diagnoses') }}
    where
        business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
        and is_western
    group by
        fixmedins_code,
        setl_id

),

operations as (

    select
        fixmedins_code,
        setl_id,
        array_agg(oprn_oprt_code order by seq) as op_codes
    from {{ ref('stg_raw__settlement_list_operations') }}
    where business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
    group by
        fixmedins_code,
        setl_id

)

select
    row_number() over (order by inpatient_cases.fixmedins_code, inpatient_cases.setl_id) as case_no,
    inpatient_cases.setl_id as case_id,
    inpatient_cases.fixmedins_code,
    inpatient_cases.scheme_id,
    lists.gend as gender,
    -- Ages follow the birth and the day of admission, whatever the list says beside them.
    date_part('year', age(lists.adm_time::date, lists.brdy))::integer as age_years,
    case when lists.adm_time::date - lists.brdy < 366 then lists.adm_time::date - lists.brdy end as age_days,
    -- A weight of zero was not given.
    coalesce(nullif(lists.nwb_adm_wt, 0), nullif(lists.nwb_bir_wt, 0))::integer as weight_g,
    inpatient_cases.stay_days,
    inpatient_cases.discharge_way,
    coalesce(diagnoses.dx_codes, '{}') as dx_codes,
    coalesce(operations.op_codes, '{}') as op_codes
from inpatient_cases
inner join lists
    on inpatient_cases.fixmedins_code = lists.fixmedins_code
    and inpatient_cases.setl_id = lists.setl_id
    and inpatient_cases.business_date = lists.business_date
left join diagnoses
    on inpatient_cases.fixmedins_code = diagnoses.fixmedins_code
    and inpatient_cases.setl_id = diagnoses.setl_id
left join operations
    on inpatient_cases.fixmedins_code = operations.fixmedins_code
    and inpatient_cases.setl_id = operations.setl_id
