"""A real inbox's export, and small ones with what can be wrong in them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from conftest import SHARED, needs_shared, run_stages

from dashboards.figures import figures
from dashboards.serving import open_serving
from ingestion.inbox.export import import_export
from ingestion.settings import Settings


@needs_shared
def test_real_two_party_chats(settings: Settings) -> None:
    import_export(settings.landing, "default", SHARED / "data" / "chitchat_inbox")
    run_stages(settings, "2026-11-22T12:00:00+03:00")
    with open_serving(settings) as connection:
        found = figures(connection, date(2018, 1, 1), date(2018, 12, 31))
    assert found["total_conversations"] == 7168
    assert found["messages"] == 258_145
    assert found["answered_turns"] == 66_853
    assert found["avg_response_seconds"] == Decimal("167.365459")
    assert (found["response_seconds_p50"], found["response_seconds_p90"]) == (28, 114)
    assert found["ended_episodes"] == 7197
    assert found["open_conversations"] == 0
