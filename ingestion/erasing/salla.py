"""Salla: whose an order, a cart, an invoice or a customer's card is, and what of it may stay.

Orders, lines and money stay; the customer is another, unknown one. The city stays: it is a figure, and names nobody.
"""

from __future__ import annotations

import re
from typing import Any

from ingestion.erasing.register import Id, People, scalar_text
from ingestion.erasing.spelling import digits_of
from ingestion.erasing.walking import Place, dicts, seconds, some_dict, text_without_mentions

PHONE_KEYS = ("mobile", "phone")
# objects that hold a person's own data, whoever of those around the order that is
PERSONAL = frozenset(
    {
        *("customer", "receiver", "ship_to", "address", "shipping_address", "billing_address", "geo_coordinates", "bank", "card"),
        *("label", "urls", "custom_fields", "notifiable", "value", "files", "codes", "reservations"),
    }
)
KEPT = frozenset(
    {
        *("event", "type", "slug", "status", "currency", "date", "timezone", "sku", "payment_method", "source", "device"),
        *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "created_at", "updated_at", "code", "percent"),
        *("invoice_number", "expiry_date", "start_date", "units", "base_currency", "exchange_currency", "rate", "entity"),
        *("source_device", "weight_label", "total_weight", "entry_type", "gone_at", "brand", "payment_provider", "title"),
    }
)
NAMED = frozenset(  # whose names are not the person's
    {
        *("status", "customized", "original", "parent", "product", "items", "packages", "created_by", "payment_method", "tags"),
        *("shipment_branch", "ship_from", "coupon", "categories", "options", "shipping_route", "brand", "promotion"),
    }
)
CITY = frozenset({"city", "country", "country_code", "currency", "is_notifications_enabled", "gender"})
NAMING = frozenset({"customer", "order", "order_id", "references", "meta", "reference_id", "note", "created_by"})
AMOUNT = re.compile(r"-?[\d٠-٩]{1,7}([.,٫][\d٠-٩]{1,4})?%?")


class Salla:
    """See Rules."""

    def enter(self, value: dict[str, Any], key: str, place: Place, people: People) -> Place:
        at = seconds(value.get("date")) or seconds(value.get("created_at")) or place.at
        return place.moved(at=at)

    def claims(self, value: dict[str, Any], key: str, place: Place, people: People) -> bool:
        if is_person(value, key) and person_claimed(value, place, people):
            return True
        if "data" in value or "pagination" in value:  # what stands around one thing or many
            return False
        return thing_claimed(value, place, people)

    def scrub(self, value: dict[str, Any], key: str, place: Place, people: People) -> Any:
        if is_person(value, key) and "items" not in value:
            return scrubbed_person(value, place, people)
        learn_order(value, place, people)
        return scrubbed(value, key, place, people)


def is_person(value: dict[str, Any], key: str) -> bool:
    return any(name in value for name in PHONE_KEYS) or (key in ("customer", "receiver") and "id" in value)


def person_claimed(value: dict[str, Any], place: Place, people: People) -> bool:
    customer = scalar_text(value.get("id"))
    if customer and people.owns("customer", customer):
        return True
    email = value.get("email")
    if isinstance(email, str) and email and people.owns("email", email):
        return True
    phone = phone_of(value)
    return bool(phone and people.phone(phone, place.at))


def thing_claimed(value: dict[str, Any], place: Place, people: People) -> bool:
    """Whether an order, a cart, a review … is an erased person's: by its customer, else by the order it is about."""
    if place.asked_for is None and not NAMING.intersection(value):
        return False
    customer = value.get("customer")
    if isinstance(customer, dict):
        return is_person(customer, "customer") and person_claimed(customer, place, people)
    around = some_dict(value.get("order"))
    told = [value.get("order_id"), some_dict(value.get("references")).get("order_id"), around.get("id"), place.asked_for]
    if isinstance(around.get("customer"), dict) and person_claimed(around["customer"], place, people):
        return True
    if any(people.owns("order", one) for one in told if one is not None):
        return True
    # the store tells what it would send to a customer
    if scalar_text(some_dict(value.get("meta")).get("customer_id")):
        return people.owns("customer", value["meta"]["customer_id"])
    own = value.get("id")
    return "reference_id" in value and own is not None and people.owns("order", own)


def learn_order(value: dict[str, Any], place: Place, people: People) -> None:
    """What else is told of the order, such as notes, is the person's too."""
    for one in [value, *dicts(value.get("order"))]:
        found = scalar_text(one.get("id"))
        if found and "reference_id" in one and isinstance(one.get("customer"), dict) and not people.known("order", found):
            people.adopt(Id("order", found))


def phone_of(value: dict[str, Any]) -> str | None:
    """The digits of the number that an object names, with its country's code where that stands beside it."""
    told = next((scalar_text(value[name]) for name in PHONE_KEYS if scalar_text(value.get(name))), None)
    if told is None:
        return None
    digits, code = digits_of(told), digits_of(scalar_text(value.get("mobile_code")) or "")
    if told.startswith(("+", "00")) or not code or (digits.startswith(code) and len(digits) > 10):
        return digits
    return code + digits.lstrip("0")


def scrubbed_person(value: dict[str, Any], place: Place, people: People) -> dict[str, Any]:
    """A customer or receiver with nothing but the ids that stand in for theirs, the city, and times."""
    made: dict[str, Any] = {}
    phone = phone_of(value)
    stand_in = own_phone(phone, place, people) if phone and len(phone) >= 7 else None
    for name, one in value.items():
        if name == "id" and (text := scalar_text(one)):
            made[name] = as_given(one, people.stand_in("customer", text) or people.adopt(Id("customer", text)))
        elif name in PHONE_KEYS:
            made[name] = f"+{stand_in}" if stand_in else None
        elif name == "mobile_code":
            made[name] = "+999" if stand_in else one
        elif name in CITY or name in ("created_at", "updated_at") or one is None or isinstance(one, bool):
            made[name] = one
        elif name == "groups" and isinstance(one, list):
            made[name] = []
        else:
            made[name] = {} if isinstance(one, dict) else [] if isinstance(one, list) else "" if isinstance(one, str) else None
    return made


def own_phone(digits: str, place: Place, people: People) -> str:
    """What stands in the place of a number: in the place of the erased person's where it is theirs, by any spelling."""
    found = people.stand_in("phone", digits)
    if found is None and (national := people.known("national", digits.lstrip("0"))):
        found = national[-1].stand_in
    return found or people.adopt(Id("phone", digits, from_at=place.at or float("-inf")))


def scrubbed(value: Any, key: str, place: Place, people: People, around: str = "") -> Any:
    """What stays of an erased person's order or other thing: numbers, money, states, times, products."""
    if isinstance(value, list):
        return [scrubbed(one, key, place, people, around) for one in value]
    if isinstance(value, dict):
        if key in ("customer", "receiver", "ship_to"):
            return scrubbed_person(value, place, people)
        inner = key if key in PERSONAL else around if around in PERSONAL else ""
        if inner:
            return {name: one if name in CITY else scrubbed(one, name, place, people, inner) for name, one in value.items()}
        what = "items" if "quantity" in value else key  # lines that were asked for by themselves
        return {name: scrubbed(one, name, place, people, what) for name, one in value.items()}
    return scrubbed_scalar(value, key, place, people, around)


def scrubbed_scalar(value: Any, key: str, place: Place, people: People, around: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if around in PERSONAL or key in PERSONAL:
        return "" if isinstance(value, str) else None
    if key == "customer_id":
        text = scalar_text(value) or ""
        return as_given(value, people.stand_in("customer", text) or people.adopt(Id("customer", text)))
    if not isinstance(value, str):
        return None if key in (*PHONE_KEYS, "lat", "lng", "latitude", "longitude") else value
    is_kept = key in KEPT or (key == "name" and around in NAMED) or key.endswith("_id") or key == "id"
    if is_kept or AMOUNT.fullmatch(value.strip()):
        return text_without_mentions(value, key, place.at, people)
    return ""


def as_given(given: Any, stand_in: str) -> Any:
    return int(stand_in) if isinstance(given, int) and stand_in.isdigit() else stand_in


