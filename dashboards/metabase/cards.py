"""A card of the spec as cards of Metabase: its SQL wrapped so that it reads well, its drawing, its description."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dashboards.metabase.readable import (
    NUMERIC,
    PLACEHOLDER,
    Reader,
    as_minutes,
    as_shown,
    as_text,
    column_settings,
    concatenated,
    literal,
    measured_columns,
)
from dashboards.parameters import FILTERS, filters_of
from dashboards.spec import Card, Chart, Column, Figure, Tab, rows_tables

Drawing = TypeVar("Drawing", Chart, Figure)
CHARTS = {"bars": "bar", "lines": "line", "areas": "area"}
HEAT_COLOURS = ["white", "#1B998B"]


@dataclass(frozen=True)
class Question:
    """A card as Metabase keeps it, without ids of a server. `outputs` are the columns that its SQL answers with."""

    key: str  # "en/total_conversations"
    name: str
    description: str
    display: str
    sql: str
    settings: dict[str, Any]
    outputs: tuple[str, ...]
    dashcard_settings: dict[str, Any] = field(default_factory=dict)
    leads_to: str = ""  # key of the question that a click opens, with the filters of the dashboard
    clicked: dict[str, str] = field(default_factory=dict)  # what the click adds: a parameter there, an output here
    plain: dict[str, str] = field(default_factory=dict)  # parameters that are no filters, with their titles
    is_on_dashboard: bool = True

    @property
    def filters(self) -> list[str]:
        return filters_of(self.sql)


def questions(card: Card, tab: Tab, reader: Reader, title_key: str | None = None) -> list[Question]:
    """One card, or of a figure two: the number and the lines below it; then the rows behind it, which stand on no tab.

    Args:
        title_key: the key in texts/titles where the data choose another title than the card's name.
    """
    title = reader.words["titles"].get(title_key or card.name) or reader.words["titles"][card.name]
    description = described(card, tab, reader)
    built = {"figure": figure, "sentence": sentence, "table": table, "heat": heat}.get(card.display, chart)
    first, *others = built(card, reader, title, description)
    if card.behind is None:
        return [first, *others]
    behind = rows_behind(card, reader, title)
    return [replace(first, leads_to=behind.key, clicked=clicked_outputs(card, first)), *others, behind]


def present(drawing: Drawing | None) -> Drawing:
    """What a display needs to know; the spec must say it."""
    if drawing is None:
        raise ValueError("a figure needs [figure], a chart needs [chart]")
    return drawing


def described(card: Card, tab: Tab, reader: Reader) -> str:
    """What it is, which filters of its tab leave it alone, and why it may show nothing."""
    page = reader.words["page"]
    idle = [reader.words["filters"][name] for name in tab.filters if name not in card.filters]
    comma = "، " if reader.language == "ar" else ", "
    reason = reader.words["empty"].get(card.name)
    return " ".join(
        part if part.endswith(".") else f"{part}."
        for part in (
            reader.words["descriptions"][card.name],
            page["filter_without_effect"].format(filters=comma.join(idle)) if idle else "",
            reader.own["empty"].format(reason=reason) if reason else "",
        )
        if part
    )


def answer(card: Card, used: Iterable[str]) -> str:
    """The card's own SQL as the table `answer`, with helpers of those durations that are written out."""
    durations = [name for name in dict.fromkeys(used) if card.columns[name].kind == "seconds"]
    helpers = "".join(f",\n        {measured_columns(name)}" for name in durations)
    return f"with card as (\n{card.text}\n),\n\nanswer as (\n    select\n        card.*{helpers}\n    from card\n)"


def titled(reader: Reader, card: Card, name: str) -> str:
    """A column's title; a card may have one of its own."""
    columns = reader.words["columns"]
    return columns.get(f"{card.name}.{name}") or columns.get(name) or reader.words["titles"].get(name) or name


def axis_title(reader: Reader, card: Card, column: Column) -> str:
    """A column's title on a chart, with the unit that durations have there."""
    title = titled(reader, card, column.name)
    return reader.own["in_minutes"].format(title=title) if column.kind == "seconds" else title


def of_column(name: str) -> str:
    """The key of a column in Metabase's column_settings."""
    return f'["name","{name}"]'


def figure(card: Card, reader: Reader, title: str, description: str) -> list[Question]:
    value = card.columns[present(card.figure).value]
    shown = as_shown(reader, value)
    if value.kind == "seconds":  # an empty card would look broken; a number keeps its empty state
        shown = f"coalesce({shown}, '–')"
    sql = f"{answer(card, [value.name])}\n\nselect\n    {shown} as {value.name}\nfrom answer\nwhere range_name = 'chosen'"
    number = Question(
        key=f"{reader.language}/{card.name}",
        name=title,
        description=description,
        display="scalar",
        sql=sql,
        settings={
            "scalar.field": value.name,
            "column_settings": {of_column(value.name): column_settings(reader, value, title, is_axis=True)},
        },
        outputs=(value.name,),
    )
    return [number, figure_notes(card, reader, title, description)]


def rows_behind(card: Card, reader: Reader, title: str) -> Question:
    """The rows that a click on a card opens, as a table of their own.

    Filters of the dashboard act on it as on the card. What was clicked is a filter's value too, or plain text that is
    compared with a column as it reads.
    """
    behind = card.behind
    if behind is None:
        raise ValueError(f"nothing is behind {card.name}")
    source = rows_tables()[behind.rows]
    (question,) = table(source, reader, title, reader.words["descriptions"][source.name])
    columns = [source.columns[name] for name in behind.by if name not in FILTERS]
    conditions = [behind.where] if behind.where else []
    # what has no name is shown, and so passed on, as a dash
    clicked = [f"[[and coalesce({as_shown(reader, column)}, '–') = {{{{{column.name}}}}}]]" for column in columns]
    where = "\n    ".join([" and ".join(conditions) or "1 = 1", *clicked])
    return replace(
        question,
        key=f"{reader.language}/{card.name}.rows",
        name=reader.own["rows"].format(title=title),
        sql=question.sql + (f"\nwhere\n    {where}" if conditions or clicked else ""),
        plain={column.name: titled(reader, source, column.name) for column in columns},
        is_on_dashboard=False,
    )


def clicked_outputs(card: Card, question: Question) -> dict[str, str]:
    """By the name of what a click narrows: the output with its value. A map's hours are columns, which say no value."""
    by = card.behind.by if card.behind else {}
    found = {}
    for name, column in by.items():
        output = column if column in question.outputs else as_row_name(column)
        if output in question.outputs:
            found[name] = output
    return found


def as_row_name(column: str) -> str:
    """What the column down the side of a map is called in its answer."""
    return f"{column}_name"


def figure_notes(card: Card, reader: Reader, title: str, description: str) -> Question:
    """The number of the range before and the lines below a figure, one row each."""
    drawn = present(card.figure)
    value = card.columns[drawn.value]
    templates = [reader.words["notes"][key] for key in drawn.notes]
    used = [value.name, *(name for template in templates for name in PLACEHOLDER.findall(template))]
    before = concatenated(reader.own["before"], {"previous": as_text(reader, value)})
    selects = [
        f"select 0 as place, {before} as note\nfrom answer\n"
        f"where range_name = 'previous' and is_covered and {value.name} is not null",
        f"select 0 as place, {literal(reader.words['page']['not_compared'])} as note\nfrom answer\n"
        "where range_name = 'previous' and not is_covered",
    ]
    for place, template in enumerate(templates, start=1):
        columns = [card.columns[name] for name in dict.fromkeys(PLACEHOLDER.findall(template))]
        text = concatenated(template, {column.name: as_text(reader, column) for column in columns})
        conditions = ["range_name = 'chosen'", *(f"{column.name} is not null" for column in columns)]
        conditions += [f"{column.name} <> 0" for column in columns if column.kind in NUMERIC]
        selects.append(f"select {place} as place, {text} as note\nfrom answer\nwhere {' and '.join(conditions)}")
    rows = "\n\nunion all\n\n".join(selects)
    return Question(
        key=f"{reader.language}/{card.name}.notes",
        name=reader.own["notes"].format(title=title),
        description=description,
        display="table",
        sql=f"{answer(card, used)},\n\nnotes as (\n{rows}\n)\n\nselect note\nfrom notes\norder by place",
        settings=table_settings(reader, {"note": {"column_title": reader.own["details"]}}),
        outputs=("note",),
        dashcard_settings={"card.title": ""},  # the number above bears the title
    )


def sentence(card: Card, reader: Reader, title: str, description: str) -> list[Question]:
    """The first of the sentences whose words all have a value."""
    templates = [
        text for key, text in reader.words["sentences"].items() if key == card.name or key.startswith(f"{card.name}.")
    ]
    used = [name for template in templates for name in PLACEHOLDER.findall(template)]
    texts = [
        concatenated(template, {name: as_text(reader, card.columns[name]) for name in PLACEHOLDER.findall(template)})
        for template in templates
    ]
    otherwise = literal(reader.words["empty"].get(card.name, "–"))
    sql = (
        f"{answer(card, used)}\n\nselect\n    coalesce(\n        (select coalesce({', '.join(texts)}) from answer),\n"
        f"        {otherwise}\n    ) as sentence"
    )
    settings = {"scalar.field": "sentence", "column_settings": {of_column("sentence"): {"column_title": title}}}
    return [
        Question(
            key=f"{reader.language}/{card.name}",
            name=title,
            description=description,
            display="scalar",
            sql=sql,
            settings=settings,
            outputs=("sentence",),
            dashcard_settings={"card.title": ""},
        )
    ]


def selected(reader: Reader, columns: Iterable[Column], is_axis: bool = False, clicked: Iterable[str] = ()) -> str:
    """The columns as they read. Of what is clicked an empty one is a dash: nothing passed on would open everything."""
    shown = {column.name: as_shown(reader, column, is_axis) for column in columns}
    shown |= {name: f"coalesce({shown[name]}, '–')" for name in clicked if name in shown}
    return ",\n".join(f"    {sql} as {name}" for name, sql in shown.items())


def table(card: Card, reader: Reader, title: str, description: str) -> list[Question]:
    names = [*(card.shows or [name for name in card.columns if name != card.link]), *([card.link] if card.link else [])]
    columns = [card.columns[name] for name in names]
    clicked = card.behind.by.values() if card.behind else ()
    return [
        Question(
            key=f"{reader.language}/{card.name}",
            name=title,
            description=description,
            display="table",
            sql=f"{answer(card, names)}\n\nselect\n{selected(reader, columns, clicked=clicked)}\nfrom answer",
            settings=table_settings(
                reader, {each.name: column_settings(reader, each, titled(reader, card, each.name)) for each in columns}
            ),
            outputs=tuple(names),
        )
    ]


def table_settings(reader: Reader, columns: dict[str, dict[str, Any]]) -> dict[str, Any]:
    aligned = {"text_align": "right"} if reader.language == "ar" else {}
    return {
        "table.columns": [{"name": name, "enabled": True} for name in columns],
        "column_settings": {of_column(name): {**settings, **aligned} for name, settings in columns.items()},
    }


def chart(card: Card, reader: Reader, title: str, description: str) -> list[Question]:
    drawn = present(card.chart)
    x, ys = card.columns[drawn.x], [card.columns[name] for name in drawn.y]
    titles = {y.name: axis_title(reader, card, y) for y in ys}
    settings: dict[str, Any] = {
        "graph.dimensions": [x.name],
        "graph.metrics": [y.name for y in ys],
        "graph.x_axis.scale": "timeseries" if x.kind == "date" else "ordinal",
        "graph.x_axis.labels_enabled": False,
        "graph.y_axis.labels_enabled": len(ys) == 1,
        "series_settings": {y.name: {"title": titles[y.name]} for y in ys},
        "column_settings": {
            of_column(x.name): column_settings(reader, x, titled(reader, card, x.name), is_axis=True),
            **{of_column(y.name): column_settings(reader, y, titles[y.name], is_axis=True) for y in ys},
        },
    }
    if len(ys) == 1:
        settings["graph.y_axis.title_text"] = titles[ys[0].name]
    if drawn.is_stacked:
        settings["stackable.stack_type"] = "stacked"
    return [
        Question(
            key=f"{reader.language}/{card.name}",
            name=title,
            description=description,
            display=CHARTS[card.display],
            sql=f"{answer(card, [])}\n\nselect\n{selected(reader, [x, *ys], is_axis=True)}\nfrom answer",
            settings=settings,
            outputs=(x.name, *(y.name for y in ys)),
        )
    ]


def heat(card: Card, reader: Reader, title: str, description: str) -> list[Question]:
    """A table whose cells are coloured: Metabase pivots only queries of its own builder, so the SQL does it. Where the
    columns are not known beforehand, as days are not, it is stacked bars."""
    drawn = present(card.chart)
    across, down, value = (card.columns[name] for name in (drawn.x, drawn.rows, drawn.y[0]))
    if across.kind not in ("hour", "weekday"):
        return [stacked_bars(card, reader, title, description)]
    shown = as_minutes(value.name) if value.kind == "seconds" else value.name
    names = heat_columns(across, reader)
    cells = ",\n".join(
        f"    max(case when {across.name} = {code} then {shown} end) as {name}" for code, (name, _title) in names.items()
    )
    order = f"(answer.{down.name} + 7 - {reader.week_start}) % 7" if down.kind == "weekday" else f"answer.{down.name}"
    sql = (
        f"{answer(card, [])}\n\nselect\n    {as_shown(reader, down, is_axis=True)} as {as_row_name(down.name)},\n{cells}\n"
        f"from answer\ngroup by answer.{down.name}\norder by {order}"
    )
    columns: dict[str, dict[str, Any]] = {
        as_row_name(down.name): column_settings(reader, down, titled(reader, card, down.name)),
        **{name: {**column_settings(reader, value, text)} for name, text in names.values()},
    }
    outputs = tuple(columns)
    settings = table_settings(reader, columns) | {
        "table.column_formatting": [
            {
                "columns": list(outputs[1:]),
                "type": "range",
                "colors": HEAT_COLOURS,
                "min_type": "all",
                "max_type": "all",
                "min_value": 0,
                "max_value": 100,
            }
        ],
        "table.column_widths": [90, *(46 for _ in outputs[1:])],
    }
    return [
        Question(
            key=f"{reader.language}/{card.name}",
            name=title,
            description=description,
            display="table",
            sql=sql,
            settings=settings,
            outputs=outputs,
        )
    ]


def stacked_bars(card: Card, reader: Reader, title: str, description: str) -> Question:
    """Over x a bar of the values of all rows, one colour for each."""
    drawn = present(card.chart)
    columns = [card.columns[name] for name in (drawn.x, drawn.rows, drawn.y[0])]
    x, _rows, value = columns
    return Question(
        key=f"{reader.language}/{card.name}",
        name=title,
        description=description,
        display="bar",
        sql=f"{answer(card, [])}\n\nselect\n{selected(reader, columns, is_axis=True)}\nfrom answer",
        settings={
            "graph.dimensions": [drawn.x, drawn.rows],
            "graph.metrics": [value.name],
            "graph.x_axis.scale": "timeseries" if x.kind == "date" else "ordinal",
            "graph.x_axis.labels_enabled": False,
            "graph.y_axis.title_text": axis_title(reader, card, value),
            "stackable.stack_type": "stacked",
            "column_settings": {
                of_column(each.name): column_settings(reader, each, axis_title(reader, card, each), is_axis=True) for each in columns
            },
        },
        outputs=tuple(each.name for each in columns),
    )


def heat_columns(across: Column, reader: Reader) -> dict[int, tuple[str, str]]:
    """Of each value across: the column's name and title."""
    if across.kind == "hour":
        return {code: (f"h{code:02}", f"{code:02}") for code in range(24)}
    days = reader.words["weekdays"]
    ordered = [(reader.week_start + number) % 7 for number in range(7)]
    return {code: (f"d{code}", days[str(code)]) for code in ordered}
