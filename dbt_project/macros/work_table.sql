{#
    A table that holds the work of one run and nothing else: rebuilt each time, not logged, never vacuumed, and with
    statistics, without which the planner takes a hundred thousand rows for one. `statistics_of` names the columns that
    need them, which spares a table the distributions of its lists and texts; without it all columns have them. A sample
    of a few thousand rows says enough of sizes, which is all that joins of whole sets ask for.
#}
{% materialization work_table, adapter='postgres', supported_languages=['sql'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
    {% call statement('main') -%}
        create unlogged table {{ target_relation }} with (autovacuum_enabled = false) as
        {{ sql }}
    {%- endcall %}
    {% call statement('analyze') -%}
        set local default_statistics_target = 10;
        analyze {{ target_relation }} {%- if config.get('statistics_of') %} ({{ config.get('statistics_of') | join(', ') }}){% endif %}
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=False) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
