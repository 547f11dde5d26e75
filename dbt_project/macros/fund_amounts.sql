{#
    One row per row of `relation` and fund that paid something: the wide amount columns turned into rows, with the
    fund each column belongs to for the row's insurance type. A column without a fund gives a null fund, which the
    contracts downstream refuse: money can not fall out unseen.
#}
{% macro fund_amounts(relation, columns) %}
    select
        {% for column in columns -%}
        {{ relation }}.{{ column }},
        {% endfor -%}
        fund_columns.fund_pay_type,
        amounts.fund_amount
    from {{ relation }}
    cross join lateral (
        values
        ('hifp_pay', {{ relation }}.hifp_pay),
        ('cvlserv_pay', {{ relation }}.cvlserv_pay),
        ('hifes_pay', {{ relation }}.hifes_pay),
        ('hifmi_pay', {{ relation }}.hifmi_pay),
        ('hifob_pay', {{ relation }}.hifob_pay),
        ('hifdm_pay', {{ relation }}.hifdm_pay),
        ('maf_pay', {{ relation }}.maf_pay),
        ('oth_pay', {{ relation }}.oth_pay),
        ('acct_pay', {{ relation }}.acct_pay)
    ) as amounts (amount_column, fund_amount)
    left join {{ ref('fund_columns') }} as fund_columns
        on amounts.amount_column = fund_columns.amount_column
        and {{ relation }}.insutype = coalesce(fund_columns.insutype, {{ relation }}.insutype)
        and {{ relation }}.business_date between fund_columns.valid_from
        and coalesce(fund_columns.valid_to, date 'infinity')
    where amounts.fund_amount <> 0
{% endmacro %}
