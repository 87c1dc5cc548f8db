{#
    A table on DuckDB, replaced in one statement within one transaction: readers of the warehouse see the old rows or the
    new ones. dbt-duckdb's own way (build aside, rename twice, drop) asks the catalogue a dozen questions for each model,
    which took longer than most models do. Grants, indexes and partitions do not exist here: nobody but the pipeline
    opens the warehouse.
#}
{% materialization table, adapter = "duckdb", supported_languages = ["sql"] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {% if existing is not none and not existing.is_table %}
        {{ drop_relation_if_exists(existing) }}
    {% endif %}
    {% call statement("main") -%}
        {%- if config.get("contract").enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(compiled_code) }});
        {%- else -%}
            create or replace table {{ target }} as ({{ compiled_code }});
        {%- endif -%}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}
