{# What dbt-spark leaves out: only Spark runs these. #}

{# A contract's columns with exactly their types and order, as transform.py makes them on DuckDB. #}
{% macro spark__get_select_subquery(sql) -%}
    select
        {%- for column in model['columns'].values() %}
        cast({{ column['name'] }} as {{ spark_type(column['data_type']) }}) as {{ column['name'] }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from (
        {{ sql }}
    ) as told
{%- endmacro %}

{# Nothing to compare: the types are cast, and a column that is missing fails there. #}
{% macro spark__get_assert_columns_equivalent(sql) -%}
{%- endmacro %}

{% macro spark_type(data_type) -%}
    {%- set names = {
        'varchar': 'string', 'timestamp with time zone': 'timestamp_ltz', 'timestamp': 'timestamp_ntz'
    } -%}
    {{ names.get(data_type, data_type) }}
{%- endmacro %}

{# Everything before a build, in one session: the key, the layers' places, the catalog. #}
{% macro prepare_build(text, expected, places, statements) -%}
    {%- do same_key(text, expected) -%}
    {%- do make_layers(places) -%}
    {%- do run_statements(statements) -%}
{%- endmacro %}

{# Run statements in their order, in one session. #}
{% macro run_statements(statements) -%}
    {%- for statement in statements -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
{%- endmacro %}

{# Make the layers' schemas at their places in the lake; stop where the catalog has one of them somewhere else. #}
{% macro make_layers(places) -%}
    {%- for layer, place in places.items() -%}
        {%- do run_query("create schema if not exists " ~ layer ~ " location '" ~ place ~ "'") -%}
        {%- for row in run_query("describe schema " ~ layer).rows if row[0] == 'Location' -%}
            {%- set found = row[1] | replace('file://', '') | replace('file:', '') -%}
            {%- if found.rstrip('/') != place.rstrip('/') -%}
                {%- do exceptions.raise_compiler_error(
                    "this Spark's catalog has a schema " ~ layer ~ " of another lake (" ~ found ~ "): give each lake a catalog of its own"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{# Stop a build whose Spark hashes with another key than the command has: `expected` is the hash of `text`. #}
{% macro same_key(text, expected) -%}
    {%- set found = run_query("select " ~ keyed_hash(["'" ~ text ~ "'"]) ~ " as hash") -%}
    {%- if found.rows[0][0] is none -%}
        {%- do exceptions.raise_compiler_error("the processes of Spark have no SALWA_PHONE_KEY in their environment") -%}
    {%- elif found.rows[0][0] != expected -%}
        {%- do exceptions.raise_compiler_error("Spark has another SALWA_PHONE_KEY in its environment than this command") -%}
    {%- endif -%}
{%- endmacro %}
