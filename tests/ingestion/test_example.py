"""The example shop: the same bytes every time, shapes the loaders know, and no number that could be somebody's."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from ingestion.example import FICTIONAL_PHONES, ExampleTruth, example_workspaces_toml, write_example
from ingestion.example.clock import is_open, midnight, next_open
from ingestion.example.events import Message
from ingestion.example.shop import SALES, SUPPORT, Identity, new_person
from ingestion.example.truth import Conversation, turns
from ingestion.importing import import_archives
from ingestion.landing import landed_files
from ingestion.loading import batches, parse, sources
from ingestion.settings import Settings

END = date(2026, 11, 20)
SOURCES = ("whatsapp", "chatwoot", "salla")
PHONE_KEYS = {"from", "to", "wa_id", "recipient_id", "phone_number", "mobile", "phone", "display_phone_number", "whatsapp"}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExampleTruth]:
    folder = tmp_path_factory.mktemp("example")
    return folder, write_example(folder, END)


def lines(folder: Path, source: str) -> Iterator[str]:
    for path in sorted((folder / source).glob("*.ndjson")):
        yield from path.read_text(encoding="utf-8").splitlines()


@cache
def deliveries(folder: Path, source: str) -> list[dict[str, Any]]:
    """The readable lines of a source."""
    found = []
    for line in lines(folder, source):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def values(document: Any, keys: set[str]) -> Iterator[Any]:
    """The scalars under the given keys, however deep."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in keys and not isinstance(value, dict | list):
                yield value
            yield from values(value, keys)
    elif isinstance(document, list):
        for value in document:
            yield from values(value, keys)


def meta_items(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(phone_number_id, item) of all messages, statuses or echoes."""
    for delivery in deliveries(folder, "whatsapp"):
        for entry in delivery["body"].get("entry", []):
            for change in entry["changes"]:
                for item in change["value"].get(kind, []):
                    yield change["value"]["metadata"]["phone_number_id"], item


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.ndjson")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_example(tmp_path / "a", END, days=9, seed=3)
    again = write_example(tmp_path / "b", END, days=9, seed=3)
    write_example(tmp_path / "c", END, days=9, seed=4)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "c")
    assert first == again


@pytest.mark.parametrize("days", [1, 2, 14])
def test_short_stories_work(tmp_path: Path, days: int) -> None:
    truth = write_example(tmp_path, END, days=days)
    assert truth.sales_number.conversations > 0


def test_a_shop_of_believable_size(example: tuple[Path, ExampleTruth]) -> None:
    _, truth = example
    both = (truth.sales_number, truth.support_number)
    messages = sum(
        n.customer_messages + n.agent_messages + n.automation_messages + n.unknown_messages for n in both
    )
    assert 15_000 <= messages <= 20_000
    assert 300 <= truth.orders <= 600
    assert 0.35 <= truth.cod_orders / truth.counted_orders <= 0.45
    assert truth.attributed_orders > truth.counted_orders / 2
    assert {"طلب جديد", "exchange", "complaint", "vip", "shipping"} == set(truth.tags_applied)
    assert truth.reopenings > 0 and truth.tags_removed and truth.carts_completed and truth.refunds


@pytest.mark.parametrize("source", SOURCES)
def test_every_line_but_the_planted_one_is_a_delivery(example: tuple[Path, ExampleTruth], source: str) -> None:
    folder, truth = example
    broken = len(list(lines(folder, source))) - len(deliveries(folder, source))
    assert broken == truth.rejects[source] == 1
    for delivery in deliveries(folder, source):
        assert set(delivery) == {"received_at", "kind", "body"}


@pytest.mark.parametrize(
    "source", [source for source in sources() if source.name in SOURCES], ids=lambda source: source.name
)
def test_every_line_loads(example: tuple[Path, ExampleTruth], tmp_path: Path, source: Any) -> None:
    folder, truth = example
    import_archives(tmp_path, "default", source.name, [folder / source.name])
    rejects: list[dict[str, Any]] = []
    landed = 0
    for _, found in batches(landed_files(tmp_path, source.name), tmp_path):
        for table, rows in parse(source, found):
            rejects += rows.to_pylist() if table == "rejects" else []
            landed += rows.num_rows if table == "landed_lines" else 0
    assert landed == len(list(lines(folder, source.name)))
    assert [row["item_path"] for row in rejects] == [None] * truth.rejects[source.name], rejects[:5]


@pytest.mark.parametrize("source", SOURCES)
def test_every_phone_is_fictional(example: tuple[Path, ExampleTruth], source: str) -> None:
    folder, _ = example
    seen = 0
    for delivery in deliveries(folder, source):
        for value in values(delivery["body"], PHONE_KEYS):
            digits = re.sub(r"\D", "", str(value))
            if isinstance(value, str) and digits:
                seen += 1
                assert re.match(FICTIONAL_PHONES, digits), value
        for customer in values_of_salla_customers(delivery["body"]):
            if customer["mobile"]:
                seen += 1
                code = customer["mobile_code"].lstrip("+")
                assert re.match(FICTIONAL_PHONES, f"{code}{customer['mobile']}"), customer
    assert seen > 500


def values_of_salla_customers(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if "mobile_code" in document:
            yield document
        for value in document.values():
            yield from values_of_salla_customers(value)
    elif isinstance(document, list):
        for value in document:
            yield from values_of_salla_customers(value)


def test_fictional_phones_are_valid_in_form() -> None:
    for phone in ("966555001234", "971555001234", "96596501234", "201005001234", SALES.phone, SUPPORT.phone):
        assert re.match(FICTIONAL_PHONES, phone)
        assert phonenumbers.is_possible_number(phonenumbers.parse(f"+{phone}"))


def test_what_the_inbox_sent_is_known_to_meta(example: tuple[Path, ExampleTruth]) -> None:
    folder, truth = example
    known = {item["id"] for kind in ("messages", "statuses") for _, item in meta_items(folder, kind)}
    in_inbox = {
        row["source_id"]
        for delivery in deliveries(folder, "chatwoot")
        if delivery["kind"].endswith("/messages")
        for row in delivery["body"]["payload"]
        if row["source_id"]
    }
    number = truth.sales_number
    spoken = number.customer_messages + number.agent_messages + number.automation_messages
    assert in_inbox <= known
    assert spoken < len(in_inbox) <= spoken + truth.failed_messages


def test_meta_tells_of_every_message_of_the_story(example: tuple[Path, ExampleTruth]) -> None:
    folder, truth = example
    no_messages = ("reaction", "edit", "revoke", "system")
    written = {
        (number, item["id"])
        for number, item in meta_items(folder, "messages")
        if item["type"] not in no_messages and "group_id" not in item
    }
    of_number = Counter(number for number, _ in written)
    strays = 1  # the poll on the inbox's number
    assert of_number[SALES.phone_number_id] == truth.sales_number.customer_messages + strays
    assert of_number[SUPPORT.phone_number_id] == truth.support_number.customer_messages
    failed = {item["id"] for _, item in meta_items(folder, "statuses") if item["status"] == "failed"}
    assert len(failed) == truth.failed_messages


def test_labels_in_the_webhooks_are_those_of_the_story(example: tuple[Path, ExampleTruth]) -> None:
    folder, truth = example
    changes: dict[tuple[int, float], tuple[list[str], list[str]]] = {}
    for delivery in deliveries(folder, "chatwoot"):
        body = delivery["body"]
        for changed in (body.get("changed_attributes") or []) if isinstance(body, dict) else []:
            if labels := changed.get("label_list"):
                assert body["performed_by"]["type"] in ("user", "automation_rule")
                changes[body["id"], body["updated_at"]] = (labels["previous_value"], labels["current_value"])
    applied = Counter(tag for before, after in changes.values() for tag in set(after) - set(before))
    removed = Counter(tag for before, after in changes.values() for tag in set(before) - set(after))
    assert applied == truth.tags_applied
    assert removed == truth.tags_removed


def test_orders_in_all_shapes_are_those_of_the_story(example: tuple[Path, ExampleTruth]) -> None:
    folder, truth = example
    created = {}
    credit_notes = {}
    kinds = Counter()
    for delivery in deliveries(folder, "salla"):
        body = delivery["body"]
        kinds[body["event"] if delivery["kind"] == "webhook" else re.sub(r"\d+", "{id}", delivery["kind"])] += 1
        if body.get("event") == "order.created":
            created[body["data"]["id"]] = body["data"]["amounts"]["total"]["amount"]
        if delivery["kind"] == "GET /orders/invoices":
            credit_notes |= {row["id"]: row for row in body["data"] if row["type"] == "Credit Note"}
    assert len(created) == truth.orders
    assert float(truth.sales) < sum(created.values())
    assert 0 < len(credit_notes) < truth.refunds
    assert {
        "order.created", "order.status.updated", "order.refunded", "order.cancelled", "order.deleted", "abandoned.cart",
        "abandoned.cart.purchased", "abandoned.cart.status.changed", "invoice.created", "customer.created",
        "GET /orders", "GET /orders/{id}", "GET /orders/items?order_id={id}", "GET /orders/statuses", "GET /products",
        "GET /customers", "GET /orders/invoices", "GET /carts/abandoned", "GET /transactions", "GET /store/info",
        "GET /settings/fields/reports.order_statuses",
    } <= set(kinds)  # fmt: skip


def test_what_real_streams_do_is_in_it(example: tuple[Path, ExampleTruth]) -> None:
    folder, _ = example
    types = Counter(item["type"] for _, item in meta_items(folder, "messages"))
    assert {"reaction", "edit", "unsupported", "system", "button", "audio", "image"} <= set(types)
    statuses = Counter((item["id"], item["status"]) for _, item in meta_items(folder, "statuses"))
    assert max(statuses.values()) == 2
    assert {"sent", "delivered", "read", "played", "failed"} == {status for _, status in statuses}
    assert next(meta_items(folder, "message_echoes"))
    assert next(meta_items(folder, "user_id_update"))
    tags = {item.get("biz_opaque_callback_data", "").split(":")[0] for _, item in meta_items(folder, "statuses")}
    assert {"agent", "bot", "flow", "campaign", "api", ""} == tags


def test_a_reused_number_is_two_people(example: tuple[Path, ExampleTruth]) -> None:
    folder, _ = example
    ids_of: dict[str, set[str]] = {}
    for _, item in meta_items(folder, "messages"):
        if "from" in item and "from_user_id" in item:
            ids_of.setdefault(item["from"], set()).add(item["from_user_id"])
    assert sum(len(ids) == 2 for ids in ids_of.values()) == 1


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "workspaces.toml").write_text(example_workspaces_toml(END), encoding="utf-8")
    (workspace,) = Settings(data=tmp_path).workspaces()
    assert workspace.name == "default"
    assert workspace.zone == ZoneInfo("Asia/Riyadh")
    assert workspace.holidays == (date(2026, 10, 31),)
    assert [hours.minutes() for hours in workspace.working_hours] == [(600, 900), (990, 1380), (960, 1440)]
    assert set(workspace.whatsapp_numbers) == {SALES.phone_number_id, SUPPORT.phone_number_id}
    assert workspace.chatwoot_account == "1"


def test_the_shop_opens_as_its_settings_say() -> None:
    friday, day_off = midnight(END), date(2026, 10, 31)
    assert not is_open(friday + 11 * 3600, day_off)
    assert is_open(friday + 23 * 3600, day_off)
    assert next_open(friday + 11 * 3600, day_off) == friday + 16 * 3600
    assert next_open(midnight(day_off) + 17 * 3600, day_off) == midnight(date(2026, 11, 1)) + 10 * 3600


def test_turns_of_the_worked_example() -> None:
    """The worked example of the metrics contract."""
    from random import Random

    person = new_person(Random(1), 1)
    person.identities = [Identity(0, "966555000001", "SA.1")]
    day = midnight(END)
    said = [
        (9 * 60, "customer"), (9 * 60 + 1, "automation"), (9 * 60 + 4, "customer"), (9 * 60 + 10, "agent"),
        (9 * 60 + 11, "agent"), (12 * 60, "customer"), (12 * 60 + 30, "agent"), (20 * 60, "customer"),
    ]  # fmt: skip
    messages = tuple(Message(day + minute * 60, SALES, person, author) for minute, author in said)
    found = turns(Conversation(person, messages, closes=(day + (12 * 60 + 31) * 60,)))
    assert [answered and answered - begun for begun, answered in found] == [600, 1800, None]
