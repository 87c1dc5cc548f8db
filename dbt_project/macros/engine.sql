{# The few things that engines write differently. Everything else in the project is plain SQL they share. #}

{# Wall-clock time of an instant in an IANA zone (both may be columns), as a timestamp without zone. #}
{% macro local_timestamp(instant, zone) -%}
    timezone({{ zone }}, {{ instant }})
{%- endmacro %}

{# The instant at which a zone's clock shows a wall-clock time. #}
{% macro instant_of_local(wall_clock, zone) -%}
    timezone({{ zone }}, {{ wall_clock }})
{%- endmacro %}

{# Microseconds since 1970, for exact differences. #}
{% macro microseconds(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}

{# The instant of a number of microseconds since 1970. #}
{% macro instant_from_microseconds(number) -%}
    make_timestamptz({{ number }})
{%- endmacro %}

{# Seconds from one instant to another, to the microsecond. #}
{% macro seconds_between(earlier, later) -%}
    cast((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000000.0 as decimal(18, 6))
{%- endmacro %}

{#
    A pseudonym that nobody without the key can recompute: a Saudi mobile hashed without one is guessed in seconds.
    Parts are joined with a separator that ids do not contain. Half of sha256 is kept, so that a hash
    cannot be extended.
#}
{% macro keyed_hash(parts) -%}
    left(sha256(getvariable('hash_key') || '|' || {% for part in parts %}cast({{ part }} as varchar){% if not loop.last %} || '|' || {% endif %}{% endfor %}), 32)
{%- endmacro %}

{# A row for each date from the first to the last, both included; none where the last is before the first. #}
{% macro each_date(first_date, last_date) -%}
    cast(unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as date)
{%- endmacro %}

{# The text at a path of a JSON document; null where there is nothing. #}
{% macro json_text(document, path) -%}
    ({{ document }} ->> '{{ path }}')
{%- endmacro %}

{#
    The smallest row of a group, compared column by column, null last: a structure of these columns. One pass over the
    group, where numbering its rows would sort them.
#}
{% macro first_in_order(columns) -%}
    min({ {%- for column in columns %}'{{ column }}': {{ column }}{% if not loop.last %}, {% endif %}{% endfor -%} })
{%- endmacro %}

{# In a window: the last value up to here that is not null. #}
{% macro last_known(expression) -%}
    last_value({{ expression }} ignore nulls)
{%- endmacro %}

{#
    The quarter of an hour that an instant is in, as a number, and the instant at which one begins. Every zone's clock
    has stood whole quarters from UTC since 1980, so all of a quarter has one local date and hour. What is added keeps
    numbers before 1970 positive, where a division would round towards zero.
#}
{% macro quarter_hour(instant) -%}
    (epoch_us({{ instant }}) + 90000000000000000) // 900000000
{%- endmacro %}

{% macro instant_of_quarter_hour(number) -%}
    make_timestamptz({{ number }} * 900000000 - 90000000000000000)
{%- endmacro %}

{# A number that is the same for equal texts and hardly ever for others: tells apart most of what differs, cheaply. #}
{% macro short_hash(text) -%}
    hash({{ text }})
{%- endmacro %}
