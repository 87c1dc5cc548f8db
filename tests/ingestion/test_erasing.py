"""Erasing a person line by line: what is theirs, what is not, and what happens when the work is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ingestion.erasing import lines
from ingestion.erasing.register import Id, People, people_of, register_file, want_rebuild
from ingestion.erasing.spelling import phones_in
from ingestion.errors import SalwaError
from ingestion.importing import import_archives
from ingestion.landing import Delivery, LandingWriter, read_lines
from ingestion.receiver.app import make_app
from ingestion.settings import Settings
from orchestration.stages import prepare

HER, HERS, SHOP = "966500000101", "SA.4000000000000000101", "966110000001"
OTHER = "966500000202"
T = 1_790_000_000.0


def remembered(settings: Settings, *ids: Id) -> People:
    people = people_of(settings, "default", begin=True)
    assert people is not None
    people.add(ids)
    return people


def whatsapp(**value: Any) -> dict[str, Any]:
    told = {"metadata": {"display_phone_number": SHOP, "phone_number_id": "8"}, **value}
    return {"entry": [{"id": "7", "changes": [{"field": "messages", "value": told}]}]}


def cleaned(body: Any, source: str, people: People, kind: str = "webhook", account: str | None = None) -> Any:
    given_ = Delivery(json.dumps(body).encode(), kind, "2026-10-01T12:00:00+00:00", account)
    made = lines.without_erased(given_, source, people)
    assert lines.without_erased(made, source, people) == made, "once is enough"
    return json.loads(made.body)


def value_of(body: Any) -> dict[str, Any]:
    return body["entry"][0]["changes"][0]["value"]


@pytest.mark.parametrize(
    "text",
    ["+966500000101", "00966 50 000 0101", "0500000101", "050-000-0101", "(050) 000 0101", "٠٥٠٠٠٠٠١٠١", "+٩٦٦ ٥٠ ٠٠٠ ٠١٠١", "x:966500000101;y"],
)
def test_a_number_is_found_in_every_spelling(settings: Settings, text: str) -> None:
    people = remembered(settings, Id("phone", HER))
    body = whatsapp(messages=[{"from": OTHER, "id": "m", "timestamp": str(int(T)), "type": "text", "text": {"body": f"call {text} now"}}])
    told = value_of(cleaned(body, "whatsapp", people))["messages"][0]
    assert told["from"] == OTHER
    assert not any(digits.endswith("500000101") for _, _, digits in phones_in(told["text"]["body"]))
    assert len(told["text"]["body"]) == len(f"call {text} now")


def test_an_order_number_that_looks_like_the_number_stays(settings: Settings) -> None:
    people = remembered(settings, Id("phone", HER))
    body = {"status": 200, "data": [{"id": 500000101, "reference_id": 500000101, "customer": {"id": 7, "mobile": 500000909, "mobile_code": "+966"}}]}
    assert cleaned(body, "salla", people, "GET /orders") == body


def test_a_number_is_theirs_for_its_time_only(settings: Settings) -> None:
    people = remembered(settings, Id("phone", HER, to_at=T, has_user=True))

    def sender(at: float) -> str:
        message = {"from": HER, "id": "m", "timestamp": str(int(at)), "type": "text", "text": {"body": "hi"}}
        return value_of(cleaned(whatsapp(messages=[message]), "whatsapp", people))["messages"][0]["from"]

    assert sender(T - 1).startswith("999")
    assert sender(T) == HER


def test_whoever_gets_the_number_next_keeps_it(settings: Settings) -> None:
    """Another business-scoped id on the number: from then on it is somebody else's, and a shop's order names nobody erased."""
    people = remembered(settings, Id("phone", HER, has_user=True), Id("user", HERS))
    message = {"from": HER, "from_user_id": "SA.9000000000000000009", "id": "m", "timestamp": str(int(T)), "type": "text"}
    body = whatsapp(messages=[message])
    assert cleaned(body, "whatsapp", people) == body
    order = {"event": "order.created", "data": {"id": 5, "date": T + 86_400, "customer": {"id": 7, "mobile": f"+{HER}", "name": "Huda"}}}
    assert cleaned(order, "salla", people) == order
    before = {"event": "order.created", "data": {"id": 4, "date": T - 86_400, "customer": {"id": 8, "mobile": f"+{HER}", "name": "Noura"}}}
    assert "Noura" not in json.dumps(cleaned(before, "salla", people))


def test_what_a_change_of_number_adds_is_theirs(settings: Settings) -> None:
    people = remembered(settings, Id("phone", HER, has_user=True), Id("user", HERS))
    update = {"wa_id": "966500000303", "user_id": {"previous": HERS, "current": "SA.3000000000000000303"}, "timestamp": str(int(T))}
    body = {"entry": [{"id": "7", "changes": [{"field": "user_id_update", "value": {**value_of(whatsapp()), "user_id_update": [update]}}]}]}
    told = value_of(cleaned(body, "whatsapp", people))["user_id_update"][0]
    assert told["user_id"]["previous"] != told["user_id"]["current"]
    later = {"from": "966500000303", "id": "m", "timestamp": str(int(T + 9)), "type": "text", "text": {"body": "hi"}}
    assert value_of(cleaned(whatsapp(messages=[later]), "whatsapp", people))["messages"][0]["from"] == told["wa_id"]
    fresh = people_of(settings, "default")
    assert fresh is not None and fresh.owns("user", "SA.3000000000000000303"), "other processes know it too"


def test_a_page_keeps_what_is_about_others(settings: Settings) -> None:
    people = remembered(settings, Id("contact", "1:501", also=(":501",)), Id("phone", HER))

    def conversation(number: int, contact: int, phone: str, name: str) -> dict[str, Any]:
        sender = {"id": contact, "name": name, "phone_number": f"+{phone}", "email": None, "type": "contact"}
        said = {"id": number * 10, "conversation_id": number, "account_id": 1, "message_type": 0, "content": "salam", "content_type": "text",
                "source_id": "wamid.X", "sender": sender}
        closed = {"id": number * 10 + 1, "conversation_id": number, "account_id": 1, "message_type": 2, "content_type": "text",
                  "content": f"Conversation was resolved by {name}", "sender": None}
        return {"id": number, "account_id": 1, "inbox_id": 7, "status": "open", "labels": ["vip"], "unread_count": 2,
                "meta": {"sender": sender, "assignee": {"id": 11, "name": "Agent One", "type": "user"}}, "messages": [said, closed],
                "custom_attributes": {"birthday": "1990-01-01"}, "created_at": T}

    page = {"data": {"meta": {"all_count": 2}, "payload": [conversation(42, 501, HER, "Omar"), conversation(43, 502, OTHER, "Omar")]}}
    told = cleaned(page, "chatwoot", people, "GET /conversations")["data"]["payload"]
    assert told[1] == page["data"]["payload"][1], "another Omar is not touched"
    hers = told[0]
    assert hers["meta"]["sender"]["phone_number"].startswith("+999") and hers["meta"]["sender"]["name"] == ""
    assert hers["meta"]["sender"]["id"] == hers["messages"][0]["sender"]["id"] >= 8 * 10**15
    assert hers["meta"]["assignee"] == {"id": 11, "name": "Agent One", "type": "user"}
    assert [one["content"] for one in hers["messages"]] == ["xxxxx", "Conversation was resolved by erased"]
    assert (hers["status"], hers["labels"], hers["unread_count"], hers["custom_attributes"]) == ("open", ["vip"], 2, {})
    assert cleaned({"id": 501, "name": "Omar", "phone_number": None}, "chatwoot", people, "GET /contacts/501")["name"] == ""
    call = lines.without_erased(Delivery(b"{}", "GET /api/v1/accounts/1/contacts/501/conversations"), "chatwoot", people).kind
    assert call == f"GET /api/v1/accounts/1/contacts/{hers['meta']['sender']['id']}/conversations"


def test_orders_keep_their_money_and_lose_their_customer(settings: Settings) -> None:
    people = remembered(settings, Id("customer", "700"))
    customer = {"id": 700, "first_name": "Sara", "mobile": 500000101, "mobile_code": "+966", "email": "s@example.com", "city": "Riyadh"}
    order = {"id": 910, "reference_id": 50, "date": {"date": "2026-11-01 14:05:06", "timezone": "Asia/Riyadh"}, "currency": "SAR",
             "amounts": {"total": {"amount": 356.5, "currency": "SAR"}}, "status": {"id": 1, "name": "new", "slug": "under_review"},
             "customer": customer, "receiver": {"name": "Sara", "phone": HER}, "notes": "ring twice", "source_details": {"type": "direct", "ip": "192.0.2.1"},
             "items": [{"id": 1, "name": "Honey", "sku": "H-1", "quantity": 2, "amounts": {"total": {"amount": "300.00"}}}]}
    told = cleaned({"event": "order.created", "merchant": 1, "data": order}, "salla", people)["data"]
    assert {name: told[name] for name in ("id", "reference_id", "date", "amounts", "status", "items")} == {
        name: order[name] for name in ("id", "reference_id", "date", "amounts", "status", "items")
    }
    assert told["customer"]["city"] == "Riyadh" and told["customer"]["mobile"] == told["receiver"]["phone"]
    for gone in ("Sara", "s@example.com", "500000101", "ring", "192.0.2.1", '"700"'):
        assert gone not in json.dumps(told)
    history = {"status": 200, "data": [{"id": 1, "status": "new", "note": "Sara called", "created_at": "2026-11-02 10:00:00"}]}
    assert cleaned(history, "salla", people, "GET /orders/910/histories")["data"][0]["note"] == ""
    assert cleaned(history, "salla", people, "GET /orders/911/histories") == history
    items = {"data": [{"id": 1, "name": "Card", "quantity": 1, "options": [{"id": 2, "name": "wish", "value": "for Sara"}], "notes": "for Sara"}]}
    told = cleaned(items, "salla", people, "GET /orders/items?order_id=910")["data"][0]
    assert told["name"] == "Card" and "Sara" not in json.dumps(told)


def test_what_cannot_be_read_goes_for_a_former_number_or_a_name_too(settings: Settings) -> None:
    people = remembered(settings, Id("phone", HER, to_at=T), Id("name", "Noura Demo"))
    for body in (b'cut {"from":"966500000101"', b'{"profile":{"name":"noura demo"},"id":77'):
        assert lines.without_erased(Delivery(body), "whatsapp", people).body == lines.REMOVED
    assert lines.without_erased(Delivery(b'{"profile":{"name":"Noura'), "whatsapp", people).body != lines.REMOVED


@pytest.mark.parametrize("body", [b"cut short 966500000101", b'{"a": "+966500000101"', b"\xff\xfe 966500000101"])
def test_what_cannot_be_read_and_names_them_goes_whole(settings: Settings, body: bytes) -> None:
    people = remembered(settings, Id("phone", HER))
    assert lines.without_erased(Delivery(body), "whatsapp", people).body == lines.REMOVED
    harmless = body.replace(b"0101", b"0102")
    assert lines.without_erased(Delivery(harmless), "whatsapp", people).body == harmless


KEYS = [
    *("id", "type", "from", "to", "messages", "statuses", "contacts", "meta", "sender", "contact_inbox", "payload", "data"),
    *("customer", "order", "mobile", "phone", "conversation", "inbox_id", "message_type", "content", "user_id", "system"),
    *("metadata", "timestamp", "phone_number", "conversation_id"),
]
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([HER, HERS, f"+{HER}", "wamid.x", "", "501"]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(KEYS),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)


@given(body=odd, source=st.sampled_from(sorted(lines.RULES)))
@hypothesis_settings(max_examples=300, deadline=None)
def test_no_shape_breaks_it_and_once_is_enough(body: Any, source: str) -> None:
    people = People("default", {"k": b"k" * 32})
    people.add([Id("phone", HER, has_user=True), Id("user", HERS), Id("contact", ":501"), Id("customer", "501")])
    given_ = Delivery(json.dumps(body).encode(), "GET /conversations/7/messages")
    made = lines.without_erased(given_, source, people)
    assert lines.without_erased(made, source, people).body == made.body
    if made is given_:
        assert made.body is given_.body


# --- files -----------------------------------------------------------------------------------------------------------


def land(settings: Settings, files: int, each: int) -> None:
    for number in range(files):
        with LandingWriter(settings.landing, "default", "whatsapp", f"import-{number:03d}", day="2026-10-01") as writer:
            for line in range(each):
                phone = HER if line % 3 == 0 else f"9665{number:04d}{line:04d}"
                at = str(int(T) + line)
                message = {"from": phone, "id": f"wamid.{number}-{line}", "timestamp": at, "type": "text", "text": {"body": "Noura says hi"}}
                writer.append(Delivery(json.dumps(whatsapp(messages=[message])).encode(), received_at="2026-10-01T12:00:00+00:00"))


def contents(settings: Settings) -> dict[str, list[bytes]]:
    return {path.name: read_lines(path) for path in sorted(settings.landing.rglob("*.gz"))}


def dying(real: Callable[..., Any], steps: Iterator[int], fatal: int) -> Callable[..., Any]:
    """The call, but the process ends at one of them."""

    def call(*given_: Any) -> Any:
        if next(steps) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given_)

    return call


def test_killed_in_the_middle_and_done_again_is_done(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of each file: before it is written, half written, written but without its name."""
    land(settings, files=4, each=9)
    people = remembered(settings, Id("phone", HER))
    before = contents(settings)
    for fatal in range(1, 12):
        child = os.fork()
        if child == 0:
            steps = iter(range(1, 1000))
            for name in ("fchmod", "fsync"):
                monkeypatch.setattr(lines.os, name, dying(getattr(os, name), steps, fatal))
            lines.landing_without_erased(settings, people)
            os._exit(0)
        os.waitpid(child, 0)
        for name, told in contents(settings).items():  # each file is the old or the new one, whole
            changed = [old != new for old, new in zip(before[name], told, strict=True)]
            assert not any(changed) or changed == [line % 3 == 0 for line in range(9)]
    lines.remove_left_over(settings.landing, "default")
    lines.landing_without_erased(settings, people)
    after = contents(settings)
    for name, told in after.items():
        assert [old == new for old, new in zip(before[name], told, strict=True)] == [line % 3 != 0 for line in range(9)]
    assert not any(HER.encode() in line for told in after.values() for line in told)
    assert not list(settings.landing.rglob("*.partial"))
    assert lines.landing_without_erased(settings, people) == []


def test_a_running_door_notices_who_is_erased(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(lines.time, "monotonic", lambda: now[0])
    clean = lines.cleaner(settings, "default", "whatsapp")
    hers = Delivery(json.dumps(whatsapp(messages=[{"from": HER, "id": "m", "timestamp": str(int(T))}])).encode())
    assert clean(hers) is hers
    remembered(settings, Id("phone", HER))
    now[0] += lines.LOOK_AGAIN
    assert HER.encode() not in clean(hers).body


def test_the_register_tells_nobody_and_is_its_owners_alone(settings: Settings) -> None:
    remembered(settings, Id("phone", HER), Id("user", HERS), Id("email", "n@example.com"), Id("name", "Noura"))
    path = register_file(settings.data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(told in path.read_text() for told in (HER, "500000101", HERS, "n@example.com", "Noura"))


def test_another_key_needs_the_former_one(settings: Settings) -> None:
    remembered(settings, Id("phone", HER))
    changed = settings.model_copy(update={"phone_key": type(settings.phone_key)("another-key-0123456789abcdefghij")})  # type: ignore[misc]
    with pytest.raises(SalwaError, match="SALWA_FORMER_PHONE_KEYS"):
        people_of(changed, "default")
    knowing = changed.model_copy(update={"former_phone_keys": settings.phone_key})
    people = people_of(knowing, "default")
    assert people is not None and people.phone(HER, None)
    people.add([Id("phone", OTHER)])
    both = people_of(knowing, "default")
    assert both is not None and both.phone(HER, None) and both.phone(OTHER, None)


def test_a_damaged_register_stops_everything(settings: Settings) -> None:
    want_rebuild(settings)
    register_file(settings.data).write_text("{")
    with pytest.raises(SalwaError, match="damaged"):
        people_of(settings, "default")


def test_a_missing_register_stops_a_warehouse_that_knew_one(settings: Settings) -> None:
    settings.data.mkdir()
    prepare(settings, datetime(2026, 10, 1, tzinfo=UTC), full=False)
    remembered(settings, Id("phone", HER))
    prepare(settings, datetime(2026, 10, 1, tzinfo=UTC), full=False)
    register_file(settings.data).unlink()
    for full in (False, True):
        with pytest.raises(SalwaError, match="is missing"):
            prepare(settings, datetime(2026, 10, 1, tzinfo=UTC), full=full)


# --- every door ------------------------------------------------------------------------------------------------------


def test_a_webhook_that_is_acknowledged_landed_without_them(settings: Settings) -> None:
    opened = settings.model_copy(update={"chatwoot_webhook_path_token": SecretStr("token")})
    remembered(settings, Id("phone", HER))
    app = make_app(opened)

    def told_by(contact: int, phone: str) -> bytes:
        sender = {"id": contact, "name": "Noura", "phone_number": f"+{phone}", "email": None}
        around = {"id": contact - 400, "inbox_id": 7, "meta": {"sender": sender}, "messages": []}
        message = {"id": contact, "message_type": "incoming", "content": "salam", "content_type": "text", "sender": sender}
        return json.dumps({"event": "message_created", **message, "account": {"id": 1}, "conversation": around}).encode()

    async def post() -> list[int]:
        async with app.router.lifespan_context(app):
            return [await asked(app, "/webhooks/chatwoot/token", body) for body in (told_by(501, HER), told_by(502, OTHER))]

    assert asyncio.run(post()) == [200, 200]
    (path,) = settings.landing.rglob("receive-*.ndjson")
    hers, other = [json.loads(line) for line in read_lines(path)]
    assert other["body"].encode() == told_by(502, OTHER)
    assert not any(told in hers["body"] for told in (HER, "Noura", "salam"))
    assert json.loads(hers["body"])["sender"]["id"] != 501


async def asked(app: Any, path: str, body: bytes) -> int:
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(told: dict[str, Any]) -> None:
        answers.append(told)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http", "root_path": ""}
    await app(scope, receive, send)
    return answers[0]["status"]


def test_an_archive_that_grew_repeats_what_was_rewritten(settings: Settings, tmp_path: Path) -> None:
    """The rewritten line has the hash of the rewritten body: the same delivery again is a repetition, not a new one."""
    def message(number: int) -> str:
        told = {"from": HER, "id": f"wamid.{number}", "timestamp": str(int(T)), "type": "text", "text": {"body": f"number {number}"}}
        return json.dumps({"received_at": "2026-10-01T12:00:00+00:00", "body": whatsapp(messages=[told])})

    archive = tmp_path / "a.ndjson"
    archive.write_text("\n".join(message(number) for number in range(3)))
    import_archives(settings.landing, "default", "whatsapp", [archive])
    lines.landing_without_erased(settings, remembered(settings, Id("phone", HER)))
    first = {line for told in contents(settings).values() for line in told}
    clean = lines.cleaner(settings, "default", "whatsapp")
    assert import_archives(settings.landing, "default", "whatsapp", [archive], clean=clean).known_files == 1
    archive.write_text("\n".join(message(number) for number in range(4)))
    assert import_archives(settings.landing, "default", "whatsapp", [archive], clean=clean).lines == 4
    everything = [line for told in contents(settings).values() for line in told]
    assert len(everything) == 7
    assert {line for line in everything if everything.count(line) == 2} == first
    assert not any(HER.encode() in line for line in everything)


def test_files_out_of_a_backup_are_cleaned_before_they_are_loaded(settings: Settings) -> None:
    land(settings, files=1, each=3)
    remembered(settings, Id("phone", HER))
    lines.new_files_without_erased(settings, "whatsapp", sorted(settings.landing.rglob("*.gz")))
    assert not any(HER.encode() in line for told in contents(settings).values() for line in told)


def test_what_killed_imports_left_goes_and_what_runs_stays(settings: Settings) -> None:
    land(settings, files=1, each=1)
    (folder,) = settings.landing.glob("*/*/*")
    with LandingWriter(settings.landing, "default", "whatsapp", "import-2", day=folder.name) as running:
        running.append(Delivery(b"{}"))
        # a container's processes have the same numbers as another's
        (folder / ".import-1-0001.ndjson.gz.1.partial").write_bytes(HER.encode())
        lines.remove_left_over(settings.landing, "default")
        assert [path.name for path in folder.glob(".*")] == [f".import-2-0001.ndjson.gz.{os.getpid()}.partial"]
    assert (folder / "import-2-0001.ndjson.gz").exists()
