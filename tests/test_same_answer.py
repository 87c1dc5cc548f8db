"""Whatever way the same deliveries came in, facts and marts are the same."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from conftest import run_stages, served_tables, table_rows

from ingestion.importing import import_archives
from ingestion.settings import Settings

AS_OF = "2026-11-01T00:00:00+03:00"


def deliveries(seed: int) -> list[str]:
    """A small archive of webhooks with repeats, late statuses, a number change and a cut line."""
    rng = random.Random(seed)
    lines = []
    for person in range(25):
        phone, user = f"96650000{person:04d}", f"SA.{person:06d}"
        at = 1_790_000_000 + rng.randrange(20 * 86_400)
        for turn in range(rng.randrange(1, 8)):
            wamid = f"wamid.{person:03d}{turn:03d}"
            who = {"from": phone} | ({"from_user_id": user} if rng.random() < 0.7 else {})
            lines.append(line(at, "messages", {"messages": [{"id": wamid, "timestamp": str(at), "type": "text", **who}]}))
            at += rng.choice([3, 60, 4000, 100_000])
            tag = rng.choice(["agent:sara", "bot:hello", "campaign:eid", ""])
            statuses = [
                {"id": wamid + "r", "status": state, "timestamp": str(at + delay), "recipient_id": phone,
                 "biz_opaque_callback_data": tag}
                for state, delay in (("sent", 0), ("delivered", 2), ("read", 40))
            ]
            rng.shuffle(statuses)
            lines.extend(line(at + 5, "messages", {"statuses": [status]}) for status in statuses)
            at += rng.choice([1, 30, 90_000])
        if person % 9 == 0:
            moved = [{"user_id": {"previous": user, "current": user + "x"}, "wa_id": phone[:-1] + "x9", "timestamp": str(at)}]
            lines.append(line(at, "user_id_update", {"user_id_update": moved}))
    lines.append(lines[0][: len(lines[0]) // 2])
    return lines + lines[3:9]


def line(at: int, field: str, value: dict) -> str:
    from datetime import UTC, datetime

    change = {"field": field, "value": {"metadata": {"phone_number_id": "800"}, **value}}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "700", "changes": [change]}]}
    return json.dumps({"received_at": datetime.fromtimestamp(at + 2, UTC).isoformat(), "body": body})


def archive(folder: Path, *parts: list[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.ndjson" for number in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_text("".join(f"{text}\n" for text in part), encoding="utf-8")
    return paths


def everything(settings: Settings) -> dict[str, list[tuple]]:
    return {table: table_rows(settings, table) for table in served_tables(settings)}


def land(settings: Settings, paths: list[Path]) -> None:
    import_archives(settings.landing, "default", "whatsapp", paths)


@pytest.fixture
def settings_like(tmp_path: Path, settings: Settings):
    return lambda name: settings.model_copy(update={"data": tmp_path / name})


def test_twice_shuffled_in_halves_and_in_full(tmp_path: Path, settings_like) -> None:
    lines = deliveries(7)
    once = settings_like("once")
    land(once, archive(tmp_path / "a", lines))
    run_stages(once, AS_OF)
    expected = everything(once)
    assert len(expected["facts.fct_messages"]) > 150
    assert len(expected["facts.fct_turns"]) > 40

    # again: the same archive, a run with nothing new, and everything rebuilt from landing
    land(once, archive(tmp_path / "a", lines))
    run_stages(once, AS_OF, with_data_tests=False)
    assert_same(expected, everything(once), "imported twice")
    run_stages(once, AS_OF, full=True, with_data_tests=False)
    assert_same(expected, everything(once), "rebuilt in full")

    shuffled = settings_like("shuffled")
    mixed = lines[:]
    random.Random(3).shuffle(mixed)
    land(shuffled, archive(tmp_path / "b", mixed))
    run_stages(shuffled, AS_OF, with_data_tests=False)
    assert_same(expected, everything(shuffled), "shuffled")

    halves = settings_like("halves")
    first, second = archive(tmp_path / "c", lines[::2], lines[1::2])
    land(halves, [second])
    run_stages(halves, AS_OF, with_data_tests=False)
    assert everything(halves) != expected
    land(halves, [first])
    run_stages(halves, AS_OF, with_data_tests=False)
    assert_same(expected, everything(halves), "in halves with a refresh between")
    shutil.rmtree(halves.data / "dlt")
    run_stages(halves, AS_OF, with_data_tests=False)
    assert_same(expected, everything(halves), "without dlt's own files")


def assert_same(expected: dict, found: dict, how: str) -> None:
    assert expected.keys() == found.keys()
    for table, rows in expected.items():
        assert rows == found[table], f"{table} differs when {how}"
