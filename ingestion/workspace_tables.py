"""The settings that dbt reads, as tables: schema settings of the restricted file, written anew before each build."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from ingestion.database import create_database
from ingestion.settings import WEEKDAYS, Settings, Workspace
from ingestion.source_states import SourceState, source_states

TABLES = {
    "workspaces": (
        "workspace varchar, timezone varchar, week_start varchar, currency varchar, session_gap_seconds bigint, "
        "attribution_window_seconds bigint, has_calendar boolean, chatwoot_url varchar, chatwoot_account varchar, "
        "as_of timestamptz"
    ),
    "weekend_days": "workspace varchar, weekday integer",
    "working_hours": (
        "workspace varchar, weekday integer, opens_minute integer, closes_minute integer, valid_from date, valid_to date"
    ),
    "holidays": "workspace varchar, local_date date",
    "whatsapp_numbers": "workspace varchar, phone_number_id varchar, number_name varchar, untagged_sends_are varchar",
    "source_states": (
        "workspace varchar, source varchar, kind varchar, last_attempt_at timestamptz, last_success_at timestamptz, "
        "problem varchar"
    ),
}


def write_workspace_tables(settings: Settings, as_of: datetime) -> None:
    """Write the settings of all workspaces, and the states of their sources.

    Args:
        as_of: the build's "now", with a zone.
    """
    rows = rows_of(settings.workspaces(), as_of) | {"source_states": rows_of_states(source_states(settings))}
    write_tables(settings, rows)


def write_source_states(settings: Settings) -> None:
    """Write the states of the sources anew: a pull may have changed them since the run began."""
    write_tables(settings, {"source_states": rows_of_states(source_states(settings))})


def write_tables(settings: Settings, rows: dict[str, list[list[Any]]]) -> None:
    create_database(settings.restricted)
    with duckdb.connect(str(settings.restricted)) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema if not exists settings; begin")
        for table, found in rows.items():
            connection.execute(f"create or replace table settings.{table} ({TABLES[table]})")
            if found:
                marks = ", ".join("?" * len(found[0]))
                connection.executemany(f"insert into settings.{table} values ({marks})", found)
        connection.execute("commit")


def rows_of_states(states: list[SourceState]) -> list[list[Any]]:
    return [[s.workspace, s.source, s.kind, s.last_attempt_at, s.last_success_at, s.problem] for s in states]


def rows_of(workspaces: list[Workspace], as_of: datetime) -> dict[str, list[list[Any]]]:
    """The rows of each table."""
    return {
        "workspaces": [
            [
                w.name,
                w.timezone,
                w.week_start,
                w.currency,
                int(w.session_gap.total_seconds()),
                int(w.attribution_window.total_seconds()),
                bool(w.working_hours),
                w.chatwoot_url,
                w.chatwoot_account,
                as_of,
            ]
            for w in workspaces
        ],
        "weekend_days": [[w.name, WEEKDAYS.index(day)] for w in workspaces for day in w.weekend],
        "working_hours": [
            [w.name, WEEKDAYS.index(day), *hours.minutes(), hours.valid_from, hours.valid_to]
            for w in workspaces
            for hours in w.working_hours
            for day in hours.days
        ],
        "holidays": [[w.name, day] for w in workspaces for day in w.holidays],
        "whatsapp_numbers": [
            [w.name, number_id, number.name, number.untagged_sends_are]
            for w in workspaces
            for number_id, number in w.whatsapp_numbers.items()
        ],
    }
