"""The story as Meta's webhooks (field `messages` and others) and Graph answers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from ingestion.example import shop
from ingestion.example.archive import Arrival, webhook
from ingestion.example.clock import DAY, HOUR
from ingestion.example.events import IdentityChange, Mark, Message, Story
from ingestion.example.shop import SALES, SUPPORT, Line, Person

Json = dict[str, Any]
FAILURES = {
    "marketing": (131049, "This message was not delivered to maintain healthy ecosystem engagement."),
    "utility": (131026, "Message undeliverable"),
    "service": (131047, "Re-engagement message"),
}
MIME_TYPES = {
    "image": "image/jpeg",
    "audio": "audio/ogg; codecs=opus",
    "sticker": "image/webp",
    "document": "application/pdf",
    "video": "video/mp4",
}
TEMPLATES = (("710000000000001", "white_friday", "MARKETING"), ("710000000000002", "new_oud", "MARKETING"))


def whatsapp_arrivals(story: Story) -> Iterator[Arrival]:
    """All deliveries of both numbers, in no particular order."""
    rng = Random(story.stage.days)  # noqa: S311 - a story, not a secret
    yield from account_events(story)
    for message in story.messages:
        if message.author == "customer":
            yield webhook(message.at + 1 + rng.random(), incoming(message))
        elif message.by == "echo":
            yield webhook(message.at + 2 + rng.random(), echo(message))
        else:
            yield from status_arrivals(rng, message)
    for mark in story.marks:
        yield webhook(mark.at + 1.5, marked(mark))
    for change in story.identity_changes:
        yield from identity_arrivals(change)
    for at, person in story.opt_outs:
        yield webhook(at + 1, preference(at, person))


def envelope(value: Json, field: str = "messages", time: int | None = None) -> Json:
    entry: Json = {"id": shop.WABA_ID, "changes": [{"value": value, "field": field}]}
    if time is not None:
        entry["time"] = time
    return {"object": "whatsapp_business_account", "entry": [entry]}


def value_of(line: Line, person: Person | None, at: int) -> Json:
    """The part of a value that says which number and which person."""
    value: Json = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": line.phone, "phone_number_id": line.phone_number_id},
    }
    if person:
        value["contacts"] = [contact(person, at)]
    return value


def contact(person: Person, at: int) -> Json:
    known = person.identity(at)
    profile = {"name": person.name}
    if person.username:
        profile["username"] = person.username
    return {"profile": profile} | ids("wa_id", "user_id", known.phone, known.user_id)


def ids(phone_key: str, user_key: str, phone: str | None, user_id: str | None) -> Json:
    """Phone and id under the names a place gives them; what WhatsApp does not tell is left out."""
    return {key: value for key, value in ((phone_key, phone), (user_key, user_id)) if value}


def sender(person: Person, at: int) -> Json:
    known = person.identity(at)
    return ids("from", "from_user_id", known.phone, known.user_id)


def incoming(message: Message) -> Json:
    """A customer's message."""
    item = sender(message.person, message.at) | {"id": message.wamid, "timestamp": str(message.at)} | body_of(message)
    if message.is_referred:
        item["referral"] = {
            "source_url": "https://fb.me/rayhan",
            "source_id": "610000000000001",
            "source_type": "ad",
            "body": "عروض العود",
            "headline": "دار ريحان",
            "media_type": "image",
            "image_url": "https://cdn.example.com/ad.jpg",
            "ctwa_clid": f"CLICK{message.at}",
        }
    return envelope(value_of(message.line, message.person, message.at) | {"messages": [item]})


def body_of(message: Message) -> Json:
    """Type and content of a message."""
    kind = message.kind
    if kind == "text":
        return {"type": "text", "text": {"body": message.text}}
    if kind == "group":
        return {"type": "text", "group_id": "RAYHANGROUP", "text": {"body": message.text}}
    if kind == "location":
        return {"type": "location", "location": {"latitude": 24.7136, "longitude": 46.6753, "name": "الرياض"}}
    if kind == "button":
        return {"type": "button", "button": {"payload": "STOP", "text": message.text}}
    if kind == "unsupported":
        title = "Message type unknown"
        error = {"code": 131051, "title": title, "message": title, "error_data": {"details": "Unsupported kind"}}
        return {"type": "unsupported", "errors": [error], "unsupported": {"type": "poll_creation"}}
    media: Json = {"mime_type": MIME_TYPES[kind], "sha256": "RVhBTVBMRQ==", "id": f"92{message.at}"}
    if kind == "audio":
        media["voice"] = True
    if kind == "sticker":
        media["animated"] = False
    if kind == "document":
        media["filename"] = "invoice.pdf"
    return {"type": kind, kind: media}


def echo(message: Message) -> Json:
    """What somebody of the shop typed on the phone."""
    known = message.person.identity(message.at)
    item = {"from": message.line.phone} | ids("to", "to_user_id", known.phone, known.user_id)
    item |= {"id": message.wamid, "timestamp": str(message.at)} | body_of(message)
    value = value_of(message.line, message.person, message.at) | {"message_echoes": [item]}
    return envelope(value, "smb_message_echoes")


def status_arrivals(rng: Random, message: Message) -> Iterator[Arrival]:
    """What is told of a message the business sent: together where close, now and then in the wrong order."""
    waiting = list(message.statuses)
    told: list[tuple[str, int]] = []
    while waiting:
        told.append(waiting.pop(0))
        if not waiting or waiting[0][1] - told[0][1] > 3:
            items = [status(message, *entry) for entry in told]
            if len(items) > 1 and rng.random() < 0.1:
                items.reverse()
            delay = 0.4 + rng.random() + (25 if rng.random() < 0.01 else 0)
            person = None if told[0][0] == "failed" else message.person
            yield webhook(told[-1][1] + delay, envelope(value_of(message.line, person, message.at) | {"statuses": items}))
            told = []


def status(message: Message, name: str, at: int) -> Json:
    known = message.person.identity(message.at)
    item: Json = {"id": message.wamid, "status": name, "timestamp": str(at)}
    if name == "failed" and known.phone:
        item["recipient_id"] = known.phone
    else:
        item |= ids("recipient_id", "recipient_user_id", known.phone, known.user_id)
    if message.line is SUPPORT and isinstance(message.by, str):
        item["biz_opaque_callback_data"] = message.by
    if name in ("sent", "delivered"):
        is_free = message.category == "service"
        item["pricing"] = {
            "billable": not is_free,
            "pricing_model": "PMP",
            "type": "free_customer_service" if is_free else "regular",
            "category": message.category,
        }
    if name == "failed":
        code, title = FAILURES[message.category]
        item["errors"] = [{"code": code, "title": title, "message": title, "error_data": {"details": title}}]
    return item


def marked(mark: Mark) -> Json:
    """A reaction, its removal, an edit or a revoke: a `messages[]` row that is no message."""
    message = mark.message
    item = sender(message.person, mark.at) | {"id": mark.wamid, "timestamp": str(mark.at)}
    if mark.kind == "edit":
        edited = {"type": "text", "text": {"body": message.text + "؟"}}
        item |= {"type": "edit", "edit": {"original_message_id": message.wamid, "message": edited}}
    elif mark.kind == "revoke":
        item |= {"type": "revoke", "revoke": {"original_message_id": message.wamid}}
    else:
        reaction = {"message_id": message.wamid} | ({"emoji": "👍"} if mark.kind == "reaction" else {})
        item |= {"type": "reaction", "reaction": reaction}
    return envelope(value_of(message.line, message.person, mark.at) | {"messages": [item]})


def identity_arrivals(change: IdentityChange) -> Iterator[Arrival]:
    """A number change: the notice in the chat, and the update of the id."""
    person, at = change.person, change.at
    before, after = person.identity(at - 1), person.identity(at)
    notice = {
        "from": before.phone,
        "id": change.wamid,
        "timestamp": str(at),
        "type": "system",
        "system": {
            "body": f"User {person.name} changed from {before.phone} to {after.phone}",
            "wa_id": after.phone,
            "type": "user_changed_number",
        },
    }
    yield webhook(at + 1, envelope(value_of(change.line, None, at) | {"messages": [notice]}))
    update = {
        "wa_id": after.phone,
        "detail": "id changed",
        "user_id": {"previous": before.user_id, "current": after.user_id},
        "timestamp": str(at),
    }
    contacts = [{"profile": {"name": person.name}, "wa_id": after.phone}]
    value = value_of(change.line, None, at) | {"contacts": contacts, "user_id_update": [update]}
    yield webhook(at + 2, envelope(value, "user_id_update"))


def preference(at: int, person: Person) -> Json:
    """No more offers, please. (An int timestamp, unlike everywhere else.)"""
    known = person.identity(at)
    item = ids("wa_id", "user_id", known.phone, known.user_id)
    item |= {"detail": "stopped offers", "category": "marketing_messages", "value": "stop", "timestamp": at}
    return envelope(value_of(SUPPORT, person, at) | {"user_preferences": [item]}, "user_preferences")


def account_events(story: Story) -> Iterator[Arrival]:
    """Templates approved, and what Graph says of numbers and templates at the end."""
    for template_id, name, category in TEMPLATES:
        at = story.stage.first + 9 * HOUR
        value = {
            "event": "APPROVED",
            "message_template_id": int(template_id),
            "message_template_name": name,
            "message_template_language": "ar",
            "reason": "NONE",
            "message_template_category": category,
        }
        yield webhook(at + 1, envelope(value, "message_template_status_update", at))
    cursors = {"cursors": {"before": "B", "after": "A"}}
    numbers = [
        {
            "verified_name": line.name,
            "code_verification_status": "VERIFIED",
            "display_phone_number": f"+{line.phone[:3]} {line.phone[3:5]} {line.phone[5:8]} {line.phone[8:]}",
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "id": line.phone_number_id,
        }
        for line in (SALES, SUPPORT)
    ]
    templates = [
        {
            "name": name,
            "components": [{"type": "BODY", "text": "{{1}}"}],
            "language": "ar",
            "status": "APPROVED",
            "category": category,
            "id": template_id,
        }
        for template_id, name, category in TEMPLATES
    ]
    for at in (story.stage.first + DAY, story.stage.cut + 300):
        yield Arrival(at, "graph", {"data": numbers, "paging": cursors})
        yield Arrival(at, "graph", {"data": templates, "paging": cursors})
