select dx_code from grouper.drg_mdc_diagnosis
where scheme_id = %(scheme_id)s
union
select dx_code from grouper.drg_rule_diagnosis
where scheme_id = %(scheme_id)s
union
select dx_code from grouper.drg_group_diagnosis
where scheme_id = %(scheme_id)s
union
select dx_code from grouper.drg_comorbidity
where scheme_id = %(scheme_id)s
union
select dx_code from grouper.drg_exclusion
where scheme_id = %(scheme_id)s
union
select op_code from grouper.drg_mdc_operation
where scheme_id = %(scheme_id)s
union
select op_code from grouper.drg_rule_operation
where scheme_id = %(scheme_id)s
union
select op_code from grouper.drg_group_operation
where scheme_id = %(scheme_id)s
union
select op_code from grouper.drg_valid_operation
where scheme_id = %(scheme_id)s
