"""A quarter of an hour has one local date and hour in every zone: that is what lets a day's messages share one answer."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import jinja2

from orchestration.compiling import PROJECT

# a step that is no part of an hour: within a year it meets every minute of a day
INSTANTS = "select unnest(generate_series(timestamptz '2009-01-01', timestamptz '2037-12-31', interval '7 days 5 hours 7 minutes 11 seconds'))"


def test_the_clock_shows_the_hour_of_its_quarters_beginning_in_every_zone_since_whatsapp_began() -> None:
    query = rendered(
        "select count(*), count(distinct zone), "
        "count(*) filter (where date_trunc('hour', {{ local_timestamp('instant', 'zone') }}) <> "
        "date_trunc('hour', {{ local_timestamp(instant_of_quarter_hour(quarter_hour('instant')), 'zone') }})) "
        f"from (select name as zone from pg_timezone_names()) cross join ({INSTANTS}) as instants (instant)"
    )
    with duckdb.connect() as connection:
        compared, zones, differing = connection.execute(f"set TimeZone = 'UTC'; {query}").fetchall()[0]

    assert compared > 500_000
    assert zones > 400
    assert differing == 0


def test_around_each_change_of_a_clock_too() -> None:
    """Every zone's clock changes on a whole quarter of an hour: a minute before and after each of 2026."""
    query = rendered(
        "with hours as (select name as zone, unnest(generate_series(timestamptz '2026-01-01', timestamptz '2026-12-31', "
        "interval 15 minute)) as begins_at from pg_timezone_names() where name in "
        "('Europe/Paris', 'Africa/Cairo', 'Australia/Lord_Howe', 'Asia/Beirut', 'America/St_Johns', 'Africa/Casablanca', "
        "'Pacific/Chatham', 'Asia/Riyadh', 'Asia/Gaza')), "
        "instants as (select zone, begins_at, unnest([begins_at, begins_at + interval '14 minutes 59 seconds']) as instant from hours) "
        "select count(distinct zone), count(*) filter (where {{ quarter_hour('instant') }} <> {{ quarter_hour('begins_at') }} "
        "or date_trunc('hour', {{ local_timestamp('instant', 'zone') }}) <> date_trunc('hour', {{ local_timestamp('begins_at', 'zone') }})) "
        "from instants"
    )
    with duckdb.connect() as connection:
        assert connection.execute(f"set TimeZone = 'UTC'; {query}").fetchall() == [(9, 0)]


def rendered(query: str) -> str:
    macros = (PROJECT / "macros/engine.sql").read_text(encoding="utf-8")
    return jinja2.Environment().from_string(macros + query).render(target=SimpleNamespace(type="duckdb"))  # noqa: S701
