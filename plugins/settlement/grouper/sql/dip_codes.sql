select dx_key from grouper.dip_group_diagnosis
where scheme_id = %(scheme_id)s
union
select op_code from grouper.dip_group_operation
where scheme_id = %(scheme_id)s
union
select op_code from grouper.dip_operation_property
where scheme_id = %(scheme_id)s
union
select code from grouper.dip_exclusion
where scheme_id = %(scheme_id)s
union
select dx_key from grouper.dip_comorbidity_weight
where scheme_id = %(scheme_id)s
union
select dx_key from grouper.dip_severity_diagnosis
where scheme_id = %(scheme_id)s
