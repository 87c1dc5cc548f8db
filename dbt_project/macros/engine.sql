{#
    The few things that engines write differently, DuckDB's form and Spark's side by side. Everything else in the project is
    plain SQL they share: null last is said wherever it matters (Spark puts them first), max_by and min_by name what may not
    be null (Spark takes nulls), and what is divided is a double. Both run with the session's zone UTC; a wall-clock time
    without a zone is on Spark a timestamp whose UTC fields are the clock's.
#}

{# Wall-clock time of an instant in an IANA zone (both may be columns), as a timestamp without zone. #}
{% macro local_timestamp(instant, zone) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    from_utc_timestamp({{ instant }}, {{ zone }})
    {%- else -%}
    timezone({{ zone }}, {{ instant }})
    {%- endif -%}
{%- endmacro %}

{#
    The instant at which a zone's clock shows a wall-clock time; of an hour that comes twice the second, which Spark
    finds by the offset of a day later.
#}
{% macro instant_of_local(wall_clock, zone) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    {%- set next_day = "to_utc_timestamp(" ~ wall_clock ~ " + interval 1 day, " ~ zone ~ ")" -%}
    {%- set second = "(" ~ wall_clock ~ " + (" ~ next_day ~ " - from_utc_timestamp(" ~ next_day ~ ", " ~ zone ~ ")))" -%}
    case
        when from_utc_timestamp({{ second }}, {{ zone }}) = {{ wall_clock }} then {{ second }}
        else to_utc_timestamp({{ wall_clock }}, {{ zone }})
    end
    {%- else -%}
    timezone({{ zone }}, {{ wall_clock }})
    {%- endif -%}
{%- endmacro %}

{# The type of an instant. #}
{% macro instant_type() -%}
    {%- if target.type in ('spark', 'databricks') -%}
    timestamp_ltz
    {%- else -%}
    timestamptz
    {%- endif -%}
{%- endmacro %}

{# An instant as it stands in the text, with its offset. #}
{% macro instant(text) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    timestamp_ltz '{{ text }}'
    {%- else -%}
    timestamptz '{{ text }}'
    {%- endif -%}
{%- endmacro %}

{# Microseconds since 1970, for exact differences. #}
{% macro microseconds(instant) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    unix_micros({{ instant }})
    {%- else -%}
    epoch_us({{ instant }})
    {%- endif -%}
{%- endmacro %}

{# The instant of a number of microseconds since 1970. #}
{% macro instant_from_microseconds(number) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    timestamp_micros({{ number }})
    {%- else -%}
    make_timestamptz({{ number }})
    {%- endif -%}
{%- endmacro %}

{# Seconds from one instant to another, to the microsecond. #}
{% macro seconds_between(earlier, later) -%}
    cast(({{ microseconds(later) }} - {{ microseconds(earlier) }}) / 1000000.0 as decimal(18, 6))
{%- endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(earlier, later) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    datediff({{ later }}, {{ earlier }})
    {%- else -%}
    date_diff('day', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}

{# The day of the week of a date or wall-clock time: Sunday is 0. #}
{% macro weekday(date) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    (dayofweek({{ date }}) - 1)
    {%- else -%}
    cast(extract(dow from {{ date }}) as integer)
    {%- endif -%}
{%- endmacro %}

{#
    A pseudonym that nobody without the key can recompute: a Saudi mobile hashed without one is guessed in seconds.
    Parts are joined with a separator that ids do not contain. Half of sha256 is kept, so that a hash
    cannot be extended. The key stands in no SQL, no plan and no log: DuckDB's session is told it as a variable, Spark's
    processes find it in their environment when they run (a Spark of a vendor's may have a function for secrets:
    SALWA_SPARK_KEY_SQL).
#}
{% macro keyed_hash(parts) -%}
    {%- set joined -%}
    {% for part in parts %}cast({{ part }} as string){% if not loop.last %} || '|' || {% endif %}{% endfor %}
    {%- endset -%}
    {%- if target.type in ('spark', 'databricks') -%}
    {%- set key = env_var('SALWA_SPARK_KEY_SQL', "reflect('java.lang.System', 'getenv', 'SALWA_PHONE_KEY')") -%}
    left(sha2({{ key }} || '|' || {{ joined }}, 256), 32)
    {%- else -%}
    left(sha256(getvariable('hash_key') || '|' || {{ joined }}), 32)
    {%- endif -%}
{%- endmacro %}

{# A row for each date from the first to the last, both included; none where the last is before the first. #}
{% macro each_date(first_date, last_date) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    explode(case
        when {{ first_date }} <= {{ last_date }} then sequence({{ first_date }}, {{ last_date }}, interval 1 day) else array()
    end)
    {%- else -%}
    cast(unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as date)
    {%- endif -%}
{%- endmacro %}

{# The text at a path of a JSON document; null where there is nothing. #}
{% macro json_text(document, path) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    get_json_object({{ document }}, '{{ path }}')
    {%- else -%}
    ({{ document }} ->> '{{ path }}')
    {%- endif -%}
{%- endmacro %}

{# The text without whatever matches the regular expression; no backslash in it, Spark would eat it. #}
{% macro without_pattern(text, pattern) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    regexp_replace({{ text }}, '{{ pattern }}', '')
    {%- else -%}
    regexp_replace({{ text }}, '{{ pattern }}', '', 'g')
    {%- endif -%}
{%- endmacro %}

{# Whether something in the text matches the regular expression, likewise. #}
{% macro has_pattern(text, pattern) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    regexp_like({{ text }}, '{{ pattern }}')
    {%- else -%}
    regexp_matches({{ text }}, '{{ pattern }}')
    {%- endif -%}
{%- endmacro %}

{#
    The smallest row of a group, compared column by column, null last: a structure of these columns. One pass over the
    group, where numbering its rows would sort them.
#}
{% macro first_in_order(columns) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    min(struct(
        {%- for column in columns %}{{ column }} is null as {{ column }}_is_null, {{ column }} as {{ column }}
        {%- if not loop.last %}, {% endif %}{% endfor -%}
    ))
    {%- else -%}
    min({ {%- for column in columns %}'{{ column }}': {{ column }}{% if not loop.last %}, {% endif %}{% endfor -%} })
    {%- endif -%}
{%- endmacro %}

{# In a window: the last value up to here that is not null. #}
{% macro last_known(expression) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    last_value({{ expression }}, true)
    {%- else -%}
    last_value({{ expression }} ignore nulls)
    {%- endif -%}
{%- endmacro %}

{#
    The quarter of an hour that an instant is in, as a number, and the instant at which one begins. Every zone's clock
    has stood whole quarters from UTC since 1980, so all of a quarter has one local date and hour. What is added keeps
    numbers before 1970 positive, where a division would round towards zero.
#}
{% macro quarter_hour(instant) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    (unix_micros({{ instant }}) + 90000000000000000) div 900000000
    {%- else -%}
    (epoch_us({{ instant }}) + 90000000000000000) // 900000000
    {%- endif -%}
{%- endmacro %}

{% macro instant_of_quarter_hour(number) -%}
    {{ instant_from_microseconds(number ~ " * 900000000 - 90000000000000000") }}
{%- endmacro %}

{# A number that is the same for equal texts and hardly ever for others: tells apart most of what differs, cheaply. #}
{% macro short_hash(text) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    xxhash64({{ text }})
    {%- else -%}
    hash({{ text }})
    {%- endif -%}
{%- endmacro %}

{#
    The table `reached`: every pair of nodes that links join, over however many others; links are told in both directions.
    Spark's recursion keeps what it has already found, so that a circle would never end: there each round doubles how far
    it reaches, up to 64 links. A test fails where that was not enough.
#}
{% macro everything_reached(links) -%}
    {%- if target.type in ('spark', 'databricks') -%}
    {%- for round in range(6) %}
    {%- set near = links if loop.first else "reached_" ~ round %}
    {{ "reached" if loop.last else "reached_" ~ loop.index }} as (
        select workspace, node, other_node from {{ near }}

        union

        select near.workspace, near.node, far.other_node
        from {{ near }} as near
        inner join {{ near }} as far
            on near.workspace = far.workspace and near.other_node = far.node
    )
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
    {%- else -%}
    reached as (
        select workspace, node, other_node
        from {{ links }}

        union

        select reached.workspace, reached.node, links.other_node
        from reached
        inner join {{ links }} as links
            on reached.workspace = links.workspace and reached.other_node = links.node
    )
    {%- endif -%}
{%- endmacro %}
