"""What Metabase is sent: cards, dashboards and mails in the form that its version takes."""

from __future__ import annotations

from typing import Any

from dashboards.metabase import found as seen
from dashboards.metabase.found import Ids
from dashboards.metabase.transport import NEW_QUERIES
from dashboards.metabase.wanted import LINK, tag_id


def card_body(key: str, wanted: dict[str, Any], ids: Ids, version: int) -> dict[str, Any]:
    """A card as this version of Metabase takes it."""
    is_new = version >= NEW_QUERIES
    tags = {name: template_tag(key, name, tag, ids, version) for name, tag in wanted["tags"].items()}
    if is_new:
        stage = {"lib/type": "mbql.stage/native", "native": wanted["sql"], "template-tags": tags}
        query = {"lib/type": "mbql/query", "database": ids.database, "stages": [stage]}
    else:
        native = {"query": wanted["sql"], "template-tags": tags}
        query = {"database": ids.database, "type": "native", "native": native}
    return {
        "name": wanted["name"],
        "description": wanted["description"],
        "display": wanted["display"],
        "collection_id": ids.collections[wanted["collection"]],
        "visualization_settings": wanted["settings"],
        "dataset_query": query,
        "type": "question",
        "parameters": [
            {
                "id": tag_id(key, name),
                "name": tag["display-name"],
                "slug": name,
                "type": tag["widget-type"] if tag["field"] else "category",
                "target": ["dimension" if tag["field"] else "variable", ["template-tag", name]],
                **({"default": tag["default"]} if tag["default"] is not None else {}),
            }
            for name, tag in wanted["tags"].items()
        ],
    }


def template_tag(key: str, name: str, tag: dict[str, Any], ids: Ids, version: int) -> dict[str, Any]:
    """A parameter of a query as this version of Metabase takes it: a filter on a column, or a plain text."""
    described = {"id": tag_id(key, name), "name": name, "display-name": tag["display-name"]}
    if not tag["field"]:
        return described | {"type": tag["widget-type"]}
    column = ids.fields[tag["field"]]
    return described | {
        "type": "dimension",
        "dimension": ["field", {}, column] if version >= NEW_QUERIES else ["field", column, None],
        "widget-type": tag["widget-type"],
        **({"default": tag["default"]} if tag["default"] is not None else {}),
    }


def dashboard_body(wanted: dict[str, Any], current: dict[str, Any], ids: Ids) -> dict[str, Any]:
    """A whole dashboard in one request. Tabs and cards that it has keep their ids: subscriptions hang on them."""
    old_tabs = sorted(current.get("tabs") or [], key=lambda tab: tab.get("position") or 0)
    tab_ids = matched_tabs([tab["name"] for tab in old_tabs], [tab["id"] for tab in old_tabs], wanted["tabs"])
    free = list(current.get("dashcards") or [])
    dashcards = []
    for number, dashcard in enumerate(wanted["dashcards"], start=1):
        card = None if dashcard["card"] == LINK else ids.cards[dashcard["card"]]
        tab = tab_ids[dashcard["tab"]]
        same = next((each for each in free if (each.get("card_id"), each.get("dashboard_tab_id")) == (card, tab)), None)
        same = same or next((each for each in free if each.get("card_id") == card), None)
        if same is not None:
            free.remove(same)
        dashcards.append(
            {
                "id": -number if same is None else same["id"],
                "card_id": card,
                "dashboard_tab_id": tab,
                **{name: dashcard[name] for name in ("col", "row", "size_x", "size_y")},
                "series": [],
                "visualization_settings": seen.with_target(dashcard["settings"], ids.cards.__getitem__),
                "parameter_mappings": [
                    {"parameter_id": parameter, "card_id": card, "target": ["dimension", ["template-tag", tag]]}
                    for parameter, tag in dashcard["mappings"].items()
                ],
            }
        )
    return {
        "name": wanted["name"],
        "description": wanted["description"],
        "width": wanted["width"],
        "archived": False,
        "parameters": wanted["parameters"],
        "tabs": [{"id": identifier, "name": name} for identifier, name in zip(tab_ids, wanted["tabs"], strict=True)],
        "dashcards": dashcards,
    }


def matched_tabs(names: list[str], identifiers: list[int], wanted: list[str]) -> list[int]:
    """Ids for wanted tabs: of the tab of that name, else of one in that place whose name is wanted no more, else new."""
    found: list[int] = []
    for number, name in enumerate(wanted):
        if name in names:
            found.append(identifiers[names.index(name)])
        elif number < len(names) and names[number] not in wanted:
            found.append(identifiers[number])
        else:
            found.append(-number - 1)
    return found


def mail_body(name: str, dashboard: int | None, dashcards: list[dict[str, Any]], to: list[str], hour: int) -> dict[str, Any]:
    """A daily mail of a dashboard's cards."""
    return {
        "name": name,
        "dashboard_id": dashboard,
        "skip_if_empty": False,
        "cards": [
            {"id": card["card_id"], "dashboard_card_id": card["id"], "include_csv": False, "include_xls": False}
            for card in dashcards
            if card.get("card_id")
        ],
        "channels": [
            {
                "channel_type": "email",
                "enabled": True,
                "schedule_type": "daily",
                "schedule_hour": hour,
                "schedule_day": None,
                "schedule_frame": None,
                "recipients": [{"email": address} for address in to],
                "details": {},
            }
        ],
    }
