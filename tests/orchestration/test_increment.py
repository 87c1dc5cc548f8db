"""Increments: what they leave is what a full rebuild makes, and they make no more than new rows touch."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import build_landed
from test_same_answer import archive, deliveries, land, line

from ingestion.settings import Settings
from orchestration import transform
from orchestration.compiling import manifest
from orchestration.increment import last_build
from orchestration.increment.last_build import Built, last_built, why_whole
from orchestration.increment.slices import Increment, why_not_sliced
from orchestration.increment.stages import STAGES, order_of, queries, slice_made, stage_of
from orchestration.transform import Node, warehouse

DAY = 86_400


@pytest.fixture
def even_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Increments where a full build would be as fast."""
    monkeypatch.setattr(last_build, "LITTLE", 0)


def received(text: str) -> datetime:
    return datetime.fromisoformat(json.loads(text)["received_at"])


def facts_and_marts(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('facts', 'marts')"
        ).fetchall()
        return {name: connection.execute(f"select * from {name} order by all").fetchall() for (name,) in names}


def rebuilt(settings: Settings, folder: Path, as_of: datetime) -> Settings:
    """A warehouse made in one build from the same landed files."""
    again = settings.model_copy(update={"data": folder})
    folder.mkdir()
    shutil.copytree(settings.landing, again.landing)
    build_landed(again, as_of)
    return again


def same_rows(settings: Settings, other: Settings) -> None:
    found, expected = facts_and_marts(settings), facts_and_marts(other)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name


def linked(at: int, before: int, now: int) -> str:
    """One person's id becomes another's: two people are one."""
    told = {"user_id": {"previous": f"SA.{before:06d}", "current": f"SA.{now:06d}"}, "wa_id": f"96650000{now:04d}"}
    return line(at, "user_id_update", {"user_id_update": [told | {"timestamp": str(at)}]})


@pytest.mark.usefixtures("even_little")
def test_hours_leave_what_a_full_rebuild_makes(tmp_path: Path, settings: Settings, monkeypatch) -> None:
    lines = sorted((text for text in deliveries(11) if text.endswith("}")), key=received)
    start, late = len(lines) * 6 // 10, lines[5 : len(lines) * 6 // 10 : 9]
    land(settings, archive(tmp_path / "first", [text for text in lines[:start] if text not in late]))
    now = received(lines[start - 1]) + timedelta(seconds=1)
    assert build_landed(settings, now).told == "all made in full: there is no finished build to go on from"
    at = int(now.timestamp())
    hours = [
        lines[start : start + 40] + late,
        [linked(at - DAY, 3, 4), linked(at - 9 * DAY, 7, 5), linked(at + 9 * DAY, 8, 6), *lines[start + 40:]],
    ]
    for number, hour in enumerate(hours):
        land(settings, archive(tmp_path / str(number), hour))
        now = max(now, *(received(text) for text in hour))
        done = build_landed(settings, now)
        assert "new landing file" in done.told and "in full" not in done.told

    # nothing lands, but time passes: conversations end by silence, a day begins, what was told of the future has come
    later = now + timedelta(days=12)
    done = build_landed(settings, later, with_data_tests=True)
    assert done.told.startswith("0 new landing files") and "in full" not in done.told
    assert {node.status for node in done.nodes if node.resource_type == "test"} == {"pass"}
    same_rows(settings, rebuilt(settings, tmp_path / "passed", later))

    # what a test found wrong is built and tested again, though nothing touches it
    failing = monkeypatch_one_test(monkeypatch)
    land(settings, archive(tmp_path / "last", [linked(at - DAY, 10, 11)]))
    with pytest.raises(AssertionError, match=failing):
        build_landed(settings, later, with_data_tests=True)
    with warehouse(settings) as session:
        assert last_built(session()) is None


def monkeypatch_one_test(monkeypatch: pytest.MonkeyPatch) -> str:
    """Has one data test find something; its name."""
    run_test = transform.run_test
    chosen = next(node for node in manifest()["nodes"].values() if node["resource_type"] == "test")

    def finds_something(test: dict[str, Any], *rest: Any) -> Node:
        if test["unique_id"] != chosen["unique_id"]:
            return run_test(test, *rest)
        return Node(test["unique_id"], test["name"], "test", "fail", 0.0, "Got 1 result", 1)

    monkeypatch.setattr(transform, "run_test", finds_something)
    return str(chosen["name"])


@pytest.mark.usefixtures("even_little")
def test_a_quiet_hour_touches_few(tmp_path: Path, settings: Settings) -> None:
    lines = sorted((text for text in deliveries(12) if text.endswith("}")), key=received)
    land(settings, archive(tmp_path / "first", lines))
    now = received(lines[-1]) + timedelta(days=5)
    build_landed(settings, now)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update facts.fct_messages set text_length = -1; update marts.mart_daily_metrics set messages = -1")
    at = int(now.timestamp())
    body = {"messages": [{"id": "wamid.new", "timestamp": str(at - 60), "type": "text", "from": "966500000003"}]}
    land(settings, archive(tmp_path / "new", [line(at - 60, "messages", body)]))
    done = build_landed(settings, now + timedelta(seconds=1))
    assert done.told.startswith("1 new landing files touch 1 messages, 1 customers")
    with duckdb.connect(str(settings.warehouse)) as connection:
        messages, days = (
            connection.execute(f"select count(case when {column} = -1 then 1 end), count(*) from {relation}").fetchall()[0]
            for column, relation in (("text_length", "facts.fct_messages"), ("messages", "marts.mart_daily_metrics"))
        )
    assert 0.9 * messages[1] < messages[0] < messages[1], "only this customer's last messages are made anew"
    assert days[1] - 3 <= days[0] < days[1], "only the days since the last build"


def built(**others: Any) -> Built:
    known = {"as_of": datetime(2026, 1, 1, tzinfo=UTC), "version": "a", "files": {"whatsapp": frozenset({"one"})}, "rows": 10**6}
    return Built(**(known | others))


@pytest.mark.parametrize(
    ("last", "now", "reason"),
    [
        (None, built(), "no finished build"),
        (built(), None, "no finished build"),
        (built(), built(version="b"), "models or the settings"),
        (built(), built(as_of=datetime(2025, 1, 1, tzinfo=UTC)), "later time"),
        (built(), built(files={"whatsapp": frozenset({"two"})}), "there no more"),
        (built(), built(files={"whatsapp": frozenset({"one"}), "chatwoot": frozenset({"x"})}), "inbox"),
        (built(), built(rows=1000), "so little"),
        (built(), built(files={"whatsapp": frozenset({"one", "two"}), "salla": frozenset({"x"})}), ""),
    ],
)
def test_what_cannot_be_told_is_made_whole(last: Built | None, now: Built | None, reason: str) -> None:
    told = why_whole(last, now)
    assert reason in told and bool(told) == bool(reason)


def test_a_parent_that_changed_makes_its_children_whole() -> None:
    nodes = manifest()["nodes"]
    turns, agents = nodes["model.salwa.fct_turns"], nodes["model.salwa.int_agents"]
    slices = {slice_made(node): "made" for node in nodes.values() if stage_of(node)}
    increment = Increment(nodes, set(), set(), {}, 1, slices)
    assert why_not_sliced(increment, turns) == ""
    increment.changed.add(agents["unique_id"])
    assert why_not_sliced(increment, turns) == "int_agents changed"
    # through a view, too
    increment.changed = {"model.salwa.int_chatwoot__messages"}
    assert why_not_sliced(increment, nodes["model.salwa.int_conversation_messages"]) == "int_chatwoot__messages changed"
    # and where what is touched is not known
    del increment.slices["people", "conversations"]
    assert why_not_sliced(increment, turns) == "people__conversations is not known"


def test_every_query_and_key_belongs_to_a_stage() -> None:
    nodes = manifest()["nodes"]
    sliced = [node for node in nodes.values() if node["resource_type"] == "model" and stage_of(node)]
    assert len(sliced) > 20
    made = {slice_made(query) for query in queries(nodes).values()}
    for model in sliced:
        assert stage_of(model) in STAGES
        assert {tuple(relation.split(".")) for relation in model["config"]["meta"]["touched"]} <= made, model["name"]
    assert {stage_of(query) for query in queries(nodes).values()} <= STAGES.keys()
    order_of(nodes)  # names whoever reads a slice that nobody makes
