"""The benchmarks' data is what it says it is, and the benchmark runs; no time is looked at."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from benchmarks.goals import Goal, before_any_work, goals, p95
from benchmarks.limit import differences
from benchmarks.measure import Run, told_last
from benchmarks.plot import growth_svg
from benchmarks.scenario import Failed, Found, require_equal
from benchmarks.webhooks import HOUR_DELIVERIES, Plan, land_history, land_hour

ROOT = Path(__file__).parents[2]
MESSAGES = 5_000


def digests(landing: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in landing.rglob("*.gz")}


def bodies(landing: Path, name: str) -> list[dict]:
    """The lines of the landing files of a name."""
    return [json.loads(line) for path in sorted(landing.rglob(f"*{name}*.gz")) for line in gzip.open(path, "rt", encoding="utf-8")]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that a small benchmark leaves."""
    work = tmp_path_factory.mktemp("bench")
    arguments = ["--messages", str(MESSAGES), "--times", "1", "--only", "full", "--no-history", "--work", str(work)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "against the limit" in done.stdout
    return work / f"history-{MESSAGES}"


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    land_history(tmp_path / "one", Plan(MESSAGES))
    land_history(tmp_path / "two", Plan(MESSAGES))
    land_history(tmp_path / "other", Plan(MESSAGES, seed=2))

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


def test_files_follow_each_other_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.webhooks.FILE_MESSAGES", 2_000)
    plan = Plan(10_000)
    made = land_history(tmp_path, plan)
    received = [line["received_at"] for line in bodies(tmp_path, "history")]

    assert len(digests(tmp_path)) > 2
    assert received == sorted(received)
    assert len(received) == made.lines
    assert datetime.fromisoformat(received[-1]) < plan.ends_at
    assert abs(made.told["customer"] / 10_000 - 0.474) < 0.05


def test_the_hour_holds_what_an_hour_may_bring(tmp_path: Path) -> None:
    plan = Plan(MESSAGES)
    land_history(tmp_path, plan)
    made = land_hour(tmp_path, plan)
    lines = bodies(tmp_path, "hour")
    received = [datetime.fromisoformat(line["received_at"]) for line in lines]
    before = plan.ends_at.timestamp()
    sent = [int(stamp) for line in lines for stamp in timestamps(line["body"])]

    assert made.lines == len(lines) == HOUR_DELIVERIES
    assert plan.ends_at <= min(received)
    assert max(received) < made.as_of
    assert sum(stamp < before - 86400 for stamp in sent) > 50, "some are late by days"
    assert made.told["state of old"] == 100
    assert made.told["link"] == 1


def timestamps(body: str) -> list[str]:
    try:
        value = json.loads(body)["entry"][0]["changes"][0]["value"]
    except ValueError:
        return []
    return [item["timestamp"] for kind in ("messages", "statuses", "message_echoes", "user_id_update") for item in value.get(kind, [])]


def test_salwa_counts_what_was_made(smoke: Path, tmp_path: Path) -> None:
    made = land_history(tmp_path, Plan(MESSAGES), with_truth=True)
    with duckdb.connect(str(smoke / "warehouse.duckdb"), read_only=True) as connection:
        by_author = dict(connection.execute("select author_type, count(*) from facts.fct_messages group by 1").fetchall())
        health = connection.execute(
            "select landed_lines, rejected_lines, duplicate_lines from marts.mart_data_health where source = 'whatsapp'"
        ).fetchone()

    assert by_author == made.messages
    assert health == (made.lines, made.cut, made.repeats)
    assert made.repeats > 0
    assert made.cut > 0


def test_the_limit_is_compared_with_what_was_built(smoke: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes((smoke / "limit.duckdb").read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute("update mart_daily_metrics set messages = messages + 1 where local_date = (select max(local_date) from mart_daily_metrics)")
    compared, none = differences(smoke / "limit.duckdb", smoke / "warehouse.duckdb")
    _, found = differences(changed, smoke / "warehouse.duckdb")

    assert compared > 100
    assert not none
    assert {(difference.mart, difference.column) for difference in found} == {("mart_daily_metrics", "messages")}


def test_a_row_that_an_increment_left_otherwise_is_found(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("same", 1), ("other", 2)):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema facts; create table facts.t as select {value} as v union all select 5")

    assert require_equal(tmp_path / "one", tmp_path / "same") == 2
    with pytest.raises(Failed, match=r"facts\.t: 1 rows are only"):
        require_equal(tmp_path / "one", tmp_path / "other")


def run_of(seconds: float, **stages: float) -> Run:
    return Run(seconds, seconds, 1 << 30, {"stages": stages})


def test_goals_are_met_or_not_or_not_measured() -> None:
    small = Found(100, {"full": [run_of(20)], "limit": [run_of(1)], "start": [run_of(10)]})
    large = Found(1000, {"full": [run_of(110)], "limit": [run_of(60)], "start": [run_of(10)], "idiomatic": [run_of(900)]})
    found = {goal.name: (goal.value, goal.state) for goal in goals(large, small, {})}

    assert found["full, its start-up apart, against the limit"] == (100 / 60, "met")
    assert found["full against the idiomatic pipeline"] == (900 / 110, "NOT MET")
    assert found["cost of a message, against a tenth of the history"] == (1.0, "met")
    assert found["an hour's worth, against full"] == (None, "not measured")
    assert Goal("", 2.0, 2).state == "met"
    assert Goal("", 1.9, 2, must_reach=True).state == "NOT MET"


def test_start_up_is_what_comes_before_any_work() -> None:
    run = Run(10, 10, 1, {"stages": {"imports": 1, "prepare": 1, "load whatsapp": 2, "manifest": 1, "build": 3, "publish": 1.5}})

    assert before_any_work(run) == 3.5


def test_p95_is_the_smallest_that_95_percent_do_not_exceed() -> None:
    assert p95([float(number) for number in range(1, 21)]) == 19
    assert p95([7.0]) == 7


def test_what_a_task_tells_is_found_among_progress_bars() -> None:
    assert told_last('x\n 99% \r100% \n{"a": 1}\n 100% \n') == {"a": 1}
    assert told_last("Published\n") == {}


def test_the_plot_draws_every_size() -> None:
    drawn = growth_svg({100_000: {"full": 30.0, "limit": 3.0}, 1_000_000: {"full": 90.0, "limit": 20.0}})

    assert drawn.count("<circle") == 4
    assert "1,000,000" in drawn
