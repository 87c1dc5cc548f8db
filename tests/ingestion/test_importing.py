"""What can be wrong with an archive: nothing is lost, nothing is half written, and the message says what to do."""

from __future__ import annotations

import errno
import gzip
import json
from pathlib import Path

import pytest
from conftest import run_stages

from dashboards.serving import open_serving
from ingestion import importing, landing
from ingestion.errors import SalwaError
from ingestion.importing import import_archives
from ingestion.landing import landed_files, read_lines
from ingestion.loading import batches, parse
from ingestion.settings import Settings
from ingestion.whatsapp import WHATSAPP


def message(wamid: str, at: int = 1_790_000_000, **more: object) -> dict:
    return {"id": wamid, "timestamp": str(at), "type": "text", "from": "966500000101", **more}


def delivery(*messages: object) -> dict:
    value = {"metadata": {"phone_number_id": "800"}, "messages": list(messages)}
    return {"object": "whatsapp_business_account", "entry": [{"id": "700", "changes": [{"field": "messages", "value": value}]}]}


def written(folder: Path, *lines: bytes, name: str = "a.ndjson") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return folder / name


def imported(settings: Settings, *paths: Path, source: str = "whatsapp") -> importing.Imported:
    return import_archives(settings.landing, "default", source, list(paths))


def landed_bodies(settings: Settings, source: str = "whatsapp") -> list[str]:
    return [
        json.loads(line).get("body")
        for path in landed_files(settings.landing, source)
        for line in read_lines(path)
    ]


def parsed(settings: Settings) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for _names, lines in batches(landed_files(settings.landing, "whatsapp"), settings.landing):
        for table, rows in parse(WHATSAPP, lines):
            found.setdefault(table, []).extend(rows.to_pylist())
    return found


def test_every_bad_line_is_a_reject_with_file_line_and_reason(settings: Settings, tmp_path: Path) -> None:
    good = json.dumps(delivery(message("wamid.good"))).encode()
    lines = [
        good,
        good[: len(good) // 2],
        b'{"body": \xff\xfe}',
        b"[1, 2",
        b'"only text"',
        b'{"entry": "not a list"}',
        b'{"entry": [{"changes": []}]}',
        json.dumps(delivery("text", {"id": "wamid.untimed", "type": "text"}, message("wamid.last"))).encode(),
        json.dumps(delivery(message("wamid.future", at=4_000_000_000), {"timestamp": "1790000000"})).encode(),
    ]
    result = imported(settings, written(tmp_path / "in", *lines))
    assert (result.lines, result.unreadable) == (9, 3)

    tables = parsed(settings)
    whole = {row["landing_line"]: row["reason"] for row in tables["rejects"] if row["item_path"] is None}
    assert set(whole) == {2, 3, 4, 5, 6, 7}
    assert "not valid JSON" in whole[2]
    assert "not UTF-8" in whole[3]
    assert "bare" in whole[5]
    assert "no entry[].changes[]" in whole[6]
    assert {row["wamid"] for row in tables["messages"]} >= {"wamid.good", "wamid.last"}
    items = {(row["landing_line"], row["item_path"]): row["reason"] for row in tables["rejects"] if row["item_path"]}
    assert "not an object" in items[8, "entry[0].changes[0].message[0]"]
    assert "timestamp" in items[8, "entry[0].changes[0].message[1]"]
    assert "without an id" in items[9, "entry[0].changes[0].message[1]"]
    assert all(row["landing_file"].startswith("default/whatsapp/") for row in tables["rejects"])


def test_a_line_of_20_mb_is_loaded_and_one_over_the_limit_is_a_reject(settings: Settings, tmp_path: Path) -> None:
    long = json.dumps(delivery(message("wamid.long", text={"body": "x" * 20_000_000}))).encode()
    short = json.dumps(delivery(message("wamid.short"))).encode()
    too_long = b'{"entry": "' + b"x" * landing.LINE_BYTES + b'"}'
    imported(settings, written(tmp_path / "in", long, too_long, short))
    tables = parsed(settings)
    assert {row["wamid"]: row["text_length"] for row in tables["messages"]} == {"wamid.long": 20_000_000, "wamid.short": None}
    (reject,) = tables["rejects"]
    assert reject["landing_line"] == 2
    assert "over the limit" in reject["reason"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "nowhere", "does not exist"),
        (lambda folder: folder, "holds no archive"),
        (lambda folder: written(folder, b"\x89PNG\r", b"binary"), "no line of"),
        (lambda folder: written(folder, b"not gzip at all", name="a.ndjson.gz"), "cannot be read"),
    ],
)
def test_nothing_to_import_is_said_and_lands_nothing(make, says: str, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SalwaError, match=says):
        imported(settings, make(tmp_path / "in"))
    assert landed_files(settings.landing, "whatsapp") == []


def test_a_cut_gzip_lands_nothing(settings: Settings, tmp_path: Path) -> None:
    whole = gzip.compress(b"\n".join(json.dumps(delivery(message(f"wamid.{n}"))).encode() for n in range(2000)))
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(whole[:-50])
    with pytest.raises(SalwaError, match="cannot be read"):
        imported(settings, path)
    assert not list(settings.landing.rglob("*.*"))


def test_a_full_disk_leaves_nothing_half_written(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [written(tmp_path / "in", json.dumps(delivery(message(f"wamid.{n}"))).encode(), name=f"{n}.ndjson") for n in range(3)]
    calls = 0
    real = landing.os.fsync

    def full_at_the_third(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(landing.os, "fsync", full_at_the_third)
    with pytest.raises(SalwaError, match="disk is full"):
        imported(settings, *paths)
    assert not [path for path in settings.landing.rglob("*") if path.is_file()]
    monkeypatch.undo()
    assert imported(settings, *paths).lines == 3


def test_a_file_lands_once_however_it_is_packed(settings: Settings, tmp_path: Path) -> None:
    path = written(tmp_path / "in", json.dumps(delivery(message("wamid.1"))).encode())
    (tmp_path / "in" / "again.ndjson.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert imported(settings, path).lines == 1
    again = imported(settings, tmp_path / "in")
    assert (again.lines, again.known_files) == (0, 2)


def test_the_body_lands_as_it_was_and_the_wrapper_is_taken_off(settings: Settings, tmp_path: Path) -> None:
    body = '{"object" :  "whatsapp_business_account", "entry":[], "text": "\\u0645رحبا"}'
    wrapped = f'{{"received_at": "2026-10-01T10:00:00Z", "body": {body} }}'
    imported(settings, written(tmp_path / "in", wrapped.encode(), body.encode()))
    assert landed_bodies(settings) == [body, body]


def test_tokens_never_land(settings: Settings, tmp_path: Path) -> None:
    secret = "ory_at_very-secret"
    bodies = [
        {"event": "app.store.authorize", "data": {"access_token": secret, "refresh_token": secret, "expires": 1}},
        {"nested": json.dumps({"access_token": secret}), "query": f"https://x.test/?refresh_token={secret}&a=1"},
        {"Access_Token": [secret]},
    ]
    lines = [json.dumps({"kind": "webhook", "body": body}).encode() for body in bodies]
    lines.append(lines[0][:-30])
    lines.append(json.dumps({"kind": "POST /oauth2/token", "body": {"access_token": secret}}).encode())
    lines.append(json.dumps({"kind": "webhook", "body": bodies[0]}).replace("access_token", "access\\u005ftoken").encode())
    result = imported(settings, written(tmp_path / "in", *lines), source="salla")
    assert result.left_out == 1
    landed = b"".join(b"".join(read_lines(path)) for path in landed_files(settings.landing, "salla"))
    assert secret.encode() not in landed
    assert landed.count(b"[redacted]") >= 6


def test_one_time_passwords_never_land(settings: Settings, tmp_path: Path) -> None:
    body = {"event": "customer.otp.request", "merchant": 1, "data": {"contact": "966500000001", "otp": "774411", "code": 774411}}
    imported(settings, written(tmp_path / "in", json.dumps({"kind": "webhook", "body": body}).encode()), source="salla")
    (landed,) = landed_bodies(settings, "salla")
    assert "774411" not in landed
    assert json.loads(landed)["event"] == "customer.otp.request"


def test_landed_equals_loaded_and_rejected(settings: Settings, tmp_path: Path) -> None:
    good = [json.dumps(delivery(message(f"wamid.{n}", at=1_790_000_000 + n))).encode() for n in range(5)]
    imported(settings, written(tmp_path / "in", *good, good[0], good[0][:40]))
    run_stages(settings, "2026-11-01T00:00:00+03:00")
    with open_serving(settings) as connection:
        health = connection.execute(
            "select landed_lines, loaded_lines, rejected_lines, duplicate_lines from marts.mart_data_health"
        ).fetchall()
        assert health == [(7, 6, 1, 1)]
        assert connection.execute("select count(*) from facts.fct_messages").fetchone() == (5,)


@pytest.mark.parametrize(
    ("source", "body", "told"),
    [
        ("salla", {"object": "whatsapp_business_account", "entry": []}, "whatsapp"),
        ("chatwoot", {"object": "whatsapp_business_account", "entry": []}, "whatsapp"),
        ("whatsapp", {"event": "order.created", "merchant": 1, "created_at": "x", "data": {}}, "salla"),
        ("salla", {"event": "message_created", "id": 1, "account": {"id": 1}}, "chatwoot"),
    ],
)
def test_deliveries_of_another_source_are_refused(source: str, body: dict, told: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive.ndjson"
    archive.write_text(json.dumps({"kind": "webhook", "body": body}) + "\n", encoding="utf-8")
    with pytest.raises(SalwaError, match=f"salwa import {told}"):
        import_archives(tmp_path / "landing", "default", source, [archive])
    assert not list((tmp_path / "landing").rglob("*.gz"))
    assert import_archives(tmp_path / "landing", "default", told, [archive]).lines == 1
