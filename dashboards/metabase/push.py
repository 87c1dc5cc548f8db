"""Bring a Metabase to what is wanted: look, tell what differs, write only that.

Each thing of ours is compared with what is wanted and with what the last push left. So a change of the spec is written,
while an edit made by hand is shown and left, unless it may be overwritten. What is not ours is not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboards.metabase import found as seen
from dashboards.metabase.bodies import card_body, dashboard_body, mail_body
from dashboards.metabase.found import Ids, differences
from dashboards.metabase.permissions import found_permissions, write_permissions
from dashboards.metabase.state import State, fingerprint, load_state
from dashboards.metabase.transport import (
    CONFLICT,
    Metabase,
    MetabaseError,
    connected,
    log_in,
    set_up,
    version_of,
)
from dashboards.metabase.wanted import GROUP, LINK, Wanted, entity_id, link_settings, marker
from dashboards.parameters import FILTERS
from ingestion.errors import SalwaError
from ingestion.settings import Settings

ALL_USERS = "All Users"
SYNC_PAUSE = 2.0
SYNC_PATIENCE = 300.0

Action = Literal["created", "changed", "restored", "removed", "unchanged", "edited"]


@dataclass(frozen=True)
class Change:
    """What happened, or with a plan would happen, to one thing. Of `edited` nothing was written."""

    kind: str
    name: str
    action: Action
    details: tuple[str, ...] = ()
    was_edited: bool = False  # an edit made by hand is overwritten


def push(
    settings: Settings,
    wanted: Wanted,
    *,
    is_plan: bool = False,
    may_overwrite: bool = False,
    with_site_settings: bool = False,
    on_step: Callable[[str], None] = lambda _step: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Push:
    """Set up a fresh Metabase, or bring one up to date; returns what was done, or in a plan would be.

    Args:
        may_overwrite: edits made by hand to what is ours are replaced.
        with_site_settings: zone, week and formats of a Metabase that others set up become ours.
        on_step: told what is being done.

    Raises:
        SalwaError: Metabase cannot be reached, refuses, or is too old; what was written until then stays.
    """
    metabase, properties = connected(settings, sleep)
    version = version_of(properties)
    state = load_state(settings.data / "metabase.json", metabase.url)
    site_url = str(properties.get("site-url") or metabase.url).rstrip("/")
    done = Push(metabase, wanted, state, version, site_url, is_plan, may_overwrite, with_site_settings, on_step)
    if properties.get("setup-token") and not properties.get("has-user-setup"):
        if is_plan:
            done.changes = all_created(wanted)
            return done
        set_up(metabase, settings, properties["setup-token"], wanted.site_name)
        # a file of another server that stood at this address knows nothing of this one
        done.state = State(state.file, state.url, is_ours=True)
        done.state.save()
        done.changes.append(Change("server", metabase.url, "created", ("set up",)))
    else:
        log_in(metabase, settings)
    done.run()
    return done


def all_created(wanted: Wanted) -> list[Change]:
    """The plan for a Metabase that nobody has set up."""
    named = [
        ("server", ["set up"]),
        ("setting", list(wanted.settings)),
        ("database", [wanted.database["name"]]),
        ("column", list(wanted.fields)),
        ("collection", [f"{each['name']} ({language})" for language, each in wanted.collections.items()]),
        ("card", [f"{each['name']} ({key})" for key, each in wanted.cards.items()]),
        ("dashboard", [f"{each['name']} ({language})" for language, each in wanted.dashboards.items()]),
        ("group", [GROUP]),
        ("permissions", [GROUP]),
        ("mail", wanted.mail.get("to", [])),
    ]
    return [Change(kind, name, "created") for kind, names in named for name in names]


@dataclass
class Push:
    """One push or plan. The server is asked in the order in which things need each other."""

    metabase: Metabase
    wanted: Wanted
    state: State
    version: int
    site_url: str  # where readers reach it
    is_plan: bool = False
    may_overwrite: bool = False
    with_site_settings: bool = False
    on_step: Callable[[str], None] = lambda _step: None
    ids: Ids = field(default_factory=Ids)
    changes: list[Change] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def run(self) -> list[Change]:
        """Do it all; a push that was broken off is completed by the next.

        Raises:
            SalwaError: Metabase refuses or does not answer; what was written before stays, and is known.
        """
        for step in (
            self.push_settings,
            self.push_database,
            self.push_fields,
            self.push_collections,
            self.push_cards,
            self.push_dashboards,
            self.remove_cards,
            self.push_group,
            self.push_mail,
        ):
            self.on_step(step.__name__.removeprefix("push_").replace("_", " "))
            step()
        return self.changes

    # One thing

    def settle(
        self,
        kind: str,
        key: str,
        name: str,
        wanted: dict[str, Any],
        found: dict[str, Any] | None,
        write: Callable[[], tuple[int | None, dict[str, Any]]],
        identifier: int | None = None,
        may_adopt: bool = False,
    ) -> None:
        """Compare, tell, and write where it is due.

        Args:
            write: makes or updates it; returns its id and what the server then says, in the form of `wanted`.
            identifier: its id, where it exists.
            may_adopt: what is there before our first push is the server's own and nobody's edit.
        """
        remembered = self.state.things.get(key)
        if found == wanted or (
            found is not None
            and remembered is not None
            and (remembered.wanted, remembered.found) == (fingerprint(wanted), fingerprint(found))
        ):
            self.changes.append(Change(kind, name, "unchanged"))
            if not self.is_plan and (remembered is None or remembered.found != fingerprint(found)):
                self.state.remember(key, identifier, wanted, found)
            return
        action: Action = "created"
        was_edited = False
        details: tuple[str, ...] = ()
        if found is not None:
            details = tuple(differences(found, wanted))
            action = "restored" if found.get("archived") else "changed"
            is_edited = not may_adopt if remembered is None else remembered.found != fingerprint(found)
            was_edited = is_edited and action == "changed"
            if was_edited and not self.may_overwrite:
                self.changes.append(Change(kind, name, "edited", details, was_edited=True))
                return
        if not self.is_plan:
            new_id, result = write()
            self.state.remember(key, new_id, wanted, result)
        self.changes.append(Change(kind, name, action, details, was_edited))

    # Settings of the whole server

    def push_settings(self) -> None:
        """Others may share the server: its settings are ours only where we set it up, or where it was asked for."""
        settings = {each["key"]: each for each in self.metabase.get("/api/setting")}
        differing = {
            key: value for key, value in self.wanted.settings.items() if (settings.get(key) or {}).get("value") != value
        }
        if not self.state.is_ours and not self.with_site_settings:
            if differing:
                self.advice.append(
                    f"settings of this Metabase differ ({', '.join(differing)}); --site-settings takes ours"
                )
            return
        for key, value in self.wanted.settings.items():
            entry = settings.get(key) or {}
            if entry.get("is_env_setting"):
                if entry.get("value") not in (None, value):
                    self.advice.append(f"{key} is set by {entry.get('env_name')} and cannot be changed here")
                continue
            self.settle(
                "setting",
                f"setting/{key}",
                key,
                {"value": value},
                {"value": entry.get("value")},
                self.setting_writer(key, value),
                may_adopt=True,
            )

    def setting_writer(self, key: str, value: Any) -> Callable[[], tuple[None, dict[str, Any]]]:
        def write() -> tuple[None, dict[str, Any]]:
            self.metabase.put(f"/api/setting/{key}", {"value": value})
            return None, {"value": value}

        return write

    # The database and its columns

    def push_database(self) -> None:
        listed = self.metabase.get("/api/database")
        databases = listed["data"] if isinstance(listed, dict) else listed
        wanted = self.wanted.database
        known = self.state.id_of("database")
        match = next((each for each in databases if each["id"] == known), None) or next(
            (each for each in databases if (each["name"], each["engine"]) == (wanted["name"], wanted["engine"])), None
        )
        found = None
        if match is not None:
            self.ids.database = match["id"]
            found = seen.found_database(self.metabase.get(f"/api/database/{match['id']}")) | {"password": "kept"}
        is_known = match is not None and (not self.state.password or self.state.knows_password(self.wanted.password))
        compared = wanted | {"password": "kept" if is_known else "new"}

        def write() -> tuple[int, dict[str, Any]]:
            body = wanted | {"details": wanted["details"] | {"password": self.wanted.password}}
            if match is None:
                answer = self.metabase.post("/api/database", body | {"is_full_sync": True, "auto_run_queries": True})
            else:
                answer = self.metabase.put(f"/api/database/{match['id']}", body)
            self.ids.database = answer["id"]
            self.state.remember_password(self.wanted.password)
            compared["password"] = "kept"  # noqa: S105 – from now on
            return answer["id"], seen.found_database(answer) | {"password": "kept"}

        self.settle("database", "database", wanted["name"], compared, found, write, self.ids.database)

    def push_fields(self) -> None:
        """Wait until Metabase knows the columns that filters act on, and let readers choose their values from lists."""
        if self.ids.database is None:  # a plan for a server that has nothing yet
            for name in self.wanted.fields:
                self.changes.append(Change("column", name, "created"))
            return
        columns = self.synced_columns()
        self.ids.fields = {name: column["id"] for name, column in columns.items()}
        for name, wanted in self.wanted.fields.items():
            column = columns.get(name)
            if column is None:  # only in a plan
                self.changes.append(Change("column", name, "created"))
                continue
            found = {key: column.get(key) for key in wanted}
            write = self.field_writer(column["id"], wanted)
            self.settle("column", f"column/{name}", name, wanted, found, write, column["id"], may_adopt=True)

    def field_writer(self, identifier: int, wanted: dict[str, Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
        def write() -> tuple[int, dict[str, Any]]:
            answer = self.metabase.put(f"/api/field/{identifier}", wanted) or {}
            return identifier, {key: answer.get(key, value) for key, value in wanted.items()}

        return write

    def synced_columns(self) -> dict[str, dict[str, Any]]:
        """Columns by name, after a sync where some that we need are missing.

        Raises:
            SalwaError: they do not appear.
        """
        needed = {f"{each.table}.{each.column}" for each in FILTERS.values()}
        path = f"/api/database/{self.ids.database}"
        waited = 0.0
        has_asked = False
        while True:
            columns = seen.fields_of(self.metabase.get(f"{path}/metadata"))
            missing = needed - set(columns)
            if not missing or self.is_plan:
                return columns
            status = self.metabase.get(path).get("initial_sync_status")
            if not has_asked and status != "incomplete":  # a first sync is running by itself
                self.metabase.post(f"{path}/sync_schema")
                has_asked = True
            if waited >= SYNC_PATIENCE:
                raise SalwaError(
                    f"Metabase does not see {min(missing)} after {SYNC_PATIENCE:.0f} s: has `salwa refresh` published to "
                    "the database of SALWA_METABASE_DATABASE_URL, and may its user read facts and marts?"
                )
            self.on_step("waiting for Metabase to read the tables")
            self.metabase.sleep(SYNC_PAUSE)
            waited += SYNC_PAUSE

    # Collections

    def push_collections(self) -> None:
        listed = self.metabase.get("/api/collection") + self.metabase.get("/api/collection", archived="true")
        for language, wanted in self.wanted.collections.items():
            key = f"collection/{language}"
            match = self.our_collection(listed, language)
            if match is not None:
                self.ids.collections[language] = match["id"]
            self.settle(
                "collection",
                key,
                f"{wanted['name']} ({language})",
                wanted,
                None if match is None else seen.found_collection(match),
                self.collection_writer(language, wanted),
                self.ids.collections.get(language),
            )

    def our_collection(self, listed: list[dict[str, Any]], language: str) -> dict[str, Any] | None:
        """Ours by its mark, whatever people call it; by its id where somebody took the mark away."""
        marked = [each for each in listed if marker(language) in (each.get("description") or "")]
        marked.sort(key=lambda each: bool(each.get("archived")))
        if marked:
            return marked[0]
        known = self.state.id_of(f"collection/{language}")
        return None if known is None else self.metabase.get(f"/api/collection/{known}", missing=None)

    def collection_writer(self, language: str, wanted: dict[str, Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
        def write() -> tuple[int, dict[str, Any]]:
            known = self.ids.collections.get(language)
            if known is None:
                body = {"name": wanted["name"], "description": wanted["description"], "parent_id": None}
                answer = self.metabase.post("/api/collection", body)
            else:
                answer = self.metabase.put(f"/api/collection/{known}", wanted)
            self.ids.collections[language] = answer["id"]
            return answer["id"], seen.found_collection(answer)

        return write

    # Cards

    def push_cards(self) -> None:
        for number, (key, wanted) in enumerate(self.wanted.cards.items(), start=1):
            self.on_step(f"card {number} of {len(self.wanted.cards)}")
            answer = self.metabase.get(f"/api/card/{entity_id(key)}", missing=None)
            found = None
            if answer is not None:
                self.ids.cards[key] = answer["id"]
                found = seen.found_card(answer, self.ids)
            self.settle(
                "card", f"card/{key}", f"{wanted['name']} ({key})", wanted, found, self.card_writer(key, wanted), self.ids.cards.get(key)
            )

    def card_writer(self, key: str, wanted: dict[str, Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
        def write() -> tuple[int, dict[str, Any]]:
            body = card_body(key, wanted, self.ids, self.version)
            known = self.ids.cards.get(key)
            if known is None:
                answer = self.metabase.post("/api/card", body | {"entity_id": entity_id(key)})
            else:
                answer = self.metabase.put(f"/api/card/{known}", body | {"archived": False})
            self.ids.cards[key] = answer["id"]
            return answer["id"], seen.found_card(self.metabase.get(f"/api/card/{answer['id']}"), self.ids)

        return write

    def remove_cards(self) -> None:
        """Cards of ours that the spec has no more go to Metabase's trash. Cards that people made stay."""
        ours = {entity_id(key) for key in self.wanted.cards}
        for identifier in self.ids.collections.values():
            items = self.metabase.get(f"/api/collection/{identifier}/items", models="card")
            for item in items["data"] if isinstance(items, dict) else items:
                if str(item.get("entity_id") or "").startswith("salwa_") and item["entity_id"] not in ours:
                    if not self.is_plan:
                        self.metabase.put(f"/api/card/{item['id']}", {"archived": True})
                    self.changes.append(Change("card", item["name"], "removed", ("goes to the trash",)))

    # Dashboards

    def push_dashboards(self) -> None:
        for language, wanted in self.wanted.dashboards.items():
            ordered = wanted | {"dashcards": sorted(map(dict, wanted["dashcards"]), key=seen.place_of)}
            answer = self.our_dashboard(language)
            if answer is not None:
                self.ids.dashboards[language] = answer["id"]
                self.address_links(language, ordered)
            self.settle(
                "dashboard",
                f"dashboard/{language}",
                f"{wanted['name']} ({language})",
                ordered,
                None if answer is None else seen.found_dashboard(answer, self.ids),
                self.dashboard_writer(language, ordered, answer),
                self.ids.dashboards.get(language),
                may_adopt=answer is not None and not answer.get("dashcards"),  # made by a push that broke off there
            )

    def address_links(self, language: str, wanted: dict[str, Any]) -> None:
        """Fill in what Refresh leads to, and back; in place, because it is known only once the dashboard has an id."""
        url = self.wanted.refresh(language, f"{self.site_url}/dashboard/{self.ids.dashboards[language]}")
        for dashcard in wanted["dashcards"]:
            if dashcard["card"] == LINK:
                dashcard["settings"] = link_settings(language, url or "")

    def our_dashboard(self, language: str) -> dict[str, Any] | None:
        """Ours by the id of the last push, else by its mark among those of our collection."""
        known = self.state.id_of(f"dashboard/{language}")
        if known is not None and (answer := self.metabase.get(f"/api/dashboard/{known}", missing=None)):
            return answer
        collection = self.ids.collections.get(language)
        if collection is None:
            return None
        items = self.metabase.get(f"/api/collection/{collection}/items", models="dashboard")
        listed = items["data"] if isinstance(items, dict) else items
        match = next((each for each in listed if marker(language) in (each.get("description") or "")), None)
        return None if match is None else self.metabase.get(f"/api/dashboard/{match['id']}", missing=None)

    def dashboard_writer(
        self, language: str, wanted: dict[str, Any], answer: dict[str, Any] | None
    ) -> Callable[[], tuple[int, dict[str, Any]]]:
        def write() -> tuple[int, dict[str, Any]]:
            collection = self.ids.collections[wanted["collection"]]
            current = answer
            if current is None:
                body = {"name": wanted["name"], "description": wanted["description"], "collection_id": collection}
                current = self.metabase.post("/api/dashboard", body)
                # known from now on, so that a push that breaks off here is completed, not repeated
                self.state.remember(f"dashboard/{language}", current["id"], {}, seen.found_dashboard(current, self.ids))
            self.ids.dashboards[language] = current["id"]
            self.address_links(language, wanted)
            path = f"/api/dashboard/{current['id']}"
            self.metabase.put(path, dashboard_body(wanted, current, self.ids) | {"collection_id": collection, "collection_position": 1})
            return current["id"], seen.found_dashboard(self.metabase.get(path), self.ids)

        return write

    # Who may read

    def push_group(self) -> None:
        """A group that may read our dashboards and nothing else; all others lose our collections, save administrators."""
        groups = {group["name"]: group["id"] for group in self.metabase.get("/api/permissions/group")}
        if GROUP not in groups:
            if not self.is_plan:
                groups[GROUP] = self.metabase.post("/api/permissions/group", {"name": GROUP})["id"]
            self.changes.append(Change("group", GROUP, "created"))
        else:
            self.changes.append(Change("group", GROUP, "unchanged"))
        if self.ids.database is None or GROUP not in groups or len(self.ids.collections) < len(self.wanted.collections):
            self.changes.append(Change("permissions", GROUP, "created"))
            return
        chosen = {GROUP: groups[GROUP], ALL_USERS: groups.get(ALL_USERS, 1)}
        wanted = {
            "collections": {GROUP: dict.fromkeys(self.ids.collections, "read"), ALL_USERS: dict.fromkeys(self.ids.collections, "none")},
            "queries": {GROUP: "no", ALL_USERS: "no"},
        }
        found = found_permissions(self.metabase, self.ids, chosen)

        def write() -> tuple[None, dict[str, Any]]:
            try:
                write_permissions(self.metabase, self.ids, chosen, wanted)
            except MetabaseError as error:
                if error.status != CONFLICT:
                    raise
                write_permissions(self.metabase, self.ids, chosen, wanted)  # somebody changed others between our look and our word
            return None, found_permissions(self.metabase, self.ids, chosen)

        self.settle("permissions", "permissions", GROUP, wanted, found, write, may_adopt=True)

    # A daily mail

    def push_mail(self) -> None:
        if not self.wanted.mail:
            return
        language = self.wanted.mail["language"]
        name = f"salwa {language}"
        dashboard = self.ids.dashboards.get(language)
        wanted = {"to": self.wanted.mail["to"], "hour": 8, "archived": False}
        listed = [] if dashboard is None else self.metabase.get("/api/pulse", dashboard_id=dashboard)
        match = next((each for each in listed if each.get("name") == name), None)

        def write() -> tuple[int, dict[str, Any]]:
            if not self.metabase.get("/api/session/properties").get("email-configured?"):
                raise SalwaError("Metabase cannot send mail yet: set its SMTP server (Admin settings, Email), then push again")
            dashcards = self.metabase.get(f"/api/dashboard/{dashboard}")["dashcards"]
            body = mail_body(name, dashboard, dashcards, wanted["to"], wanted["hour"])
            if match is None:
                answer = self.metabase.post("/api/pulse", body)
            else:
                answer = self.metabase.put(f"/api/pulse/{match['id']}", body | {"archived": False})
            return answer["id"], seen.found_mail(answer)

        found = None if match is None else seen.found_mail(match)
        self.settle("mail", f"mail/{language}", ", ".join(wanted["to"]), wanted, found, write, match and match["id"])
