"""Asking politely: what Retry-After says is obeyed; where it asks for too much, nothing is asked until then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.chatwoot import session_of

from ingestion import http
from ingestion.http import ComeBackLater, SourceUnavailable
from ingestion.pulling import stay_away, told_to_stay_away

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
URL = "https://api.example.test/things"


class Answers:
    """Gives (status, headers) one after another, the last one for ever."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        self.left = list(answers)
        self.questions = 0

    def answer(self, url: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.questions += 1
        status, told = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return status, told, b"{}"


def ask(answers: Answers, **more: Any) -> list[float]:
    """The waits until the good answer."""
    waits: list[float] = []
    assert http.get(session_of(answers), URL, sleep=waits.append, **more).status_code == 200
    return waits


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_up_to_fifteen_minutes_is_obeyed_to_the_second(status: int) -> None:
    assert http.LONGEST_OBEYED == 900
    answers = Answers((status, {"Retry-After": "640"}), (status, {"Retry-After": "260"}), (200, {}))
    assert ask(answers) == [640, 260]


def test_a_longer_wait_ends_it_with_the_time_to_come_back() -> None:
    answers = Answers((429, {"Retry-After": "901"}), (200, {}))
    with pytest.raises(ComeBackLater, match="16 minutes") as raised:
        ask(answers)
    assert (raised.value.seconds, answers.questions) == (901, 1)


def test_many_short_waits_together_are_not_endless() -> None:
    answers = Answers((429, {"Retry-After": "400"}))
    with pytest.raises(ComeBackLater):
        ask(answers)
    assert answers.questions == 3


def test_a_caller_may_be_less_patient() -> None:
    with pytest.raises(ComeBackLater):
        ask(Answers((503, {"Retry-After": "30"}), (200, {})), patience=29)


def test_a_date_is_read_by_the_clock_of_the_source() -> None:
    told = {"Retry-After": "Fri, 20 Nov 2026 09:05:00 GMT", "Date": "Fri, 20 Nov 2026 09:00:30 GMT"}
    assert ask(Answers((503, told), (200, {}))) == [270]


@pytest.mark.parametrize("told", ["", "soon", "nan", "inf", "Fri, 99 Nov 2026 09:05:00 GMT"])
def test_what_is_no_time_leaves_our_own_pauses(told: str) -> None:
    waits = ask(Answers((503, {"Retry-After": told}), (503, {}), (200, {})))
    assert len(waits) == 2
    assert all(0 < wait <= http.LONGEST_WAIT for wait in waits)


def test_a_wait_in_the_past_is_none() -> None:
    assert ask(Answers((503, {"Retry-After": "-5"}), (200, {}))) == [0]


def test_without_a_word_it_is_given_up_after_some_tries() -> None:
    answers = Answers((500, {}))
    with pytest.raises(SourceUnavailable):
        ask(answers)
    assert answers.questions == http.ATTEMPTS


def test_what_is_remembered_holds_until_then_and_no_longer() -> None:
    state: dict[str, Any] = {}
    assert told_to_stay_away(state, "Chatwoot", NOW) is None
    assert "2026-11-20 09:30 UTC" in stay_away(state, "Chatwoot", NOW, 1800)
    assert "come back at 2026-11-20 09:30 UTC" in (told_to_stay_away(state, "Chatwoot", NOW) or "")
    assert told_to_stay_away(state, "Chatwoot", NOW + timedelta(seconds=1799))
    assert told_to_stay_away(state, "Chatwoot", NOW + timedelta(seconds=1800)) is None


def test_nobody_is_kept_away_for_more_than_a_day() -> None:
    state: dict[str, Any] = {}
    stay_away(state, "Chatwoot", NOW, float("1e30"))
    assert told_to_stay_away(state, "Chatwoot", NOW)
    assert told_to_stay_away(state, "Chatwoot", NOW + timedelta(days=1)) is None
    # our clock was years ahead when it was remembered
    assert told_to_stay_away(state, "Chatwoot", NOW - timedelta(days=800)) is None
    assert told_to_stay_away({"not_before": "later"}, "Chatwoot", NOW) is None
