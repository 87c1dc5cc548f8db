"""Walking through a JSON body: what is about an erased person is scrubbed, what only names them is renamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ingestion.erasing.register import People, message_stand_in
from ingestion.erasing.spelling import EMAIL, USER_ID, WAMID, digits_of, filler, phones_in

ERASED = "erased"
PHONE_KEYS = frozenset({"mobile", "phone", "phone_number", "customer_phone", "wa_id", "from", "to", "recipient_id", "input"})
SHORTEST_WITH_COUNTRY = 8
SHORTEST_ID = 6  # a@b.cd


@dataclass(frozen=True)
class Place:
    """Where in a body we are. at: seconds since 1970 of what is told; account: of the inbox, or the export's name;
    business: digits of the business's own numbers; call: what was asked for; asked_for: an id of the call's path;
    names: of the person, who is named in sentences too."""

    at: float | None = None
    account: str = ""
    business: frozenset[str] = frozenset()
    call: str = ""
    asked_for: str | None = None
    names: frozenset[str] = frozenset()

    def moved(self, **changes: Any) -> Place:
        return self if all(getattr(self, name) == one for name, one in changes.items()) else replace(self, **changes)


class Rules(Protocol):
    """What a source's objects mean. enter: the place inside an object; claims: whether it is about an erased person;
    scrub: what stays of it then."""

    def enter(self, value: dict[str, Any], key: str, place: Place, people: People) -> Place: ...

    def claims(self, value: dict[str, Any], key: str, place: Place, people: People) -> bool: ...

    def scrub(self, value: dict[str, Any], key: str, place: Place, people: People) -> Any: ...


def walked(rules: Rules, value: Any, key: str, place: Place, people: People) -> Any:
    """The value without erased people; what is about others is as it was."""
    if isinstance(value, dict):
        inside = rules.enter(value, key, place, people)
        if rules.claims(value, key, inside, people):
            return rules.scrub(value, key, inside, people)
        return {name: walked(rules, one, name, inside, people) for name, one in value.items()}
    if isinstance(value, list):
        return [walked(rules, one, key, place, people) for one in value]
    return without_mentions(value, key, place.at, people)


def without_mentions(value: Any, key: str, at: float | None, people: People) -> Any:
    """A scalar with the ids of erased people replaced, wherever they stand in it."""
    if isinstance(value, str):
        return text_without_mentions(value, key, at, people)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 10**9:
        known = people.phone(value, at)
        return int(known.stand_in) if known else value
    return value


def text_without_mentions(text: str, key: str, at: float | None, people: People) -> str:
    """The text with the ids of erased people replaced: in an id by what stands in for them, in a sentence by nothing, but
    as long, for lengths are figures."""
    if len(text) < SHORTEST_ID:
        return text
    if "wamid." in text:
        text = WAMID.sub(lambda m: message_stand_in(people, m[0]) if people.wamid(m[0]) else m[0], text)
    if "." in text:
        text = USER_ID.sub(lambda m: people.stand_in("user", m[0]) or ERASED if people.owns("user", m[0]) else m[0], text)
    if "@" in text:
        text = EMAIL.sub(lambda m: filler(m[0]) if people.owns("email", m[0]) else m[0], text)
    pieces, done = [], 0
    for start, end, digits in phones_in(text):
        if start < done:
            continue
        stand_in = phone_stand_in(digits, is_plain=end - start == len(digits), key=key, at=at, people=people)
        if stand_in:
            is_sentence = any(one.isspace() for one in text.strip())
            pieces += [text[done:start], filler(text[start:end]) if is_sentence else stand_in]
            done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def phone_stand_in(digits: str, is_plain: bool, key: str, at: float | None, people: People) -> str | None:
    """What stands in the place of digits that are an erased person's number.

    A bare number without code and zero is taken for a phone only where a phone stands: it may be any id.
    """
    full = digits_of(digits)
    if len(full) >= SHORTEST_WITH_COUNTRY and (known := people.phone(full, at)):
        return known.stand_in
    if is_plain and not digits.startswith("0") and key not in PHONE_KEYS:
        return None
    national = people.known("national", digits.lstrip("0"))
    return next((one.stand_in for one in national if one.holds(at)), None)


def seconds(told: Any) -> float | None:
    """A time as sources write it, in seconds since 1970; None where it is none."""
    if isinstance(told, dict):
        told = told.get("date")
    if isinstance(told, bool) or told is None:
        return None
    try:
        number = float(told)
    except (TypeError, ValueError):
        return seconds_of_text(told)
    return number if 10**8 < number < 10**11 else None


def seconds_of_text(told: Any) -> float | None:
    if not isinstance(told, str):
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list, or the object itself."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def some_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
