"""Each source is asked alone: what goes wrong with one is said, and stops nobody else."""

from __future__ import annotations

import pytest

from ingestion.errors import SalwaError
from ingestion.pulling import Pulled
from ingestion.settings import Settings
from orchestration import pulls


def test_without_a_key_nothing_is_asked(settings: Settings) -> None:
    for source in pulls.PULLED_SOURCES:
        assert pulls.pull(settings, source, "refresh") == pulls.SourcePull(0, [])


@pytest.mark.parametrize(
    ("error", "says"),
    [(SalwaError("the token has expired"), "the token has expired"), (KeyError("token=s3cret"), "broke off with KeyError")],
)
def test_a_pull_that_fails_is_said_and_never_raised(
    error: Exception, says: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Pulled:
        raise error

    monkeypatch.setattr(pulls, "is_connected", lambda *_: True)
    monkeypatch.setattr(pulls, "puller", lambda source: fails)
    found = pulls.pull(settings, "chatwoot", "refresh")
    assert found.lines == 0
    assert len(found.problems) == 1
    assert says in found.problems[0]
    assert "s3cret" not in found.problems[0]


def test_what_a_pull_could_not_do_stands_beside_what_it_landed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls, "is_connected", lambda *_: True)
    monkeypatch.setattr(pulls, "puller", lambda source: lambda *_: Pulled(pages=3, problems=["no labels"]))
    assert pulls.pull(settings, "chatwoot", "refresh") == pulls.SourcePull(3, ["default: no labels"])
