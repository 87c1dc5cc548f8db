"""What a Metabase answers, in the form of `wanted`: without ids, dates, results, and whichever form its queries have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

DETAILS = ("host", "port", "dbname", "user", "ssl", "ssl-mode", "schema-filters-type", "schema-filters-patterns")
PARAMETER = ("id", "name", "slug", "sectionId", "type", "default", "values_query_type", "isMultiSelect")


@dataclass
class Ids:
    """The server's ids by our names, filled as things are found and made."""

    database: int | None = None
    fields: dict[str, int] = field(default_factory=dict)  # "facts.dim_dates.local_date"
    collections: dict[str, int] = field(default_factory=dict)  # by language
    cards: dict[str, int] = field(default_factory=dict)  # by key
    dashboards: dict[str, int] = field(default_factory=dict)  # by language


def name_of(ids: Mapping[str, int], identifier: Any, what: str) -> str:
    """Our name of an id; what has none is told by its number."""
    return next((name for name, known in ids.items() if known == identifier), f"{what} {identifier}")


def found_database(answer: Mapping[str, Any]) -> dict[str, Any]:
    details = answer.get("details") or {}
    kept = {name: details[name] for name in DETAILS if details.get(name) is not None}
    if not kept.get("ssl"):
        kept.pop("ssl-mode", None)
        kept["ssl"] = False
    return {"name": answer.get("name"), "engine": answer.get("engine"), "details": kept}


def fields_of(metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All columns of a database by schema.table.column."""
    return {
        f"{table.get('schema')}.{table['name']}.{column['name']}": column
        for table in metadata.get("tables") or []
        for column in table.get("fields") or []
    }


def found_collection(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": answer.get("name"),
        "description": answer.get("description") or "",
        "archived": bool(answer.get("archived")),
    }


def query_of(query: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """SQL and template tags of a query in stages or in the form before them; empty where it is no SQL."""
    stages = query.get("stages") or [query.get("native") or {}]
    stage = stages[0]
    sql = stage.get("native") if "lib/type" in query else stage.get("query")
    return sql or "", stage.get("template-tags") or {}


def found_card(answer: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    sql, tags = query_of(answer.get("dataset_query") or {})
    return {
        "name": answer.get("name"),
        "description": answer.get("description") or "",
        "display": answer.get("display"),
        "collection": name_of(ids.collections, answer.get("collection_id"), "collection"),
        "settings": answer.get("visualization_settings") or {},
        "sql": sql.strip(),
        "tags": {name: found_tag(tag, ids) for name, tag in tags.items()},
        "archived": bool(answer.get("archived")),
    }


def found_tag(tag: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    dimension = tag.get("dimension") or []
    identifier = next((part for part in dimension if isinstance(part, int)), None)
    return {
        "field": name_of(ids.fields, identifier, "field") if dimension else "",
        "display-name": tag.get("display-name"),
        "widget-type": tag.get("widget-type") or tag.get("type"),
        "default": tag.get("default"),
    }


def found_dashboard(answer: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    tabs = sorted(answer.get("tabs") or [], key=lambda tab: tab.get("position") or 0)
    numbers = {tab["id"]: number for number, tab in enumerate(tabs)}
    cards = [found_dashcard(card, numbers, ids) for card in answer.get("dashcards") or []]
    return {
        "name": answer.get("name"),
        "description": answer.get("description") or "",
        "collection": name_of(ids.collections, answer.get("collection_id"), "collection"),
        "width": answer.get("width") or "fixed",
        "archived": bool(answer.get("archived")),
        "parameters": [
            {name: parameter[name] for name in PARAMETER if parameter.get(name) is not None}
            for parameter in answer.get("parameters") or []
        ],
        "tabs": [tab["name"] for tab in tabs],
        "dashcards": sorted(cards, key=place_of),
    }


def place_of(dashcard: Mapping[str, Any]) -> tuple[Any, ...]:
    return (dashcard["tab"], dashcard["row"], dashcard["col"], dashcard["card"])


def found_dashcard(answer: Mapping[str, Any], tabs: Mapping[int, int], ids: Ids) -> dict[str, Any]:
    """A place on a dashboard; its tab is a number, 0 also where the dashboard has no tabs."""
    return {
        "card": name_of(ids.cards, answer["card_id"], "card") if answer.get("card_id") else "text",
        "tab": tabs.get(answer.get("dashboard_tab_id") or 0, 0),
        **{name: answer.get(name) for name in ("col", "row", "size_x", "size_y")},
        "settings": with_target(answer.get("visualization_settings") or {}, lambda known: name_of(ids.cards, known, "card")),
        "mappings": {
            mapping["parameter_id"]: mapped(mapping["target"]) for mapping in answer.get("parameter_mappings") or []
        },
    }


def with_target(settings: dict[str, Any], renamed: Callable[[Any], Any]) -> dict[str, Any]:
    """Settings of a place with the question that a click there opens called otherwise: by its key, or by its id.

    The click is the place's, or that of some of a table's columns.
    """
    found = dict(settings)
    click = settings.get("click_behavior")
    if isinstance(click, dict) and click.get("linkType") == "question":
        found["click_behavior"] = {**click, "targetId": renamed(click.get("targetId"))}
    if isinstance(settings.get("column_settings"), dict):
        found["column_settings"] = {
            column: with_target(each, renamed) if isinstance(each, dict) else each
            for column, each in settings["column_settings"].items()
        }
    return found


def mapped(target: Any) -> str:
    """The template tag that a mapping means, whether its dimension carries options or not."""
    try:
        return str(target[1][1])
    except (LookupError, TypeError):
        return str(target)


def found_mail(answer: dict[str, Any]) -> dict[str, Any]:
    channel = next(iter(answer.get("channels") or []), {})
    return {
        "to": sorted(each.get("email", "") for each in channel.get("recipients") or []),
        "hour": channel.get("schedule_hour"),
        "archived": bool(answer.get("archived")),
    }


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """What changes from one to the other, in words: `name: 'A' → 'B'`."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))]
    if isinstance(before, list) and isinstance(after, list) and path == "dashcards":
        return dashcard_differences(before, after)
    return [f"{path}: {short(before)} → {short(after)}" if path != "sql" else sql_difference(before, after)]


def dashcard_differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    old, new = ({(card["card"], card["tab"]): card for card in cards} for cards in (before, after))
    lines = [f"without {card}" for card, tab in old if (card, tab) not in new]
    lines += [f"with {card}" for card, tab in new if (card, tab) not in old]
    lines += [line for key in old if key in new for line in differences(old[key], new[key], key[0])]
    return lines or ["its cards stand twice or in another order"]


def sql_difference(before: str, after: str) -> str:
    """The first line in which two texts of SQL differ."""
    pairs = zip([*before.splitlines(), ""], [*after.splitlines(), ""], strict=False)
    number, (old, new) = next((number, pair) for number, pair in enumerate(pairs, start=1) if pair[0] != pair[1])
    return f"sql, line {number}: {short(old.strip())} → {short(new.strip())}"


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
