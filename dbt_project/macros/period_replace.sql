{#
    One transaction: delete the periods that changed, then insert straight from the model's SQL. No temporary copy, and
    a normal run never drops the table, so rights and views on it stay. A table whose columns are no longer those of the
    model is made anew, as on a full refresh: after an upgrade of the project.

    Which rows are deleted:
      period_versions   name of a model with (area_code, business_date, day_version): the touched days (see touched_days)
      period_macro      name of a macro that gives the (area_code, accounting_date) to replace, from the stored table
      period_predicate  an SQL condition; `true` replaces everything

    The transaction reads one snapshot (repeatable read): a batch that is loaded meanwhile can not make the insert see
    other touched days than the delete did.
#}
{% materialization period_replace, adapter='postgres', supported_languages=['sql'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}

    {%- if not config.get('contract').enforced -%}
        {%- do exceptions.raise_compiler_error('period_replace needs an enforced contract on ' ~ this) -%}
    {%- endif -%}
    {%- set is_rebuilt = (
        existing is none or existing.is_view or should_full_refresh() or has_other_columns(existing)
    ) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% call statement('snapshot', auto_begin=False) -%}
        commit;
        begin isolation level repeatable read
    {%- endcall %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% if is_rebuilt %}
        {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
        {% call statement('create') -%}
            create table {{ target_relation }} {{ get_table_columns_and_constraints() }}
        {%- endcall %}
        {% do create_indexes(target_relation) %}
    {% else %}
        {% call statement('delete') -%}
            delete from {{ target_relation }}
            where {{ replaced_rows(target_relation) }}
        {%- endcall %}
    {% endif %}
    {% do get_assert_columns_equivalent(sql) %}
    {% call statement('main') -%}
        insert into {{ target_relation }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
        {{ get_select_subquery(sql) }}
    {%- endcall %}

    {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing, full_refresh_mode=is_rebuilt)) %}
    {% if is_rebuilt %}{% do persist_docs(target_relation, model) %}{% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro has_other_columns(existing) -%}
    {%- set stored = adapter.get_columns_in_relation(existing) | map(attribute='name') | sort -%}
    {{ return(stored != (model.columns.keys() | sort)) }}
{%- endmacro %}

{% macro replaced_rows(target_relation) -%}
    {%- set versions = config.get('period_versions') -%}
    {%- if versions -%}
        {%- set versions_relation = api.Relation.create(
            database=target_relation.database, schema='intermediate', identifier=versions
        ) -%}
        (area_code, business_date) in ({{ days_to_replace(versions_relation, target_relation) }})
    {%- elif config.get('period_macro') -%}
        (area_code, accounting_date) in ({{ context[config.get('period_macro')](target_relation) }})
    {%- else -%}
        {{ config.require('period_predicate') }}
    {%- endif -%}
{%- endmacro %}
