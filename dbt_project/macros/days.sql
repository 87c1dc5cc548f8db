{#
    A table in partitions by day of which only those are written that have changed, so that the files of all other days
    stay as they are. Its rows are worked out in full; each day's are compared by number and hash.
#}
{% materialization days, adapter='spark' %}
    {%- set day = config.require('partition_by') -%}
    {%- set old = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set fresh = api.Relation.create(schema=schema, identifier=this.identifier ~ '__fresh', type='table') -%}

    {{ run_hooks(pre_hooks) }}
    {%- do adapter.drop_relation(fresh) -%}
    {%- if old is not none and not same_columns(old, day) -%}
        {%- do adapter.drop_relation(old) -%}
        {%- set old = none -%}
    {%- endif -%}

    {%- if old is none -%}
        {%- call statement('main') -%}{{ days_table(target_relation, day, sql) }}{%- endcall -%}
    {%- else -%}
        {%- do run_query(days_table(fresh, day, sql)) -%}
        {%- set changed = run_query(changed_days(target_relation, fresh, day)).rows -%}
        {%- set written = [] -%}
        {%- for row in changed -%}
            {%- if row[1] -%}
                {%- do written.append("date '" ~ row[0] ~ "'") -%}
            {%- else -%}
                {%- do run_query("alter table " ~ target_relation ~ " drop if exists partition (" ~ day ~ " = date '" ~ row[0] ~ "')") -%}
            {%- endif -%}
        {%- endfor -%}
        {#- without this all other days would be removed -#}
        {%- do run_query("set spark.sql.sources.partitionOverwriteMode = dynamic") -%}
        {%- call statement('main') -%}
            {%- if written -%}
            insert overwrite table {{ target_relation }} partition ({{ day }})
            select {{ columns_but(day) }}, {{ day }} from {{ fresh }} where {{ day }} in ({{ written | join(', ') }}) distribute by {{ day }}
            {%- else -%}
            select 'no day has changed'
            {%- endif -%}
        {%- endcall -%}
        {%- do adapter.drop_relation(fresh) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro columns_but(day) -%}
    {{ model['columns'].keys() | reject('equalto', day) | join(', ') }}
{%- endmacro %}

{# One file a day and task, as a contract has its columns; Spark puts the day last. #}
{% macro days_table(relation, day, sql) -%}
    create table {{ relation }} using parquet partitioned by ({{ day }}) as
    select {{ columns_but(day) }}, {{ day }} from (
        {{ get_select_subquery(sql) }}
    ) as told
    distribute by {{ day }}
{%- endmacro %}

{% macro same_columns(old, day) -%}
    {%- set wanted = [] -%}
    {%- for column in model['columns'].values() -%}
        {%- do wanted.append(column['name'] ~ ' ' ~ spark_type(column['data_type']) | replace('timestamp_ltz', 'timestamp') | replace('integer', 'int')) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for column in adapter.get_columns_in_relation(old) -%}
        {%- do found.append(column.column ~ ' ' ~ column.dtype) -%}
    {%- endfor -%}
    {{ return(wanted | sort == found | sort) }}
{%- endmacro %}

{# The days whose rows are not the same in both tables, and whether there are any in the new one. #}
{% macro changed_days(old, new, day) -%}
    with of_old as ({{ hashed_days(old, day) }}),

    of_new as ({{ hashed_days(new, day) }})

    select coalesce(of_new.{{ day }}, of_old.{{ day }}) as changed_day, of_new.{{ day }} is not null as is_there
    from of_old
    full outer join of_new on of_old.{{ day }} = of_new.{{ day }}
    where of_old.{{ day }} is null or of_new.{{ day }} is null or of_old.row_count <> of_new.row_count or of_old.row_hash <> of_new.row_hash
{%- endmacro %}

{% macro hashed_days(relation, day) -%}
    select
        {{ day }},
        count(*) as row_count,
        sum(cast(xxhash64(
            {%- for name in model['columns'] %}{{ name }} is null, {{ name }}{% if not loop.last %}, {% endif %}{% endfor -%}
        ) as decimal(38, 0))) as row_hash
    from {{ relation }}
    group by {{ day }}
{%- endmacro %}
