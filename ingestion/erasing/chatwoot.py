"""Chatwoot: whose a conversation, a message or a contact is, and what of it may stay."""

from __future__ import annotations

import json
import re
from typing import Any

from ingestion.erasing.register import Id, People, message_stand_in, scalar_text
from ingestion.erasing.spelling import USER_ID, digits_of, filler
from ingestion.erasing.walking import ERASED, Place, dicts, seconds, some_dict, text_without_mentions

CONTACT_TYPES = (None, "contact", "Contact")
PERSON_KEYS = frozenset({"sender", "contact"})
ACTORS = frozenset({"sender", "contact", "performed_by", "user"})  # a contact where their type says so
NAMED = frozenset(  # whose names are not the person's
    {"assignee", "team", "inbox", "account", "performed_by", "sender", "user", "agent", "agent_bot", "template_params"}
)
ATTRIBUTES = frozenset({"custom_attributes", "additional_attributes", "content_attributes"})
KEPT_ATTRIBUTES = frozenset(
    {"automation_rule_id", "external_echo", "deleted", "in_reply_to", "campaign_id", "template_params", "template_name"}
)
KEPT = frozenset(
    {
        *("id", "uuid", "sender_id", "inbox_id", "account_id", "conversation_id", "conversation_display_id", "assignee_id", "team_id"),
        *("message_type", "content_type", "private", "status", "priority", "labels", "label_list", "event", "channel"),
        *("channel_type", "type", "sender_type", "file_type", "timestamp", "waiting_since", "snoozed_until", "unread_count"),
        *("automation_rule_id", "campaign_id", "external_echo", "deleted", "in_reply_to", "role", "available_name"),
        *("current_value", "previous_value", "availability_status", "sla_policy_id", "count", "all_count", "total_count"),
        *("current_page", "mine_count", "assigned_count", "unassigned_count", "custom_role_id", "title"),
    }
)
ACTIVITY = (2, "2", "activity")
WORDS_OF_A_NAME = 6


class Chatwoot:
    """See Rules."""

    def enter(self, value: dict[str, Any], key: str, place: Place, people: People) -> Place:
        told = some_dict(value.get("account")).get("id") or value.get("account_id")
        at = seconds(value.get("created_at")) or place.at
        return place.moved(account=scalar_text(told) or place.account, at=at)

    def claims(self, value: dict[str, Any], key: str, place: Place, people: People) -> bool:
        if is_message(value) and message_claimed(value, place, people):
            return True
        if is_conversation(value) and conversation_claimed(value, place, people):
            return True
        if is_page_of_messages(value, place):
            return is_owned("conversation", place.asked_for, place, people) or any(
                contact_claimed(one, place, people) for one in dicts(some_dict(value.get("meta")).get("contact"))
            )
        return is_contact(value, key) and contact_claimed(value, place, people)

    def scrub(self, value: dict[str, Any], key: str, place: Place, people: People) -> Any:
        if is_conversation(value) and (found := scalar_text(value.get("id"))):
            remember_id("conversation", found, place, people)
        return scrubbed(value, key, place.moved(names=frozenset(names_in(value, key))), people)


def account_id(value: str, place: Place) -> str:
    return f"{place.account}:{value}"


def is_owned(kind: str, value: Any, place: Place, people: People) -> bool:
    text = scalar_text(value)
    return text is not None and (people.owns(kind, account_id(text, place)) or people.owns(kind, f":{text}"))


def remember_id(kind: str, value: str, place: Place, people: People) -> str:
    """An id is the person's from now on; what stands in its place."""
    for one in (account_id(value, place), f":{value}"):
        if found := people.stand_in(kind, one):
            return found
    return people.adopt(Id(kind, account_id(value, place)))


def is_message(value: dict[str, Any]) -> bool:
    return "message_type" in value and ("content" in value or "content_type" in value)


def is_conversation(value: dict[str, Any]) -> bool:
    return "inbox_id" in value and not is_message(value) and any(name in value for name in ("meta", "contact_inbox", "messages"))


def is_page_of_messages(value: dict[str, Any], place: Place) -> bool:
    return place.call.endswith("/messages") and isinstance(value.get("payload"), list)


def is_contact(value: dict[str, Any], key: str) -> bool:
    if value.get("type") not in CONTACT_TYPES:
        return False
    if "phone_number" in value or (key in ACTORS and value.get("type") is not None):
        return True
    return key in PERSON_KEYS and "role" not in value and ("identifier" in value or "email" in value)


def contact_claimed(value: dict[str, Any], place: Place, people: People) -> bool:
    if value.get("type") not in CONTACT_TYPES:
        return False
    if is_owned("contact", value.get("id"), place, people):
        return True
    known_by = [one.get("source_id") for one in dicts(value.get("contact_inboxes"))]
    users = [one for one in known_by if isinstance(one, str) and USER_ID.fullmatch(one)]
    if any(people.owns("user", one) for one in users):
        return True
    email = value.get("email")
    if isinstance(email, str) and people.owns("email", email):
        return True
    return bool(not users and phone_claimed([value.get("phone_number"), *known_by], place, people))


def phone_claimed(told: list[Any], place: Place, people: People) -> bool:
    return any(people.phone(one, place.at) for one in told if one is not None)


def conversation_claimed(value: dict[str, Any], place: Place, people: People) -> bool:
    if is_owned("conversation", value.get("id"), place, people):
        return True
    inbox = some_dict(value.get("contact_inbox"))
    source_id = inbox.get("source_id")
    if isinstance(source_id, str) and USER_ID.fullmatch(source_id):
        return people.owns("user", source_id)
    sender = some_dict(some_dict(value.get("meta")).get("sender"))
    return (
        is_owned("contact", inbox.get("contact_id"), place, people)
        or phone_claimed([source_id], place, people)
        or (bool(sender) and contact_claimed(sender, place, people))
    )


def message_claimed(value: dict[str, Any], place: Place, people: People) -> bool:
    around = some_dict(value.get("conversation"))
    if is_owned("conversation", value.get("conversation_id") or around.get("id"), place, people):
        return True
    if "inbox_id" in around and conversation_claimed(around, place, people):
        return True
    sender = some_dict(value.get("sender"))
    return is_contact(sender, "sender") and contact_claimed(sender, place, people)


def names_in(value: Any, key: str) -> list[str]:
    """Names of the contacts inside, for the sentences that tell of them."""
    if isinstance(value, list):
        return [name for one in value for name in names_in(one, key)]
    if not isinstance(value, dict):
        return []
    own = [value["name"]] if is_contact(value, key) and isinstance(value.get("name"), str) and value["name"].strip() else []
    return own + [name for inner, one in value.items() for name in names_in(one, inner)]


def scrubbed(value: Any, key: str, place: Place, people: People, around: str = "") -> Any:
    """What stays of what belongs to an erased person. around: the key of the object that a scalar stands in."""
    if isinstance(value, list):
        return [scrubbed(one, key, place, people, around) for one in value]
    if not isinstance(value, dict):
        return scrubbed_scalar(value, key, place, people, around)
    if key in ATTRIBUTES:
        return scrubbed_attributes(value, place, people)
    if is_contact(value, key):
        return scrubbed_contact(value, place, people)
    inner = place.moved(at=seconds(value.get("created_at")) or place.at)
    is_told = is_message(value) and value.get("message_type") in ACTIVITY
    made = {}
    for name, one in value.items():
        if name in ("content", "processed_message_content") and isinstance(one, str):
            made[name] = sentence(one, inner, people) if is_told else filler(one)
        elif name == "sender_id" and value.get("sender_type") in ("Contact", "contact") and scalar_text(one):
            made[name] = as_given(one, remember_id("contact", scalar_text(one) or "", inner, people))
        else:
            # who sends without saying what they are is a customer
            is_nameless = key == "sender" and value.get("type") in CONTACT_TYPES
            made[name] = scrubbed(one, name, inner, people, "" if is_nameless else key)
    return made


def scrubbed_scalar(value: Any, key: str, place: Place, people: People, around: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if key in ATTRIBUTES and isinstance(value, str):  # older versions keep them as the text of an object
        return json.dumps(scrubbed_attributes(some_dict(parsed(value)), place, people))
    if key == "source_id":
        return source_stand_in(value, people)
    if key == "contact_id" and scalar_text(value):
        return as_given(value, remember_id("contact", scalar_text(value) or "", place, people))
    is_kept = key in KEPT or key.endswith(("_at", "_count")) or (key == "name" and around in NAMED)
    if not is_kept:
        return "" if isinstance(value, str) else None
    return text_without_mentions(value, key, place.at, people) if isinstance(value, str) else value


def scrubbed_contact(value: dict[str, Any], place: Place, people: People) -> dict[str, Any]:
    """A contact with nothing but the ids that stand in for theirs, and times."""
    made: dict[str, Any] = {}
    for name, one in value.items():
        if name == "id":
            made[name] = as_given(one, remember_id("contact", scalar_text(one) or "", place, people))
        elif name == "phone_number" and isinstance(one, str) and len(digits_of(one)) >= 7:
            made[name] = "+" + own_phone(one, place, people)
        elif name == "contact_inboxes":
            made[name] = [
                {inner: source_stand_in(told, people) if inner == "source_id" else scrubbed(told, inner, place, people, name)
                 for inner, told in each.items()}
                for each in dicts(one)
            ]
        elif name == "changed_attributes":
            made[name] = []
        elif name in ATTRIBUTES:
            made[name] = scrubbed_attributes(one, place, people) if isinstance(one, dict) else one
        elif name in ("account", "type", "event", "blocked") or name.endswith("_at") or one is None or isinstance(one, bool):
            made[name] = one
        else:
            made[name] = "" if isinstance(one, str) else None
    return made


def scrubbed_attributes(value: dict[str, Any], place: Place, people: People) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, one in value.items():
        if name == "salla_customer_id" and (text := scalar_text(one)):
            made[name] = as_given(one, people.adopt(Id("customer", text)))
        elif name == "template_params":
            made[name] = {"name": some_dict(one).get("name")}
        elif name in KEPT_ATTRIBUTES:
            made[name] = one
    return made


def own_phone(told: str, place: Place, people: People) -> str:
    """What stands in the place of the contact's number; one that is new is theirs from now on."""
    digits = digits_of(told)
    return people.stand_in("phone", digits) or people.adopt(Id("phone", digits, from_at=place.at or float("-inf")))


def source_stand_in(told: Any, people: People) -> Any:
    """A source id is a phone, a business-scoped id or a message's id."""
    text = scalar_text(told)
    if text is None:
        return told
    digits = digits_of(text)
    if re.fullmatch(r"\+?\d{7,15}", text):
        return people.stand_in("phone", digits) or people.adopt(Id("phone", digits))
    if USER_ID.fullmatch(text):
        return people.stand_in("user", text) or people.adopt(Id("user", text))
    return message_stand_in(people, text)


def sentence(text: str, place: Place, people: People) -> str:
    """A notice, which tells what was done, without the person's name."""
    for name in sorted(place.names, key=len, reverse=True):
        text = text.replace(name, ERASED)
    words = text.split(" ")
    for length in range(min(WORDS_OF_A_NAME, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            if people.known("name", " ".join(words[start : start + length])):
                return sentence(" ".join([*words[:start], ERASED, *words[start + length :]]), place, people)
    return text_without_mentions(text, "content", place.at, people)


def as_given(given: Any, stand_in: str) -> Any:
    """The id that stands in, a number where the id was one."""
    number = stand_in.rpartition(":")[2]
    return int(number) if isinstance(given, int) and number.isdigit() else number


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
