"""Random histories: what the SQL makes of them equals what reading them message by message does."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import duckdb
import jinja2
import pyarrow as pa
import pytest

from orchestration.compiling import PROJECT

GAP = timedelta(hours=24)
START = datetime(2026, 10, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=12)
STEPS = [timedelta(0), timedelta(minutes=1), timedelta(hours=11), GAP, GAP + timedelta(microseconds=1), 3 * GAP]
MODELS = [
    "conversations/int_session_messages",
    "conversations/int_conversation_messages",
    "conversations/int_status_changes",
    "conversations/int_conversation_events",
    "conversations/int_turns",
]
UNREAD_SPANS = "facts/fct_unread_spans"


@dataclass
class Message:
    name: str
    at: datetime
    author: str  # customer | agent | automation
    is_failed: bool = False


@dataclass
class History:
    """A customer's messages, and of a ticket its status events and reads."""

    key: str
    is_ticket: bool
    messages: list[Message] = field(default_factory=list)
    closes: list[tuple[datetime, str, str]] = field(default_factory=list)  # (when, open | closed, by whom)
    reads: list[datetime] = field(default_factory=list)


@dataclass
class Turn:
    first: str
    started_at: datetime
    outcome: str = "waiting"
    ended_at: datetime | None = None


def random_history(rng: random.Random, key: str, is_ticket: bool) -> History:
    history = History(key, is_ticket)
    at = START
    for number in range(rng.randint(1, 9)):
        at += rng.choice(STEPS)
        author = rng.choice(["customer", "customer", "agent", "automation"])
        failed = author != "customer" and rng.random() < 0.15
        history.messages.append(Message(f"{key}-{number}", at, author, failed))
        if is_ticket and rng.random() < 0.4:
            history.closes.append(
                (at + rng.choice(STEPS[:3]), rng.choice(["open", "closed"]), rng.choice(["agent", "system"]))
            )
        if is_ticket and rng.random() < 0.2:
            history.reads.append(at + rng.choice(STEPS[:3]))
    return history


def sessions(messages: list[Message]) -> dict[str, str | None]:
    """The first message of the session that each message is in."""
    first_of: dict[str, str | None] = {}
    counted: list[Message] = []
    first, is_waiting = "", False
    for message in messages:
        if message.is_failed:
            continue
        comes_late = not counted or message.at - counted[-1].at > GAP
        if comes_late and not (message.author == "agent" and is_waiting):
            first, is_waiting = message.name, False
        if message.author != "automation":
            is_waiting = message.author == "customer"
        first_of[message.name] = first
        counted.append(message)
    for message in (m for m in messages if m.is_failed):
        before = [m for m in counted if m.at <= message.at]
        after = [m for m in counted if m.at >= message.at]
        known = None
        if before and (
            message.at - before[-1].at <= GAP or (after and first_of[after[0].name] == first_of[before[-1].name])
        ):
            known = first_of[before[-1].name]
        elif after and after[0].at == message.at:
            known = first_of[after[0].name]
        first_of[message.name] = known
    return first_of


def events_of(messages: list[Message], history: History) -> list[tuple[datetime, int, int, str, str]]:
    """What happened in one conversation, in order: at one instant a reopening, messages, a close, reads."""
    events: list[tuple[datetime, int, int, str, str]] = [
        (m.at, 1, place, m.author, m.name) for place, m in enumerate(messages) if not m.is_failed
    ]
    is_open = True
    for at, status, by in sorted(set(history.closes), key=lambda c: (c[0], c[1] == "closed", c[2])):
        if (status == "open") != is_open:
            is_open = status == "open"
            kind = "open" if is_open else ("person closed" if by == "agent" else "closed")
            events.append((at, 0 if is_open else 2, 0, kind, ""))
    return sorted(events + [(at, 3, 0, "read", "") for at in history.reads])


def unread_spans(messages: list[Message], history: History) -> list[tuple[datetime, datetime | None]]:
    """From the first message nobody saw to whoever looked first."""
    spans: list[tuple[datetime, datetime | None]] = []
    for at, _, _, kind, _ in events_of(messages, history):
        is_unread = bool(spans) and spans[-1][1] is None
        if kind == "customer" and not is_unread:
            spans.append((at, None))
        elif kind in ("agent", "person closed", "read") and is_unread:
            spans[-1] = (spans[-1][0], at)
    return spans


def turns(messages: list[Message], history: History) -> list[Turn]:
    """Turns of one conversation."""
    found: list[Turn] = []
    for at, _, _, kind, name in events_of(messages, history):
        current = found[-1] if found and found[-1].ended_at is None else None
        if kind == "customer" and current is None:
            found.append(Turn(name, at))
        elif kind == "automation" and current is not None:
            current.outcome = "automation_only"
        elif kind == "agent" and current is not None:
            current.outcome, current.ended_at = "answered", at
        elif kind == "person closed" and current is not None:
            current.outcome, current.ended_at = "closed_unanswered", at
    return found


@pytest.mark.parametrize("seed", range(4))
def test_sessions_turns_and_unread_spans_equal_those_read_message_by_message(seed: int) -> None:
    rng = random.Random(seed)
    histories = [random_history(rng, f"k{number}", number % 2 == 0) for number in range(400)]
    connection = run_models(histories, rng)

    found_sessions = dict(
        connection.execute(
            "select m.message_id, c.first_message from int_conversation_messages as m left join ("
            "  select conversation_id, min_by(message_id, message_order) as first_message"
            "  from int_conversation_messages where is_counted group by conversation_id) as c using (conversation_id)"
            " where m.source = 'whatsapp'"
        ).fetchall()
    )
    expected_sessions: dict[str, str | None] = {}
    expected_turns: list[tuple] = []
    expected_spans: list[tuple] = []
    for history in histories:
        conversations = [history.messages]
        if not history.is_ticket:
            first_of = sessions(history.messages)
            expected_sessions |= first_of
            conversations = [
                [m for m in history.messages if first_of[m.name] == first]
                for first in dict.fromkeys(first for first in first_of.values() if first)
            ]
        for messages in conversations:
            expected_turns += [(t.first, t.started_at, t.outcome, t.ended_at) for t in turns(messages, history)]
            expected_spans += [(messages[0].name, *span) for span in unread_spans(messages, history)]

    assert found_sessions == expected_sessions
    found_turns = connection.execute(
        "select m.message_id, t.started_at, t.outcome, t.ended_at from int_turns as t "
        "inner join (select conversation_id, message_order, row_number() over ("
        "  partition by conversation_id order by place) as n from int_conversation_events"
        "  where event = 'customer' and not is_waiting_before) as e"
        " on t.conversation_id = e.conversation_id and t.turn_number = e.n "
        "inner join int_conversation_messages as m"
        " on e.conversation_id = m.conversation_id and e.message_order = m.message_order"
    ).fetchall()
    assert sorted(found_turns, key=str) == sorted(expected_turns, key=str)
    found_spans = connection.execute(
        "select c.first_message, s.from_at, s.to_at from fct_unread_spans as s inner join ("
        "  select m.conversation_id, min_by(m.message_id, (m.sent_at, told.position)) as first_message"
        "  from int_conversation_messages as m inner join int_messages as told using (message_id)"
        "  where m.conversation_id is not null group by m.conversation_id) as c"
        " using (conversation_id)"
    ).fetchall()
    assert sorted(found_spans, key=str) == sorted(expected_spans, key=str)
    assert {outcome for _, _, outcome, _ in found_turns} == {
        "answered",
        "closed_unanswered",
        "automation_only",
        "waiting",
    }


def run_models(histories: list[History], rng: random.Random) -> duckdb.DuckDBPyConnection:
    """The models' own SQL over histories whose rows come in any order."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set variable hash_key = 'a key'")
    messages = [
        {
            "message_id": m.name,
            "source": "inbox" if h.is_ticket else "whatsapp",
            "sent_at": m.at,
            "author_type": m.author,
            "is_counted": not m.is_failed,
            "position": place,
            "sequence": place if h.is_ticket else None,
            "ticket_id": h.key if h.is_ticket else None,
            "customer_user_id": None if h.is_ticket else h.key,
        }
        for h in histories
        for place, m in enumerate(h.messages)
    ]
    rng.shuffle(messages)
    connection.register("messages", pa.Table.from_pylist(messages))
    connection.execute(
        "create table int_messages as select *, 'w' as workspace, '1' as account, '1' as channel_id, "
        "message_id as source_message_id, author_type = 'agent' as is_human, false as is_group, "
        "false as is_missing_in_inbox, cast(null as timestamptz) as received_at, cast(null as varchar) as customer_phone, "
        "cast(null as varchar) as author_source_id from messages"
    )
    connection.execute(
        "create table stg_settings__workspaces as select 'w' as workspace, cast(? as timestamptz) as as_of, "
        f"cast({int(GAP.total_seconds())} as bigint) as session_gap_seconds",
        [AS_OF + timedelta(days=30)],
    )
    connection.execute(
        "create table int_user_ids as select distinct 'w' as workspace, customer_user_id as user_id, "
        "customer_user_id as customer_id from int_messages where customer_user_id is not null; "
        "create table int_phone_periods (workspace varchar, phone varchar, from_at timestamptz, to_at timestamptz, "
        "customer_id varchar); "
        "create table int_gone_conversations (conversation_id varchar, gone_at timestamptz); "
        "create table int_tickets as select distinct ticket_id as conversation_id, 'w' as workspace, 'inbox' as source, "
        "'1' as account, ticket_id, '1' as channel, ticket_id as customer_id, cast(null as timestamptz) as created_at, "
        "'open' as snapshot_status, cast(null as timestamptz) as snapshot_at from int_messages where ticket_id is not null; "
    )
    changes = [
        {"ticket_id": h.key, "status": status, "occurred_at": at, "actor_type": by}
        for h in histories
        for at, status, by in sorted(set(h.closes))
    ]
    reads = [{"conversation_id": h.key, "read_at": at, "agent_source_id": "sara"} for h in histories for at in h.reads]
    connection.register("changes", pa.Table.from_pylist(changes))
    connection.register("reads", pa.Table.from_pylist(reads))
    connection.execute(
        "create table int_inbox__status_events as select *, 'w' as workspace, 'inbox' as source, '1' as account, "
        "cast(null as varchar) as actor_id, 'event' as evidence from changes; "
        "create table int_chatwoot__status_events as from int_inbox__status_events limit 0; "
        "create table int_reads as from reads"
    )
    for model in MODELS:
        connection.execute(f"create table {model.split('/')[1]} as {rendered(f'intermediate/{model}')}")
    connection.execute(
        "create table int_conversations as select conversation_id, 'w' as workspace, '1' as channel "
        "from int_conversation_messages where conversation_id is not null group by conversation_id"
    )
    connection.execute(f"create table fct_unread_spans as {rendered(UNREAD_SPANS)}")
    return connection


def rendered(model: str) -> str:
    """A model's SQL as DuckDB gets it, its refs as plain names."""
    macros = (PROJECT / "macros/engine.sql").read_text(encoding="utf-8")
    text = (PROJECT / f"models/{model}.sql").read_text(encoding="utf-8")
    known = {"ref": lambda name: name, "config": lambda **kwargs: "", "target": SimpleNamespace(type="duckdb")}
    return jinja2.Environment().from_string(macros + text).render(known)  # noqa: S701
