-- What orders the pricing of a scheme's cases in an area at the end of the booked month: the row for area and scheme
-- before the area's before the default.
with methods as (

    select distinct
        area_code,
        scheme_code
    from {{ ref('stg_reference__inpatient_methods') }}
    where scheme_code is not null

),

schemes as (

    select * from {{ ref('stg_grouper__schemes') }}

),

definitions as (

    select * from {{ ref('pricing_parameters') }}

),

area_parameters as (

    select * from {{ ref('stg_reference__pricing_parameters') }}

),

resolved as (

    select distinct on (methods.area_code, schemes.version, definitions.parameter)
        methods.area_code,
        schemes.version as scheme_version,
        schemes.kind,
        definitions.parameter,
        coalesce(area_parameters.value, definitions.default_value) as value
    from methods
    inner join schemes
        on methods.scheme_code = schemes.version
    inner join definitions
        on coalesce(definitions.applies_to, schemes.kind) = schemes.kind
    left join area_parameters
        on methods.area_code = area_parameters.area_code
        and coalesce(area_parameters.scheme_code, schemes.version) = schemes.version
        and definitions.parameter = area_parameters.parameter
        and {{ booked_month_end() }} between area_parameters.valid_from and area_parameters.valid_to
    where
        {{ booked_month_end() }} between definitions.valid_from and coalesce(definitions.valid_to, date 'infinity')
    order by
        methods.area_code asc,
        schemes.version asc,
        definitions.parameter asc,
        area_parameters.parameter is null,
        area_parameters.scheme_code is null

)

select
    area_code,
    scheme_version,
    kind,
    max(value) filter (where parameter = 'pricing_method') as pricing_method,
    max(value) filter (where parameter = 'value_mode') as value_mode,
    max(value) filter (where parameter = 'deviation_scheme') as deviation_scheme,
    (max(value) filter (where parameter = 'high_inclusive')) = '1' as is_high_inclusive,
    {% for parameter in [
        'fixed_value', 'base_points', 'value_cap', 'payment_ratio', 'low_ratio', 'high_ratio', 'high_ratio_light',
        'high_ratio_medium', 'high_ratio_heavy', 'high_excess_rate', 'extreme_ratio', 'ungrouped_factor', 'point_scale',
    ] -%}
    (max(value) filter (where parameter = '{{ parameter }}'))::numeric as {{ parameter }},
    {% endfor -%}
    -- Cases say by which parameters they were priced.
    left(md5(string_agg(parameter || '=' || coalesce(value, ''), ',' order by parameter)), 12) as parameter_version
from resolved
group by
    area_code,
    scheme_version,
    kind
