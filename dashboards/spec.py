"""The dashboard: its tabs and cards, read from tabs/*.toml, and the tables behind them, from rows.toml. Metabase, the
page and the tests build on this one spec.

A card is SQL in cards/ (see `parameters`), whose columns cards/columns.toml explains, and how it is drawn. Its words are
in texts/: title, description, why it may be empty, names of columns. Places are on Metabase's grid, 24 wide.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboards.parameters import card_sql, filters_of

HERE = Path(__file__).parent
TABS = ("conversations", "tags", "team", "campaigns", "shop", "data_status")
LANGUAGES = ("ar", "en", "fr")

# What a column holds. It decides how it reads: seconds never stand as they are, a label is a code that texts/ names.
Kind = Literal[
    "count",
    "number",
    "seconds",
    "share",
    "money",
    "date",
    "hour",
    "weekday",
    "instant",
    "text",
    "label",
    "link",
    "flag",
]
Display = Literal["figure", "bars", "lines", "areas", "heat", "table", "sentence"]


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Frozen):
    """A column of a card's answer."""

    name: str
    kind: Kind
    labels: str = ""  # of a label: the group in texts/ that names its codes


class Chart(Frozen):
    """Which columns are drawn where: of bars, lines and areas x and y; of a heat map y holds the colour."""

    x: str
    y: tuple[str, ...]
    rows: str = ""  # of a heat map: the column down the side
    is_stacked: bool = False


class Figure(Frozen):
    """One number, the number of the range before, and lines below it whose words hold other columns of the row.

    The SQL gives a row for each range: range_name `chosen` and `previous`, and is_covered, without which the previous
    one is not shown.
    """

    value: str
    notes: tuple[str, ...] = ()  # keys in texts/notes; a note is left out while a column in it is null or 0
    good_when: Literal["higher", "lower", "neither"] = "neither"
    title_by: str = ""  # a column whose value, after a dot, picks another title: `unread.agent_activity`


class Behind(Frozen):
    """What a click on a card opens: rows of a table in rows.toml, with the filters that act on the card.

    On a chart or a table the click is on a bar, a cell or a row, whose values narrow the rows further.
    """

    rows: str
    where: str = ""  # a flag of that table: only its rows; none means all
    by: dict[str, str] = {}  # a filter, or a column of that table: the column of the card with its value
    count: tuple[str, ...] = ()  # the card's columns whose sum says how many rows; of a figure its value where none is named


class Place(Frozen):
    col: int = Field(ge=0, lt=24)
    row: int = Field(ge=0)
    width: int = Field(gt=0, le=24)
    height: int = Field(gt=0)


class Card(Frozen):
    """One card; `name` is its key in texts/ and in Metabase."""

    name: str
    sql: str  # file in cards/, without .sql
    display: Display
    place: Place
    chart: Chart | None = None
    figure: Figure | None = None
    behind: Behind | None = None
    shows: tuple[str, ...] = ()  # of a table: its columns, in order
    link: str = ""  # of a table: the column with the address that a row leads to

    @property
    def text(self) -> str:
        """The SQL, parameters unfilled."""
        return card_sql(self.sql)

    @property
    def filters(self) -> list[str]:
        """Names of the filters that act on it."""
        return filters_of(self.text)

    @property
    def filters_behind(self) -> list[str]:
        """Names of the filters that the rows behind it take over: those that act on both, and no click narrows."""
        if self.behind is None:
            return []
        return [name for name in rows_tables()[self.behind.rows].filters if name in self.filters and name not in self.behind.by]

    @property
    def columns(self) -> dict[str, Column]:
        """What its SQL answers with, by name, in order."""
        return answers()[self.sql]


class Tab(Frozen):
    """A tab; `name` is its key in texts/. All its cards share the filters."""

    name: str
    filters: tuple[str, ...]
    cards: tuple[Card, ...]


@cache
def tabs() -> tuple[Tab, ...]:
    """All tabs, in the order they stand.

    Raises:
        pydantic.ValidationError: a file says what the spec does not know.
    """
    return tuple(Tab.model_validate({"name": name, **read_toml(HERE / "tabs" / f"{name}.toml")}) for name in TABS)


@cache
def rows_tables() -> dict[str, Card]:
    """The tables that cards lead to, by name: cards that stand on no tab, as wide as the dashboard.

    Raises:
        pydantic.ValidationError: rows.toml says what the spec does not know.
    """
    place = {"col": 0, "row": 0, "width": 24, "height": 12}
    tables = (
        Card.model_validate({"sql": each["name"], **each, "display": "table", "place": place})
        for each in read_toml(HERE / "rows.toml")["rows"]
    )
    return {table.name: table for table in tables}


def all_cards() -> tuple[Card, ...]:
    """The cards of all tabs, then the tables that they lead to."""
    return (*(card for tab in tabs() for card in tab.cards), *rows_tables().values())


@cache
def answers() -> dict[str, dict[str, Column]]:
    """The columns of each card's SQL, by its name. `label:group` says which group in texts/ names the codes."""
    return {
        sql: {name: column_of(name, kind) for name, kind in columns.items()}
        for sql, columns in read_toml(HERE / "cards" / "columns.toml").items()
    }


def column_of(name: str, kind: str) -> Column:
    kind, _, labels = kind.partition(":")
    return Column.model_validate({"name": name, "kind": kind, "labels": labels})


@cache
def texts(language: str) -> dict[str, dict[str, str]]:
    """The words of a language: group, key, text. Plural forms are keys of their own: `minutes.few`."""
    return read_toml(HERE / "texts" / f"{language}.toml")


def read_toml(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        return tomllib.load(opened)
