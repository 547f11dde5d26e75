{#
    Split totals over parts by the largest remainder in fen: parts always add up to their total.

    Every row of `relation` is a part; `total` is repeated on each part of a `partition`, `weight` is the part's. A part
    first gets the whole fen of its share; each fen left over goes to the part with the largest remainder, of equals to
    the heavier, then to the one whose `key` comes first. A negative total is split as its amount and negated. Weights
    that add up to nothing divide by zero: nothing says who should get what. (90-drg-dip.md §0.5)

    Gives the columns of `relation` and `share_amount`. Quotients are whole and remainders exact: nothing is rounded.
#}
{% macro split_by_largest_remainder(relation, total, weight, partition, key) %}
    select
        {{ relation }}_ranked.*,
        (
            sign({{ total }}) * (
                floor_fen
                + case
                    when remainder_rank <= total_fen - sum(floor_fen) over (partition by {{ partition }}) then 1
                    else 0
                end
            ) / 100
        )::numeric(18, 2) as share_amount
    from (
        select
            {{ relation }}_shared.*,
            row_number() over (
                partition by {{ partition }}
                order by remainder desc, {{ weight }} desc, {{ key }} asc
            ) as remainder_rank
        from (
            select
                {{ relation }}.*,
                abs({{ total }}) * 100 as total_fen,
                div(
                    abs({{ total }}) * 100 * {{ weight }}, sum({{ weight }}) over (partition by {{ partition }})
                ) as floor_fen,
                mod(
                    abs({{ total }}) * 100 * {{ weight }}, sum({{ weight }}) over (partition by {{ partition }})
                ) as remainder
            from {{ relation }}
        ) as {{ relation }}_shared
    ) as {{ relation }}_ranked
{% endmacro %}
