"""Until when each source is known in full: by pulls that came to their end and by the receiver's heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.salla.pull import parts
from ingestion.settings import Settings
from ingestion.source_states import (
    NIGHTLY_PARTS,
    SourceState,
    attempts_file,
    basis_of,
    forget_attempts,
    is_stale,
    note_attempt,
    note_outcome,
    plain_problem,
    source_states,
)
from ingestion.state import state_file, write_state

NINE = datetime(2026, 10, 2, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def only(settings: Settings) -> SourceState:
    (state,) = source_states(settings)
    return state


def own_state(data: Path, source: str, **told: object) -> None:
    write_state(state_file(data, "default", source), told)


def beat(data: Path, **worker: object) -> None:
    write_state(data / "state" / "receiver-heartbeat.json", {"workers": {"1": {"at": TEN.isoformat(), **worker}}})


@pytest.mark.parametrize(("source", "own"), [("chatwoot", "chatwoot"), ("whatsapp", "graph")])
def test_a_pull_that_came_to_its_end_knows_everything_up_to_its_beginning(
    source: str, own: str, settings: Settings
) -> None:
    note_attempt(settings.data, "default", source, NINE)
    assert only(settings) == SourceState("default", source, "pull", NINE, None, None)
    own_state(settings.data, own, last_success=(NINE + timedelta(minutes=2)).isoformat())
    note_outcome(settings.data, "default", source, NINE, ["no counts", "no labels"])
    assert only(settings) == SourceState("default", source, "pull", NINE, NINE, "no counts (and 1 more)")


def test_a_pull_that_fails_or_is_killed_keeps_what_was_known(settings: Settings) -> None:
    own_state(settings.data, "chatwoot", last_success=NINE.isoformat())
    note_outcome(settings.data, "default", "chatwoot", NINE, [])
    note_attempt(settings.data, "default", "chatwoot", TEN)  # killed: no outcome
    assert only(settings) == SourceState("default", "chatwoot", "pull", TEN, NINE, None)
    note_outcome(settings.data, "default", "chatwoot", TEN, ["the token has expired"])
    assert only(settings) == SourceState("default", "chatwoot", "pull", TEN, NINE, "the token has expired")
    forget_attempts(settings.data, "default", "chatwoot")
    assert source_states(settings) == []


def test_of_sallas_parts_the_one_that_lags_most_counts(settings: Settings) -> None:
    """The nightly part is not expected each hour; a part that never came to its end is a problem, not a delay."""
    ends = {"newest orders": TEN, "carts": NINE, "orders again": NINE - timedelta(hours=9)}
    own_state(settings.data, "salla", successes={name: at.isoformat() for name, at in ends.items()})
    note_outcome(settings.data, "default", "salla", TEN, ["invoices: the right is missing"])
    assert only(settings) == SourceState("default", "salla", "pull", TEN, NINE, "invoices: the right is missing")
    own_state(settings.data, "salla", successes={"carts": (TEN + timedelta(minutes=1)).isoformat()})
    note_outcome(settings.data, "default", "salla", TEN, [])
    assert only(settings).last_success_at == TEN


def test_the_nightly_parts_are_those_a_refresh_leaves_out() -> None:
    hourly, nightly = ({name for name, _ in parts(depth)} for depth in ("refresh", "nightly"))
    assert nightly - hourly == NIGHTLY_PARTS


def test_the_receiver_stands_for_the_webhooks_it_takes(settings: Settings) -> None:
    beat(settings.data)
    assert source_states(settings) == []
    connected = settings.model_copy(update={"whatsapp_app_secret": "secret"})
    assert only(connected) == SourceState("default", "whatsapp", "receiver", TEN, TEN, None)
    beat(settings.data, landed={"default/salla": 2, "other/chatwoot": 1})
    assert only(settings) == SourceState("default", "salla", "receiver", TEN, TEN, None)


def test_a_receiver_that_refuses_everything_or_cannot_write_says_so(settings: Settings) -> None:
    connected = settings.model_copy(update={"whatsapp_app_secret": "secret"})
    beat(settings.data, refused={"whatsapp 401": 7, "salla 401": 2})
    assert "refused all 7" in str(only(connected).problem)
    beat(settings.data, refused={"whatsapp 401": 7}, landed={"default/whatsapp": 1})  # a stranger knocks
    assert only(connected).problem is None
    beat(settings.data, write_errors=3, last_write_error="No space left on device")
    assert "could not write 3 times: No space left on device" in str(only(connected).problem)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"workers": []}', '{"workers": {"1": 7}}', '{"last_attempt": 3}'])
def test_a_damaged_state_is_no_state(text: str, settings: Settings) -> None:
    connected = settings.model_copy(update={"whatsapp_app_secret": "secret"})
    for path in (settings.data / "state" / "receiver-heartbeat.json", attempts_file(settings.data, "default", "salla")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert source_states(connected) == []
    note_attempt(settings.data, "default", "salla", NINE)
    assert only(connected).last_attempt_at == NINE


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("order of +966 50 000 0001 is odd", "is odd", "966"),
        ("token EAAGm0PX4ZCpsBAKZCZCabcdef0123456789abcdef was refused", "was refused", "EAAG"),
        ("ask noura@example.com\nnow", "now", "noura"),
        ("https://inbox.example.test/api/v1/accounts/3/conversations answers 404", "inbox.example.test", "\n"),
        ("set SALWA_CHATWOOT_WEBHOOK_PATH_TOKEN", "SALWA_CHATWOOT_WEBHOOK_PATH_TOKEN", "…"),
        ("x " * 500, "x x", "x " * 130),
    ],
)
def test_a_problem_is_one_line_without_numbers_or_secrets(text: str, kept: str, gone: str) -> None:
    found = plain_problem(text)
    assert kept in found
    assert gone not in found


def test_which_door_brings_everything() -> None:
    pull, receiver = (SourceState("w", "x", kind, NINE, NINE, None) for kind in ("pull", "receiver"))
    assert basis_of("chatwoot", [pull, receiver]) == "pull"
    assert basis_of("salla", [receiver]) == "receiver"
    assert basis_of("whatsapp", [pull, receiver]) == "receiver"
    assert basis_of("whatsapp", [pull]) == "import"
    assert basis_of("inbox", []) == "import"
    assert is_stale("receiver", NINE, NINE + timedelta(minutes=11))
    assert not is_stale("pull", NINE, NINE + timedelta(hours=3))
    assert is_stale("pull", None, NINE)
