"""A Metabase of our own, in this process: it keeps what it is sent, and answers as the real one does.

Every request is checked against the OpenAPI contract where that is at hand, and against what the contract leaves out:
columns that settings name, ids that exist, tabs that are known. It can be slow to sync, answer 500, forget a session, keep
queries in the form before version 57 or in stages, and tidy up what it stores, as servers do.
"""

from __future__ import annotations

import copy
import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CONTRACT = Path(__file__).parents[3] / "shared" / "metabase" / "openapi.strict.json"
ADMIN = ("admin@example.com", "Fictional-Pass-1")
KEY = "mb_fictional"
MASK = "**MetabasePass**"
TOKEN = "11111111-2222-4333-8444-555555555555"


class Refused(Exception):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def filters_in(stage: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of a query that are filters on a column; others are plain values."""
    return [tag for tag in stage["template-tags"].values() if tag["type"] == "dimension"]


@dataclass
class FakeMetabase:
    """State and habits. `tables` is what a sync finds: {"facts.dim_dates": ["local_date", ...]}."""

    tables: dict[str, list[str]]
    version: str = "v0.60.7"
    is_set_up: bool = False
    sync_looks: int = 0  # so many looks at the metadata until a sync is done
    tidies: bool = False  # adds keys of its own to what it stores
    mails: bool = True
    failures: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (verb, start of path): statuses to answer
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)  # does it, and breaks off before it answers
    expired_sessions: int = 0
    env_settings: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # runs a card's SQL: (SQL, template tags, columns by id, values by tag's name) to (names, rows of JSON)
    run: Callable[[str, Any, dict[int, Any], dict[str, Any]], tuple[list[str], list[list[Any]]]] | None = None

    def __post_init__(self) -> None:
        self.settings: dict[str, Any] = {
            "report-timezone": None,
            "start-of-week": "sunday",
            "custom-formatting": {},
            "site-url": None,
        }
        self.users = [ADMIN] if self.is_set_up else []
        self.sessions: set[str] = set()
        self.databases: dict[int, dict[str, Any]] = {}
        self.columns: dict[int, dict[str, Any]] = {}
        self.collections: dict[int, dict[str, Any]] = {}
        self.cards: dict[int, dict[str, Any]] = {}
        self.dashboards: dict[int, dict[str, Any]] = {}
        self.pulses: dict[int, dict[str, Any]] = {}
        self.groups = {1: "All Users", 2: "Administrators"}
        self.collection_graph: dict[str, Any] = {"revision": 1, "groups": {"1": {"root": "write"}, "2": {"root": "write"}}}
        self.data_graph: dict[str, Any] = {"revision": 1, "groups": {}}
        self._last = 100
        self._looks = 0
        self.lock = threading.RLock()

    # For tests

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something; a log-in and a question do not."""
        return [
            (verb, path)
            for verb, path, _body in self.requests
            if verb != "GET" and path != "/api/session" and not path.endswith("/query")
        ]

    def forget_requests(self) -> None:
        self.requests.clear()

    def next_id(self) -> int:
        self._last += 1
        return self._last

    # The routes

    def answer(self, verb: str, path: str, query: dict[str, str], headers: Any, body: Any) -> Any:
        if status := self.failure(verb, path):
            raise Refused(status, {"message": f"told to answer {status}"})
        if path == "/api/health":
            return {"status": "ok"}
        if path == "/api/session/properties":
            return self.properties()
        if path == "/api/setup":
            return self.set_up(body)
        if path == "/api/session" and verb == "POST":
            return self.session(body)
        self.require_admin(headers)
        for pattern, handler in ROUTES[verb]:
            if found := re.fullmatch(pattern, path):
                return handler(self, *found.groups(), query=query, body=body)
        raise Refused(404, "API endpoint does not exist.")

    def failure(self, verb: str, path: str) -> int | None:
        for (one_verb, start), statuses in self.failures.items():
            if verb == one_verb and path.startswith(start) and statuses:
                return statuses.pop(0)
        return None

    def require_admin(self, headers: Any) -> None:
        if headers.get("x-api-key") == KEY:
            return
        session = headers.get("X-Metabase-Session")
        if session in self.sessions and self.expired_sessions:
            self.expired_sessions -= 1
            self.sessions.clear()
        if session not in self.sessions:
            raise Refused(401, "Unauthenticated")

    def properties(self) -> dict[str, Any]:
        has_user = bool(self.users)
        return {
            "version": {"tag": self.version},
            "setup-token": None if has_user else TOKEN,
            "has-user-setup": has_user,
            "email-configured?": self.mails,
            "site-url": self.settings["site-url"],
        }

    def set_up(self, body: Any) -> Any:
        if self.users or body["token"] != TOKEN:
            raise Refused(403, "The /api/setup route can only be used to create the first user, however a user currently exists.")
        self.users.append((body["user"]["email"], body["user"]["password"]))
        return self.new_session()

    def session(self, body: Any) -> Any:
        if (body["username"], body["password"]) not in self.users:
            raise Refused(401, {"errors": {"password": "did not match stored password"}})
        return self.new_session()

    def new_session(self) -> dict[str, str]:
        session = str(uuid.uuid4())
        self.sessions.add(session)
        return {"id": session}

    def list_settings(self, **_: Any) -> Any:
        return [
            {
                "key": key,
                "value": self.env_settings.get(key, value),
                "is_env_setting": key in self.env_settings,
                "env_name": "MB_" + key.upper().replace("-", "_"),
            }
            for key, value in self.settings.items()
        ]

    def put_setting(self, key: str, *, body: Any, **_: Any) -> Any:
        if key in self.env_settings:
            raise Refused(500, {"message": f"You cannot set {key}; it has been set by the environment variable"})
        self.settings[key] = body["value"]

    def list_databases(self, **_: Any) -> Any:
        return {"data": [self.masked(each) for each in self.databases.values()], "total": len(self.databases)}

    def masked(self, database: dict[str, Any]) -> dict[str, Any]:
        shown = copy.deepcopy(database)
        if shown["details"].get("password"):
            shown["details"]["password"] = MASK
        return shown

    def post_database(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        status = "incomplete" if self.sync_looks else "complete"
        self.databases[identifier] = {"id": identifier, "initial_sync_status": status, **copy.deepcopy(body)}
        self._looks = self.sync_looks
        if not self.sync_looks:
            self.sync(identifier)
        return self.masked(self.databases[identifier])

    def get_database(self, identifier: str, **_: Any) -> Any:
        return self.masked(found(self.databases, identifier))

    def put_database(self, identifier: str, *, body: Any, **_: Any) -> Any:
        database = found(self.databases, identifier)
        if body["details"].get("password") == MASK:
            body["details"]["password"] = database["details"]["password"]
        database.update(copy.deepcopy(body))
        return self.masked(database)

    def sync_schema(self, identifier: str, **_: Any) -> Any:
        found(self.databases, identifier)
        self.sync(int(identifier))
        return {"status": "ok"}

    def sync(self, database: int) -> None:
        known = {(each["table"], each["name"]) for each in self.columns.values()}
        for table, columns in self.tables.items():
            for name in columns:
                if (table, name) not in known:
                    identifier = self.next_id()
                    self.columns[identifier] = {
                        "id": identifier,
                        "table": table,
                        "name": name,
                        "semantic_type": None,
                        "has_field_values": None,
                    }
        self.databases[database]["initial_sync_status"] = "complete"

    def metadata(self, identifier: str, **_: Any) -> Any:
        database = found(self.databases, identifier)
        if database["initial_sync_status"] == "incomplete":
            self._looks -= 1
            if self._looks <= 0:
                self.sync(database["id"])
        tables: dict[str, list[dict[str, Any]]] = {}
        for column in self.columns.values():
            tables.setdefault(column["table"], []).append(column)
        return {
            "id": database["id"],
            "tables": [
                {"schema": table.split(".")[0], "name": table.split(".")[1], "fields": copy.deepcopy(columns)}
                for table, columns in tables.items()
            ],
        }

    def put_field(self, identifier: str, *, body: Any, **_: Any) -> Any:
        column = found(self.columns, identifier)
        column.update(body)
        return column

    def list_collections(self, *, query: dict[str, str], **_: Any) -> Any:
        archived = query.get("archived") == "true"
        listed = [each for each in self.collections.values() if each["archived"] == archived]
        return [{"id": "root", "name": "Our analytics"}, *listed] if not archived else listed

    def post_collection(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        self.collections[identifier] = {"id": identifier, "archived": False, **body}
        # a new collection is as open as the root it is in
        for group in self.collection_graph["groups"].values():
            group[str(identifier)] = group["root"]
        return self.collections[identifier]

    def get_collection(self, identifier: str, **_: Any) -> Any:
        return found(self.collections, identifier)

    def put_collection(self, identifier: str, *, body: Any, **_: Any) -> Any:
        collection = found(self.collections, identifier)
        collection.update(body)
        return collection

    def collection_items(self, identifier: str, *, query: dict[str, str], **_: Any) -> Any:
        items = self.cards if query["models"] == "card" else self.dashboards
        listed = [each for each in items.values() if each["collection_id"] == int(identifier) and not each["archived"]]
        keys = ("id", "name", "description", "entity_id")
        return {"data": [{"model": query["models"], **{key: each.get(key) for key in keys}} for each in listed]}

    # Cards: kept in stages from version 57 on, in the form before it otherwise

    def post_card(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        if any(each["entity_id"] == body.get("entity_id") for each in self.cards.values()):
            raise Refused(400, {"errors": {"entity_id": "is taken"}})
        self.cards[identifier] = {"id": identifier, "archived": False, "entity_id": uuid.uuid4().hex[:21]}
        return self.store_card(identifier, body)

    def put_card(self, identifier: str, *, body: Any, **_: Any) -> Any:
        found(self.cards, identifier)
        if body.get("archived"):
            for dashboard in self.dashboards.values():
                kept = [card for card in dashboard["dashcards"] if card.get("card_id") != int(identifier)]
                dashboard["dashcards"] = kept
        return self.store_card(int(identifier), body)

    def store_card(self, identifier: int, body: Any) -> Any:
        card = self.cards[identifier]
        card.update(copy.deepcopy(body))
        if "dataset_query" in body:
            self.check_query(body["dataset_query"])
            card["dataset_query"] = self.as_stored(body["dataset_query"])
            card["result_metadata"] = [{"name": "made by the server"}]
        if card.get("collection_id") not in self.collections:
            raise Refused(404, "Not found.")
        if self.tidies:
            card["visualization_settings"] = card["visualization_settings"] | {"version": 2}
        return copy.deepcopy(card)

    @property
    def is_new(self) -> bool:
        return int(self.version.split(".")[1]) >= 57

    def check_query(self, query: Any) -> None:
        is_staged = "lib/type" in query
        if is_staged and not self.is_new:
            raise Refused(400, {"message": "Invalid query"})
        stage = query["stages"][0] if is_staged else query["native"]
        sql = stage["native"] if is_staged else stage["query"]
        named = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", sql))
        if named != set(stage["template-tags"]):
            self.problems.append(f"tags {sorted(stage['template-tags'])} of a query that names {sorted(named)}")
        for tag in filters_in(stage):
            identifier = tag["dimension"][2 if is_staged else 1]
            if identifier not in self.columns:
                self.problems.append(f"a tag on column {identifier}, which does not exist")
        if query["database"] not in self.databases:
            self.problems.append(f"a query on database {query['database']}, which does not exist")

    def as_stored(self, query: Any) -> Any:
        """From version 57 on the old form is turned into stages, with ids of their own in the dimensions."""
        if "lib/type" in query:
            stage = copy.deepcopy(query["stages"][0])
        elif self.is_new:
            native = copy.deepcopy(query["native"])
            stage = {"lib/type": "mbql.stage/native", "native": native["query"], "template-tags": native["template-tags"]}
            for tag in filters_in(stage):
                tag["dimension"] = ["field", {}, tag["dimension"][1]]
        else:
            return copy.deepcopy(query)
        for tag in filters_in(stage):
            tag["dimension"][1] = {"lib/uuid": str(uuid.uuid4())}
        return {"lib/type": "mbql/query", "database": query["database"], "stages": [stage]}

    def get_card(self, identifier: str, **_: Any) -> Any:
        if identifier.isdigit():
            return copy.deepcopy(found(self.cards, identifier))
        match = next((card for card in self.cards.values() if card["entity_id"] == identifier), None)
        if match is None:
            raise Refused(404, "Not found.")
        return copy.deepcopy(match)

    def upgrade(self, version: str) -> None:
        """A newer Metabase: queries are turned into its form."""
        self.version = version
        for card in self.cards.values():
            card["dataset_query"] = self.as_stored(card["dataset_query"])

    # Dashboards

    def post_dashboard(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        empty = {"parameters": [], "tabs": [], "dashcards": [], "width": "fixed", "archived": False}
        self.dashboards[identifier] = {"id": identifier, **empty, **body}
        return copy.deepcopy(self.dashboards[identifier])

    def get_dashboard(self, identifier: str, **_: Any) -> Any:
        return copy.deepcopy(found(self.dashboards, identifier))

    def put_dashboard(self, identifier: str, *, body: Any, **_: Any) -> Any:
        dashboard = found(self.dashboards, identifier)
        body = copy.deepcopy(body)
        if "tabs" in body:
            old_tabs = {tab["id"] for tab in dashboard["tabs"]}
            renamed = {tab["id"]: tab["id"] if tab["id"] in old_tabs else self.next_id() for tab in body["tabs"]}
            self.problems += [f"tab {tab} does not exist" for tab in renamed if tab > 0 and tab not in old_tabs]
            body["tabs"] = [
                {"id": renamed[tab["id"]], "name": tab["name"], "position": place} for place, tab in enumerate(body["tabs"])
            ]
            body["dashcards"] = [
                self.stored_dashcard(dashboard, card, renamed, body["parameters"]) for card in body["dashcards"]
            ]
        dashboard.update(body)
        known = {card["id"] for card in dashboard["dashcards"]}
        for pulse in self.pulses.values():  # a subscription loses cards that were taken away
            if pulse["dashboard_id"] == dashboard["id"]:
                pulse["cards"] = [card for card in pulse["cards"] if card["dashboard_card_id"] in known]
        return copy.deepcopy(dashboard)

    def stored_dashcard(
        self, dashboard: dict[str, Any], card: dict[str, Any], tabs: dict[int, int], parameters: list[dict[str, Any]]
    ) -> dict[str, Any]:
        old = {each["id"] for each in dashboard["dashcards"]}
        if card["id"] > 0 and card["id"] not in old:
            self.problems.append(f"dashcard {card['id']} does not exist")
        if card["col"] + card["size_x"] > 24:
            self.problems.append("a card hangs over the edge")
        if card["card_id"] is not None:
            kept = self.cards[card["card_id"]]
            tags = query_tags(kept["dataset_query"])
            for mapping in card["parameter_mappings"]:
                if mapping["target"][1][1] not in tags:
                    self.problems.append(f"card {kept['name']} has no tag {mapping['target'][1][1]}")
            settings = card["visualization_settings"]
            for place in (settings, *(settings.get("column_settings") or {}).values()):
                click = place.get("click_behavior") or {}
                if click.get("linkType") == "question":
                    self.check_click(click, parameters, query_sql(kept["dataset_query"]))
        stored = {**card, "id": card["id"] if card["id"] > 0 else self.next_id()}
        stored["dashboard_tab_id"] = tabs[card["dashboard_tab_id"]]
        if self.tidies:
            stored["visualization_settings"] = stored["visualization_settings"] | {"dashcard.background": True}
        return stored

    def ask(self, dashboard: str, dashcard: str, card: str, *, body: Any, **_: Any) -> Any:
        """Run a card as its place on a dashboard does: values reach it by its mappings, defaults of parameters do not."""
        assert self.run is not None
        place = next((each for each in found(self.dashboards, dashboard)["dashcards"] if each["id"] == int(dashcard)), None)
        if place is None or place["card_id"] != int(card):
            raise Refused(404, "Not found.")
        targets = {mapping["parameter_id"]: mapping["target"][1][1] for mapping in place["parameter_mappings"]}
        unknown = [each["id"] for each in body["parameters"] if each["id"] not in targets]
        if unknown:
            raise Refused(400, {"message": f"no parameter {unknown[0]}"})
        stored = self.cards[int(card)]["dataset_query"]
        stage = stored["stages"][0] if "lib/type" in stored else stored["native"]
        sql = stage["native"] if "lib/type" in stored else stage["query"]
        values = {targets[each["id"]]: each["value"] for each in body["parameters"]}
        try:
            names, rows = self.run(sql, stage["template-tags"], self.columns, values)
        except Exception as error:
            return {"status": "failed", "error": str(error)}
        data = {"cols": [{"name": name} for name in names], "rows": rows}
        return {"status": "completed", "row_count": len(rows), "data": data}

    def check_click(self, click: dict[str, Any], parameters: list[dict[str, Any]], sql: str) -> None:
        """A click opens a question that is there, and passes to tags that it has filters of the dashboard and columns of
        the card whose SQL this is."""
        target = self.cards.get(click["targetId"])
        if target is None or target.get("archived"):
            self.problems.append(f"a click leads to card {click['targetId']}, which does not exist")
            return
        tags = query_tags(target["dataset_query"])
        known = {parameter["id"] for parameter in parameters}
        for identifier, mapping in click["parameterMapping"].items():
            tag = tags.get(mapping["target"]["id"])
            if mapping["target"]["type"] != "variable" or tag is None:
                self.problems.append(f"a click on {target['name']} names the tag {mapping['target']}, which does not exist")
            elif tag["id"] != identifier or mapping["id"] != identifier:
                self.problems.append(f"a click on {target['name']} calls the tag {mapping['target']} {identifier}")
            source = mapping["source"]
            if source["type"] == "column" and not re.search(rf"\bas {source['id']}\b", sql):
                self.problems.append(f"a click takes {source}, which the card does not answer with")
            if source["type"] not in ("column", "parameter") or (source["type"] == "parameter" and source["id"] not in known):
                self.problems.append(f"a click takes {source}, which the dashboard does not have")

    # Groups and permissions

    def list_groups(self, **_: Any) -> Any:
        return [{"id": identifier, "name": name} for identifier, name in self.groups.items()]

    def post_group(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        self.groups[identifier] = body["name"]
        self.collection_graph["groups"][str(identifier)] = {"root": "none"}
        return {"id": identifier, "name": body["name"]}

    def get_collection_graph(self, **_: Any) -> Any:
        groups = {
            group: {where: may for where, may in rights.items() if may != "none"}
            for group, rights in self.collection_graph["groups"].items()
        }
        return {"revision": self.collection_graph["revision"], "groups": groups}

    def get_data_graph(self, **_: Any) -> Any:
        groups = copy.deepcopy(self.data_graph["groups"])
        everybody = {str(each): {"view-data": "unrestricted", "create-queries": "query-builder-and-native"} for each in self.databases}
        groups["1"] = everybody | groups.get("1", {})
        return {"revision": self.data_graph["revision"], "groups": groups}

    def put_collection_graph(self, *, body: Any, **_: Any) -> Any:
        return self.put_graph(self.collection_graph, body)

    def put_data_graph(self, *, body: Any, **_: Any) -> Any:
        return self.put_graph(self.data_graph, body)

    def put_graph(self, graph: dict[str, Any], body: Any) -> Any:
        if body["revision"] != graph["revision"]:
            raise Refused(409, "Looks like someone else edited the permissions and your data is out of date.")
        graph["revision"] += 1
        for group, rights in body["groups"].items():
            graph["groups"].setdefault(group, {}).update(copy.deepcopy(rights))
        return graph

    # Mail

    def list_pulses(self, *, query: dict[str, str], **_: Any) -> Any:
        wanted = query.get("dashboard_id")
        return [each for each in self.pulses.values() if wanted is None or each["dashboard_id"] == int(wanted)]

    def post_pulse(self, *, body: Any, **_: Any) -> Any:
        identifier = self.next_id()
        self.pulses[identifier] = {"id": identifier, "archived": False, **body}
        return self.pulses[identifier]

    def put_pulse(self, identifier: str, *, body: Any, **_: Any) -> Any:
        pulse = found(self.pulses, identifier)
        pulse.update(body)
        return pulse


ROUTES: dict[str, list[tuple[str, Callable[..., Any]]]] = {
    "GET": [
        (r"/api/setting", FakeMetabase.list_settings),
        (r"/api/database", FakeMetabase.list_databases),
        (r"/api/database/(\d+)", FakeMetabase.get_database),
        (r"/api/database/(\d+)/metadata", FakeMetabase.metadata),
        (r"/api/collection", FakeMetabase.list_collections),
        (r"/api/collection/graph", FakeMetabase.get_collection_graph),
        (r"/api/collection/(\d+)", FakeMetabase.get_collection),
        (r"/api/collection/(\d+)/items", FakeMetabase.collection_items),
        (r"/api/card/([\w-]+)", FakeMetabase.get_card),
        (r"/api/dashboard/(\d+)", FakeMetabase.get_dashboard),
        (r"/api/permissions/group", FakeMetabase.list_groups),
        (r"/api/permissions/graph", FakeMetabase.get_data_graph),
        (r"/api/pulse", FakeMetabase.list_pulses),
    ],
    "POST": [
        (r"/api/database", FakeMetabase.post_database),
        (r"/api/database/(\d+)/sync_schema", FakeMetabase.sync_schema),
        (r"/api/collection", FakeMetabase.post_collection),
        (r"/api/card", FakeMetabase.post_card),
        (r"/api/dashboard", FakeMetabase.post_dashboard),
        (r"/api/dashboard/(\d+)/dashcard/(\d+)/card/(\d+)/query", FakeMetabase.ask),
        (r"/api/permissions/group", FakeMetabase.post_group),
        (r"/api/pulse", FakeMetabase.post_pulse),
    ],
    "PUT": [
        (r"/api/setting/([\w-]+)", FakeMetabase.put_setting),
        (r"/api/database/(\d+)", FakeMetabase.put_database),
        (r"/api/field/(\d+)", FakeMetabase.put_field),
        (r"/api/collection/graph", FakeMetabase.put_collection_graph),
        (r"/api/collection/(\d+)", FakeMetabase.put_collection),
        (r"/api/card/(\d+)", FakeMetabase.put_card),
        (r"/api/dashboard/(\d+)", FakeMetabase.put_dashboard),
        (r"/api/permissions/graph", FakeMetabase.put_data_graph),
        (r"/api/pulse/(\d+)", FakeMetabase.put_pulse),
    ],
    "DELETE": [],
}


def found(things: dict[int, dict[str, Any]], identifier: str) -> dict[str, Any]:
    if int(identifier) not in things:
        raise Refused(404, "Not found.")
    return things[int(identifier)]


def query_sql(query: dict[str, Any]) -> str:
    return str(query["stages"][0]["native"] if "lib/type" in query else query["native"]["query"])


def query_tags(query: dict[str, Any]) -> dict[str, Any]:
    stage = query["stages"][0] if "lib/type" in query else query["native"]
    return stage["template-tags"]


@cache
def contract() -> Any:
    """The contract, or None where it is not beside this checkout."""
    if not CONTRACT.exists():
        return None
    from openapi_core import OpenAPI

    body = json.loads(CONTRACT.read_text(encoding="utf-8"))
    return OpenAPI.from_dict(body)


def contract_problem(verb: str, path: str, query: dict[str, str], text: bytes) -> str | None:
    """Why the contract does not know a request; None where it does, or is not at hand."""
    return None if contract() is None else known_problem(verb, path, tuple(sorted(query.items())), text)


@cache
def known_problem(verb: str, path: str, query: tuple[tuple[str, str], ...], text: bytes) -> str | None:
    """The same request is the same problem: looking it up in the contract takes as long as all else that a push does."""
    from openapi_core.exceptions import OpenAPIError
    from openapi_core.testing import MockRequest

    request = MockRequest(
        "http://127.0.0.1:3000", verb.lower(), path, args=dict(query), data=text or None, content_type="application/json"
    )
    try:
        contract().validate_request(request)
    except OpenAPIError as error:
        cause = error.__cause__
        details = [str(each.message)[:300] for each in getattr(cause, "schema_errors", [])]
        return f"{verb} {path}: {error} {cause or ''} {details}"
    return None


@contextmanager
def serving(fake: FakeMetabase) -> Iterator[str]:
    """The fake on a port of its own; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(text) if text else None
            query = dict(parse_qsl(parts.query))
            with fake.lock:
                fake.requests.append((self.command, parts.path, body))
                if problem := contract_problem(self.command, parts.path, query, text):
                    fake.problems.append(problem)
                try:
                    status, answer = 200, fake.answer(self.command, parts.path, query, self.headers, body)
                except Refused as refusal:
                    status, answer = refusal.status, refusal.body
                if fake.drops[self.command, parts.path] > 0:
                    fake.drops[self.command, parts.path] -= 1
                    self.close_connection = True
                    return
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_DELETE = do

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
