"""How each kind of column reads, as SQL that PostgreSQL and DuckDB both take.

Metabase can format numbers, but it knows neither our durations nor our codes: these become text in the query, in the
reader's language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dashboards.spec import Column

PLACEHOLDER = re.compile(r"\{(\w+)\}")
NUMERIC = frozenset({"count", "number", "seconds", "share", "money"})
CUSTOMER_LABEL, CUSTOMER = "customer_label", "Customer "
SUNDAY_FIRST = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

# CLDR's rules for whole numbers, where they differ from "other"; {n} is the number
PLURALS = {
    "ar": {
        "zero": "{n} = 0",
        "one": "{n} = 1",
        "two": "{n} = 2",
        "few": "{n} % 100 between 3 and 10",
        "many": "{n} % 100 between 11 and 99",
    },
    "en": {"one": "{n} = 1"},
    "fr": {"one": "{n} in (0, 1)"},
}


@dataclass(frozen=True)
class Reader:
    """Who reads: the language, its words, the business's zone and currency, and where its week begins."""

    language: str
    words: dict[str, dict[str, str]]
    own: dict[str, str]  # of texts/metabase.toml
    zone: str
    currency: str | None  # None: several workspaces with different ones
    week_start: int = 0  # 0 is Sunday


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def concatenated(template: str, values: dict[str, str]) -> str:
    """A text with {name}s as SQL: the values, which are SQL of text, in its places. Null where one of them is."""
    parts = []
    position = 0
    for found in PLACEHOLDER.finditer(template):
        if found.start() > position:
            parts.append(literal(template[position : found.start()]))
        parts.append(values[found[1]])
        position = found.end()
    if position < len(template) or not parts:
        parts.append(literal(template[position:]))
    return " || ".join(parts)


def named(value: str, names: dict[str, str], otherwise: str) -> str:
    """A code as its name."""
    cases = " ".join(f"when {code} then {literal(name)}" for code, name in names.items())
    return f"case {value} {cases} else {otherwise} end"


def counted(reader: Reader, unit: str, number: str) -> str:
    """A whole number with its unit, in the plural form of the language."""
    durations = reader.words["durations"]
    other = durations[f"{unit}.other"]
    text = f"cast({number} as varchar)"
    cases = [
        f"when {rule.format(n=number)} then {concatenated(form, {'n': text})}"
        for category, rule in PLURALS[reader.language].items()
        if (form := durations.get(f"{unit}.{category}", other)) != other
    ]
    last = concatenated(other, {"n": text})
    return f"case {' '.join(cases)} else {last} end" if cases else last


def measured_columns(column: str) -> str:
    """Helpers of a duration: its whole seconds and its whole minutes."""
    seconds = f"cast(floor({column} + 0.5) as bigint)"
    # half a minute goes to the even one, as on the page and in the terminal
    half = f"case when {seconds} % 120 = 30 then 29 else 30 end"
    return f"{seconds} as {column}_s, cast(floor(({seconds} + {half}) / 60.0) as bigint) as {column}_m"


def duration(reader: Reader, column: str) -> str:
    """A duration as people say it: 45 s, 12 min, 3 h 20 min, 2 days 4 h. Needs measured_columns."""
    seconds, minutes = f"{column}_s", f"{column}_m"
    hours = f"cast(({minutes} - {minutes} % 60) / 60 as bigint)"
    days = f"cast(({minutes} - {minutes} % 1440) / 1440 as bigint)"
    day_hours = f"cast(({minutes} % 1440 - {minutes} % 60) / 60 as bigint)"

    def joined(large: str, small: str, rest: str) -> str:
        both = concatenated(reader.words["durations"]["joined"], {"large": f"({large})", "small": f"({small})"})
        return f"case when {rest} = 0 then {large} else {both} end"

    return (
        f"case when {seconds} is null then null"
        f"\n        when {seconds} < 60 then {counted(reader, 'seconds', seconds)}"
        f"\n        when {minutes} < 60 then {counted(reader, 'minutes', minutes)}"
        f"\n        when {minutes} < 2880 then "
        + joined(
            counted(reader, "hours", hours), counted(reader, "minutes", f"({minutes} % 60)"), f"{minutes} % 60"
        )
        + "\n        else "
        + joined(counted(reader, "days", days), counted(reader, "hours", day_hours), day_hours)
        + " end"
    )


def as_minutes(column: str) -> str:
    """A duration as a number of minutes with one place, for axes."""
    return f"cast(floor({column} / 6 + 0.5) as bigint) / 10.0"


def hour(column: str) -> str:
    return f"lpad(cast({column} as varchar), 2, '0') || ':00'"


def as_text(reader: Reader, column: Column) -> str:
    """A column as text, for sentences and notes."""
    name = column.name
    texts = {
        "count": f"cast(cast({name} as bigint) as varchar)",
        "number": f"cast(cast({name} as decimal(18, 1)) as varchar)",
        "money": f"cast(cast({name} as decimal(18, 2)) as varchar)"
        + (f" || {literal(' ' + reader.currency)}" if reader.currency else ""),
        "share": f"cast(cast(floor({name} * 100 + 0.5) as bigint) as varchar) || '%'",
        # the hour that begins then
        "hour": f"{hour(name)} || '–' || {hour(f'(({name} + 1) % 24)')}",
        "instant": f"substr(cast({name} at time zone {literal(reader.zone)} as varchar), 1, 16)",
        "date": f"cast({name} as varchar)",
    }
    return texts.get(column.kind) or f"({as_shown(reader, column)})"


def as_shown(reader: Reader, column: Column, is_axis: bool = False) -> str:
    """A column as it stands in a table or, with is_axis, on a chart: what Metabase formats itself stays as it is."""
    name = column.name
    match column.kind:
        case "seconds":
            return as_minutes(name) if is_axis else duration(reader, name)
        case "hour":
            return hour(name)
        case "weekday":
            return named(name, reader.words["weekdays"], "null")
        case "label":
            names = {literal(code): text for code, text in reader.words[column.labels].items()}
            return named(name, names, name)
        case "flag":
            return f"case when {name} then {literal(reader.own['yes'])} when not {name} then {literal(reader.own['no'])} end"
        case _:
            return customer(reader) if name == CUSTOMER_LABEL else name


def customer(reader: Reader) -> str:
    """A customer's label in the reader's language; in facts it is "Customer 5E31AC"."""
    label = concatenated(reader.words["page"]["customer"], {"id": f"substr({CUSTOMER_LABEL}, {len(CUSTOMER) + 1})"})
    return f"case when {CUSTOMER_LABEL} like {literal(CUSTOMER + '%')} then {label} else {CUSTOMER_LABEL} end"


def column_settings(reader: Reader, column: Column, title: str, is_axis: bool = False) -> dict[str, object]:
    """Metabase's settings for a column that as_shown gave."""
    settings: dict[str, object] = {"column_title": title}
    match column.kind:
        case "share":
            settings |= {"number_style": "percent", "decimals": 0}
        case "money" if reader.currency:
            settings |= {"number_style": "currency", "currency": reader.currency, "currency_style": "code", "decimals": 2}
        case "money":
            settings |= {"decimals": 2}
        case "number":
            settings |= {"decimals": 1}
        case "link":
            settings |= {"view_as": "link", "link_text": reader.words["page"]["open_chat"]}
    if reader.language == "ar" and not is_axis:
        settings["text_align"] = "right"
    return settings
