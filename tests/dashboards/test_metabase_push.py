"""`salwa dashboards push` against a Metabase of our own that keeps state and checks each request against the contract."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED, needs_shared
from fakes.metabase import ADMIN, KEY, FakeMetabase, contract_problem, serving
from pydantic import SecretStr
from typer.testing import CliRunner

from dashboards.metabase.push import Push, push
from dashboards.metabase.readable import PLURALS
from dashboards.metabase.state import SCRYPT
from dashboards.metabase.transport import MetabaseError, version_of
from dashboards.metabase.wanted import Wanted, entity_id, known_languages, titles_chosen, wanted
from dashboards.parameters import FILTERS
from dashboards.spec import tabs
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration.cli import app

READER = "postgresql://reader:Read-Pass-1@db:5432/salwa"
VERSIONS = ("v0.56.14", "v0.60.7")
ONE = (known_languages()[0],)


def serving_tables() -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for each in FILTERS.values():
        tables.setdefault(each.table, []).append(each.column)
    return tables


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password's hash is to be dear; hundreds of pushes need not pay it."""
    monkeypatch.setitem(SCRYPT, "n", 2)


@pytest.fixture(params=VERSIONS)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeMetabase]:
    """Fails the test where a request was not of the contract."""
    fake = FakeMetabase(serving_tables(), version=request.param)
    yield fake
    assert fake.problems == []


@pytest.fixture
def metabase(fake: FakeMetabase, tmp_path: Path) -> Iterator[Settings]:
    with serving(fake) as url:
        yield settings_for(url, tmp_path)


def settings_for(url: str, folder: Path, **more: Any) -> Settings:
    return Settings(
        **{
            "data": folder,
            "metabase_url": url,
            "metabase_user": ADMIN[0],
            "metabase_password": ADMIN[1],
            "metabase_database_url": READER,
            **more,
        }
    )


FEW = ("data_as_of", "total_conversations", "peak_map", "waiting_now", "messages", "tag_usage")


def few(settings: Settings, **options: Any) -> Wanted:
    """What is wanted in one language with a few cards, one of each display: most tests need no more."""
    what = wanted(settings, ONE, **options)

    def is_kept(key: str) -> bool:
        return key.partition("/")[2].partition(".")[0] in (*FEW, "")

    cards = {key: card for key, card in what.cards.items() if is_kept(key)}
    dashboard = what.dashboards[ONE[0]]
    kept = [card for card in dashboard["dashcards"] if is_kept(card["card"])]
    return replace(what, cards=cards, dashboards={ONE[0]: dashboard | {"dashcards": kept}})


def pushed(settings: Settings, what: Wanted | None = None, **options: Any) -> Push:
    """A push in one language without waiting."""
    return push(settings, what or few(settings), sleep=lambda _seconds: None, **options)


def actions(done: Push) -> Counter[str]:
    return Counter(change.action for change in done.changes)


def by_action(done: Push, action: str) -> list[tuple[str, str]]:
    return [(change.kind, change.name) for change in done.changes if change.action == action]


def test_a_fresh_metabase_is_set_up_whole(fake: FakeMetabase, metabase: Settings) -> None:
    what = wanted(metabase)
    done = pushed(metabase, what)

    languages = known_languages()
    assert fake.users == [ADMIN]
    assert set(actions(done)) <= {"created", "changed", "unchanged"}
    assert len(fake.cards) == len(what.cards) == len(languages) * sum(
        (2 if card.display == "figure" else 1) + (card.behind is not None) for tab in tabs() for card in tab.cards
    )
    assert len(fake.collections) == len(fake.dashboards) == len(languages)
    for dashboard in fake.dashboards.values():
        assert len(dashboard["tabs"]) == len(tabs())
        assert dashboard["parameters"][0]["default"] == "thismonth"
        assert {card["card_id"] for card in dashboard["dashcards"]} <= set(fake.cards)
    (database,) = fake.databases.values()
    assert database["details"]["schema-filters-patterns"] == "facts,marts"
    assert database["details"]["password"] == "Read-Pass-1"
    assert fake.settings["report-timezone"] == "Asia/Riyadh"
    assert {column["has_field_values"] for column in fake.columns.values() if column["name"] != "local_date"} == {"list"}
    (window,) = [each for each in next(iter(fake.dashboards.values()))["parameters"] if each["slug"] == "window"]
    assert (window["type"], window["default"], window["isMultiSelect"]) == ("number/=", [3], False)


def test_every_filter_of_a_tab_reaches_the_cards_that_have_it(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase, wanted(metabase, ONE))
    (dashboard,) = fake.dashboards.values()
    names = {identifier: key.partition("/")[2].removesuffix(".notes") for key, identifier in done.ids.cards.items()}
    cards = {card.name: (card, tab) for tab in tabs() for card in tab.cards}
    for dashcard in dashboard["dashcards"]:
        card, tab = cards[names[dashcard["card_id"]]]
        mapped = {mapping["target"][1][1] for mapping in dashcard["parameter_mappings"]}
        # there is one workspace, so nobody chooses one
        assert mapped == set(tab.filters) & set(card.filters) - {"workspace"}
        assert all(mapping["card_id"] == dashcard["card_id"] for mapping in dashcard["parameter_mappings"])


def test_a_workspace_is_chosen_where_there_are_several(fake: FakeMetabase, metabase: Settings) -> None:
    (metabase.data / "workspaces.toml").write_text("[workspaces.a]\n[workspaces.b]\n", encoding="utf-8")
    pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    assert "workspace" in [parameter["slug"] for parameter in dashboard["parameters"]]


def test_cards_of_a_tab_do_not_overlap(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase, wanted(metabase.model_copy(update={"public_url": "https://salwa", "refresh_secret": SecretStr("s")}), ONE))
    (dashboard,) = fake.dashboards.values()
    cells = [
        (card["dashboard_tab_id"], row, col)
        for card in dashboard["dashcards"]
        for row in range(card["row"], card["row"] + card["size_y"])
        for col in range(card["col"], card["col"] + card["size_x"])
    ]
    assert max(Counter(cells).values()) == 1


@pytest.mark.parametrize("tidies", [False, True])
def test_a_second_push_writes_nothing(fake: FakeMetabase, metabase: Settings, tidies: bool) -> None:
    fake.tidies = tidies
    pushed(metabase)
    fake.forget_requests()
    done = pushed(metabase)
    assert fake.writes == []
    assert set(actions(done)) == {"unchanged"}


def test_without_its_memory_a_push_still_finds_what_is_ours(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    (metabase.data / "metabase.json").unlink()
    fake.forget_requests()
    done = pushed(metabase)
    assert fake.writes == []
    # the password cannot be compared, the zone is no longer known to be ours
    assert set(actions(done)) == {"unchanged"}


def test_a_newer_metabase_changes_nothing(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    fake.upgrade("v0.61.2")
    fake.forget_requests()
    assert set(actions(pushed(metabase))) == {"unchanged"}
    assert fake.writes == []


def test_a_plan_writes_nothing_and_says_what_a_push_does(fake: FakeMetabase, metabase: Settings) -> None:
    plan = pushed(metabase, is_plan=True)
    assert fake.writes == []
    assert not (metabase.data / "metabase.json").exists()
    done = pushed(metabase)
    told = {change.name for change in plan.changes if change.kind in ("card", "dashboard", "collection")}
    assert told == {change.name for change in done.changes if change.kind in ("card", "dashboard", "collection")}
    assert all(change.action == "created" for change in plan.changes)


def test_a_plan_on_a_server_without_our_things(fake: FakeMetabase, metabase: Settings) -> None:
    fake.users.append(ADMIN)
    plan = pushed(metabase, is_plan=True)
    assert fake.writes == []
    assert "unchanged" not in actions(plan)
    assert any("--site-settings" in line for line in plan.advice)


def changed_spec(settings: Settings, key: str, **changes: Any) -> Wanted:
    """What is wanted with one card of the spec changed."""
    what = few(settings)
    return replace(what, cards={**what.cards, key: what.cards[key] | changes})


def test_a_changed_card_alone_is_written(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    fake.forget_requests()
    key = f"{ONE[0]}/messages"
    what = changed_spec(metabase, key, sql=few(metabase).cards[key]["sql"] + "\nlimit 1")
    done = pushed(metabase, what)
    (card,) = [change for change in done.changes if change.action == "changed"]
    assert fake.writes == [("PUT", f"/api/card/{done.ids.cards[key]}")]
    assert "limit 1" in " ".join(card.details)
    assert not card.was_edited


def test_an_edit_by_hand_is_shown_left_and_overwritten_when_asked(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    key = f"{ONE[0]}/messages"
    card = fake.cards[done.ids.cards[key]]
    ours = card["name"]
    card["name"] = "Boss's own title"
    fake.forget_requests()

    for is_plan in (True, False):
        again = pushed(metabase, is_plan=is_plan)
        (edited,) = [change for change in again.changes if change.action == "edited"]
        assert "Boss's own title" in edited.details[0]
        assert ours in edited.details[0]
        assert fake.writes == []
    # the edit stands against a change of the spec as well
    assert by_action(pushed(metabase, changed_spec(metabase, key, description="New words")), "edited")
    assert card["name"] == "Boss's own title"

    (overwritten,) = [change for change in pushed(metabase, may_overwrite=True).changes if change.action == "changed"]
    assert overwritten.was_edited
    assert card["name"] == ours
    fake.forget_requests()
    pushed(metabase)
    assert fake.writes == []


def test_a_card_moved_on_the_dashboard_is_an_edit(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    dashboard["dashcards"][0]["row"] += 30
    fake.forget_requests()
    done = pushed(metabase)
    assert [kind for kind, _name in by_action(done, "edited")] == ["dashboard"]
    assert fake.writes == []
    pushed(metabase, may_overwrite=True)
    assert [path for verb, path in fake.writes] == [f"/api/dashboard/{dashboard['id']}"]


def place_on(dashboard: dict[str, Any], identifier: int) -> dict[str, Any]:
    return next(card["visualization_settings"] for card in dashboard["dashcards"] if card["card_id"] == identifier)


def test_a_click_leads_to_the_rows_by_their_id_and_is_ours(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    ids = {key.partition("/")[2]: identifier for key, identifier in done.ids.cards.items()}
    click = place_on(dashboard, ids["total_conversations"])["click_behavior"]
    rows = fake.cards[click["targetId"]]
    assert click["targetId"] == ids["total_conversations.rows"]
    # where the dashboard has no date, none is passed on, and the question must not take one of its own
    assert not [parameter for parameter in rows["parameters"] if "default" in parameter]
    # led elsewhere by hand: shown, and brought back when asked
    click["targetId"] = ids["messages"]
    fake.forget_requests()
    again = pushed(metabase)
    assert [kind for kind, _name in by_action(again, "edited")] == ["dashboard"]
    assert fake.writes == []
    pushed(metabase, may_overwrite=True)
    assert place_on(dashboard, ids["total_conversations"])["click_behavior"]["targetId"] == rows["id"]


def test_a_click_passes_on_what_was_clicked(fake: FakeMetabase, metabase: Settings) -> None:
    """A chart as a whole, a table by the columns that say what a row is about; a plain text is a variable of the query."""
    done = pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    ids = {key.partition("/")[2]: identifier for key, identifier in done.ids.cards.items()}
    by_day = place_on(dashboard, ids["messages"])["click_behavior"]
    assert by_day["targetId"] == ids["messages.rows"]
    assert {"type": "column", "id": "local_date", "name": "local_date"} in [each["source"] for each in by_day["parameterMapping"].values()]
    (by_weekday,) = place_on(dashboard, ids["peak_map"])["column_settings"].values()
    assert by_weekday["click_behavior"]["targetId"] == ids["peak_map.rows"]
    assert "weekday_name" in [each["source"]["id"] for each in by_weekday["click_behavior"]["parameterMapping"].values()]
    parameters = {each["slug"]: each for each in fake.cards[ids["peak_map.rows"]]["parameters"]}
    assert parameters["weekday"]["target"] == ["variable", ["template-tag", "weekday"]]
    fake.forget_requests()
    pushed(metabase)
    assert fake.writes == []


def test_a_deleted_dashboard_is_made_again(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    fake.dashboards.clear()
    fake.forget_requests()
    done = pushed(metabase)
    assert [kind for kind, _name in by_action(done, "created")] == ["dashboard"]
    (dashboard,) = fake.dashboards.values()
    assert len(dashboard["dashcards"]) == len(few(metabase).dashboards[ONE[0]]["dashcards"])


def test_what_was_put_in_the_trash_comes_back_with_its_id(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    dashboard["archived"] = True
    card = fake.cards[done.ids.cards[f"{ONE[0]}/messages"]]
    card["archived"] = True
    again = pushed(metabase)
    assert {kind for kind, _name in by_action(again, "restored")} == {"dashboard", "card"}
    assert (dashboard["archived"], card["archived"]) == (False, False)
    assert set(actions(pushed(metabase))) == {"unchanged"}


def test_a_renamed_collection_is_found_and_left(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    (collection,) = fake.collections.values()
    collection["name"] = "Shop numbers"
    fake.forget_requests()
    done = pushed(metabase)
    assert [kind for kind, _name in by_action(done, "edited")] == ["collection"]
    assert fake.writes == []
    assert len(fake.collections) == 1
    pushed(metabase, may_overwrite=True)
    assert collection["name"] == few(metabase).collections[ONE[0]]["name"]


def test_a_collection_whose_mark_was_taken_away_is_known_by_its_id(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    (collection,) = fake.collections.values()
    collection["description"] = None
    pushed(metabase)
    assert len(fake.collections) == 1


def test_what_is_not_ours_is_not_touched(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    collection = done.ids.collections[ONE[0]]
    own = fake.cards[done.ids.cards[f"{ONE[0]}/messages"]]
    stranger = {**copy.deepcopy(own), "id": 9001, "entity_id": "theirs_theirs_theirs_", "name": "Theirs"}
    named_alike = {"id": 9002, "name": next(iter(fake.collections.values()))["name"], "archived": False, "description": None}
    fake.cards[9001] = stranger
    fake.collections[9002] = named_alike
    fake.dashboards[9003] = {
        "id": 9003, "name": "Theirs", "description": None, "collection_id": collection, "archived": False, "dashcards": [],
    }  # fmt: skip
    before = copy.deepcopy((stranger, named_alike, fake.dashboards[9003]))
    what = changed_spec(metabase, f"{ONE[0]}/messages", description="New words")
    pushed(metabase, what, may_overwrite=True)
    assert (fake.cards[9001], fake.collections[9002], fake.dashboards[9003]) == before


def test_a_card_that_left_the_spec_goes_to_the_trash(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    what = few(metabase)
    key = f"{ONE[0]}/messages"
    dashboards = copy.deepcopy(what.dashboards)
    dashboards[ONE[0]]["dashcards"] = [card for card in dashboards[ONE[0]]["dashcards"] if card["card"] != key]
    cards = {name: card for name, card in what.cards.items() if name != key}
    again = pushed(metabase, replace(what, cards=cards, dashboards=dashboards))
    assert by_action(again, "removed") == [("card", fake.cards[done.ids.cards[key]]["name"])]
    assert fake.cards[done.ids.cards[key]]["archived"]


def test_wrong_credentials_are_named(fake: FakeMetabase, metabase: Settings) -> None:
    fake.users.append(("other@example.com", "Other-Pass-1"))
    with pytest.raises(MetabaseError, match="SALWA_METABASE_API_KEY"):
        pushed(metabase)
    with pytest.raises(MetabaseError, match="SALWA_METABASE_API_KEY"):
        pushed(settings_for(metabase.metabase_url or "", metabase.data, metabase_api_key="mb_wrong"))
    assert fake.writes == []


def test_a_key_is_enough_for_a_server_that_is_set_up(fake: FakeMetabase, metabase: Settings) -> None:
    fake.users.append(("other@example.com", "Other-Pass-1"))
    settings = settings_for(metabase.metabase_url or "", metabase.data, metabase_api_key=KEY, metabase_user=None)
    pushed(settings)
    assert fake.dashboards
    assert ("POST", "/api/setup") not in fake.writes
    # a Metabase that others set up keeps its zone and week
    assert fake.settings["report-timezone"] is None
    pushed(settings, with_site_settings=True)
    assert fake.settings["report-timezone"] == "Asia/Riyadh"


def test_a_server_that_is_not_set_up_needs_a_user(fake: FakeMetabase, metabase: Settings) -> None:
    settings = settings_for(metabase.metabase_url or "", metabase.data, metabase_api_key=KEY, metabase_user=None)
    with pytest.raises(SalwaError, match="SALWA_METABASE_USER"):
        pushed(settings)


def test_a_session_that_runs_out_is_renewed(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    fake.expired_sessions = 1
    assert set(actions(pushed(metabase))) == {"unchanged"}


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/api/database"),
        ("POST", "/api/collection"),
        ("POST", "/api/card"),
        ("POST", "/api/dashboard"),
        ("PUT", "/api/dashboard"),
        ("POST", "/api/permissions/group"),
        ("PUT", "/api/permissions/graph"),
    ],
)
@pytest.mark.parametrize("is_lost", [False, True])
def test_half_a_push_is_completed_by_the_next(
    fake: FakeMetabase, metabase: Settings, verb: str, path: str, is_lost: bool
) -> None:
    """500 at each kind of write; and an answer that is lost, after which the thing exists and nobody knows."""
    if is_lost:
        fake.drops[verb, path] = 1
    else:
        fake.failures[verb, path] = [500] * 9
    if (verb, is_lost) != ("PUT", True):  # what may be written twice is asked again
        with pytest.raises(MetabaseError):
            pushed(metabase)
        fake.failures.clear()
    pushed(metabase)
    what = few(metabase)
    kept = (fake.databases, fake.collections, fake.cards, fake.dashboards)
    assert [len(things) for things in kept] == [1, 1, len(what.cards), 1]
    assert sorted(fake.groups.values()) == ["Administrators", "All Users", "salwa readers"]
    (dashboard,) = fake.dashboards.values()
    assert len(dashboard["dashcards"]) == len(what.dashboards[ONE[0]]["dashcards"])
    fake.forget_requests()
    assert set(actions(pushed(metabase))) == {"unchanged"}
    assert fake.writes == []


def test_a_server_in_trouble_for_a_moment_is_asked_again(fake: FakeMetabase, metabase: Settings) -> None:
    fake.failures["GET", "/api/collection"] = [502, 503]
    fake.failures["POST", "/api/card"] = [429]
    fake.failures["PUT", "/api/dashboard"] = [500]
    pushed(metabase)
    assert len(fake.dashboards) == 1


def test_a_slow_sync_is_waited_for(fake: FakeMetabase, metabase: Settings) -> None:
    fake.sync_looks = 20
    pushed(metabase)
    assert fake.dashboards
    assert not [path for _verb, path in fake.writes if path.endswith("sync_schema")]


def test_a_sync_that_finds_no_tables_says_what_to_do(fake: FakeMetabase, metabase: Settings) -> None:
    fake.tables = {}
    with pytest.raises(SalwaError, match="salwa refresh"):
        pushed(metabase)
    fake.tables = serving_tables()  # published meanwhile
    pushed(metabase)
    assert fake.dashboards


def test_readers_may_read_and_nothing_else(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    group = next(str(identifier) for identifier, name in fake.groups.items() if name == "salwa readers")
    database, collection = str(done.ids.database), str(done.ids.collections[ONE[0]])
    assert fake.collection_graph["groups"][group][collection] == "read"
    assert fake.collection_graph["groups"]["1"][collection] == "none"
    assert fake.collection_graph["groups"]["1"]["root"] == "write"
    assert fake.data_graph["groups"][group][database]["create-queries"] == "no"
    assert fake.data_graph["groups"]["1"][database]["create-queries"] == "no"


def test_permissions_changed_by_somebody_else_in_between(fake: FakeMetabase, metabase: Settings) -> None:
    fake.failures["PUT", "/api/permissions/graph"] = [409]
    pushed(metabase)
    assert set(actions(pushed(metabase))) == {"unchanged"}


def test_another_password_is_sent_and_kept_nowhere(fake: FakeMetabase, metabase: Settings) -> None:
    pushed(metabase)
    fake.forget_requests()
    other = settings_for(
        metabase.metabase_url or "", metabase.data, metabase_database_url=READER.replace("Read-Pass-1", "Other-2")
    )
    done = pushed(other)
    assert by_action(done, "changed") == [("database", "salwa")]
    assert next(iter(fake.databases.values()))["details"]["password"] == "Other-2"
    assert "Other-2" not in (metabase.data / "metabase.json").read_text(encoding="utf-8")
    assert "Other-2" not in json.dumps([change.details for change in done.changes])
    fake.forget_requests()
    pushed(other)
    assert fake.writes == []


def test_a_subscription_lives_through_a_changed_dashboard(fake: FakeMetabase, metabase: Settings) -> None:
    done = pushed(metabase)
    (dashboard,) = fake.dashboards.values()
    shown = dashboard["dashcards"][3]
    fake.pulses[1] = {
        "id": 1,
        "name": "Theirs",
        "dashboard_id": dashboard["id"],
        "cards": [{"id": shown["card_id"], "dashboard_card_id": shown["id"]}],
    }
    what = few(metabase)
    dashboards = copy.deepcopy(what.dashboards)
    dashboards[ONE[0]]["tabs"][0] = "Renamed"
    dashboards[ONE[0]]["dashcards"][0]["size_y"] += 1
    tabs_before = [tab["id"] for tab in dashboard["tabs"]]
    again = pushed(metabase, replace(what, dashboards=dashboards))
    assert by_action(again, "changed") == [("dashboard", f"{dashboard['name']} ({ONE[0]})")]
    assert [tab["id"] for tab in dashboard["tabs"]] == tabs_before
    assert fake.pulses[1]["cards"] == [{"id": shown["card_id"], "dashboard_card_id": shown["id"]}]
    assert done.ids.dashboards == again.ids.dashboards


def test_a_daily_mail_is_made_once(fake: FakeMetabase, metabase: Settings) -> None:
    what = few(metabase, mail_to=("boss@example.com",))
    pushed(metabase, what)
    (pulse,) = fake.pulses.values()
    assert pulse["channels"][0]["recipients"] == [{"email": "boss@example.com"}]
    fake.forget_requests()
    assert set(actions(pushed(metabase, what))) == {"unchanged"}
    assert fake.writes == []


def test_a_mail_without_a_mail_server_is_refused(fake: FakeMetabase, metabase: Settings) -> None:
    fake.mails = False
    with pytest.raises(SalwaError, match="SMTP"):
        pushed(metabase, few(metabase, mail_to=("boss@example.com",)))


def test_refresh_leads_back_to_the_dashboard_it_stands_on(fake: FakeMetabase, metabase: Settings) -> None:
    from dashboards.refresh_link import refresh_url

    fake.settings["site-url"] = "https://numbers.example.com/"
    settings = settings_for(
        metabase.metabase_url or "", metabase.data, public_url="https://salwa.example.com", refresh_secret="s3cret"
    )
    pushed(settings)
    (dashboard,) = fake.dashboards.values()
    text = next(card["visualization_settings"]["text"] for card in dashboard["dashcards"] if card["card_id"] is None)
    url = refresh_url(settings, ONE[0], f"https://numbers.example.com/dashboard/{dashboard['id']}")
    assert f"({url})" in text
    fake.forget_requests()
    assert set(actions(pushed(settings))) == {"unchanged"}
    assert fake.writes == []


def test_a_setting_from_the_environment_is_left(fake: FakeMetabase, metabase: Settings) -> None:
    fake.env_settings["report-timezone"] = "Europe/Paris"
    done = pushed(metabase)
    assert any("MB_REPORT_TIMEZONE" in line for line in done.advice)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "SALWA_METABASE_DATABASE_URL is not set"),
        ("duckdb:///data/x.duckdb", "is not like"),
        ("postgresql://publisher:p@db/salwa", "may only read"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_before_anything_is_asked(url: str | None, said: str) -> None:
    settings = Settings(
        **{"metabase_database_url": url, "serving_url": "postgresql://publisher:p@localhost/salwa"}
    )
    with pytest.raises(SalwaError, match=said):
        wanted(settings)


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(SalwaError, match="no language 'de'"):
        wanted(Settings(metabase_database_url=READER), ("de",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "number"), [("v0.56.2", 56), ("v1.60.7", 60), ("v0.57.0-beta", 57), ("vLOCAL_DEV", 999)]
)
def test_versions(tag: str, number: int) -> None:
    assert version_of({"version": {"tag": tag}}) == number


def test_an_old_version_is_refused() -> None:
    with pytest.raises(MetabaseError, match=r"needs 0\.56"):
        version_of({"version": {"tag": "v0.55.9"}})


def test_nothing_at_the_address(tmp_path: Path) -> None:
    with pytest.raises(MetabaseError, match="does not answer"):
        pushed(settings_for("http://127.0.0.1:9", tmp_path))


def test_entity_ids_are_stable_and_of_metabases_form() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{21}", entity_id("en/messages"))
    assert entity_id("en/messages") == entity_id("en/messages") != entity_id("ar/messages")


def test_the_data_choose_titles() -> None:
    rows = [{"range_name": "chosen", "is_closed_by_silence": True, "unread_basis": "agent_activity"}]
    keys = titles_chosen(lambda _sql, _values: rows)
    assert keys["open_conversations"] == "open_conversations.1"
    assert keys["unread_conversations"] == "unread_conversations.agent_activity"
    assert set(PLURALS) == {"ar", "en", "fr"}


@needs_shared
def test_the_contract_refuses_what_metabase_would() -> None:
    sample = json.loads((SHARED / "samples" / "metabase" / "card_scalar.json").read_text(encoding="utf-8"))
    assert contract_problem("POST", "/api/card", {}, json.dumps(sample).encode()) is None
    for broken in ({"name": ""}, {"display": "heat"}, {"dataset_query": {"lib/type": "mbql/query"}}):
        assert contract_problem("POST", "/api/card", {}, json.dumps(sample | broken).encode()) is not None


def test_the_command_tells_what_it_did(fake: FakeMetabase, metabase: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("metabase_url", "metabase_user", "data"):
        monkeypatch.setenv(f"SALWA_{name.upper()}", str(getattr(metabase, name)))
    monkeypatch.setenv("SALWA_METABASE_PASSWORD", ADMIN[1])
    monkeypatch.setenv("SALWA_METABASE_DATABASE_URL", READER)

    def salwa(*options: str) -> str:
        result = CliRunner().invoke(app, ["dashboards", "push", "--lang", ONE[0], *options], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "Would be written" in salwa("--plan")
    assert fake.writes == []
    (line,) = [line for line in salwa().splitlines() if line.strip().startswith("card ")]
    assert line.split() == ["card", str(len(fake.cards))]
    (identifier,) = fake.dashboards
    next(iter(fake.cards.values()))["name"] = "Boss's own title"
    said = salwa()
    assert "edited by hand card" in said
    assert "Boss's own title" in said
    assert f"/dashboard/{identifier}" in said
    assert "Read-Pass-1" not in said
