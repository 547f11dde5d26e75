-- The diagnoses that lead into each category, once each however many body sites they are of, and how the category looks
-- for them. A table of its own, for its statistics: without them the join with all cases sorts both sides.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with diagnoses as (

    select * from {{ ref('stg_grouper__drg_category_diagnoses') }}

),

categories as (

    select * from {{ ref('stg_grouper__drg_categories') }}

)

select distinct
    diagnoses.scheme_id,
    diagnoses.mdc,
    diagnoses.dx_code,
    categories.gate
from diagnoses
inner join categories
    on diagnoses.scheme_id = categories.scheme_id
    and diagnoses.mdc = categories.mdc
