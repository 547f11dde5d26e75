-- Dated coefficients and assessment scores of institutions.
select
    fixmedins_code,
    scheme_code,
    budget_year,
    grade_coefficient,
    assessment_score,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'institution_factor') }}
