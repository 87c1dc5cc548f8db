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

{# Run statements in their order, in one session; tells the rows of the last. #}
{% macro run_statements(statements) -%}
    {%- for statement in statements -%}
        {%- do run_query(statement) -%}
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
