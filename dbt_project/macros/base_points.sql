{#
    What a normal case of a group is worth in points before coefficients: its weight or score, or its mean cost over
    that of all cases. `parameters` is an alias of int_pricing_parameters__in_force. (90-drg-dip.md §4.2 to 4.4)
#}
{% macro base_points(parameters, weight, mean_cost, overall_mean_cost) -%}
    case
        when {{ parameters }}.kind = 'dip' or {{ parameters }}.pricing_method = 'drg_rate' then {{ weight }}
        when {{ weight }} is not null then round({{ weight }} * {{ parameters }}.point_scale, 4)
        else round({{ mean_cost }} / {{ overall_mean_cost }} * {{ parameters }}.point_scale, 4)
    end
{%- endmacro %}
