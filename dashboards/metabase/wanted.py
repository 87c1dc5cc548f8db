"""What Metabase should hold, as plain data without a server's ids: names stand for collections, cards and fields.

Both sides are brought into this form before they are compared, so a difference is one that a person would see.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dashboards.metabase.cards import Question, of_column, questions
from dashboards.metabase.readable import SUNDAY_FIRST, Reader
from dashboards.parameters import FILTERS, filled
from dashboards.refresh_link import refresh_url
from dashboards.spec import HERE, LANGUAGES, Card, Tab, read_toml, tabs, texts
from ingestion.errors import SalwaError
from ingestion.settings import Settings, Workspace

DATABASE = "salwa"
GROUP = "salwa readers"
SCHEMAS = ("facts", "marts")
SENTENCE_ROWS, FIGURE_ROWS = 2, 6  # rows of Metabase's grid that a sentence, and a figure with its lines, need
LINK = "text"  # stands for a card that is none: a text on the dashboard
LINK_COLUMNS = 4
WIDGETS = {"date": "date/all-options", "text": "string/=", "number": "number/="}  # by a filter's kind
PLAIN = "text"  # of a parameter that is no filter
NUMBER_ROWS = 3  # of a figure: the number; the rest are its lines
NAMESPACE = uuid.UUID("5a1fa5a1-fa5a-4fa5-8fa5-a1fa5a1fa5a1")


@dataclass(frozen=True)
class Wanted:
    """Everything that is pushed. Cards and dashboards are by key, `en/total_conversations` and `en`."""

    database: dict[str, Any]
    password: str
    settings: dict[str, Any]
    fields: dict[str, dict[str, Any]]
    collections: dict[str, dict[str, Any]]
    questions: dict[str, Question]
    cards: dict[str, dict[str, Any]]
    dashboards: dict[str, dict[str, Any]]
    refresh: Callable[[str, str], str | None]  # the address behind Refresh by language and the page it leads back to
    site_name: str = "salwa"  # of a server that we set up
    mail: dict[str, Any] = field(default_factory=dict)


def wanted(
    settings: Settings,
    languages: tuple[str, ...] = (),
    title_keys: Mapping[str, str] | None = None,
    mail_to: tuple[str, ...] = (),
) -> Wanted:
    """The spec as Metabase should hold it.

    Args:
        languages: those to push; all that have their texts where none is named.
        title_keys: by a figure's name, the title that the data choose (see titles_chosen).
        mail_to: addresses for a daily mail of the first language's dashboard.

    Raises:
        SalwaError: a language is unknown, or the database's address is missing or cannot be used.
    """
    workspaces = settings.workspaces()
    chosen = languages or known_languages()
    if unknown := [language for language in chosen if language not in known_languages()]:
        raise SalwaError(f"no language {unknown[0]!r}; there is {', '.join(known_languages())}")
    database, password = database_of(settings)
    asked, cards, dashboards = {}, {}, {}
    for language in chosen:
        reader = reader_of(language, workspaces)
        built = {
            (tab.name, card.name): questions(card, tab, reader, (title_keys or {}).get(card.name))
            for tab in tabs()
            for card in tab.cards
        }
        for question in (question for several in built.values() for question in several):
            asked[question.key] = question
            cards[question.key] = card_of(question, language, reader)
        dashboard = dashboard_of(language, reader, built, workspaces)
        dashboards[language] = dashboard if refresh_url(settings, language) is None else with_link(dashboard, language)
    return Wanted(
        database=database,
        password=password,
        settings=site_settings(workspaces[0]),
        fields=filter_fields(),
        collections={language: collection_of(language, reader_of(language, workspaces)) for language in chosen},
        questions=asked,
        cards=cards,
        dashboards=dashboards,
        refresh=partial(refresh_url, settings),
        mail={"language": chosen[0], "to": sorted(mail_to)} if mail_to else {},
    )


def titles_chosen(ask: Callable[[str, dict[str, Any]], list[dict[str, Any]]]) -> dict[str, str]:
    """By a figure's name, the key of the title that the data choose: `unread_conversations.agent_activity`.

    Metabase cannot choose a title by a value, so it is chosen when the dashboard is pushed.

    Args:
        ask: runs SQL with named values on serving; rows as dictionaries.
    """
    found = {}
    for card in (card for tab in tabs() for card in tab.cards if card.figure and card.figure.title_by):
        sql, values = filled(card.text, {})
        rows = ask(sql, values)
        chosen = next((row[card.figure.title_by] for row in rows if row["range_name"] == "chosen"), None)  # type: ignore[union-attr]
        if chosen not in (None, False):
            found[card.name] = f"{card.name}.{int(chosen) if isinstance(chosen, bool) else chosen}"
    return found


def known_languages() -> tuple[str, ...]:
    return tuple(language for language in LANGUAGES if (HERE / "texts" / f"{language}.toml").exists())


def reader_of(language: str, workspaces: list[Workspace]) -> Reader:
    currencies = {workspace.currency for workspace in workspaces}
    return Reader(
        language=language,
        words=words_of(language),
        own=read_toml(HERE / "texts" / "metabase.toml")[language],
        zone=workspaces[0].timezone,
        currency=currencies.pop() if len(currencies) == 1 else None,
        week_start=SUNDAY_FIRST.index(workspaces[0].week_start),
    )


def words_of(language: str) -> dict[str, dict[str, str]]:
    """A language's words; English ones where it lacks some."""
    own = texts(language)
    return {group: words | own.get(group, {}) for group, words in texts("en").items()}


def database_of(settings: Settings) -> tuple[dict[str, Any], str]:
    """The serving database as Metabase reaches it, and the password of its read-only user."""
    if settings.metabase_database_url is None:
        raise SalwaError(
            "SALWA_METABASE_DATABASE_URL is not set: the serving database as Metabase reaches it, with a user that may "
            "only read, like postgresql://reader:password@db:5432/salwa. Metabase needs PostgreSQL: it would lock a "
            "DuckDB file"
        )
    url = urlsplit(settings.metabase_database_url.get_secret_value())
    name, user = url.path.lstrip("/"), unquote(url.username or "")
    if url.scheme not in ("postgresql", "postgres") or not url.hostname or not name or not user:
        raise SalwaError("SALWA_METABASE_DATABASE_URL is not like postgresql://reader:password@db:5432/salwa")
    publisher = urlsplit(settings.serving_url.get_secret_value()) if settings.serving_url else None
    if publisher is not None and unquote(publisher.username or "") == user:
        raise SalwaError(
            f"SALWA_METABASE_DATABASE_URL has the user {user!r}, who publishes: give Metabase one that may only read"
        )
    mode = parse_qs(url.query).get("sslmode", ["disable"])[0]
    is_encrypted = mode not in ("disable", "allow", "prefer")
    details = {
        "host": url.hostname,
        "port": url.port or 5432,
        "dbname": unquote(name),
        "user": user,
        "ssl": is_encrypted,
        **({"ssl-mode": mode} if is_encrypted else {}),
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": ",".join(SCHEMAS),
    }
    return {"name": DATABASE, "engine": "postgres", "details": details}, unquote(url.password or "")


def site_settings(workspace: Workspace) -> dict[str, Any]:
    """Settings of the whole Metabase: its clock, its week, how dates and money look."""
    return {
        "report-timezone": workspace.timezone,
        "start-of-week": workspace.week_start,
        "custom-formatting": {
            "type/Temporal": {"date_style": "D MMMM, YYYY", "time_style": "HH:mm"},
            "type/Number": {"number_separators": ".,"},
            "type/Currency": {"currency": workspace.currency, "currency_style": "code"},
        },
    }


def filter_fields() -> dict[str, dict[str, Any]]:
    """Columns whose values readers choose from a list."""
    return {
        f"{each.table}.{each.column}": {"has_field_values": "list", "semantic_type": "type/Category"}
        for each in FILTERS.values()
        if not each.is_date
    }


def marker(language: str) -> str:
    """What tells our collection and dashboard from others, whatever people call them."""
    return f"[salwa/{language}]"


def collection_of(language: str, reader: Reader) -> dict[str, Any]:
    return {
        "name": reader.words["page"]["title"],
        "description": f"{reader.own['collection']} {marker(language)}",
        "archived": False,
    }


def entity_id(key: str) -> str:
    """The 21 letters by which Metabase knows a card of ours on every server."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()
    return f"salwa_{digest[:15]}"


def tags_of(question: Question, reader: Reader) -> dict[str, dict[str, Any]]:
    """Template tags of a query by name; `field` is a column of serving, empty for a plain text.

    What a click opens has no date of its own: where the dashboard's is empty, Metabase passes none on.
    """
    return {
        name: {
            "field": f"{FILTERS[name].table}.{FILTERS[name].column}",
            "display-name": reader.words["filters"][name],
            "widget-type": WIDGETS[FILTERS[name].kind],
            "default": "thismonth" if FILTERS[name].is_date and question.is_on_dashboard else None,
        }
        for name in question.filters
    } | {
        name: {"field": "", "display-name": title, "widget-type": PLAIN, "default": None}
        for name, title in question.plain.items()
    }


def card_of(question: Question, language: str, reader: Reader) -> dict[str, Any]:
    return {
        "name": question.name,
        "description": question.description,
        "display": question.display,
        "collection": language,
        "settings": question.settings,
        "sql": question.sql,
        "tags": tags_of(question, reader),
        "archived": False,
    }


def parameter_id(name: str) -> str:
    return f"salwa_{name}"


def dashboard_of(
    language: str, reader: Reader, built: dict[tuple[str, str], list[Question]], workspaces: list[Workspace]
) -> dict[str, Any]:
    """The one dashboard of a language, all its tabs."""
    asked = [
        name
        for name in dict.fromkeys(name for tab in tabs() for name in tab.filters)
        if name != "workspace" or len(workspaces) > 1
    ]
    defaults = {"date": "thismonth", "window": default_window(workspaces)}
    return {
        "name": reader.words["page"]["title"],
        "description": f"{reader.own['collection']} {marker(language)}",
        "collection": language,
        "width": "full",
        "archived": False,
        "parameters": [parameter_of(name, reader, defaults.get(name)) for name in asked],
        "tabs": [reader.words["tabs"][tab.name] for tab in tabs()],
        "dashcards": [
            dashcard
            for number, tab in enumerate(tabs())
            for dashcard in dashcards_of(tab, number, built, [name for name in tab.filters if name in asked], reader)
        ],
    }


def default_window(workspaces: list[Workspace]) -> list[float] | None:
    """The businesses' own window in days, as the filter takes it; none where they differ: each has its own then."""
    days = {workspace.attribution_window.total_seconds() / 86400 for workspace in workspaces}
    (one, *others) = days
    return None if others else [int(one) if one == int(one) else round(one, 3)]


def parameter_of(name: str, reader: Reader, default: Any) -> dict[str, Any]:
    kind = FILTERS[name].kind
    return {
        "id": parameter_id(name),
        "name": reader.words["filters"][name],
        "slug": name,
        "sectionId": {"text": "string"}.get(kind, kind),
        "type": WIDGETS[kind],
        **({} if kind == "date" else {"values_query_type": "list"}),
        **({"isMultiSelect": False} if kind == "number" else {}),
        **({} if default is None else {"default": default}),
    }


def dashcards_of(
    tab: Tab, number: int, built: dict[tuple[str, str], list[Question]], filters: list[str], reader: Reader
) -> list[dict[str, Any]]:
    """Places of a tab's cards, in Metabase's rows."""
    row_of = metabase_rows(tab.cards)
    found = []
    for card in tab.cards:
        place = card.place
        top, bottom = row_of(place.row), row_of(place.row + place.height)
        spans = [(top, bottom)] if card.display != "figure" else [(top, top + NUMBER_ROWS), (top + NUMBER_ROWS, bottom)]
        asked = {question.key: question for question in built[tab.name, card.name]}
        shown = [question for question in asked.values() if question.is_on_dashboard]
        for question, (first, end) in zip(shown, spans, strict=True):
            target = asked.get(question.leads_to)
            found.append(
                {
                    "card": question.key,
                    "tab": number,
                    "col": place.col,
                    "row": first,
                    "size_x": place.width,
                    "size_y": end - first,
                    "settings": question.dashcard_settings | (click_settings(card, question, target, filters, reader) if target else {}),
                    "mappings": {parameter_id(name): name for name in filters if name in question.filters},
                }
            )
    return found


def click_settings(card: Card, question: Question, target: Question, filters: list[str], reader: Reader) -> dict[str, Any]:
    """A click opens another question of ours with what the dashboard's filters and the clicked row say.

    The question's key stands for its id. Of a table the columns that say what is clicked are links.
    """
    sources = {
        name: {"type": "parameter", "id": parameter_id(name), "name": reader.words["filters"][name]}
        for name in card.filters_behind
        if name in filters
    } | {name: {"type": "column", "id": output, "name": output} for name, output in question.clicked.items()}
    click = {
        "type": "link",
        "linkType": "question",
        "targetId": target.key,
        "parameterMapping": {
            tag_id(target.key, name): {
                "id": tag_id(target.key, name),
                "source": source,
                "target": {"type": "variable", "id": name},
            }
            for name, source in sources.items()
        },
    }
    if question.display != "table":
        return {"click_behavior": click}
    return {"column_settings": {of_column(output): {"click_behavior": click} for output in question.clicked.values()}}


def with_link(dashboard: dict[str, Any], language: str) -> dict[str, Any]:
    """The dashboard with Refresh beside the line that says of when the data are. Its address is known only to a push."""
    sentences = {f"{language}/{card.name}" for tab in tabs() for card in tab.cards if card.sql == "data_as_of"}
    dashcards = []
    for dashcard in dashboard["dashcards"]:
        if dashcard["card"] not in sentences:
            dashcards.append(dashcard)
            continue
        width = dashcard["size_x"] - LINK_COLUMNS
        place = {"col": dashcard["col"] + width, "row": dashcard["row"], "size_x": LINK_COLUMNS, "size_y": dashcard["size_y"]}
        dashcards += [
            {**dashcard, "size_x": width},
            {"card": LINK, "tab": dashcard["tab"], **place, "settings": link_settings(language, ""), "mappings": {}},
        ]
    return {**dashboard, "dashcards": dashcards}


def link_settings(language: str, url: str) -> dict[str, Any]:
    """A text on a dashboard that leads to the refresh."""
    virtual = {"name": None, "display": "text", "visualization_settings": {}, "dataset_query": {}, "archived": False}
    return {"virtual_card": virtual, "text": f"[{words_of(language)['refresh']['press']}]({url})"}


def metabase_rows(cards: tuple[Card, ...]) -> Any:
    """A function from a row of the spec to one of Metabase, where figures and sentences need more of them."""
    extra: dict[int, int] = {}
    for card in cards:
        needed = {"sentence": SENTENCE_ROWS, "figure": FIGURE_ROWS}.get(card.display, 0)
        last = card.place.row + card.place.height - 1
        extra[last] = max(extra.get(last, 0), needed - card.place.height)
    return lambda row: row + sum(more for last, more in extra.items() if last < row)


def tag_id(key: str, name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{key}/{name}"))
