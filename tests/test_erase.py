"""`salwa erase`, from what landed to what is served: nothing names them any more, and every figure is as it was."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import KEY, SHARED, needs_shared, run_stages, served_tables, table_rows
from typer.testing import CliRunner

from ingestion.erasing.lines import cleaner
from ingestion.erasing.people import find_person
from ingestion.errors import SalwaError
from ingestion.importing import import_archives
from ingestion.inbox.export import import_export
from ingestion.landing import Delivery, landed_line, read_lines
from ingestion.settings import Settings
from orchestration import erase, stages
from orchestration.cli import app

AS_OF = "2026-11-22T00:00:00+03:00"
PHONE, USER = "966500000101", "SA.4000000000000000101"
NEXT_HOLDER, OTHER = "SA.5000000000000000404", "966500000808"
LEFT_AT = 1790500000  # when the number below went from her to somebody else
PASSED_ON = "966500000707"
NAMES = ("Noura", "سارة", "الحربي", "Noura's desk name")
ADDRESSES = ("sara@example.com", "noura@example.net")
IDS = (USER, "700100201", "noura.demo", "desk-customer-1")
HASH = re.compile(r"\b[0-9a-f]{32}\b|Customer [0-9A-F]{6}\b")


def wamid(phone: str, number: int) -> str:
    """A message id as Meta makes them: the number stands in it."""
    raw = b"\x1d\x02\x4c" + bytes([len(phone)]) + phone.encode() + b"\x15\x02\x00\x11" + number.to_bytes(9, "big")
    return "wamid." + base64.b64encode(raw).decode()


def delivery(value: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    metadata = {"display_phone_number": "966110000001", "phone_number_id": "800000000000001"}
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "700000000000001", "changes": [change]}]}


def message(phone: str, at: int, number: int, text: str = "hello", user: str | None = None, name: str = "") -> dict[str, Any]:
    item = {"from": phone, "id": wamid(phone, number), "timestamp": str(at), "type": "text", "text": {"body": text}}
    contact: dict[str, Any] = {"wa_id": phone, "profile": {"name": name or "Omar"}}
    if user:
        item["from_user_id"] = contact["user_id"] = user
    return delivery({"contacts": [contact], "messages": [item]})


OTHERS = [
    message(OTHER, 1790000700, 1, "where is my order?"),
    delivery({"statuses": [{"id": wamid(OTHER, 2), "status": "sent", "timestamp": "1790000710", "recipient_id": OTHER}]}),
    # whoever has her former number now
    message(PASSED_ON, LEFT_AT + 90_000, 3, "I am new here", NEXT_HOLDER, "Huda"),
    message(PASSED_ON, LEFT_AT + 90_100, 4, "and without an id"),
]
HERS = [
    message(PHONE, 1790000800, 11, "my address is Palm Street 4", USER, "Noura Demo"),
    delivery({"statuses": [{"id": wamid(PHONE, 12), "status": "sent", "timestamp": "1790000810", "recipient_id": PHONE}]}),
    delivery({"statuses": [{"id": wamid(PHONE, 12), "status": "read", "timestamp": "1790000820"}]}),  # names nobody
    message(PASSED_ON, 1790300000, 13, "from my other phone", "SA.4000000000000000303", "Noura Demo"),
    delivery(
        {
            "messages": [
                {
                    "from": PASSED_ON, "id": wamid(PASSED_ON, 14), "timestamp": str(LEFT_AT), "type": "system",
                    "system": {"body": f"User Noura changed from {PASSED_ON} to {PHONE}", "wa_id": PHONE, "type": "user_changed_number"},
                }
            ]
        }
    ),
]
MENTIONS = [message(OTHER, 1790000900, 21, "call Layla at +966 (50) 000-0101 or ٠٥٠٠٠٠٠١٠١, not 0500000808")]
LATER = message(PHONE, 1794900000, 31, "it is me again", USER, "Noura Demo")


def export(folder: Path) -> Path:
    """An inbox's export: a conversation of hers, named by the number, and one of another."""
    folder.mkdir()
    rows = {
        "conversations": [
            {"conversation_id": f"{PHONE}@c.us", "customer_id": "desk-customer-1", "customer_phone": "+966 50 000 0101",
             "customer_name": "Noura's desk name", "channel": "desk", "created_at": "2026-10-02T09:00:00Z"},
            {"conversation_id": "c2", "customer_id": "desk-customer-2", "customer_phone": f"+{OTHER}",
             "customer_name": "Omar", "channel": "desk", "created_at": "2026-10-02T09:00:00Z"},
        ],
        "messages": [
            {"message_id": f"m{number}", "conversation_id": conversation, "sent_at": f"2026-10-02T09:0{number}:00Z", "author_type": author,
             "author_id": who, "author_name": name, "text": "noura@example.net is mine"}
            for number, (conversation, author, who, name) in enumerate([
                (f"{PHONE}@c.us", "customer", "desk-customer-1", "Noura's desk name"), (f"{PHONE}@c.us", "agent", "a1", "Reem"),
                ("c2", "customer", "desk-customer-2", "Omar"),
            ])
        ],
    }
    rows["messages"][2]["text"] = "nothing of hers"
    for table, told in rows.items():
        (folder / f"{table}.ndjson").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in told), encoding="utf-8")
    return folder


@dataclass
class Shop:
    """A warehouse before and after somebody was erased."""

    settings: Settings
    archives: dict[str, Path]
    export: Path
    before: dict[str, list[str]]
    lines_before: dict[str, list[bytes]]
    planned: erase.Plan


def lines_of(settings: Settings) -> dict[str, list[bytes]]:
    return {path.relative_to(settings.landing).as_posix(): read_lines(path) for path in sorted(settings.landing.rglob("*.ndjson*"))}


def figures_of(settings: Settings) -> dict[str, list[str]]:
    """All rows that are served, without the hashed ids."""
    return {
        table: sorted(HASH.sub("*", repr(row)) for row in table_rows(settings, table))
        for table in served_tables(settings)
        if table != "facts.fct_source_states"
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("erase")
    settings = Settings(data=folder / "data", phone_key=KEY)  # type: ignore[arg-type]
    kinds = json.loads((SHARED / "samples/kinds.json").read_text())
    archives = {}
    for source in ("whatsapp", "chatwoot", "salla"):
        bodies = [(kind, json.loads((SHARED / "samples" / name).read_text())) for name, kind in kinds.items() if name.startswith(f"{source}/")]
        if source == "whatsapp":
            bodies += [("webhook", body) for body in (*OTHERS, *HERS, *MENTIONS)]
        lines = [{"received_at": "2026-10-01T12:00:00+00:00", "kind": kind, "body": body} for kind, body in bodies]
        archives[source] = folder / f"{source}.ndjson"
        archives[source].write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
        import_archives(settings.landing, "default", source, [archives[source]])
    desk = export(folder / "desk")
    import_export(settings.landing, "default", desk)
    run_stages(settings, AS_OF, with_data_tests=False)
    before, lines_before = figures_of(settings), lines_of(settings)

    with pytest.raises(SalwaError, match="that number had 2 holders"):
        erase.plan(settings, settings.workspaces()[0], PASSED_ON)
    planned = erase.plan(settings, settings.workspaces()[0], "٠٥٠ ٠٠٠ ٠١٠١")
    assert lines_of(settings) == lines_before, "a plan changes nothing"
    erase.erase(settings, planned)

    # whatever comes afterwards: the same archives, a copy with another line, the same export, a webhook
    for source, archive in archives.items():
        clean = cleaner(settings, "default", source)
        assert import_archives(settings.landing, "default", source, [archive], clean=clean).known_files == 1
    assert import_export(settings.landing, "default", desk, clean=cleaner(settings, "default", "inbox")).files == 0
    run_stages(settings, AS_OF, with_data_tests=False)
    return Shop(settings, archives, desk, before, lines_before, planned)


@needs_shared
def test_every_figure_is_as_it_was(shop: Shop) -> None:
    after = figures_of(shop.settings)
    assert after.keys() == shop.before.keys()
    for table, rows in shop.before.items():
        assert after[table] == rows, table
    assert len(shop.before["facts.fct_messages"]) > 40
    assert len(shop.before["facts.fct_orders"]) >= 5


@needs_shared
def test_nothing_under_the_data_folder_names_them(shop: Shop) -> None:
    spaced = re.compile("5[ ()-]*0[ ()-]*0[ ()-]*0[ ()-]*0[ ()-]*0[ ()-]*1[ ()-]*0[ ()-]*1|٥٠٠٠٠٠١٠١")
    for name, text in everything_in(shop.settings.data):
        assert not spaced.search(text), name
        for told in (*NAMES, *ADDRESSES, *IDS, "Palm Street"):
            assert told not in text, (name, told)
        for found in set(re.findall(r"wamid\.([A-Za-z0-9+/]+)", text)):
            raw = base64.b64decode(found[: len(found) // 4 * 4])
            assert PHONE.encode() not in raw, (name, found)


def everything_in(data: Path) -> list[tuple[str, str]]:
    """Every file as text; databases row by row, for they are packed."""
    found = []
    for path in data.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        found.append((path.name, raw.decode("latin-1") if path.suffix == ".duckdb" else raw.decode("utf-8", "replace")))
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = connection.execute("select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'")
                for schema, table in tables.fetchall():
                    rows = connection.execute(f'select cast(t as varchar) from "{schema}"."{table}" as t').fetchall()
                    found.append((f"{path.name} {schema}.{table}", "\n".join(row for (row,) in rows)))
    return found


@needs_shared
def test_other_peoples_lines_are_the_same_to_the_byte(shop: Shop) -> None:
    after = lines_of(shop.settings)
    assert [len(lines) for lines in after.values()] == [len(lines) for lines in shop.lines_before.values()]
    kept = [json.loads(line)["body"] for name in after for line in set(after[name]) & set(shop.lines_before[name])]
    for body in OTHERS:
        assert json.dumps(body, ensure_ascii=False) in kept
    shared = next(json.loads(json.loads(line)["body"]) for lines in after.values() for line in lines if b"Layla" in line)
    text = shared["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"]
    assert text == "call Layla at +xxxxxxxxxxxxxxxxx or xxxxxxxxxx, not 0500000808"


@needs_shared
def test_the_number_they_left_is_its_next_holders(shop: Shop) -> None:
    with duckdb.connect(str(shop.settings.restricted), read_only=True) as connection:
        holders = connection.execute(
            "select distinct customer_user_id, count(*) from staging.stg_whatsapp__messages where customer_phone = ? group by all", [PASSED_ON]
        ).fetchall()
    assert sorted(holders, key=str) == [("SA.5000000000000000404", 1), (None, 1)]


@needs_shared
def test_what_a_webhook_brings_later_lands_without_them(shop: Shop) -> None:
    clean = cleaner(shop.settings, "default", "whatsapp")
    arrived = clean(Delivery(json.dumps(LATER, ensure_ascii=False).encode(), received_at="2026-11-21T10:00:00+00:00"))
    line = landed_line(arrived).decode()
    for told in (PHONE, USER, "Noura", "it is me again"):
        assert told not in line
    again = clean(Delivery(json.dumps(LATER, ensure_ascii=False).encode(), received_at="2026-11-21T10:00:00+00:00"))
    assert again == arrived, "the same delivery is known as a repetition"
    stand_in = json.loads(arrived.body)["entry"][0]["changes"][0]["value"]["messages"][0]["from"]
    assert any(stand_in.encode() in line for lines in lines_of(shop.settings).values() for line in lines), "the same unknown person"


@needs_shared
def test_older_copies_go_once_the_rebuilt_one_is_published(shop: Shop) -> None:
    served = shop.settings.serving
    (shop.settings.data / stages.PREVIEW).write_text("drawn before")
    assert len([path for path in served.glob("*.duckdb") if not path.is_symlink()]) == 2
    assert stages.forget_older_copies(shop.settings)
    assert len([path for path in served.glob("*.duckdb") if not path.is_symlink()]) == 1
    assert not (shop.settings.data / stages.PREVIEW).exists()
    assert not stages.forget_older_copies(shop.settings), "once is enough"


@needs_shared
def test_erasing_again_finds_nothing_left(shop: Shop) -> None:
    again = erase.plan(shop.settings, shop.settings.workspaces()[0], PHONE)
    assert (again.person, again.lines) == (None, 0)
    with pytest.raises(SalwaError, match="nobody in workspace default is known by 0599999999"):
        erase.plan(shop.settings, shop.settings.workspaces()[0], "0599999999")


@needs_shared
def test_the_plan_says_who_and_how_much(shop: Shop) -> None:
    assert shop.planned.person is not None
    counts = shop.planned.person.counts()
    assert (counts["phone"], counts["user"], counts["contact"], counts["customer"]) == (3, 2, 1, 1)
    assert {one.source for one in shop.planned.rewritten if one.lines} == {"whatsapp", "chatwoot", "salla", "inbox"}


@needs_shared
@pytest.mark.parametrize("told", ["+966 50 000 0808", "+971500000202", "mariam@example.com", "700100202"])
def test_a_person_is_found_by_whatever_id_there_is(shop: Shop, told: str) -> None:
    """And by the dashboard's customer_id of each, whole or its first characters."""
    workspace = shop.settings.workspaces()[0]
    person = find_person(shop.settings, workspace, told)
    assert person is not None
    with duckdb.connect(":memory:") as connection:
        (key,) = sorted(person.keys)
        connection.execute("set variable hash_key = ?", [KEY])
        found = connection.execute("select left(sha256(getvariable('hash_key') || '|customer|default|' || $1), 32)", [key]).fetchone()
    assert found is not None
    assert find_person(shop.settings, workspace, f"Customer {found[0][:8].upper()}", "hash") == person
    assert (found[0],) in [(row[0],) for row in table_rows(shop.settings, "(select customer_id from facts.dim_customers)")]


@needs_shared
def test_the_command_asks_and_tells(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALWA_DATA", str(shop.settings.data))
    monkeypatch.setenv("SALWA_PHONE_KEY", KEY)
    run = CliRunner()
    refused = run.invoke(app, ["erase", f"+{OTHER}"], input="n\n")
    assert refused.exit_code == 1 and "Rewrite them?" in refused.output, refused.output
    before = lines_of(shop.settings)
    done = run.invoke(app, ["erase", PHONE, "--yes", "--no-refresh"])
    assert done.exit_code == 0, done.output
    assert "They were erased before" in done.output and "0 lines rewritten" in done.output
    assert lines_of(shop.settings) == before
    assert PHONE not in done.output
