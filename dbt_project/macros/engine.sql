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
