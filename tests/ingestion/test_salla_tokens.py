"""The tokens: one refresher, both on disk before use, and whatever dies, the pair is not lost or the file says why."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.salla import ACCESS_SECONDS, MERCHANT, NOW, FakeClock, FakeSalla

from ingestion import state
from ingestion.errors import SalwaError
from ingestion.http import SourceRefused, SourceUnavailable
from ingestion.salla import tokens
from ingestion.salla.check import check_salla
from ingestion.salla.tokens import (
    Disconnected,
    access_token,
    authorize_url,
    connection,
    exchange_code,
    expiry,
    secrets_file,
    store_tokens,
)
from ingestion.settings import Settings

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def salla(clock: FakeClock) -> FakeSalla:
    return FakeSalla(clock)


@pytest.fixture
def bare(tmp_path: Path, salla: FakeSalla) -> Iterator[Settings]:
    """Settings without tokens."""
    with salla.serving() as url:
        yield Settings(
            data=tmp_path / "data",
            salla_api=f"{url}/admin/v2",
            salla_accounts=url,
            salla_client_id="client-id",
            salla_client_secret="client-secret",  # type: ignore[arg-type]
        )


@pytest.fixture
def shop(bare: Settings, salla: FakeSalla) -> Settings:
    store_tokens(bare, "default", MERCHANT, salla.install(), NOW)
    return bare


def later(**kwargs: float) -> datetime:
    return NOW + timedelta(**kwargs)


def stored(settings: Settings) -> dict[str, Any]:
    return json.loads(secrets_file(settings, "default").read_text(encoding="utf-8"))


def near_the_end(clock: FakeClock) -> datetime:
    clock.at = NOW + timedelta(seconds=ACCESS_SECONDS - 1800)
    return clock.at


def test_only_the_owner_may_read_them(shop: Settings) -> None:
    path = secrets_file(shop, "default")
    assert path == shop.data / "secrets" / "salla-default.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.parent.chmod(0o755)
    access_token(shop, "default", later(seconds=ACCESS_SECONDS - 60))
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        ({"expires": 1796083200}, 1796083200),
        ({"expires": "1796083200"}, 1796083200),
        ({"expires": 1209600}, 500 + 1209600),
        ({"expires_in": 600}, 500 + 600),
        ({"expires": 1796083200, "expires_in": 600}, 1796083200),
        ({"expires": None, "expires_in": 600}, 500 + 600),
        ({"expires": "soon"}, 500 + ACCESS_SECONDS),
        ({}, 500 + ACCESS_SECONDS),
    ],
)
def test_an_end_is_an_instant_or_a_duration(told: dict[str, Any], ends: float) -> None:
    assert expiry(told, 500) == ends


@pytest.mark.parametrize(
    ("age", "refreshes"),
    [
        ({"days": 1}, 0),
        ({"seconds": ACCESS_SECONDS - 3700}, 0),
        ({"seconds": ACCESS_SECONDS - 3500}, 1),
        ({"days": 20}, 1),
    ],
)
def test_refreshed_an_hour_before_the_end(
    shop: Settings, salla: FakeSalla, clock: FakeClock, age: dict[str, float], refreshes: int
) -> None:
    before = stored(shop)
    clock.at = later(**age)
    token = access_token(shop, "default", clock.at)
    assert salla.refreshes == refreshes
    after = stored(shop)
    assert token == after["access_token"]
    assert (after["refresh_token"] != before["refresh_token"]) == bool(refreshes)
    assert after["merchant"] == str(MERCHANT)
    assert "refreshing_since" not in after


def test_refreshed_a_week_before_the_refresh_tokens_month_ends(shop: Settings, salla: FakeSalla) -> None:
    path = secrets_file(shop, "default")
    state.write_state(path, {**stored(shop), "expires_at": NOW.timestamp() + 90 * 86_400})
    access_token(shop, "default", later(days=22))
    assert salla.refreshes == 0
    access_token(shop, "default", later(days=23, minutes=1))
    assert salla.refreshes == 1


def test_a_rejected_token_is_exchanged_once(shop: Settings, salla: FakeSalla) -> None:
    old = stored(shop)["access_token"]
    new = access_token(shop, "default", NOW, rejected=old)
    assert new != old
    assert access_token(shop, "default", NOW, rejected=old) == new
    assert salla.refreshes == 1


def test_many_at_once_refresh_once(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    at = near_the_end(clock)

    def work() -> None:
        access_token(shop, "default", at)
        os._exit(0)

    children = [FORK.Process(target=work) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 6
    assert salla.refreshes == 1
    assert stored(shop)["access_token"] in salla.access


@pytest.mark.parametrize("point", range(1, 13))
def test_a_kill_at_any_point_of_a_refresh(shop: Settings, salla: FakeSalla, clock: FakeClock, point: int) -> None:
    """Killed before or after each step. The pair is only lost between Salla's exchange and our first byte of it."""
    at = near_the_end(clock)

    def work() -> None:
        count = 0

        def dying(original: Any) -> Any:
            def run(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = original(*args, **kwargs)
                count += 1
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return run

        for name in ("write_state", "ask_token", "pair"):
            setattr(tokens, name, dying(getattr(tokens, name)))
        Path.replace = dying(Path.replace)  # type: ignore[method-assign]
        access_token(shop, "default", at)
        os._exit(0)

    child = FORK.Process(target=work)
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    exchanged = salla.refreshes
    clock.at = NOW + timedelta(seconds=ACCESS_SECONDS + 60)
    try:
        token = access_token(shop, "default", clock.at)
    except Disconnected as error:
        # the one window that cannot be closed: Salla had exchanged, and we had written nothing of its answer
        assert exchanged == 1
        assert "interrupted" in str(error)
        assert "reinstall" in str(error)
        assert point in LOST_POINTS
    else:
        assert token in salla.access
        assert point not in LOST_POINTS
        assert salla.refreshes in (1, 2)
    assert not list(shop.data.rglob(".salla-default.json.*"))


# 1-4 the intent is written, 5 before the question, 6 after the answer, 7-8 it is read, 9 before it is written,
# 10 it is written but has no name yet, 11-12 it has
LOST_POINTS = range(6, 10)


def test_an_answer_that_never_arrives(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """Salla exchanged, the line broke: the access token in hand is used as long as it lasts, then the loss is said."""
    at = near_the_end(clock)
    old = stored(shop)["access_token"]
    salla.habits.loses_token_answers = 1
    assert access_token(shop, "default", at) == old
    known = connection(shop, "default")
    assert known is not None
    assert known.interrupted_at == at.timestamp()
    assert access_token(shop, "default", at + timedelta(minutes=10)) == old
    assert salla.refreshes == 1
    clock.at = NOW + timedelta(seconds=ACCESS_SECONDS - 60)
    with pytest.raises(Disconnected, match=r"interrupted .* reinstall"):
        access_token(shop, "default", clock.at)
    requests = len(salla.requests)
    with pytest.raises(Disconnected, match="reinstall"):
        access_token(shop, "default", clock.at)
    assert len(salla.requests) == requests  # it is not asked again
    store_tokens(shop, "default", MERCHANT, salla.install(), clock.at)
    assert access_token(shop, "default", clock.at) in salla.access


def test_no_connection_at_all_loses_nothing(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    at = near_the_end(clock)
    away = shop.model_copy(update={"salla_accounts": "http://127.0.0.1:9"})
    old = stored(shop)
    assert access_token(away, "default", at) == old["access_token"]
    assert stored(shop) == old
    clock.at = NOW + timedelta(seconds=ACCESS_SECONDS + 1)
    with pytest.raises(SourceUnavailable):
        access_token(away, "default", clock.at)
    assert stored(shop) == old
    assert access_token(shop, "default", clock.at) in salla.access


def test_invalid_grant_is_one_clear_line(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    at = near_the_end(clock)
    salla.token(
        {
            "grant_type": "refresh_token",
            "refresh_token": stored(shop)["refresh_token"],
            "client_secret": "client-secret",
        },
        0,
    )
    with pytest.raises(SourceRefused, match="reinstall the app") as caught:
        access_token(shop, "default", at)
    assert "\n" not in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert salla.alive == set()  # a second use ends everything, so there is no second


def test_a_wrong_client_does_not_break_the_connection(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    wrong = shop.model_copy(update={"salla_client_id": "client-id"})
    object.__setattr__(wrong, "salla_client_secret", type(shop.salla_client_secret)("wrong"))
    clock.at = NOW + timedelta(seconds=ACCESS_SECONDS + 1)
    with pytest.raises(SourceRefused, match="SALWA_SALLA_CLIENT_ID"):
        access_token(wrong, "default", clock.at)
    assert access_token(shop, "default", clock.at) in salla.access


def test_without_client_settings_the_token_is_used_as_long_as_it_lasts(shop: Settings, clock: FakeClock) -> None:
    without = shop.model_copy(update={"salla_client_id": None})
    assert access_token(without, "default", near_the_end(clock)) == stored(shop)["access_token"]
    with pytest.raises(SalwaError, match="SALWA_SALLA_CLIENT_ID"):
        access_token(without, "default", NOW + timedelta(seconds=ACCESS_SECONDS + 1))


def test_a_late_or_repeated_delivery_brings_no_old_token_back(
    shop: Settings, salla: FakeSalla, clock: FakeClock
) -> None:
    clock.at = NOW + timedelta(minutes=1)
    first = salla.install()
    clock.at = NOW + timedelta(minutes=5)
    second = salla.install()
    assert store_tokens(shop, "default", MERCHANT, second, clock.at)
    assert not store_tokens(shop, "default", MERCHANT, first, clock.at)
    assert not store_tokens(shop, "default", MERCHANT, second, clock.at)
    access_token(shop, "default", clock.at, rejected=second["data"]["access_token"])
    fresh = stored(shop)
    assert not store_tokens(shop, "default", MERCHANT, second, clock.at)
    assert not store_tokens(shop, "default", MERCHANT, second["data"], clock.at)
    assert stored(shop) == fresh


def test_another_store_is_refused(shop: Settings, salla: FakeSalla) -> None:
    before = stored(shop)
    with pytest.raises(SalwaError, match="belongs to Salla store"):
        store_tokens(shop, "default", 42, salla.install(), NOW)
    assert stored(shop) == before


@pytest.mark.parametrize("payload", [{}, {"data": {}}, {"access_token": None}, {"data": {"access_token": 5}}])
def test_an_authorization_without_tokens_is_refused(bare: Settings, payload: dict[str, Any]) -> None:
    with pytest.raises(SalwaError, match="access_token"):
        store_tokens(bare, "default", MERCHANT, payload, NOW)
    with pytest.raises(SalwaError, match="no Salla tokens"):
        access_token(bare, "default", NOW)


def test_a_workspace_cannot_name_another_file(bare: Settings) -> None:
    with pytest.raises(SalwaError, match="not a workspace"):
        store_tokens(bare, "../x", MERCHANT, {"access_token": "a"}, NOW)


def test_custom_mode(bare: Settings, salla: FakeSalla) -> None:
    salla.habits.says_expires_in = True
    url = authorize_url(bare, "https://shop.example.com/back", "orders.read offline_access", "abc")
    assert "client_id=client-id" in url
    assert "client-secret" not in url
    with pytest.raises(SourceRefused, match="log in again"):
        exchange_code(bare, "default", "bad-code", "https://shop.example.com/back", NOW)
    assert exchange_code(bare, "default", "good-code", "https://shop.example.com/back", NOW) == str(MERCHANT)
    assert access_token(bare, "default", NOW) in salla.access
    assert stored(bare)["expires_at"] == NOW.timestamp() + ACCESS_SECONDS


def test_check_tells_an_ended_connection_from_a_missing_scope(shop: Settings, salla: FakeSalla) -> None:
    """A scope that is missing costs no refresh; a token that is refused is exchanged, as a pull would, or the loss is said."""
    salla.habits.missing_scopes = {"store", "orders"}
    assert any("scope" in found.advice for found in check_salla(shop, "default", NOW))
    assert salla.refreshes == 0
    salla.habits.missing_scopes = set()
    salla.access.clear()
    assert all(found.is_good for found in check_salla(shop, "default", NOW))
    assert salla.refreshes == 1
    salla.alive.clear()
    last = check_salla(shop, "default", NOW)[-1]
    assert not last.is_good
    assert "salwa salla-login" in last.advice


def test_a_lock_that_is_held_is_waited_for_no_longer_than_asked(bare: Settings, salla: FakeSalla) -> None:
    path = secrets_file(bare, "default")
    with state.locked(path), pytest.raises(state.LockTaken):
        store_tokens(bare, "default", MERCHANT, salla.install(), NOW, patience=0.1)
    assert connection(bare, "default") is None
    assert store_tokens(bare, "default", MERCHANT, salla.install(), NOW, patience=0.1)
