"""The sales number's story as Chatwoot tells it: webhooks as things happen, API pages by nightly polls.

Webhooks of conversations come from the first day on; those of messages were switched on MESSAGE_WEBHOOK_DAYS before
the end, so that older messages are known from pages only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingestion.example import clock, shop
from ingestion.example.archive import Arrival, webhook
from ingestion.example.chatwoot_shapes import (
    ACCOUNT,
    ACTIVITY,
    INBOX,
    INCOMING,
    OUTGOING,
    TEMPLATE,
    Json,
    Row,
    State,
    agent_object,
    agent_sender,
    contact,
    conversation_push,
    conversation_row,
    iso,
    message_push,
    page_message,
)
from ingestion.example.clock import DAY, MINUTE
from ingestion.example.events import Assignment, Item, LabelChange, Message, Note, Seen, StatusChange, Story, Ticket
from ingestion.example.shop import AGENTS, CHATWOOT_ACCOUNT, INBOX_ID, INBOX_NAME, Agent, Person

MESSAGE_WEBHOOK_DAYS = 6
POLL_DELAY = 20 * MINUTE  # after midnight; the pages of a poll come within the second before it
KNOWN_LABELS = ("exchange", "complaint", "vip", "shipping")  # the inbox's catalogue; "طلب جديد" is not in it


def chatwoot_arrivals(story: Story) -> Iterator[Arrival]:
    """All webhooks and pages, in no particular order."""
    rows_of = {ticket.ticket_id: ticket_rows(ticket) for ticket in story.tickets}
    everything = [(row.at, number, row) for number, rows in rows_of.items() for row in rows]
    for number, (_, _, row) in enumerate(sorted(everything, key=lambda entry: entry[:2]), 1001):
        row.row_id = number
    contacts = Contacts()
    pages: dict[int, list[tuple[int, Json]]] = {}
    for ticket in story.tickets:
        yield from ticket_arrivals(story, ticket, rows_of[ticket.ticket_id], contacts, pages)
    for at, found in pages.items():
        yield from conversation_pages(at, found)
    for at in (story.stage.first + POLL_DELAY, story.stage.cut + POLL_DELAY):
        yield from settings_pages(at)
    yield from contact_pages(contacts, story.stage.cut + POLL_DELAY)


# ------------------------------------------------------------------------------------------------------- what there is


class Contacts:
    """The inbox's contacts: a new phone is a new contact to it."""

    def __init__(self) -> None:
        self.known: dict[tuple[Person, int], int] = {}

    def contact_of(self, person: Person, at: int) -> tuple[int, bool]:
        """(its id, whether it is new)."""
        key = (person, person.identity_number(at))
        is_new = key not in self.known
        return self.known.setdefault(key, 501 + len(self.known)), is_new


def ticket_rows(ticket: Ticket) -> list[Row]:
    """The ticket's message rows in order, without ids."""
    rows: list[Row] = []
    for item in ticket.items:
        if isinstance(item, Message):
            rows.append(spoken_row(item))
        elif isinstance(item, Note):
            rows.append(Row(item.at, OUTGOING, item.text, item, is_private=True))
        elif not isinstance(item, Seen):
            rows += [Row(item.at + late, ACTIVITY, text, item) for late, text in activity_texts(item)]
    return sorted(rows, key=lambda row: row.at)


def spoken_row(message: Message) -> Row:
    """What was said. The inbox stamps its own time: after what comes in, before what goes out."""
    content = message.text or None
    if message.author == "customer":
        return Row(message.at + 1, INCOMING, content, message)
    if message.by == "campaign":
        return Row(message.at, OUTGOING, content, message)
    return Row(message.at - 1, TEMPLATE if message.by == "greeting" else OUTGOING, content, message)


def activity_texts(item: StatusChange | LabelChange | Assignment) -> list[tuple[int, str]]:
    """(seconds it trails behind, text) of the notices of a change."""
    if isinstance(item, Assignment):
        return [(0, f"{item.agent.name} self-assigned this conversation")]
    if isinstance(item, StatusChange):
        if item.actor:
            done = "marked resolved" if item.status == "resolved" else "reopened"
            return [(1, f"Conversation was {done} by {item.actor.name}")]
        if item.status == "resolved":
            return [(1, "Conversation was marked resolved by system due to 2 days of inactivity")]
        return [(2, "System reopened the conversation due to a new incoming message.")]
    actor = item.actor.name if isinstance(item.actor, Agent) else shop.RULE_ACTOR
    texts = [(1, f"{actor} added {', '.join(item.added)}")] if item.added else []
    return texts + ([(1, f"{actor} removed {', '.join(item.removed)}")] if item.removed else [])


# ---------------------------------------------------------------------------------------------------- ticket by ticket


def ticket_arrivals(
    story: Story, ticket: Ticket, rows: list[Row], contacts: Contacts, pages: dict[int, list[tuple[int, Json]]]
) -> Iterator[Arrival]:
    """A ticket's webhooks, and its state in the pages of each night that followed something new."""
    contact_id, is_new = contacts.contact_of(ticket.person, ticket.created_at)
    state = State(ticket, contact_id, 100 + contact_id, updated_at=ticket.created_at)
    if is_new:
        body = {"account": ACCOUNT} | contact(state) | {"avatar": "", "event": "contact_created"}
        yield webhook(ticket.created_at + 1.2, body)
    cut = story.stage.cut
    changes = sorted(
        [(row.at, 1, row) for row in rows if row.at < cut]
        + [(item.at, 0, item) for item in ticket.items if not isinstance(item, Message | Note)],
        key=lambda change: change[:2],
    )
    is_created = False
    poll = next_poll(ticket.created_at)
    for at, _, change in changes:
        if at >= poll:
            yield page_of_poll(state, poll, pages)
            poll = next_poll(at)
        if isinstance(change, Row):
            yield from row_arrivals(state, change, cut - MESSAGE_WEBHOOK_DAYS * DAY)
            if not is_created:
                is_created = True
                body = conversation_push(state) | {"event": "conversation_created", "performed_by": None}
                yield webhook(at + 0.6, body)
        else:
            yield from change_arrivals(state, change)
    yield page_of_poll(state, poll, pages)
    if state.status == "open" and poll < cut:
        pages.setdefault(cut + POLL_DELAY, []).append((state.last_activity_at, conversation_row(state)))


def next_poll(at: int) -> int:
    """The first poll that can show what happened at an instant."""
    return clock.midnight(clock.local_day(at - POLL_DELAY)) + DAY + POLL_DELAY


def row_arrivals(state: State, row: Row, message_webhooks_from: int) -> Iterator[Arrival]:
    """A new row of the ticket. Activities are never sent."""
    state.rows.append(row)
    state.updated_at = row.at
    if row.message_type == ACTIVITY:
        return
    state.last_spoken = row
    if row.message_type == INCOMING:
        state.waiting_since = state.waiting_since or row.at
        state.unread += 1
    elif isinstance(row.item, Message) and row.item.author == "agent":
        state.first_reply_at = state.first_reply_at or row.at
        state.waiting_since, state.unread, state.seen_at = 0, 0, max(state.seen_at, row.at)
    if row.at < message_webhooks_from:
        return
    actor = actor_of(row)
    yield webhook(row.at + 0.5, message_push(state, row) | {"event": "message_created", "performed_by": actor})
    if isinstance(row.item, Message) and row.message_type != INCOMING:
        sent = message_push(state, row) | {"source_id": row.item.wamid}
        yield webhook(row.at + 2.5, sent | {"event": "message_updated", "performed_by": None})


def change_arrivals(state: State, change: Item) -> Iterator[Arrival]:
    """A new status, assignee or set of labels, or an agent's look (which no webhook tells)."""
    if isinstance(change, Seen):
        state.seen_at, state.unread = max(state.seen_at, change.at), 0
        return
    state.updated_at = change.at
    if isinstance(change, StatusChange):
        state.status = change.status
        if change.status == "resolved":
            state.waiting_since = 0
        body = {"event": "conversation_status_changed", "changed_attributes": None, "performed_by": user(change.actor)}
        yield webhook(change.at + 0.7, conversation_push(state) | body)
    elif isinstance(change, Assignment):
        previous = state.assignee.agent_id if state.assignee else None
        state.assignee = change.agent
        changed = [{"assignee_id": {"previous_value": previous, "current_value": change.agent.agent_id}}]
        yield webhook(change.at + 0.7, updated(state, changed, user(change.agent)))
    elif isinstance(change, LabelChange):
        yield from label_arrivals(state, change)


def label_arrivals(state: State, change: LabelChange) -> Iterator[Arrival]:
    """A change of labels; made by a user it is told twice."""
    before = list(state.labels)
    state.labels = [label for label in before if label not in change.removed] + list(change.added)
    instant = iso(change.at)
    changed = [
        {"updated_at": {"previous_value": instant, "current_value": instant}},
        {"cached_label_list": {"previous_value": ", ".join(before), "current_value": ", ".join(state.labels)}},
        {"label_list": {"previous_value": before, "current_value": list(state.labels)}},
    ]
    is_user = isinstance(change.actor, Agent)
    body = updated(state, changed, user(change.actor) if is_user else {"type": "automation_rule", "id": shop.RULE_ID})
    yield webhook(change.at + 0.4, body)
    if is_user:
        yield webhook(change.at + 1.1, body)


def updated(state: State, changed: list[Json], actor: Json | None) -> Json:
    return conversation_push(state) | {
        "event": "conversation_updated",
        "changed_attributes": changed,
        "performed_by": actor,
    }


def user(agent: Agent | None) -> Json | None:
    return {"type": "user", "id": agent.agent_id} if agent else None


def actor_of(row: Row) -> Json | None:
    if isinstance(row.item, Note):
        return user(row.item.agent)
    by = row.item.by if isinstance(row.item, Message) else None
    if isinstance(by, Agent):
        return user(by)
    return {"type": "agent_bot", "id": shop.BOT_ID} if by == "bot" else None


# ---------------------------------------------------------------------------------------------------------------- pages


def page_of_poll(state: State, poll: int, pages: dict[int, list[tuple[int, Json]]]) -> Arrival:
    """The ticket's messages as of a poll; the ticket itself joins that night's list."""
    pages.setdefault(poll, []).append((state.last_activity_at, conversation_row(state)))
    meta = {
        "labels": list(state.labels),
        "additional_attributes": {},
        "contact": contact(state) | {"type": "contact"},
        "assignee": agent_sender(state.assignee) if state.assignee else None,
        "agent_last_seen_at": iso(state.seen_at) if state.seen_at else None,
        "assignee_last_seen_at": iso(state.seen_at) if state.seen_at else None,
    }
    body = {"meta": meta, "payload": [page_message(state, row, poll) for row in state.rows]}
    at = poll - 0.8 + state.ticket.ticket_id % 1000 * 0.0007
    return Arrival(at, f"GET /conversations/{state.ticket.ticket_id}/messages", body)


def conversation_pages(poll: int, found: list[tuple[int, Json]]) -> Iterator[Arrival]:
    """A night's list of what changed, 25 to a page, the latest first."""
    rows = [row for _, row in sorted(found, key=lambda entry: (-entry[0], entry[1]["id"]))]
    assigned = sum("assignee" in row["meta"] for row in rows)
    counts = {
        "mine_count": 0,
        "assigned_count": assigned,
        "unassigned_count": len(rows) - assigned,
        "all_count": len(rows),
    }
    for start in range(0, len(rows), 25):
        body = {"data": {"meta": counts, "payload": rows[start : start + 25]}}
        yield Arrival(poll - 0.95 + start / 2500, "GET /conversations", body)


def settings_pages(at: int) -> Iterator[Arrival]:
    """Agents, inboxes, labels and teams."""
    yield Arrival(at, "GET /agents", [agent_object(agent) for agent in AGENTS])
    hours = {"day_of_week": 0, "closed_all_day": False, "open_hour": 10, "open_minutes": 0, "close_hour": 23}
    inbox = {
        "id": INBOX_ID,
        "avatar_url": "",
        "channel_id": INBOX_ID,
        "name": INBOX_NAME,
        "channel_type": "Channel::Whatsapp",
        "working_hours_enabled": True,
        "working_hours": [hours | {"close_minutes": 0, "open_all_day": False}],
        "timezone": "Asia/Riyadh",
        "allow_messages_after_resolved": True,
        "lock_to_single_conversation": False,
        "phone_number": f"+{shop.SALES.phone}",
        "provider": "whatsapp_cloud",
        "provider_config": {"phone_number_id": shop.SALES.phone_number_id, "business_account_id": shop.WABA_ID},
    }
    yield Arrival(at + 1, "GET /inboxes", {"payload": [inbox]})
    labels = [
        {"id": number, "title": title, "description": None, "color": "#1f93ff", "show_on_sidebar": True}
        for number, title in enumerate(KNOWN_LABELS, 1)
    ]
    yield Arrival(at + 2, "GET /labels", {"payload": labels})
    team = {"id": 3, "name": "sales", "description": None, "allow_auto_assign": True, "account_id": CHATWOOT_ACCOUNT}
    yield Arrival(at + 3, "GET /teams", [team | {"is_member": True}])


def contact_pages(contacts: Contacts, at: int) -> Iterator[Arrival]:
    """All contacts with a phone, 15 to a page; the inbox lists none without."""
    inbox = INBOX | {"channel_type": "Channel::Whatsapp"}
    rows: list[Json] = []
    for (person, identity), contact_id in contacts.known.items():
        known = person.identities[identity]
        if known.phone:
            rows.append(
                {
                    "additional_attributes": {},
                    "availability_status": "offline",
                    "email": None,
                    "id": contact_id,
                    "name": person.name,
                    "phone_number": f"+{known.phone}",
                    "blocked": False,
                    "identifier": None,
                    "thumbnail": "",
                    "custom_attributes": {},
                    "last_activity_at": at,
                    "created_at": at - DAY,
                    "contact_inboxes": [
                        {"source_id": source, "inbox": inbox} for source in (known.phone, known.user_id) if source
                    ],
                }
            )
    for start in range(0, len(rows), 15):
        number = start // 15 + 1
        body = {"meta": {"count": len(rows), "current_page": number}, "payload": rows[start : start + 15]}
        yield Arrival(at + 30 + number, "GET /contacts", body)
