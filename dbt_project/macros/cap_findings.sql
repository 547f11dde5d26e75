{#
    What each finding may take, all findings of a settlement together: of a line never more than its insured amount, from
    a fund never more than it paid. The earlier rule code takes first. (30-rules.md §6.2)

    Every row of `relation` is a finding and a fund that paid for its settlement. A finding that does not count
    (`is_counted`) takes nothing from later ones; its own amounts are what it would take beside those before it.

    Gives the columns of `relation`, `refused_inscp_amount` and `amount_at_stake`. The fund's share of a refused line is
    its share of the settlement's insured amount; that is rounded, once, between the two limits.
#}
{% macro cap_findings(relation) %}
    select
        {{ relation }}_shared.*,
        (
            least(share_before_amount + fund_share_amount, fund_paid_amount)
            - least(share_before_amount, fund_paid_amount)
        )::numeric(18, 2) as amount_at_stake
    from (
        select
            {{ relation }}_refused.*,
            coalesce(sum(fund_share_amount) filter (where is_counted) over (
                partition by fixmedins_code, setl_id, fund_pay_type
                order by rule_code, feedetl_sn
                rows between unbounded preceding and 1 preceding
            ), 0) as share_before_amount
        from (
            select
                {{ relation }}_asked.*,
                refused_amount::numeric(18, 2) as refused_inscp_amount,
                {{ yuan('refused_amount * fund_paid_amount / settlement_inscp_amount') }} as fund_share_amount
            from (
                select
                    {{ relation }}_in_order.*,
                    least(refused_before_amount + refused_by_rule_amount, line_inscp_amount)
                    - least(refused_before_amount, line_inscp_amount) as refused_amount
                from (
                    select
                        {{ relation }}.*,
                        coalesce(sum(refused_by_rule_amount) filter (where is_counted) over (
                            partition by fixmedins_code, setl_id, fund_pay_type, feedetl_sn
                            order by rule_code
                            rows between unbounded preceding and 1 preceding
                        ), 0) as refused_before_amount
                    from {{ relation }}
                ) as {{ relation }}_in_order
            ) as {{ relation }}_asked
        ) as {{ relation }}_refused
    ) as {{ relation }}_shared
{% endmacro %}
