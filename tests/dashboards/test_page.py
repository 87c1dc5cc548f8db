"""The page in a browser, from its file: what it says against `salwa figures`, in three languages, and for everybody."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SHOP_END

from dashboards.figures import figures
from dashboards.page.database import sqlite_sql
from dashboards.page.preview import current_page, handler, write_preview
from dashboards.page.write import write_page
from dashboards.parameters import filled
from dashboards.serving import CURRENT, open_serving
from dashboards.spec import LANGUAGES, all_cards, tabs
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration.console import duration_text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FIGURES = [card for tab in tabs() for card in tab.cards if card.figure and card.sql == "figures"]
PRESETS = ("today", "yesterday", "last_7_days", "last_30_days", "this_month", "last_month")
DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")


@pytest.fixture(scope="module")
def serving(shop) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_serving(shop[0]) as connection:
        yield connection


@pytest.fixture(scope="module")
def file(serving, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "preview.html"
    assert write_page(serving, path, "en") == path.stat().st_size
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Look:
    """A page that is looked at, with what it asked for and complained about."""

    def __init__(self, browser: Any, file: Path, viewport: dict[str, int] = DESK, theme: str = "light", hash_: str = "") -> None:
        self.context = browser.new_context(
            viewport=viewport, color_scheme=theme, timezone_id="America/Los_Angeles", reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.address = file.as_uri()
        self.page.goto(f"{self.address}#{hash_}")
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def act(self, action: Callable[[], Any]) -> None:
        """Do something that draws the cards anew, and wait until they are."""
        before = self.page.locator("html").get_attribute("data-ready")
        action()
        self.page.wait_for_selector(f'html[data-ready]:not([data-ready="{before}"])', state="attached")

    def go(self, **state: str) -> None:
        told = "&".join(f"{name}={value}" for name, value in state.items())
        if self.page.url.rpartition("#")[2] != told:
            self.act(lambda: self.page.evaluate("told => { location.hash = told; }", told))

    def value(self, card: str) -> tuple[str, str]:
        """(the number behind it, what is shown) of a figure."""
        node = self.page.locator(f'[data-card="{card}"]')
        return node.get_attribute("data-value"), node.locator(".value").inner_text()

    def close(self) -> None:
        """Nothing went wrong, and nothing was asked of any other place."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("data:", "blob:", self.address))] == []
        self.context.close()


@pytest.fixture
def look(browser, file) -> Iterator[Callable[..., Look]]:
    looks: list[Look] = []

    def start(**options: Any) -> Look:
        looks.append(Look(browser, options.pop("file", file), **options))
        return looks[-1]

    yield start
    for each in looks:
        each.close()


def dates_of(preset: str, serving) -> tuple[date, date]:
    return serving.execute("select from_date, to_date from facts.dim_periods where period = ?", [preset]).fetchone()


def check_figures(page: Look, found: dict[str, Any], language: str) -> None:
    """Each figure on the page is that of `salwa figures`, and is written as its kind reads."""
    for card in FIGURES:
        name = card.figure.value
        number, shown = page.value(card.name)
        wanted = found[name]
        if wanted is None:
            assert (number, shown) == ("", "–"), card.name
            continue
        assert abs(float(number) - float(wanted)) < 2e-6, (card.name, number, wanted)
        kind = card.columns[name].kind
        if kind == "count":
            assert re.sub(r"[\s,\u200f\u202f\u00a0]", "", shown) == str(wanted), card.name
        elif kind == "seconds" and language == "en":
            assert re.sub(r"(\d) days?", r"\1 d", shown) == duration_text(wanted), card.name
        assert not re.search(r"[\u0660-\u0669]", shown)  # Latin digits unless set otherwise


@in_browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_presets_and_any_dates_and_filters_say_what_salwa_figures_says(language: str, look, serving) -> None:
    page = look(hash_=f"lang={language}")
    seen = set()
    for preset in PRESETS:
        page.act(lambda preset=preset: page.page.click(f"#preset-{preset}"))
        first, last = dates_of(preset, serving)
        check_figures(page, figures(serving, first, last), language)
        seen.add(page.value("total_conversations"))
    assert len(seen) == len(PRESETS)
    chance = random.Random(LANGUAGES.index(language))
    tags = [tag for (tag,) in serving.execute("select distinct tag from facts.fct_tags order by 1").fetchall()]
    for _ in range(3):
        first = SHOP_END - timedelta(days=chance.randrange(62))
        last = first + timedelta(days=chance.randrange(30))
        channel = chance.choice([None, "WhatsApp Sales", "WhatsApp Support"])
        tag = chance.choice([None, *tags])
        told = {name: value for name, value in (("channel", channel), ("tag", tag)) if value}
        page.go(lang=language, range="custom", **{"from": first.isoformat(), "to": last.isoformat()}, **told)
        check_figures(page, figures(serving, first, last, channel=channel, tag=tag), language)


@in_browser
def test_the_dates_of_presets_and_what_they_are_compared_with(look, serving) -> None:
    page = look().page
    today = SHOP_END.isoformat()
    for preset in PRESETS:
        row = serving.execute(
            "select from_date, to_date, previous_from_date, previous_to_date from facts.dim_periods where period = ?", [preset]
        ).fetchone()
        first, last, previous_first, previous_last = (each.isoformat() for each in row)
        assert page.evaluate("([preset, today]) => salwa.presetDates(preset, today)", [preset, today]) == [first, last]
        compared = page.evaluate("([dates, today]) => salwa.previousDates(dates, today)", [[first, last], today])
        assert compared == [previous_first, previous_last], preset
    # the 31st has no such day in the month before; a range that reaches past today ends there
    assert page.evaluate("salwa.previousDates(['2026-05-01', '2026-05-31'], '2026-05-31')") == ["2026-04-01", "2026-04-30"]
    assert page.evaluate("salwa.previousDates(['2026-05-10', '2026-05-31'], '2026-05-12')") == ["2026-05-07", "2026-05-09"]


@in_browser
def test_the_page_fills_sql_as_python_does(look) -> None:
    page = look().page
    values = {"date": ["2026-11-01", "2026-11-03"], "workspace": ["default"], "channel": ["a", "b"], "tag": ["c"], "agent": ["d"], "window": [7]}
    for card in all_cards():
        for chosen in ({}, values, *({name: value} for name, value in values.items()), {**values, "tag": []}):
            sql, taken = filled(card.text, chosen)
            wanted = {f"${name}": value.isoformat() if isinstance(value, date) else value for name, value in taken.items()}
            found = page.evaluate("([name, chosen]) => salwa.filled(name, chosen)", [card.sql, chosen])
            assert found == {"sql": sqlite_sql(sql), "values": wanted}, card.name


@in_browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_keeps_people_out(language: str, browser, file) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for viewport, theme in ((DESK, "light"), (PHONE, "dark")):
        page = Look(browser, file, viewport, theme, f"lang={language}&tag=shipping")
        for tab in [tab.name for tab in tabs()] if (language, theme) == ("en", "light") else ["conversations"]:
            page.go(lang=language, tag="shipping", tab=tab)
            for switch in page.page.locator(".as-table").all()[:1]:
                switch.click()
            found = Axe().run(page.page).response["violations"]
            bad = [each for each in found if each["impact"] in ("serious", "critical")]
            assert [(tab, each["id"], [node["html"][:120] for node in each["nodes"]][:3]) for each in bad] == []
        page.close()


@in_browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_leads_to_the_rows_behind_it(language: str, look) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = look(hash_=f"lang={language}&range=last_7_days&channel=WhatsApp Sales", viewport=PHONE if language == "fr" else DESK)
    for tab in ("conversations", "shop"):
        page.go(lang=language, tab=tab, range="last_7_days", **({"channel": "WhatsApp%20Sales"} if tab == "conversations" else {}))
        for card in (card for each in tabs() if each.name == tab for card in each.cards if card.figure):
            row = next(row for row in page.page.evaluate("name => salwa.rows(name)", card.sql) if row["range_name"] == "chosen")
            wanted = sum(row[name] for name in card.behind.count or (card.figure.value,))
            assert wanted > 0, card.name
            button = page.page.locator(f"#to-rows-{card.name}")
            button.focus()
            page.page.keyboard.press("Enter")
            dialog = page.page.locator("#rows")
            assert int(dialog.get_attribute("data-count")) == wanted, card.name
            assert re.sub(r"\D", "", dialog.locator("#rows-count").inner_text()) == str(wanted)
            assert dialog.locator("tbody tr").count() == min(wanted, 50)
            if wanted > 50:
                dialog.locator(".more").click()
                assert dialog.locator("tbody tr").count() == min(wanted, 250)
            assert page.page.evaluate("document.documentElement.scrollWidth") <= page.page.viewport_size["width"]
            page.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")
            assert page.page.evaluate("document.activeElement.id") == f"to-rows-{card.name}"
    page.go(lang=language, tab="conversations", range="last_7_days", channel="WhatsApp%20Sales")
    # anywhere on the card, but not on what explains it
    page.page.locator('[data-card="waiting_conversations"] .card-head .quiet').click()
    assert page.page.locator("#rows").count() == 0
    page.page.keyboard.press("Escape")
    page.page.locator('[data-card="waiting_conversations"]').click(position={"x": 20, "y": 110})
    links = page.page.locator("#rows td.is-link a")
    assert links.count() > 0
    assert all(address.startswith("https://") for address in links.evaluate_all("all => all.map((each) => each.href)"))
    assert page.page.locator("#rows").evaluate("node => getComputedStyle(node).direction") == ("rtl" if language == "ar" else "ltr")
    for _ in range(links.count() + 6):  # the keyboard never reaches the page behind
        page.page.keyboard.press("Tab")
        assert page.page.evaluate("document.activeElement === document.body || document.activeElement.closest('#rows') !== null")
    bad = [each["id"] for each in Axe().run(page.page).response["violations"] if each["impact"] in ("serious", "critical")]
    assert bad == []
    page.page.locator("#rows .round").click()
    page.page.locator("#rows").wait_for(state="detached")


@in_browser
def test_a_bar_a_cell_and_a_row_lead_to_the_rows_behind_them(look) -> None:
    page = look(hash_="lang=en")
    for tab in (tab for tab in tabs() if any(card.behind and not card.figure for card in tab.cards)):
        page.go(lang="en", tab=tab.name, range="last_30_days")
        for card in (card for card in tab.cards if card.behind and not card.figure):
            counted = page.page.evaluate(
                """([name, sql, count]) => {
                    const rows = salwa.rows(sql).filter((row) => count.some((each) => row[each]));
                    return [rows[0], rows.at(-1)].map((row) => [salwa.behind(name, row).length, count.reduce((sum, each) => sum + (row[each] ?? 0), 0)]);
                }""",
                [card.name, card.sql, list(card.behind.count or (card.chart.y if card.chart else card.shows[1:]))],
            )
            assert all(found > 0 for found, _told in counted), card.name
            assert not card.behind.count or all(found == told for found, told in counted), (card.name, counted)

    def opened() -> tuple[int, str]:
        dialog = page.page.locator("#rows")
        found = int(dialog.get_attribute("data-count")), dialog.locator(".rows-head .range").inner_text()
        page.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        return found

    page.go(lang="en", tab="conversations", range="last_7_days")
    days = page.page.evaluate("salwa.rows('daily_volume')")
    plot = page.page.locator('[data-card="new_conversations"] .plot')
    plot.locator("rect.fill").nth(2).click()
    assert opened()[0] == days[2]["new_conversations"]
    plot.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    found, words = opened()
    assert found == days[0]["new_conversations"]
    assert "13 November 2026" in words
    page.go(lang="en", tab="shop", range="last_7_days", window="7")
    row = page.page.locator('[data-card="payment_mix"] tr.leads').first
    row.click()
    found, words = opened()
    assert found == page.page.evaluate("salwa.rows('shop_by_payment_method')[0].orders")
    assert row.locator(".to-row").inner_text() in words
    row.locator(".to-row").focus()
    page.page.keyboard.press("Enter")
    assert opened() == (found, words)


@in_browser
def test_with_a_finger_the_first_touch_shows_the_values(browser, file) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    page.goto(f"{file.as_uri()}#lang=ar&range=last_7_days")
    page.wait_for_selector("html[data-ready]", state="attached")
    bar = page.locator('[data-card="new_conversations"] rect.fill').nth(3)
    bar.tap()
    assert page.locator("#tip").is_visible()
    assert page.locator("#rows").count() == 0
    bar.tap()
    assert page.locator("#rows").is_visible()
    context.close()


@in_browser
def test_the_time_after_a_chat_is_chosen_on_the_shop(look, serving) -> None:
    page = look(hash_="lang=en&tab=shop&range=this_month")
    shown = page.page.locator("#window")
    assert shown.locator("option").all_inner_texts() == ["1 day", "3 days", "7 days", "28 days"]
    assert shown.evaluate("node => node.selectedOptions[0].innerText") == "3 days"
    sold = {}
    for words, days in (("3 days", 3), ("28 days", 28), ("1 day", 1)):
        if days != 3:
            page.act(lambda words=words: shown.select_option(label=words))
            assert words in page.page.locator("#range").inner_text()
        (wanted,) = serving.execute(
            f"select sum(assisted_sales_{days}d) from marts.mart_sales_daily where local_date >= ?", [SHOP_END.replace(day=1)]
        ).fetchone()
        sold[days] = float(page.value("assisted_sales")[0])
        assert abs(sold[days] - float(wanted)) < 1e-4
    assert sold[1] < sold[3] < sold[28]
    page.page.reload()
    page.page.wait_for_selector("html[data-ready]", state="attached")
    assert float(page.value("assisted_sales")[0]) == sold[1]


@in_browser
def test_arabic_stands_from_right_to_left(look) -> None:
    page = look(hash_="lang=ar").page
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator("html").get_attribute("lang") == "ar"
    bars = page.locator('[data-card="new_conversations"] rect.fill')
    boxes = [bars.nth(number).bounding_box()["x"] for number in (0, 5, 10)]
    assert boxes == sorted(boxes, reverse=True)  # the first day is at the right
    values = page.locator('[data-card="total_conversations"] .notes bdi')
    assert values.count() > 0  # numbers stand apart from the direction of the text
    assert "إجمالي المحادثات" in page.locator('[data-card="total_conversations"] h3').inner_text()
    assert "ساع" in page.locator('[data-card="waiting_conversations"]').inner_text()


@in_browser
def test_arabic_digits_are_a_setting(look, serving, tmp_path: Path) -> None:
    written = tmp_path / "digits.html"
    write_page(serving, written, "ar", digits="arabic")
    page = look(file=written)
    number, shown = page.value("total_conversations")
    assert shown.replace("٬", "").translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")) == number
    assert re.search(r"[\u0660-\u0669]", page.page.locator("#range").inner_text())


@in_browser
def test_on_a_phone_nothing_is_wider_than_the_screen(look) -> None:
    for language in LANGUAGES:
        page = look(viewport=PHONE, hash_=f"lang={language}").page
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        first, second = (page.locator(".is-figure").nth(number).bounding_box() for number in (0, 1))
        assert first["y"] == second["y"]
        assert first["x"] != second["x"]


@in_browser
def test_it_works_without_a_mouse(look) -> None:
    page = look(hash_="lang=en").page
    button = page.locator('[data-card="total_conversations"] .quiet')
    button.focus()
    page.keyboard.press("Enter")
    about = page.locator("#about-total_conversations")
    assert about.is_visible()
    assert "at least one message" in about.inner_text()
    page.keyboard.press("Escape")
    assert about.is_hidden()
    page.locator('[data-card="new_conversations"] .plot').focus()
    page.keyboard.press("ArrowRight")
    assert re.fullmatch(r"Sunday,? 1 November: New conversations: \d+", page.locator("#spoken").inner_text())
    page.keyboard.press("ArrowRight")
    assert "2 November" in page.locator("#spoken").inner_text()
    page.locator('[data-card="new_conversations"] .as-table').focus()
    page.keyboard.press("Enter")
    rows = page.locator('[data-card="new_conversations"] tbody tr')
    assert rows.count() == SHOP_END.day


@in_browser
def test_dates_typed_by_hand_stay_in_the_address(look, serving) -> None:
    page = look(hash_="lang=en")
    page.act(lambda: page.page.click("#preset-custom"))
    page.act(lambda: page.page.fill("#from", "2026-10-05"))
    page.act(lambda: page.page.fill("#to", "2026-10-09"))
    page.act(lambda: page.page.select_option("#channel", "WhatsApp Sales"))
    found = figures(serving, date(2026, 10, 5), date(2026, 10, 9), channel="WhatsApp Sales")
    check_figures(page, found, "en")
    page.page.reload()
    page.page.wait_for_selector("html[data-ready]", state="attached")
    check_figures(page, found, "en")
    assert page.page.locator("#range").inner_text().replace("\u2009", " ").startswith("5 – 9 October 2026")


@in_browser
def test_a_filter_without_effect_says_so(look) -> None:
    page = look(hash_="lang=en&tag=shipping").page
    assert "Not filtered by: Tag" in page.locator('[data-card="new_conversations"]').inner_text()
    assert page.locator('[data-card="total_conversations"] .idle').count() == 0


@in_browser
def test_empty_dates_say_why(look) -> None:
    page = look(hash_="lang=en&range=custom&from=2020-01-01&to=2020-01-02").page
    assert "No customer began a conversation in these dates." in page.locator('[data-card="new_conversations"]').inner_text()
    assert "No turn was answered" in page.locator('[data-card="avg_response_seconds"]').inner_text()


@in_browser
def test_several_businesses_and_names_that_look_like_markup(shop, look, tmp_path: Path) -> None:
    nasty = "</script><img src=https://evil.test/x onerror=alert(1)>"
    changed = tmp_path / "two.duckdb"
    shutil.copyfile((shop[0].serving / CURRENT).resolve(), changed)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("insert into facts.dim_workspaces select * replace ('second' as workspace, 'Europe/Paris' as timezone) from facts.dim_workspaces")
        connection.execute("insert into facts.dim_dates select * replace ('second' as workspace) from facts.dim_dates")
        connection.execute("update facts.dim_channels set channel_name = ? where channel_name = 'WhatsApp Support'", [nasty])
        connection.execute("update facts.fct_conversations set conversation_url = 'javascript:alert(1)' where conversation_url is not null")
        write_page(connection, tmp_path / "two.html", "en", refresh_urls={"en": "https://salwa.example.test/refresh"})
    page = look(file=tmp_path / "two.html")
    # days and amounts of the two mean different things, so one is chosen
    assert page.page.locator("#workspace option").all_inner_texts() == ["default", "second"]
    assert int(page.value("total_conversations")[0]) > 0
    assert nasty in page.page.locator("#channel").inner_text()
    assert page.page.locator("img").count() == 0
    assert page.page.locator('[href^="javascript"]').count() == 0
    assert page.page.locator(".refresh").get_attribute("href") == "https://salwa.example.test/refresh"
    page.act(lambda: page.page.select_option("#workspace", "second"))
    assert page.value("total_conversations")[0] == "0"


@in_browser
def test_what_is_wrong_with_the_data_stands_above_the_numbers(shop, look, tmp_path: Path) -> None:
    assert look(hash_="lang=en").page.locator("#banner").inner_text() == ""
    changed = tmp_path / "stale.duckdb"
    shutil.copyfile((shop[0].serving / CURRENT).resolve(), changed)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("update marts.mart_data_health set is_stale = true where source = 'salla'")
        connection.execute("insert into marts.refresh_runs (ended_at, job, outcome, message) values ('2026-11-21', 'refresh', 'failed', 'a test')")
        write_page(connection, tmp_path / "stale.html", "en")
    page = look(file=tmp_path / "stale.html")
    assert "The last refresh failed." in page.page.locator("#banner").inner_text()
    assert "needs a look" in page.page.locator("#banner").inner_text()
    page.act(lambda: page.page.click(".to-status"))
    assert page.page.locator("#banner").inner_text() == ""
    assert page.page.locator('[data-card="source_health"] .is-bad').inner_text() == "look here"


@in_browser
def test_every_tab_draws_in_every_language(look) -> None:
    page = look(viewport=PHONE)
    for language in LANGUAGES:
        for tab in tabs():
            page.go(lang=language, tab=tab.name, range="last_30_days")
            assert page.page.locator('[aria-busy="true"]').count() == 0
            assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], (language, tab.name)


@in_browser
def test_a_page_of_the_newest_months_says_so(serving, look, tmp_path: Path) -> None:
    write_page(serving, tmp_path / "cut.html", "en", most_messages=9_000)
    page = look(file=tmp_path / "cut.html", hash_="range=last_7_days")
    assert "from 1 Nov 2026 on" in page.page.locator(".cut").inner_text()
    check_figures(page, figures(serving, *dates_of("last_7_days", serving)), "en")


def test_the_file_holds_nothing_personal_and_is_the_owners(shop, tmp_path: Path) -> None:
    settings = shop[0].model_copy(update={"data": tmp_path})
    settings.serving.symlink_to(shop[0].serving)
    written = write_preview(settings, "ar")
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600
    assert written.size < 2_500_000
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    content = json.loads(re.search(r'id="salwa-content">(.*?)</script>', written.file.read_text(encoding="utf-8"))[1])
    assert content["language"] == "ar"
    with pytest.raises(SalwaError, match="is not a folder"):
        write_preview(settings, "fr", tmp_path / "given" / "out.html")
    (tmp_path / "given").mkdir()
    elsewhere = write_preview(settings, "fr", tmp_path / "given" / "out.html")
    assert elsewhere.file.exists()


def test_ids_are_numbers_in_the_page(serving, tmp_path: Path) -> None:
    """Not even hashed ids leave the warehouse with the page."""
    from dashboards.page.database import write_database

    write_database(serving, [card.text for card in all_cards()], tmp_path / "page.sqlite")
    with sqlite3.connect(tmp_path / "page.sqlite") as database:
        for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            for _, column, kind, *_ in database.execute(f"pragma table_info({table})").fetchall():
                assert kind.lower() == "integer" or not column.endswith("_id"), (table, column)


def test_on_localhost_it_follows_what_is_published(shop, tmp_path: Path) -> None:
    import threading
    from http.client import HTTPConnection
    from http.server import ThreadingHTTPServer

    settings: Settings = shop[0].model_copy(update={"data": tmp_path})
    settings.serving.mkdir()
    version = (shop[0].serving / CURRENT).resolve()
    (settings.serving / CURRENT).symlink_to(version)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(current_page(settings, "en")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        def answer(host: str, path: str = "/") -> tuple[int, bytes]:
            connection = HTTPConnection("127.0.0.1", server.server_port)
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.read()

        local = f"localhost:{server.server_port}"
        status, body = answer(local)
        assert status == 200
        assert b"salwa-database" in body
        assert answer("evil.test:80")[0] == 403  # a name that only leads here
        assert answer(local, "/landing")[0] == 404
        # the next version, in which a channel has another name
        renamed = settings.serving / "next.duckdb"
        shutil.copyfile(version, renamed)
        with duckdb.connect(str(renamed)) as connection:
            connection.execute("update facts.dim_channels set channel_name = 'Renamed'")
            connection.execute("update marts.serving_version set version = 'next'")
        (settings.serving / CURRENT).unlink()
        (settings.serving / CURRENT).symlink_to(renamed)
        assert b'"Renamed"' in answer(local)[1]
    finally:
        server.shutdown()
        server.server_close()
