"""Inbox exports: rows of a table, each of one conversation."""

from __future__ import annotations

from typing import Any

from ingestion.erasing.register import Id, People, scalar_text
from ingestion.erasing.spelling import digits_of, filler
from ingestion.erasing.walking import Place, seconds, text_without_mentions

KEPT = frozenset(
    {
        *("message_id", "conversation_id", "sent_at", "author_type", "message_type", "text_length", "delivery_status"),
        *("sequence", "updated_at", "created_at", "channel", "status", "assignee_id", "occurred_at", "actor_type", "tag"),
        *("action", "read_at", "agent_id"),
    }
)
TIMES = ("sent_at", "occurred_at", "read_at", "created_at")
ACTORS = {"author_id": "author_type", "author_name": "author_type", "actor_id": "actor_type", "actor_name": "actor_type"}


class Inbox:
    """See Rules."""

    def enter(self, value: dict[str, Any], key: str, place: Place, people: People) -> Place:
        return place.moved(at=next((at for name in TIMES if (at := seconds(value.get(name)))), place.at))

    def claims(self, value: dict[str, Any], key: str, place: Place, people: People) -> bool:
        if owns(value.get("conversation_id"), "conversation", place, people):
            return True
        if owns(value.get("customer_id"), "person", place, people) or people.phone(value.get("customer_phone"), place.at):
            return True
        told = scalar_text(value.get("conversation_id"))  # many inboxes name a conversation by the number
        if told and people.phone(told.partition("@")[0], place.at):
            return True
        return value.get("author_type") == "customer" and owns(value.get("author_id"), "person", place, people)

    def scrub(self, value: dict[str, Any], key: str, place: Place, people: People) -> Any:
        conversation = scalar_text(value.get("conversation_id"))
        if conversation and not people.known("conversation", named(conversation, place)):
            people.adopt(Id("conversation", named(conversation, place)))
        return {name: scrubbed(one, name, value, place, people) for name, one in value.items()}


def named(value: str, place: Place) -> str:
    """An id with its export's name: two inboxes may give the same one."""
    return f"inbox {place.account}:{value}"


def owns(value: Any, kind: str, place: Place, people: People) -> bool:
    text = scalar_text(value)
    return text is not None and people.owns(kind, named(text, place))


def scrubbed(one: Any, name: str, row: dict[str, Any], place: Place, people: People) -> Any:
    """What stays of a field of an erased person's row."""
    if one is None or isinstance(one, bool):
        return one
    text = scalar_text(one)
    if text is None:
        return one if one == "" else None
    is_customers = row.get(ACTORS.get(name, "")) == "customer"
    if name == "customer_phone":
        digits = digits_of(text)
        made: Any = "+" + own_phone(digits, place, people) if len(digits) >= 7 else None
    elif name == "customer_id" or (name in ("author_id", "actor_id") and is_customers):
        made = person_stand_in(text, place, people)
    elif name in KEPT or (name in ACTORS and not is_customers):
        made = text_without_mentions(one, name, place.at, people) if isinstance(one, str) else one
    elif name == "text" and isinstance(one, str):
        made = filler(one)
    else:
        made = "" if isinstance(one, str) else None
    return made


def person_stand_in(text: str, place: Place, people: People) -> str:
    """What stands in the place of an export's id of a customer, which may be their number."""
    phone = people.phone(text, place.at)
    if phone:
        return phone.stand_in
    if text.startswith("erased-") or (text.startswith("999") and len(text) == 15):
        return text
    return people.stand_in("person", named(text, place)) or people.adopt(Id("person", named(text, place)))


def own_phone(digits: str, place: Place, people: People) -> str:
    return people.stand_in("phone", digits) or people.adopt(Id("phone", digits, from_at=place.at or float("-inf")))
