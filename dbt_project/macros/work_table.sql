{#
    A table that holds the work of one run and nothing else: rebuilt each time, not logged, and with statistics, without
    which the planner takes a hundred thousand rows for one.
#}
{% materialization work_table, adapter='postgres', supported_languages=['sql'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
    {% call statement('main') -%}
        create unlogged table {{ target_relation }} as
        {{ sql }}
    {%- endcall %}
    {% call statement('analyze') -%}
        analyze {{ target_relation }}
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=False) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
