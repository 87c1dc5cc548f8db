"""Webhooks as hints: which orders they name. What an order is, the API says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.errors import SalwaError
from ingestion.landing import SUFFIX, read_lines
from ingestion.salla.asking import Pull, checkpoint

OWN_FILES = ("pull-", "import-")  # what we asked for ourselves, and archives: their orders are in the listing
DAYS_KEPT = 10
HINT_DAYS = 60
STATUS_EVENTS = ("order.created", "order.status.updated", "order.cancelled", "order.refunded")
LINES_UNCHANGED = ("order.status.updated",)


def read_hints(pull: Pull) -> None:
    """Queue the orders that webhooks named since the last pull. Files are read once; what is older than DAYS_KEPT
    before the newest day counts as read, so that compacting old files wakes nothing."""
    read: dict[str, list[str]] = pull.state.setdefault("hints_read", {})
    days = sorted(folder for folder in pull.landed_folder.glob("*") if folder.is_dir())
    for folder in days:
        if read and folder.name < min(read):
            continue
        known = set(read.get(folder.name, []))
        for path in sorted(folder.iterdir()):
            if (
                path.name in known
                or path.name.startswith((".", *OWN_FILES))
                or not path.name.endswith((".ndjson", SUFFIX))
            ):
                continue
            try:
                named = list(named_orders(path))
            except SalwaError as damaged:  # the other files are read all the same
                pull.problem(str(damaged))
                continue
            for order_id, event in named:
                note_hint(pull, order_id, event)
            read.setdefault(folder.name, []).append(path.name)
    for day in sorted(read)[:-DAYS_KEPT]:
        del read[day]
    forget_hints(pull)
    checkpoint(pull)


def note_hint(pull: Pull, order_id: str, event: str) -> None:
    queue = pull.state["queue"]
    needs = set(queue.get(order_id, "")) | {"!", "D"}
    if event not in LINES_UNCHANGED or order_id not in pull.order_days:
        needs.add("I")
    queue[order_id] = "".join(sorted(needs))
    if event in STATUS_EVENTS:
        pull.state["hinted"][order_id] = pull.now.timestamp()
    if event == "order.created":  # from its beginning on, webhooks tell of it
        pull.state["histories"].pop(order_id, None)
    if event == "order.deleted":
        pull.state["missing_orders"][order_id] = 1


def forget_hints(pull: Pull) -> None:
    cut = pull.now.timestamp() - HINT_DAYS * 86_400
    pull.state["hinted"] = {order_id: at for order_id, at in pull.state["hinted"].items() if at > cut}


def named_orders(path: Path) -> Iterator[tuple[str, str]]:
    """(order id, event) of the webhooks about orders in a landed file; what cannot be read is left to the loader."""
    for line in read_lines(path):
        if b"order." not in line:
            continue
        try:
            envelope = json.loads(line)
            body = json.loads(envelope["body"])
        except (ValueError, KeyError, TypeError):
            continue
        if not isinstance(body, dict) or envelope.get("kind") != "webhook":
            continue
        event, data = body.get("event"), body.get("data")
        if isinstance(event, str) and event.startswith("order.") and isinstance(data, dict):
            order: Any = data.get("order") if isinstance(data.get("order"), dict) else data
            found = str(order.get("id") or "")
            if found.isdigit():
                yield found, event
