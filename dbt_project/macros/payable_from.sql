{#
    The first day on which a business date may be paid: the day after its window ends. Windows are the day, the week
    from Monday to Sunday, the ten days up to the 10th, the 20th or the month's end, and the month.
#}
{% macro payable_from(date_column, frequency_column) -%}
    case {{ frequency_column }}
        when 'week' then date_trunc('week', {{ date_column }}) + interval '7 days'
        when 'ten_day' then case
            when extract(day from {{ date_column }}) <= 20
                then date_trunc('month', {{ date_column }})
                    + interval '10 days' * ceil(extract(day from {{ date_column }}) / 10)
            else date_trunc('month', {{ date_column }}) + interval '1 month'
        end
        when 'month' then date_trunc('month', {{ date_column }}) + interval '1 month'
        else {{ date_column }} + interval '1 day'
    end::date
{%- endmacro %}
