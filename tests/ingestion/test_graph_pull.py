"""Pulling Graph: Meta's own counts end equal, asked for once a day is settled; refusals are one clear line."""

from __future__ import annotations

import contextlib
import itertools
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fakes.chatwoot import Moods, session_of
from fakes.graph import ACCOUNT, TOKEN, FakeGraph

from ingestion.errors import SalwaError
from ingestion.http import SourceRefused, SourceUnavailable
from ingestion.landing import landed_files, read_lines
from ingestion.loading import line_table, parse
from ingestion.pulling import Pulled
from ingestion.settings import Settings
from ingestion.whatsapp import WHATSAPP
from ingestion.whatsapp.graph import check_whatsapp, pull_graph, spans

TROUBLED = Moods(error=0.1, slow=0.05, empty=0.05, repeated=0.5)


class Killed(BaseException):
    """The process ends here."""


def settings_for(data: Path, account: str = ACCOUNT) -> Settings:
    return Settings(data=data, whatsapp_graph_token=TOKEN, whatsapp_business_account=account)  # type: ignore[arg-type]


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return settings_for(tmp_path)


def pull(
    settings: Settings,
    fake: FakeGraph,
    waits: list[float] | None = None,
    before: Callable[[str], None] = lambda url: None,
) -> Pulled:
    return pull_graph(
        settings,
        settings.workspaces()[0],
        fake.now,
        sleep=(waits if waits is not None else []).append,
        session=session_of(fake, before),
        clock=lambda: fake.now,
    )


def landed(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    tables = [line_table(path, settings.landing) for path in landed_files(settings.landing, "whatsapp")]
    return {name: rows.to_pylist() for name, rows in parse(WHATSAPP, pa.concat_tables(tables))}


def volumes(settings: Settings, metric: str = "pricing") -> dict[tuple[datetime, str], int]:
    """{(day, category): volume}, the newest answer's."""
    found = {}
    rows = [row for row in landed(settings)["graph_points"] if row["metric"] == metric]
    for row in sorted(rows, key=lambda row: (row["received_at"], row["landing_file"], row["landing_line"])):
        assert row["business_account"] == ACCOUNT
        found[row["starts_at"], row["category"]] = row["volume"]
    return found


def test_that_a_year_then_only_what_may_have_changed_is_fetched(shop: Settings) -> None:
    fake = FakeGraph()
    pull(shop, fake)
    assert len(volumes(shop)) == len(fake.truth())
    for days in (0, 1, 1, 5):
        fake.now += timedelta(days=days)
        asked = len(fake.asked)
        pull(shop, fake)
        starts = [int(found[1]) for url in fake.asked[asked:] if (found := re.search(r"start%28(\d+)", url))]
        assert len(starts) == 3
        oldest = fake.now - datetime.fromtimestamp(min(starts), UTC)
        assert timedelta(days=3 + days) <= oldest < timedelta(days=4 + days)
    truth = fake.truth()
    for metric in ("pricing", "conversations"):
        assert {key: value for key, value in volumes(shop, metric).items() if key in truth} == truth
    assert landed(shop)["rejects"] == []
    assert landed(shop)["events"] == []


@pytest.mark.parametrize("seed", range(4))
def test_that_every_trouble_ends_equal(shop: Settings, seed: int) -> None:
    fake = FakeGraph(seed=seed, moods=TROUBLED)
    for _ in range(4):
        pull(shop, fake)
        fake.now += timedelta(days=1, hours=5)
    pull(shop, fake)
    truth = fake.truth()
    assert {key: value for key, value in volumes(shop).items() if key in truth} == truth
    objects = landed(shop)["graph_objects"]
    assert {row["object_id"] for row in objects if row["object_kind"] == "phone_number"} == {"800000000000001"}
    assert len({row["object_id"] for row in objects if row["object_kind"] == "template"}) == fake.templates


def test_that_killed_runs_end_equal(shop: Settings) -> None:
    fake = FakeGraph(seed=9)
    chance = random.Random(9)
    for _ in range(30):
        left = [chance.randint(1, 45)]

        def count(url: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        with contextlib.suppress(Killed):
            pull(shop, fake, before=count)
        fake.now += timedelta(hours=7)
    pull(shop, fake)
    truth = fake.truth()
    assert {key: value for key, value in volumes(shop).items() if key in truth} == truth
    assert not list(shop.landing.rglob("*.partial"))


def test_that_a_hidden_cost_is_unknown_and_not_nothing(shop: Settings) -> None:
    pull(shop, FakeGraph(hides_cost=True))
    assert {row["cost"] for row in landed(shop)["graph_points"]} == {None}


def test_that_no_token_lands(shop: Settings) -> None:
    pull(shop, FakeGraph())
    text = b"\n".join(line for path in landed_files(shop.landing, "whatsapp") for line in read_lines(path))
    assert TOKEN.encode() not in text
    assert b"access_token=[redacted]" in text


def test_that_an_expired_token_is_one_clear_line(shop: Settings) -> None:
    fake = FakeGraph(is_expired=True)
    with pytest.raises(SourceRefused, match="SALWA_WHATSAPP_GRAPH_TOKEN") as refused:
        pull(shop, fake)
    assert "\n" not in str(refused.value)
    assert len(fake.asked) == 1


def test_that_a_missing_right_and_a_wrong_account_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="whatsapp_business_management"):
        pull(settings_for(tmp_path), FakeGraph(lacks_right=True))
    with pytest.raises(SourceRefused, match="SALWA_WHATSAPP_BUSINESS_ACCOUNT"):
        pull(settings_for(tmp_path, "1"), FakeGraph())
    with pytest.raises(SalwaError, match="SALWA_WHATSAPP_BUSINESS_ACCOUNT"):
        pull(settings_for(tmp_path, ""), FakeGraph())


@pytest.mark.parametrize("code", [4, 80007])
def test_that_a_throttle_is_waited_for(shop: Settings, code: int) -> None:
    waits: list[float] = []
    fake = FakeGraph(throttles=2, throttle_code=code)
    pull(shop, fake, waits)
    assert waits[:2] == [60.0, 120.0]
    assert len(volumes(shop)) == len(fake.truth())


def test_that_a_lasting_throttle_gives_up_until_the_next_run(shop: Settings) -> None:
    with pytest.raises(SourceUnavailable):
        pull(shop, FakeGraph(throttles=99))


def test_that_one_kind_of_count_missing_leaves_the_others(shop: Settings) -> None:
    fake = FakeGraph(lacks="conversation_analytics")
    pulled = pull(shop, fake)
    assert [problem.split(" of ")[0] for problem in pulled.problems] == ["conversation_analytics"]
    assert len(volumes(shop)) == len(fake.truth())


@pytest.mark.parametrize("hours", [0, 1, 12, 23])
def test_that_stretches_meet_and_stay_within_a_year(hours: int) -> None:
    now = datetime(2026, 9, 21, hours, 30, tzinfo=UTC)
    found = spans(None, now)
    assert found[0][0] > now - timedelta(days=365)
    assert found[-1][1] == now
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(end - start <= timedelta(days=30) for start, end in found)
    again = spans((now - timedelta(days=9)).isoformat(), now)
    assert again[0][0] == datetime(2026, 9, 9, tzinfo=UTC)


def test_that_the_check_says_what_is_missing(shop: Settings, tmp_path: Path) -> None:
    def check(settings: Settings, fake: FakeGraph) -> list[bool]:
        found = check_whatsapp(settings, settings.workspaces()[0], lambda seconds: None, session_of(fake))
        assert all(one.advice for one in found if not one.is_good)
        return [one.is_good for one in found]

    assert check(shop, FakeGraph()) == [True, True, True, True]
    assert check(shop, FakeGraph(is_expired=True)) == [True, False]
    assert check(Settings(data=tmp_path), FakeGraph()) == [True]  # nobody asked for it
    assert check(Settings(data=tmp_path, whatsapp_business_account="800000000000001"), FakeGraph()) == [False]


def test_that_a_long_wait_ends_the_run_and_nothing_is_asked_before(shop: Settings) -> None:
    fake = FakeGraph(seed=9, closed_for="1800")
    assert "come back at 2026-09-21 08:30 UTC" in pull(shop, fake).problems[0]
    fake.closed_for = ""
    assert "nothing was asked" in pull(shop, fake).problems[0]
    assert len(fake.asked) == 1
    fake.now += timedelta(minutes=31)
    assert pull(shop, fake).problems == []
    assert volumes(shop)
    assert pull(shop, fake).problems == []
