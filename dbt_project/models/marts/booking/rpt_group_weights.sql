-- Weights and scores that the last three years' costs give for the next: what an agency negotiates and orders from.
select
    area_code,
    scheme_version,
    budget_year,
    group_code,
    case_count,
    mean_cost_amount,
    overall_mean_cost_amount,
    relative_weight,
    score
from {{ ref('int_group_weights__from_history') }}
