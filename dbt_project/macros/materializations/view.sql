{# A view on DuckDB, replaced in one statement, for the reasons of table.sql. #}
{% materialization view, adapter = "duckdb" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="view") -%}
    {{ run_hooks(pre_hooks) }}
    {% if existing is not none and not existing.is_view %}
        {{ drop_relation_if_exists(existing) }}
    {% endif %}
    {% call statement("main") -%}
        create or replace view {{ target }} as ({{ compiled_code }});
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}
