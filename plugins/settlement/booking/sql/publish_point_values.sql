-- Record point values that are not on record as they are now: what was published stays, a correction is a new number.
insert into ledger.point_value_publication (
    area_code, settlement_month, fund_pay_type, scheme_version, publication_no,
    fund_amount, pool_amount, total_points, point_value, published_by
)
select
    point_values.area_code,
    point_values.settlement_month,
    point_values.fund_pay_type,
    point_values.scheme_version,
    coalesce(latest.publication_no, 0) + 1,
    point_values.fund_amount,
    point_values.pool_amount,
    point_values.total_points,
    point_values.point_value,
    %(published_by)s
from intermediate.int_point_values as point_values
left join lateral (
    select *
    from ledger.point_value_publication as publications
    where
        publications.area_code = point_values.area_code
        and publications.settlement_month = point_values.settlement_month
        and publications.fund_pay_type = point_values.fund_pay_type
        and publications.scheme_version = point_values.scheme_version
    order by publications.publication_no desc
    limit 1
) as latest on true
where
    point_values.area_code = %(area_code)s
    and not point_values.is_provisional
    and point_values.point_value is not null
    and (
        latest.publication_no is null
        or (latest.fund_amount, latest.pool_amount, latest.total_points, latest.point_value)
        is distinct from (
            point_values.fund_amount, point_values.pool_amount, point_values.total_points, point_values.point_value
        )
    )
on conflict do nothing
