"""From Chatwoot deliveries to the conformed models: each ticket is a story with one known truth.

All stories are loaded and built at once; then once more with the deliveries reversed, doubled and cut into other
files, which must change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import KEY, build_landed

from ingestion.landing import Delivery, LandingWriter
from ingestion.settings import Settings

NINE = datetime(2026, 9, 21, 9, tzinfo=UTC)
SARA, ALI = {"id": 11, "name": "Sara"}, {"id": 12, "name": "Ali"}
BOT = {"id": 5, "name": "Store bot", "type": "agent_bot"}
Story = list[tuple[str, str, Any]]  # received at, kind, body


def at(minutes: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def conversation(ticket: int, minutes: float, **changes: Any) -> dict[str, Any]:
    return {
        "id": ticket,
        "inbox_id": 7,
        "status": "open",
        "labels": [],
        "created_at": int(NINE.timestamp()),
        "updated_at": at(minutes).timestamp(),
        "waiting_since": 0,
        "agent_last_seen_at": 0,
        "meta": {"sender": {"id": 500 + ticket, "name": "Noura", "phone_number": "+966500000101"}},
    } | changes


def webhook(event: str, ticket: int, minutes: float, **changes: Any) -> tuple[str, str, Any]:
    body = conversation(ticket, minutes, **changes) | {"event": event, "account": {"id": 1}}
    return at(minutes + 0.02).isoformat(), "webhook", body


def relabelled(
    ticket: int, minutes: float, before: list[str], after: list[str], actor: dict[str, Any] | None = None
) -> tuple[str, str, Any]:
    change = [{"label_list": {"previous_value": before, "current_value": after}}]
    return webhook("conversation_updated", ticket, minutes, labels=after, changed_attributes=change, performed_by=actor)


def page(ticket: int, minutes: float, messages: list[dict[str, Any]]) -> tuple[str, str, Any]:
    return at(minutes).isoformat(), f"GET /conversations/{ticket}/messages", {"payload": messages}


def message(ticket: int, number: int, minutes: float, **changes: Any) -> dict[str, Any]:
    return {
        "id": 1000 * ticket + number,
        "conversation_id": ticket,
        "inbox_id": 7,
        "message_type": 1,
        "content": "hello",
        "content_type": "text",
        "private": False,
        "created_at": int(at(minutes).timestamp()),
    } | changes


def tombstone(ticket: int, minutes: float) -> tuple[str, str, Any]:
    return at(minutes).isoformat(), "tombstone", {"conversation_id": ticket, "gone_at": at(minutes).isoformat()}


def notice(ticket: int, number: int, minutes: float, text: str) -> dict[str, Any]:
    return message(ticket, number, minutes, message_type=2, content=text)


def user(agent: dict[str, Any]) -> dict[str, Any]:
    return {"type": "user", "id": agent["id"]}


def told_message(ticket: int, number: int, minutes: float, **changes: Any) -> tuple[str, str, Any]:
    """A webhook of an outgoing message."""
    body = message(ticket, number, minutes, message_type="outgoing", created_at=at(minutes).isoformat(), **changes)
    del body["conversation_id"]
    return (
        at(minutes).isoformat(),
        "webhook",
        body | {"event": "message_created", "conversation": conversation(ticket, minutes)},
    )


STORIES: dict[str, Story] = {
    "agents": [(at(-60).isoformat(), "GET /agents", [SARA, ALI])],
    "1: applied, removed, applied again by another; each webhook twice, the second time without who did it": [
        relabelled(1, 0, [], ["vip"], user(SARA)),
        relabelled(1, 0.01, [], ["vip"]),
        relabelled(1, 2, ["vip"], [], user(SARA)),
        relabelled(1, 2.01, ["vip"], []),
        relabelled(1, 4, [], ["vip"], user(ALI)),
        relabelled(1, 4.01, [], ["vip"]),
    ],
    "2: a webhook that does not say who, and notices that do": [
        relabelled(2, 0, [], ["vip"]),
        relabelled(2, 20, ["vip"], []),
        page(2, 60, [notice(2, 1, 0.05, "Sara added vip"), notice(2, 2, 20.1, "Automation System removed vip")]),
    ],
    "3: what the first snapshot shows, and what a later one shows as new": [
        (at(0).isoformat(), "GET /conversations/3", conversation(3, 0, labels=["old"])),
        (at(90).isoformat(), "GET /conversations/3", conversation(3, 80, labels=["new", "old"])),
        (at(180).isoformat(), "GET /conversations/3", conversation(3, 170, labels=["new"])),
    ],
    "31: missed in two nights; 32: seen again after it was missed": [
        (at(0).isoformat(), "GET /conversations/31", conversation(31, 0)),
        tombstone(31, 600),
        tombstone(31, 2040),
        tombstone(32, 600),
        (at(0).isoformat(), "GET /conversations/32", conversation(32, 0)),
        (at(660).isoformat(), "GET /conversations/32", conversation(32, 0)),
    ],
    "4: a label is renamed": [
        relabelled(4, 0, [], ["exchange"], user(SARA)),
        relabelled(4, 30, ["exchange"], ["size-exchange"]),
    ],
    "5: a repeat is no use": [
        relabelled(5, 0, [], ["vip"], user(SARA)),
        relabelled(5, 30, [], ["vip"], user(ALI)),
    ],
    "6: a poll an hour later shows what a webhook told": [
        (at(-5).isoformat(), "GET /conversations/6", conversation(6, -5)),
        (at(0.1).isoformat(), "webhook", relabelled(6, 0, [], ["vip"], user(SARA))[2] | {"labels": None}),
        (at(60).isoformat(), "GET /conversations", {"data": {"payload": [conversation(6, 50, labels=["vip"])]}}),
    ],
    "7: a delayed notice pairs with its own webhook, in order": [
        relabelled(7, 0, [], ["vip"], user(SARA)),
        relabelled(7, 1, ["vip"], [], user(SARA)),
        relabelled(7, 4, [], ["vip"], user(ALI)),
        page(7, 60, [notice(7, 1, 3, "Sara added vip"), notice(7, 2, 3, "Sara removed vip")]),
        page(7, 61, [notice(7, 3, 7, "Ali added vip")]),
    ],
    "8: a bot labels; the notice alone tells": [
        page(8, 60, [message(8, 1, 0, sender=BOT), notice(8, 2, 1, "Store bot added vip")])
    ],
    "9: a close told by two webhooks and a notice, reopened by the inbox, closed by silence": [
        webhook("conversation_status_changed", 9, 10, status="resolved", performed_by=user(SARA)),
        webhook(
            "conversation_updated", 9, 10.01, status="resolved",
            changed_attributes=[{"status": {"previous_value": "open", "current_value": "resolved"}}],
        ),
        webhook("conversation_status_changed", 9, 30, status="open", performed_by=None),
        page(9, 99, [
            notice(9, 1, 10.05, "Conversation was marked resolved by Sara"),
            notice(9, 2, 30.05, "System reopened the conversation due to a new incoming message."),
            notice(9, 3, 90, "Conversation was marked resolved by system due to 1 hours of inactivity"),
        ]),
    ],
    "10: a bot hands over: nothing opened, nothing closed": [
        webhook("conversation_created", 10, 0, status="pending"),
        webhook("conversation_status_changed", 10, 5, status="open", performed_by=user(SARA)),
        webhook("conversation_status_changed", 10, 6, status="snoozed", performed_by=user(SARA)),
    ],
    "11: seen closed before the first event tells that it was opened": [
        (at(0).isoformat(), "GET /conversations/11", conversation(11, -10, status="resolved")),
        webhook("conversation_status_changed", 11, 5, status="open", performed_by={"type": "contact", "id": 511}),
    ],
    "12: who spoke": [
        page(12, 60, [
            message(12, 1, 0, message_type=0, sender={"id": 512, "name": "Noura", "type": "contact"}),
            message(12, 2, 1, message_type=3),
            message(12, 3, 2, sender=BOT),
            message(12, 4, 3, sender={"id": 2, "type": "captain_assistant"}),
            message(12, 5, 4, sender=SARA | {"type": "user"}, source_id="wamid.A", status="delivered"),
            message(12, 6, 5, content_attributes={"external_echo": True}),
            message(12, 7, 6),
            message(12, 8, 7, content_attributes={"automation_rule_id": 9}, sender=SARA | {"type": "user"}),
            # a page does not show the campaign that the webhook told
            message(12, 9, 8, sender=SARA | {"type": "user"}),
            message(12, 10, 9, private=True, sender=SARA | {"type": "user"}),
            notice(12, 11, 10, "Sara self-assigned this conversation"),
        ]),
        told_message(12, 9, 8, additional_attributes={"campaign_id": 2}, sender=None),
    ],
    "13: a message falls back from delivered to sent, is deleted later, and gets its wamid after its first webhook": [
        told_message(13, 1, 0, sender=SARA | {"type": "user"}, source_id=None),
        page(13, 1, [message(13, 1, 0, sender=SARA | {"type": "user"}, source_id="wamid.B", status="delivered")]),
        page(13, 2, [message(13, 1, 0, sender=SARA | {"type": "user"}, source_id="wamid.B", status="sent")]),
        page(13, 3, [
            message(13, 1, 0, sender=SARA | {"type": "user"}, content="This message was deleted",
                    content_attributes={"deleted": True}, updated_at=at(2.5).isoformat())
        ]),
    ],
    "14: agents look, who is known where it is the assignee": [
        (at(1).isoformat(), "GET /conversations/14", conversation(
            14, 1, agent_last_seen_at=int(at(0.5).timestamp()), assignee_last_seen_at=int(at(0.5).timestamp()),
            meta={"assignee": SARA, "sender": {"id": 514}},
        )),
        (at(2).isoformat(), "GET /conversations/14/messages", {
            "meta": {"agent_last_seen_at": (at(0.5) + timedelta(milliseconds=250)).isoformat()}, "payload": [],
        }),
        (at(9).isoformat(), "GET /conversations/14", conversation(
            14, 1, agent_last_seen_at=int(at(8).timestamp()), assignee_last_seen_at=0,
            meta={"assignee": SARA, "sender": {"id": 514}},
        )),
    ],
    "15: two contacts are merged; a business-scoped id and a phone are seen on one": [
        (at(0).isoformat(), "GET /conversations/15", conversation(15, 0)),
        (at(9).isoformat(), "GET /conversations/15", conversation(15, 8, meta={"sender": {"id": 600}})),
        (at(9).isoformat(), "GET /contacts", {"payload": [
            {"id": 600, "phone_number": "+966500000600", "contact_inboxes": [{"source_id": "SA.600", "inbox": {"id": 7}}]}
        ]}),
    ],
}  # fmt: skip


def built(data: Path, files: list[Story]) -> duckdb.DuckDBPyConnection:
    """The models built from these landing files."""
    settings = Settings(data=data, chatwoot_url="https://chat.example.test/", phone_key=KEY)  # type: ignore[arg-type]
    for number, deliveries in enumerate(files):
        with LandingWriter(settings.landing, "default", "chatwoot", f"import-{number:04d}") as writer:
            for received_at, kind, body in deliveries:
                writer.append(Delivery(body=json.dumps(body).encode(), kind=kind, received_at=received_at))
    build_landed(settings, at(600), with_data_tests=True)
    connection = duckdb.connect(str(settings.restricted), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    return connection


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with built(tmp_path_factory.mktemp("stories"), list(STORIES.values())) as connection:
        yield connection


def rows(models: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return models.execute(query).fetchall()


def tags(models: duckdb.DuckDBPyConnection, ticket: int) -> list[tuple[Any, ...]]:
    """(tag, action, minutes after nine, who, their id, evidence, baseline), in order of time."""
    found = rows(
        models,
        "select tag, action, occurred_at, actor_type, actor_id, evidence, is_baseline "
        f"from intermediate.int_chatwoot__tag_events where ticket_id = '{ticket}' order by occurred_at, action, tag",
    )
    return [(tag, action, round((when - NINE).total_seconds() / 60, 2), *rest) for tag, action, when, *rest in found]


def statuses(models: duckdb.DuckDBPyConnection, ticket: int) -> list[tuple[Any, ...]]:
    """(status, minutes after nine, who, their id, evidence), in order of time."""
    found = rows(
        models,
        "select status, occurred_at, actor_type, actor_id, evidence "
        f"from intermediate.int_chatwoot__status_events where ticket_id = '{ticket}' order by occurred_at",
    )
    return [(status, round((when - NINE).total_seconds() / 60, 2), *rest) for status, when, *rest in found]


def test_tags_applied_removed_and_applied_again_by_two_agents(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 1) == [
        ("vip", "applied", 0, "agent", "11", "event", False),
        ("vip", "removed", 2, "agent", "11", "event", False),
        ("vip", "applied", 4, "agent", "12", "event", False),
    ]


def test_a_notice_tells_who_and_the_webhook_when(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 2) == [
        ("vip", "applied", 0, "agent", "11", "event", False),
        ("vip", "removed", 20, "automation", None, "event", False),
    ]


def test_the_first_snapshot_is_the_baseline_and_the_later_ones_are_not(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 3) == [
        ("old", "applied", 0, "unknown", None, "snapshot", True),
        ("new", "applied", 80, "unknown", None, "snapshot", False),
        ("old", "removed", 170, "unknown", None, "snapshot", False),
    ]


def test_a_rename_is_a_removal_and_an_application_by_nobody(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 4) == [
        ("exchange", "applied", 0, "agent", "11", "event", False),
        ("size-exchange", "applied", 30, "unknown", None, "event", False),
        ("exchange", "removed", 30, "unknown", None, "event", False),
    ]


def test_a_carried_tag_is_not_used_again(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 5) == [("vip", "applied", 0, "agent", "11", "event", False)]


def test_a_snapshot_adds_nothing_to_what_was_told(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 6) == [("vip", "applied", 0, "agent", "11", "event", False)]


def test_late_notices_pair_in_order(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 7) == [
        ("vip", "applied", 0, "agent", "11", "event", False),
        ("vip", "removed", 1, "agent", "11", "event", False),
        ("vip", "applied", 4, "agent", "12", "event", False),
    ]


def test_a_bot_is_no_agent(models: duckdb.DuckDBPyConnection) -> None:
    assert tags(models, 8) == [("vip", "applied", 1, "automation", "5", "activity", False)]


def test_one_close_is_told_three_times_and_counted_once(models: duckdb.DuckDBPyConnection) -> None:
    assert statuses(models, 9) == [
        ("closed", 10, "agent", "11", "event"),
        ("open", 30, "system", None, "event"),
        ("closed", 90, "system", None, "activity"),
    ]


def test_between_pending_open_and_snoozed_nothing_changes(models: duckdb.DuckDBPyConnection) -> None:
    assert statuses(models, 10) == []


def test_an_opening_after_a_close_that_was_only_seen_counts(models: duckdb.DuckDBPyConnection) -> None:
    assert statuses(models, 11) == [("open", 5, "customer", "511", "event")]


def test_who_spoke(models: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        models,
        "select sequence - 12000, author_type, author_source_id from intermediate.int_chatwoot__messages "
        "where ticket_id = '12' order by 1",
    )
    assert found == [
        (1, "customer", "512"),
        (2, "automation", None),
        (3, "automation", "5"),
        (4, "automation", "2"),
        (5, "agent", "11"),
        (6, "agent", None),
        (7, "unknown", None),
        (8, "automation", "11"),
        (9, "automation", "11"),
    ]


def test_a_message_keeps_the_best_of_its_sightings(models: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        models,
        "select wamid, delivery_status, text_length, sent_at, received_at, revoked_at "
        "from intermediate.int_chatwoot__messages where ticket_id = '13'",
    )
    assert found == [("wamid.B", "delivered", 5, at(0), at(0), at(2.5))]


def test_looks_of_agents(models: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        models,
        "select read_at, agent_id from intermediate.int_chatwoot__read_events where ticket_id = '14' order by read_at",
    )
    assert found == [(at(0.5) + timedelta(milliseconds=250), "11"), (at(8), None)]
    assert rows(models, "select count(*) from intermediate.int_chatwoot__read_events where ticket_id <> '14'") == [(0,)]


def test_a_ticket_belongs_to_the_contact_of_its_newest_sighting(models: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        models,
        "select account, contact_id, customer_phone, customer_user_id, snapshot_status, conversation_url "
        "from intermediate.int_chatwoot__conversations where ticket_id = '15'",
    )
    url = "https://chat.example.test/app/accounts/1/conversations/15"
    assert found == [("1", "600", "966500000600", "SA.600", "open", url)]
    together = rows(models, "select phone from intermediate.int_chatwoot__identities where user_id = 'SA.600'")
    assert together == [("966500000600",)]


def test_a_ticket_is_gone_from_when_it_was_first_missed_unless_seen_since(
    models: duckdb.DuckDBPyConnection, reversed_models: duckdb.DuckDBPyConnection
) -> None:
    query = "select account, ticket_id, gone_at from staging.stg_chatwoot__tombstones"
    assert rows(models, query) == rows(reversed_models, query) == [("1", "31", at(600))]


@pytest.mark.parametrize(
    "table",
    ["messages", "conversations", "status_events", "tag_events", "read_events", "agents", "channels", "identities"],
)
def test_load_order_and_repeated_deliveries_change_nothing(
    models: duckdb.DuckDBPyConnection, reversed_models: duckdb.DuckDBPyConnection, table: str
) -> None:
    query = (
        "select columns(c -> c not in ('landing_file', 'landing_line', 'position')) "
        f"from intermediate.int_chatwoot__{table} order by all"
    )
    assert rows(reversed_models, query) == rows(models, query)


@pytest.fixture(scope="module")
def reversed_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    deliveries = [delivery for story in STORIES.values() for delivery in story][::-1]
    files = [deliveries[0::2], deliveries[1::2], deliveries]
    with built(tmp_path_factory.mktemp("reversed"), files) as connection:
        yield connection
