"""Webhook archives with the defects of real ones against answers that were worked out message by message."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
from conftest import KEY, SHARED, needs_shared, run_stages

from dashboards.figures import figures
from dashboards.serving import open_serving
from ingestion.importing import import_archives
from ingestion.settings import Settings

ADDITIVE = ["total_conversations", "new_conversations", "open_conversations", "closed_conversations", "unread_conversations", "waiting_conversations", "messages", "customer_messages", "agent_messages", "automation_messages", "unknown_messages", "answered_turns", "unanswered_turns", "ended_episodes", "open_at_end", "unread_at_end", "waiting_at_end"]

ARCHIVES = {
    "riyadh": ["--messages", "20000", "--seed", "1"],
    "paris_autumn_gzip": ["--messages", "3000", "--seed", "2", "--timezone", "Europe/Paris", "--end", "2026-11-05", "--gzip"],
    "paris_spring_clean": ["--messages", "2000", "--seed", "5", "--timezone", "Europe/Paris", "--end", "2026-04-05", "--clean"],
    "new_york_three_numbers": [
        *("--messages", "3000", "--seed", "3", "--timezone", "America/New_York", "--end", "2026-11-10", "--numbers", "3"),
    ],
}


@needs_shared
@pytest.mark.parametrize("archive", ARCHIVES)
def test_figures_and_daily_mart_equal_the_truth(archive: str, tmp_path: Path) -> None:
    truth = made_archive(tmp_path / "archive", ARCHIVES[archive])
    settings = Settings(data=tmp_path / "data", phone_key=KEY, timezone=truth["timezone"])  # type: ignore[arg-type]
    imported = import_archives(settings.landing, "default", "whatsapp", [tmp_path / "archive" / "webhooks"])
    assert imported.unreadable == truth["unparsable_lines"]

    run_stages(settings, truth["as_of"], with_data_tests=archive == "riyadh")

    days = sorted(truth["daily"])
    ranges = {day: (day, day) for day in days} | {"all": (days[0], days[-1])}
    with open_serving(settings) as connection:
        for name, (first, last) in ranges.items():
            expected = truth["all"] if name == "all" else truth["daily"][name]
            found = figures(connection, date.fromisoformat(first), date.fromisoformat(last))
            assert_equal(expected, found, name)
        for day in days:
            assert_equal(
                {key: truth["daily"][day][key] for key in [*ADDITIVE, "avg_response_seconds", "avg_duration_seconds"]},
                daily_sums(connection, day),
                f"mart_daily_metrics {day}",
            )
        assert connection.execute("select count(*) from facts.fct_messages").fetchone() == (truth["message_ids"],)
        health = connection.execute(
            "select rejected_lines, failed_messages from marts.mart_data_health where source = 'whatsapp'"
        ).fetchone()
        assert health == (truth["unparsable_lines"], truth["failed_messages"])
        assert weekday_hours(connection) == truth["customer_messages_by_weekday_hour"]


def made_archive(folder: Path, arguments: list[str]) -> dict:
    folder.mkdir()
    program = [sys.executable, str(SHARED / "tools" / "make_webhooks.py"), "--out", str(folder)]
    subprocess.run([*program, *arguments], check=True, capture_output=True)
    return json.loads((folder / "truth.json").read_text())


def assert_equal(expected: dict, found: dict, where: str) -> None:
    for key, value in expected.items():
        got = None if found[key] is None else float(found[key])
        same = got is None if value is None else got is not None and math.isclose(got, value, rel_tol=0, abs_tol=1e-6)
        assert same, f"{where}: {key} is {got}, truly {value}"


def daily_sums(connection, day: str) -> dict:
    sums = ", ".join(f"sum({name}) as {name}" for name in ADDITIVE)
    cursor = connection.execute(
        f"""select {sums},
            sum(response_seconds_sum) / nullif(sum(answered_turns), 0) as avg_response_seconds,
            sum(duration_seconds_sum) / nullif(sum(ended_episodes), 0) as avg_duration_seconds
        from marts.mart_daily_metrics where local_date = ?""",
        [datetime.fromisoformat(day).date()],
    )
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def weekday_hours(connection) -> dict[str, int]:
    """Customer messages by 'weekday hour', Sunday 0, from the hourly mart."""
    rows = connection.execute(
        "select strftime(local_hour, '%w %H'), sum(customer_messages) from marts.mart_hourly_metrics group by 1 order by 1"
    ).fetchall()
    return {key: int(count) for key, count in rows if count}
