-- The group of every case of the run, whatever the scheme, and the words for it.
{{ config(materialized='work_table', tags=['case_booking']) }}
select
    groups.case_no,
    groups.case_id,
    groups.scheme_id,
    groups.mdc,
    groups.adrg,
    groups.group_code,
    groups.group_name,
    null::numeric as catalogue_score,
    groups.status,
    groups.check_failure,
    explanations.explanation,
    explanations.explanation_zh,
    explanations.explanation_en
from {{ ref('int_drg_case_groups') }} as groups
inner join {{ ref('int_drg_case_explanations') }} as explanations
    on groups.case_no = explanations.case_no

union all

select
    groups.case_no,
    groups.case_id,
    groups.scheme_id,
    null as mdc,
    null as adrg,
    groups.group_code,
    catalogue.name as group_name,
    groups.score as catalogue_score,
    groups.status,
    groups.check_failure,
    explanations.explanation,
    explanations.explanation_zh,
    explanations.explanation_en
from {{ ref('int_dip_case_groups') }} as groups
inner join {{ ref('int_dip_case_explanations') }} as explanations
    on groups.case_no = explanations.case_no
left join {{ ref('stg_grouper__dip_groups') }} as catalogue
    on groups.scheme_id = catalogue.scheme_id
    and groups.group_code = catalogue.group_id
