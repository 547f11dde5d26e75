select
    groups.case_id,
    '' as mdc,
    '' as adrg,
    groups.group_code,
    groups.status,
    explanations.explanation_zh || ' | ' || explanations.explanation_en as explanation
from intermediate.int_dip_case_groups as groups
inner join intermediate.int_dip_case_explanations as explanations
    on groups.case_no = explanations.case_no
inner join grouper.patient_case as cases
    on groups.case_no = cases.case_no
where cases.case_set = %(case_set)s
order by groups.case_no
