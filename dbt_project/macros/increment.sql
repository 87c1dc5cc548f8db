{# What an increment works on, for orchestration/increment.py: relations in memory, by the stage that makes them. #}
{% macro touched(stage, name) -%}
    "touched"."{{ stage }}"."{{ name }}"
{%- endmacro %}

{# The "now" of the last build. A value for the query, so that whole blocks before it are not read. #}
{% macro last_as_of() -%}
    getvariable('last_as_of')
{%- endmacro %}

{# Before this no silence can have come to an end since the last build. #}
{% macro silent_from() -%}
    getvariable('silent_from')
{%- endmacro %}
