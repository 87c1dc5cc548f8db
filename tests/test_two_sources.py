"""One message told by an inbox and by Meta is one message: the inbox's figures, with Meta's delivery."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from pathlib import Path

from conftest import run_stages

from dashboards.figures import figures
from dashboards.serving import open_serving
from ingestion.importing import import_archives
from ingestion.settings import Settings

AS_OF = "2026-10-12T00:00:00+03:00"
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 11)
START = int(datetime(2026, 10, 5, 9, tzinfo=UTC).timestamp())


def story(seed: int = 4) -> list[dict]:
    """Messages of a day: ticket, id, wamid, unix time, author."""
    rng = random.Random(seed)
    messages = []
    for ticket in range(1, 16):
        at = START + rng.randrange(8 * 3600)
        for _ in range(rng.randrange(1, 9)):
            author = rng.choice(["customer", "customer", "agent", "bot"]) if messages and messages[-1]["ticket"] == ticket else "customer"
            messages.append({"ticket": ticket, "id": len(messages) + 1, "wamid": f"wamid.{len(messages):04d}", "at": at, "author": author})
            at += rng.choice([5, 40, 600, 5000])
    return messages


def chatwoot_pages(messages: list[dict]) -> list[dict]:
    pages = []
    for ticket in sorted({m["ticket"] for m in messages}):
        own = [m for m in messages if m["ticket"] == ticket]
        contact = {"id": ticket, "name": "x", "phone_number": f"+9665000001{ticket:02d}", "type": "contact"}
        page = {"meta": {"contact": contact}, "payload": [chatwoot_message(m, contact) for m in own]}
        pages.append({"kind": f"GET /conversations/{ticket}/messages", "received_at": "2026-10-11T20:00:00+00:00", "body": page})
        conversation = {
            "id": ticket, "account_id": 1, "inbox_id": 7, "status": "open", "labels": [], "meta": {"sender": contact},
            "created_at": own[0]["at"], "updated_at": float(own[-1]["at"]), "messages": [],
        }
        pages.append({"kind": "GET /conversations", "received_at": "2026-10-11T20:00:00+00:00", "body": {"data": {"payload": [conversation]}}})
    return pages


def chatwoot_message(m: dict, contact: dict) -> dict:
    senders = {
        "customer": contact,
        "agent": {"id": 11, "name": "Sara", "type": "user"},
        "bot": {"id": 5, "name": "Bot", "type": "agent_bot"},
    }
    return {
        "id": m["id"], "content": "x", "inbox_id": 7, "conversation_id": m["ticket"], "account_id": 1,
        "message_type": 0 if m["author"] == "customer" else 1, "created_at": m["at"], "private": False,
        "status": "sent", "source_id": m["wamid"], "content_type": "text", "sender": senders[m["author"]],
    }


def meta_webhooks(messages: list[dict]) -> list[dict]:
    lines = []
    for m in messages:
        phone = f"9665000001{m['ticket']:02d}"
        if m["author"] == "customer":
            value = {"messages": [{"id": m["wamid"], "timestamp": str(m["at"]), "type": "text", "from": phone}]}
            lines.append((m["at"] + 1, value))
        else:
            for delay, status in ((0, "sent"), (2, "delivered"), (9, "read")):
                item = {"id": m["wamid"], "status": status, "timestamp": str(m["at"] + delay), "recipient_id": phone}
                lines.append((m["at"] + delay + 1, {"statuses": [item]}))
    return [
        {
            "received_at": datetime.fromtimestamp(at, UTC).isoformat(),
            "body": {"entry": [{"id": "1", "changes": [{"field": "messages", "value": {"metadata": {"phone_number_id": "800"}, **value}}]}]},
        }
        for at, value in lines
    ]


def land(settings: Settings, folder: Path, source: str, lines: list[dict]) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"{source}.ndjson"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    import_archives(settings.landing, "default", source, [path])


def test_meta_adds_delivery_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    messages = story()
    assert len(messages) > 50
    land(settings, tmp_path / "in", "chatwoot", chatwoot_pages(messages))
    run_stages(settings, AS_OF)
    with open_serving(settings) as connection:
        alone = figures(connection, FIRST, LAST)
        assert connection.execute("select count(*) from facts.fct_messages where delivery_status = 'read'").fetchone() == (0,)

    # what the inbox lacks after its first message is kept, in no figure
    stray = {"ticket": 3, "id": 0, "wamid": "wamid.stray", "at": START + 9 * 3600, "author": "customer"}
    land(settings, tmp_path / "in", "whatsapp", meta_webhooks([*messages, stray]))
    run_stages(settings, AS_OF)
    with open_serving(settings) as connection:
        both = figures(connection, FIRST, LAST)
        sent = sum(m["author"] != "customer" for m in messages)
        read = connection.execute("select count(*), count(read_at) from facts.fct_messages where delivery_status = 'read'")
        assert read.fetchone() == (sent, sent)
        missing = connection.execute("select messages_missing_in_inbox from marts.mart_data_health where source = 'whatsapp'")
        assert missing.fetchone() == (1,)
        assert connection.execute("select count(*) from facts.fct_messages").fetchone() == (len(messages) + 1,)
    assert both == alone
    assert both["total_conversations"] == 15
    assert both["messages"] == len(messages)
