"""WhatsApp Cloud API: whose a message, a status, a contact or a change of number is, and what of it may stay."""

from __future__ import annotations

from typing import Any

from ingestion.erasing.register import Id, People, is_stand_in, message_stand_in, scalar_text
from ingestion.erasing.spelling import digits_of, filler
from ingestion.erasing.walking import Place, dicts, seconds, some_dict, text_without_mentions

USERS = ("from_user_id", "to_user_id", "recipient_user_id", "user_id")
PHONES = ("from", "to", "recipient_id", "wa_id", "phone_number", "input")
MESSAGE_IDS = frozenset({"id", "message_id", "original_message_id"})
TEXTS = frozenset({"body", "caption", "title", "text"})
KEPT = frozenset(
    {
        *("type", "status", "timestamp", "recipient_type", "group_id", "biz_opaque_callback_data", "action", "value"),
        *("billable", "pricing_model", "category", "code", "source_id", "source_type", "phase", "chunk_order", "progress"),
        *("field", "messaging_product", "display_phone_number", "phone_number_id", "expiration_timestamp"),
    }
)
CHANGES = ("user_changed_number", "user_changed_user_id")
JUST_BEFORE = 1e-6


class Whatsapp:
    """See Rules."""

    def enter(self, value: dict[str, Any], key: str, place: Place, people: People) -> Place:
        own = some_dict(value.get("metadata")).get("display_phone_number")
        if own is None:
            return place.moved(at=seconds(value.get("timestamp")) or place.at)
        told = [
            at
            for name in ("messages", "statuses", "message_echoes", "user_id_update", "user_preferences")
            for one in dicts(value.get(name))
            if (at := seconds(one.get("timestamp")))
        ]
        return place.moved(at=min(told, default=place.at), business=place.business | {digits_of(str(own))})

    def claims(self, value: dict[str, Any], key: str, place: Place, people: People) -> bool:
        if key == "threads" or ("messages" in value and isinstance(value.get("id"), str)):
            times = [at for one in dicts(value.get("messages")) if (at := seconds(one.get("timestamp")))]
            return people.phone(value.get("id"), max(times, default=place.at)) is not None
        if key == "state_sync":
            return people.phone(some_dict(value.get("contact")).get("phone_number"), place.at) is not None
        if key == "contacts" and "phones" in value:  # a card that somebody shares
            return any(people.phone(one.get("wa_id") or one.get("phone"), place.at) for one in dicts(value["phones"]))
        return claimed_by_ids(value, place, people)

    def scrub(self, value: dict[str, Any], key: str, place: Place, people: People) -> Any:
        learn(value, place, people)
        return scrubbed(value, key, place, people)


def users_of(value: dict[str, Any]) -> list[str]:
    """The business-scoped ids that an item names as its person's."""
    told = [value.get(name) for name in USERS]
    change, system = some_dict(value.get("user_id")), some_dict(value.get("system"))
    told += [change.get("previous"), change.get("current"), system.get("user_id")]
    return [one for one in told if isinstance(one, str) and one]


def phones_of(value: dict[str, Any], place: Place) -> list[str]:
    told = [scalar_text(value.get(name)) for name in PHONES]
    return [digits for one in told if one and (digits := digits_of(one)) and digits not in place.business]


def claimed_by_ids(value: dict[str, Any], place: Place, people: People) -> bool:
    """By the person's id where there is one, else by the number at its time, else by the message's own id."""
    users = users_of(value)
    if any(people.owns("user", one) for one in users):
        return True
    change = some_dict(value.get("system"))
    # who leaves a number has it until that very moment
    at = place.at - JUST_BEFORE if place.at and change else place.at
    found = [(phone, known) for phone in phones_of(value, place) if (known := people.phone(phone, at))]
    new_phone = scalar_text(change.get("wa_id"))
    if new_phone and people.phone(new_phone, place.at):
        return True
    if not found:
        told = value.get("id")
        return not users and not phones_of(value, place) and isinstance(told, str) and "wamid" in told and people.wamid(told)
    if users and all(known.has_user for _, known in found):
        for phone, _ in found:
            if place.at:
                people.close(phone, place.at)
        return False
    return True


def learn(value: dict[str, Any], place: Place, people: People) -> None:
    """The ids that stand beside those of an erased person are theirs too."""
    for user in users_of(value):
        if people.stand_in("user", user) is None:
            people.adopt(Id("user", user))
    change = some_dict(value.get("system"))
    moved = [change.get("wa_id")] if change.get("type") in CHANGES else []
    for phone in [*phones_of(value, place), *(digits_of(one) for one in moved if isinstance(one, str))]:
        if phone and not is_stand_in("phone", phone) and not people.known("phone", phone):
            people.adopt(Id("phone", phone, from_at=place.at or float("-inf"), has_user=bool(users_of(value))))


def scrubbed(value: Any, key: str, place: Place, people: People) -> Any:
    """What stays: ids that stand in for theirs, times, kinds, prices, and how long a text was."""
    if isinstance(value, dict):
        inner = place.moved(at=seconds(value.get("timestamp")) or place.at)
        return {name: scrubbed(one, name, inner, people) for name, one in value.items()}
    if isinstance(value, list):
        return [scrubbed(one, key, place, people) for one in value]
    text = scalar_text(value)
    return value if text is None else scrubbed_scalar(value, text, key, place, people)


def scrubbed_scalar(value: Any, text: str, key: str, place: Place, people: People) -> Any:
    phone = people.stand_in("phone", digits_of(text)) if len(digits_of(text)) >= 7 else None
    if phone and digits_of(text) == text.lstrip("+"):
        made: Any = phone
    elif key in ("from", "to", "recipient_id", "id") and digits_of(text) in place.business:
        made = value
    elif key in (*USERS, "previous", "current"):
        made = people.stand_in("user", text)
    elif key in MESSAGE_IDS:
        made = message_stand_in(people, text)
    elif key in TEXTS and isinstance(value, str):
        made = filler(value)
    elif key in KEPT:
        made = text_without_mentions(value, key, place.at, people) if isinstance(value, str) else value
    else:
        made = None
    return made
