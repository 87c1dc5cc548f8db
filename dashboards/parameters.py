"""Fill the parameters of a card's SQL.

A card is written once, the way Metabase reads it: `{{name}}` is a condition on one column of a real table (a field
filter), `[[ ... ]]` a part that stands only when every parameter in it has a value. Metabase fills them itself; here the
same text is filled for DuckDB, for PostgreSQL and for the page, which follows the same few rules. A name that is no
filter's is a plain value: what was clicked, in the queries of Metabase that a click opens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

CARDS = Path(__file__).parent / "cards"
INCLUDED = re.compile(r"\(@(\w+)\)")
OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
PARAMETER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Filter:
    """What a reader can choose: a column of a table in serving, and how it is chosen."""

    name: str
    table: str  # "facts.dim_dates"
    column: str
    kind: Literal["text", "date", "number"] = "text"

    @property
    def is_date(self) -> bool:
        return self.kind == "date"


FILTERS = {
    each.name: each
    for each in (
        Filter("date", "facts.dim_dates", "local_date", "date"),
        Filter("workspace", "facts.dim_dates", "workspace"),
        Filter("channel", "facts.dim_channels", "channel_name"),
        Filter("tag", "facts.fct_tags", "tag"),
        Filter("agent", "facts.dim_agents", "agent_name"),
        # a part of a query that needs one falls back on the business's own: cards/attribution_windows.sql
        Filter("window", "facts.dim_attribution_windows", "window_days", "number"),
    )
}


@cache
def card_sql(name: str) -> str:
    """The SQL of cards/<name>.sql, parameters unfilled; `(@other)` in it is replaced by another card's SQL."""
    text = (CARDS / f"{name}.sql").read_text(encoding="utf-8").strip()
    return INCLUDED.sub(lambda found: f"({card_sql(found[1])}\n)", text)


def parameters_of(sql: str) -> list[str]:
    """Names of all parameters of a query, in their order of appearance."""
    return list(dict.fromkeys(PARAMETER.findall(sql)))


def filters_of(sql: str) -> list[str]:
    """Names of the filters a card's SQL has, in their order of appearance."""
    return [name for name in parameters_of(sql) if name in FILTERS]


def filled(sql: str, chosen: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The SQL with conditions for what was chosen, and the values by name ($name) that it then takes.

    Args:
        sql: a card's SQL.
        chosen: by filter's name: (first date, last date), both included, or a list of texts or numbers; by another
            name its value. What is absent, None or empty is not filtered.
    """
    conditions: dict[str, str] = {}
    values: dict[str, Any] = {}
    kept = OPTIONAL.sub(lambda part: part[1] if all(chosen.get(name) for name in parameters_of(part[1])) else "", sql)
    for name in parameters_of(kept):
        condition, taken = (
            condition_of(FILTERS[name], chosen.get(name)) if name in FILTERS else (f"${name}", {name: chosen[name]})
        )
        conditions[name] = condition
        values |= taken
    return PARAMETER.sub(lambda found: conditions[found[1]], kept), values


def condition_of(each: Filter, value: Any) -> tuple[str, dict[str, Any]]:
    """One filter as a condition in SQL and its values; true for all rows where nothing is chosen."""
    if not value:
        return "1 = 1", {}
    # table and column as Metabase names them: never an alias
    column = ".".join(f'"{part}"' for part in (*each.table.split("."), each.column))
    if each.is_date:
        first, last = value
        return f"{column} between ${each.name}_from and ${each.name}_to", {
            f"{each.name}_from": as_date(first),
            f"{each.name}_to": as_date(last),
        }
    those = {f"{each.name}_{number}": one for number, one in enumerate(value)}
    return f"{column} in ({', '.join(f'${name}' for name in those)})", those


def as_date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
