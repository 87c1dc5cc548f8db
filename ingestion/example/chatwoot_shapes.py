"""The shapes in which Chatwoot's API and webhooks show conversations, messages and contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.example import clock, shop
from ingestion.example.events import Item, Message, Note, Ticket
from ingestion.example.shop import CHATWOOT_ACCOUNT, INBOX_ID, INBOX_NAME, Agent

Json = dict[str, Any]
INCOMING, OUTGOING, ACTIVITY, TEMPLATE = 0, 1, 2, 3
TYPE_NAMES = ("incoming", "outgoing", "activity", "template")
FILE_TYPES = {"document": "file", "sticker": "image"}
ACCOUNT = {"id": CHATWOOT_ACCOUNT, "name": shop.STORE_NAME}
INBOX = {"id": INBOX_ID, "name": INBOX_NAME}


@dataclass(eq=False)
class Row:
    """A message row of the inbox: something said, a note, or a notice of an activity."""

    at: int
    message_type: int
    content: str | None
    item: Item
    is_private: bool = False
    row_id: int = 0


@dataclass
class State:
    """A ticket as the inbox holds it at an instant."""

    ticket: Ticket
    contact_id: int
    contact_inbox_id: int
    status: str = "open"
    labels: list[str] = field(default_factory=list)
    assignee: Agent | None = None
    rows: list[Row] = field(default_factory=list)
    last_spoken: Row | None = None
    first_reply_at: int = 0
    waiting_since: int = 0
    seen_at: int = 0
    unread: int = 0
    updated_at: int = 0

    @property
    def last_activity_at(self) -> int:
        return self.rows[-1].at if self.rows else self.ticket.created_at


def iso(at: int) -> str:
    """2026-09-21T00:05:00.000Z"""
    return f"{clock.utc_text(at)[:19]}.000Z"


def contact(state: State) -> Json:
    """The customer, as every shape holds them."""
    person = state.ticket.person
    known = person.identity(state.ticket.created_at)
    return {
        "additional_attributes": {"social_whatsapp_user_name": person.username} if person.username else {},
        "custom_attributes": {},
        "email": None,
        "id": state.contact_id,
        "identifier": None,
        "name": person.name,
        "phone_number": f"+{known.phone}" if known.phone else None,
        "thumbnail": "",
        "blocked": False,
    }


def contact_inbox_source(state: State) -> str:
    known = state.ticket.person.identity(state.ticket.created_at)
    return known.phone or known.user_id or ""


def agent_sender(agent: Agent) -> Json:
    return {
        "id": agent.agent_id,
        "name": agent.name,
        "available_name": agent.name,
        "avatar_url": "",
        "type": "user",
        "availability_status": "online",
        "thumbnail": "",
    }


def agent_object(agent: Agent) -> Json:
    """An agent as the API lists them."""
    return {
        "id": agent.agent_id,
        "account_id": CHATWOOT_ACCOUNT,
        "availability_status": "online",
        "auto_offline": True,
        "confirmed": True,
        "email": agent.email,
        "available_name": agent.name,
        "name": agent.name,
        "role": "agent",
        "thumbnail": "",
        "custom_role_id": None,
    }


def sender_of(state: State, row: Row) -> Json | None:
    if row.message_type == INCOMING:
        return contact(state) | {"type": "contact"}
    if isinstance(row.item, Note):
        return agent_sender(row.item.agent)
    by = row.item.by if isinstance(row.item, Message) else None
    if isinstance(by, Agent):
        return agent_sender(by)
    return {"id": shop.BOT_ID, "name": shop.BOT_NAME, "avatar_url": "", "type": "agent_bot"} if by == "bot" else None


def delivery(row: Row, at: int) -> str:
    """The furthest state told before an instant; the inbox knows no `played`."""
    known = [status for status, told in row.item.statuses if told < at] if isinstance(row.item, Message) else []
    return next((status for status in ("failed", "read", "delivered") if status in known), "sent")


def source_id(row: Row) -> str | None:
    return row.item.wamid if isinstance(row.item, Message) else None


def content_attributes(row: Row) -> Json:
    by = row.item.by if isinstance(row.item, Message) else None
    return {"automation_rule_id": shop.RULE_ID} if by == "rule" else {}


def additional_attributes(row: Row) -> Json:
    by = row.item.by if isinstance(row.item, Message) else None
    if by != "campaign":
        return {}
    return {"campaign_id": 2, "template_params": {"name": "new_oud", "category": "MARKETING", "language": "ar"}}


def attachments(row: Row) -> list[Json]:
    """The attachment of a message that is not text."""
    kind = row.item.kind if isinstance(row.item, Message) else "text"
    if kind == "text":
        return []
    found: Json = {"id": row.row_id, "message_id": row.row_id, "file_type": FILE_TYPES.get(kind, kind)}
    found["account_id"] = CHATWOOT_ACCOUNT
    if kind == "location":
        return [found | {"coordinates_lat": 24.7136, "coordinates_long": 46.6753, "fallback_title": "الرياض"}]
    url = f"https://inbox.example.test/files/{row.row_id}"
    return [found | {"extension": None, "data_url": url, "thumb_url": "", "file_size": 48211}]


def page_message(state: State, row: Row, at: int) -> Json:
    """A message as a page of messages shows it."""
    found: Json = {
        "id": row.row_id,
        "content": row.content,
        "inbox_id": INBOX_ID,
        "conversation_id": state.ticket.ticket_id,
        "message_type": row.message_type,
        "content_type": "text",
        "status": delivery(row, at),
        "content_attributes": content_attributes(row),
        "created_at": row.at,
        "private": row.is_private,
        "source_id": source_id(row),
    }
    if sender := sender_of(state, row):
        found["sender"] = sender
    if files := attachments(row):
        found["attachments"] = files
    return found


def nested_message(state: State, row: Row) -> Json:
    """A message as a conversation holds its last one."""
    if row.message_type == INCOMING:
        sender_type, sender_id = "Contact", state.contact_id
    elif isinstance(row.item, Message) and isinstance(row.item.by, Agent):
        sender_type, sender_id = "User", row.item.by.agent_id
    else:
        sender_type, sender_id = None, None
    found = page_message(state, row, state.updated_at + 1) | {
        "account_id": CHATWOOT_ACCOUNT,
        "updated_at": iso(row.at),
        "sender_type": sender_type,
        "sender_id": sender_id,
        "external_source_ids": {},
        "additional_attributes": additional_attributes(row),
        "processed_message_content": row.content,
        "sentiment": {},
    }
    found["conversation"] = {
        "assignee_id": state.assignee.agent_id if state.assignee else None,
        "unread_count": min(state.unread, 10),
        "last_activity_at": state.last_activity_at,
        "contact_inbox": {"source_id": contact_inbox_source(state)},
    }
    return found


def shared_state(state: State) -> Json:
    """What webhooks and pages show alike. Null times are 0 here."""
    return {
        "additional_attributes": {},
        "can_reply": True,
        "id": state.ticket.ticket_id,
        "inbox_id": INBOX_ID,
        "labels": list(state.labels),
        "status": state.status,
        "custom_attributes": {},
        "snoozed_until": None,
        "unread_count": min(state.unread, 10),
        "priority": None,
        "waiting_since": state.waiting_since,
        "agent_last_seen_at": state.seen_at,
        "contact_last_seen_at": 0,
        "last_activity_at": state.last_activity_at,
        "timestamp": state.last_activity_at,
        "created_at": state.ticket.created_at,
        "updated_at": state.updated_at + 0.123456,
    }


def conversation_push(state: State) -> Json:
    """A conversation as webhooks carry it."""
    created = iso(state.ticket.created_at)
    last = state.last_spoken
    return shared_state(state) | {
        "channel": "Channel::Whatsapp",
        "contact_inbox": {
            "id": state.contact_inbox_id,
            "contact_id": state.contact_id,
            "inbox_id": INBOX_ID,
            "source_id": contact_inbox_source(state),
            "created_at": created,
            "updated_at": created,
            "hmac_verified": False,
            "pubsub_token": "example",
        },
        "messages": [nested_message(state, last)] if last else [],
        "meta": {
            "sender": contact(state) | {"type": "contact"},
            "assignee": agent_sender(state.assignee) if state.assignee else None,
            "team": None,
            "hmac_verified": False,
        },
        "first_reply_created_at": iso(state.first_reply_at) if state.first_reply_at else None,
    }


def conversation_row(state: State) -> Json:
    """A conversation as pages list it."""
    meta: Json = {
        "sender": contact(state)
        | {
            "availability_status": "offline",
            "last_activity_at": state.last_activity_at,
            "created_at": state.ticket.created_at,
        },
        "channel": "Channel::Whatsapp",
        "hmac_verified": False,
    }
    if state.assignee:
        meta["assignee"] = agent_object(state.assignee)
    last = nested_message(state, state.last_spoken) if state.last_spoken else None
    return shared_state(state) | {
        "meta": meta,
        "messages": [last] if last else [],
        "account_id": CHATWOOT_ACCOUNT,
        "uuid": f"00000000-0000-4000-8000-{state.ticket.ticket_id:012d}",
        "assignee_last_seen_at": state.seen_at,
        "muted": False,
        "first_reply_created_at": state.first_reply_at,
        "last_non_activity_message": last,
        "sla_policy_id": None,
    }


def message_push(state: State, row: Row) -> Json:
    """A message as webhooks carry it. What goes out has no wamid yet when it is made."""
    sender: Json | None = None
    if row.message_type == INCOMING:
        sender = {"account": ACCOUNT} | contact(state) | {"avatar": ""}
    elif isinstance(row.item, Note):
        sender = push_user(row.item.agent)
    elif isinstance(row.item, Message) and isinstance(row.item.by, Agent):
        sender = push_user(row.item.by)
    elif isinstance(row.item, Message) and row.item.by == "bot":
        sender = {"id": shop.BOT_ID, "name": shop.BOT_NAME, "type": "agent_bot"}
    body = {
        "account": ACCOUNT,
        "additional_attributes": additional_attributes(row),
        "content_attributes": content_attributes(row),
        "content_type": "text",
        "content": row.content,
        "conversation": conversation_push(state),
        "created_at": iso(row.at),
        "id": row.row_id,
        "inbox": INBOX,
        "message_type": TYPE_NAMES[row.message_type],
        "private": row.is_private,
        "sender": sender,
        "source_id": source_id(row) if row.message_type == INCOMING else None,
    }
    if files := attachments(row):
        body["attachments"] = files
    return body


def push_user(agent: Agent) -> Json:
    return {"id": agent.agent_id, "name": agent.name, "email": agent.email, "type": "user"}
