"""Pulling Chatwoot: whatever happens meanwhile, what landed ends equal to what Chatwoot holds."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from conftest import KEY, build_landed
from fakes.chatwoot import START, TOKEN, FakeChatwoot, Moods, served, session_of
from pydantic import SecretStr

from ingestion import landing
from ingestion.chatwoot import CHATWOOT
from ingestion.chatwoot.checks import check_chatwoot
from ingestion.chatwoot.pull import pull_chatwoot
from ingestion.erasing.register import Id, people_of
from ingestion.errors import SalwaError
from ingestion.http import SourceRefused, SourceUnavailable
from ingestion.landing import landed_files, read_lines
from ingestion.loading import line_table, parse
from ingestion.pulling import Pulled
from ingestion.settings import Settings

TROUBLED = Moods(limit=0.03, error=0.03, slow=0.02, empty=0.03, no_json=0.01, repeated=0.1, drift=0.3)


class Killed(BaseException):
    """The process ends here."""


def settings_for(data: Path, url: str = "https://inbox.example.test/") -> Settings:
    return Settings(data=data, chatwoot_url=url, chatwoot_account="3", chatwoot_token=TOKEN)  # type: ignore[arg-type]


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return settings_for(tmp_path)


def pull(
    settings: Settings, fake: FakeChatwoot, depth: Any = "refresh", before: Callable[[str], None] = lambda url: None
) -> Pulled:
    return pull_chatwoot(
        settings,
        settings.workspaces()[0],
        depth,
        fake.now,
        sleep=lambda seconds: None,
        session=session_of(fake, before),
        clock=lambda: fake.now,
    )


def landed(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The rows of all that landed."""
    tables = [line_table(path, settings.landing) for path in landed_files(settings.landing, "chatwoot")]
    return {name: rows.to_pylist() for name, rows in parse(CHATWOOT, pa.concat_tables(tables))}


def newest(rows: list[dict[str, Any]], *key: str) -> dict[Any, dict[str, Any]]:
    """The row that staging takes of each key."""
    order = ("observed_at", "received_at", "landing_file", "landing_line", "position")
    found = {}
    for row in sorted(rows, key=lambda row: tuple(row[name] for name in order)):
        found[tuple(row[name] for name in key)] = row
    return found


def held(settings: Settings) -> tuple[dict[int, tuple], dict[int, tuple]]:
    """What landed, as FakeChatwoot.truth() tells it."""
    rows = landed(settings)
    assert rows["rejects"] == []
    gone = {row["conversation_id"] for row in rows["tombstones"]}
    labels: dict[str, tuple] = {}
    for (conversation,), row in newest(rows["conversation_labels"], "conversation_id").items():
        labels[conversation] = tuple(sorted(filter(None, (row["label_set"] or "").split(", "))))
    seen = {}
    for row in rows["read_marks"]:
        seen[row["conversation_id"]] = max(
            seen.get(row["conversation_id"], 0), int(row["agent_last_seen_at"].timestamp())
        )
    conversations = {
        int(key): (row["status"], labels[key], row["assignee_id"] and int(row["assignee_id"]), seen.get(key, 0))
        for (key,), row in newest(rows["conversations"], "conversation_id").items()
        if key not in gone
    }
    kinds = ("incoming", "outgoing", "activity", "template")
    messages = {
        int(key): (int(row["conversation_id"]), kinds.index(row["message_type"]), row["status"], row["is_deleted"])
        for (key,), row in newest(rows["messages"], "message_id").items()
        if row["conversation_id"] not in gone
    }
    return conversations, messages


def contact_names(settings: Settings) -> dict[int, str]:
    return {int(key): row["contact_name"] for (key,), row in newest(landed(settings)["contacts"], "contact_id").items()}


def assert_equal(settings: Settings, fake: FakeChatwoot) -> None:
    conversations, messages = held(settings)
    true_conversations, true_messages = fake.truth()
    assert conversations == true_conversations
    assert messages == true_messages


def grown(seed: int, events: int = 700) -> FakeChatwoot:
    fake = FakeChatwoot(seed=seed)
    fake.live(events)
    fake.moods = Moods()
    return fake


# --- what is pulled ----------------------------------------------------------------------------------------------------


def test_that_a_backfill_lands_everything_and_another_run_hardly_anything(shop: Settings) -> None:
    fake = grown(1, 1500)
    for one in (one for rows in fake.messages.values() for one in rows):
        one["status"] = "read"  # nothing is left to be heard of
    first = pull(shop, fake)
    assert_equal(shop, fake)
    assert contact_names(shop) == {n: one["name"] for n, one in fake.contacts.items()}
    assert first.problems == []
    asked = fake.questions
    second = pull(shop, fake)
    assert fake.questions - asked < asked / 5
    assert second.pages == len(("agents", "inboxes", "teams", "labels")) + len(("all", "open", "live"))
    assert {row["call"] for row in landed(shop)["other_objects"]} == {
        "GET /conversations/meta?status=all",
        "GET /conversations/meta?status=open",
        "GET /live_reports/conversation_metrics",
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("touches", [True, False])
def test_that_backfill_and_increments_under_every_trouble_end_equal(shop: Settings, seed: int, touches: bool) -> None:
    fake = grown(seed)
    fake.moods = Moods(**(vars(TROUBLED) | {"touches": touches}))
    for depth in ("refresh", "refresh", "nightly", "refresh"):
        pull(shop, fake, depth)
        fake.live(60, seconds=60)
    fake.moods = Moods(**(vars(TROUBLED) | {"drift": 0.0}))
    pull(shop, fake, "nightly")
    pull(shop, fake, "nightly")  # an empty answer may hide a page from one run, not from the next
    assert_equal(shop, fake)
    assert contact_names(shop) == {n: one["name"] for n, one in fake.contacts.items()}


def test_that_refreshes_alone_see_reads_deliveries_and_messages_that_touch_nothing(shop: Settings) -> None:
    fake = grown(3, 300)
    fake.moods.touches = False
    pull(shop, fake)
    told = next(one for one in fake.conversations.values() if one["status"] == "open")
    fake.now += timedelta(minutes=30)
    fake.say(told["id"], 1, "on its way")
    pull(shop, fake)
    fake.now += timedelta(minutes=30)
    told["seen_at"] = fake.stamp()
    fake.messages[told["id"]][-1].update(status="delivered", updated_at=fake.now.timestamp())
    pull(shop, fake)
    assert_equal(shop, fake)


def test_that_an_old_message_deleted_is_seen_by_the_next_refresh(shop: Settings) -> None:
    fake = grown(4, 200)
    pull(shop, fake)
    fake.now += timedelta(days=20)
    pull(shop, fake)
    told = next(one for one in fake.conversations.values() if any(m["kind"] == 1 for m in fake.messages[one["id"]]))
    first = next(one for one in fake.messages[told["id"]] if one["kind"] == 1)
    fake.now += timedelta(minutes=10)
    first.update(deleted=True, updated_at=fake.now.timestamp())
    told["updated_at"] = fake.now.timestamp()
    pull(shop, fake)
    assert_equal(shop, fake)


def test_that_a_long_conversation_and_messages_out_of_order_are_read_whole(shop: Settings) -> None:
    fake = FakeChatwoot()
    number = fake.begin()
    for n in range(430):
        fake.now += timedelta(seconds=20)
        fake.say(number, n % 2, f"line {n}")
    for n, one in enumerate(fake.messages[number][100:400]):  # an import gave them times of its own
        one["at"] += ((n * 37) % 61) * 60
    pull(shop, fake)
    assert_equal(shop, fake)


def test_that_a_deletion_while_pages_are_read_skips_nothing(shop: Settings) -> None:
    fake = FakeChatwoot(seed=5)
    for _ in range(130):
        fake.begin()
    victims = iter((3, 4, 30, 31, 32, 33, 60, 5, 6, 61))

    def delete_one(path: str) -> None:
        if path.endswith("/conversations") and (victim := next(victims, None)):
            fake.vanish(victim)

    fake.before_answer = delete_one
    pull(shop, fake)
    assert set(fake.conversations) <= set(held(shop)[0])  # those deleted after they were shown may be there
    pull(shop, fake, "nightly")
    assert_equal(shop, fake)


def test_that_what_vanished_gets_a_tombstone_and_what_is_only_hidden_does_not(shop: Settings) -> None:
    fake = grown(6, 900)
    pull(shop, fake)
    fake.moods = Moods(empty=0.2)
    for number in [*sorted(fake.conversations)[2:30:5], max(fake.conversations)]:
        fake.vanish(number)
    assert landed(shop)["tombstones"] == []
    fake.now += timedelta(hours=1)
    pull(shop, fake)
    assert landed(shop)["tombstones"] == []
    pull(shop, fake, "nightly")
    pull(shop, fake, "nightly")
    assert sorted(int(row["conversation_id"]) for row in landed(shop)["tombstones"]) == sorted(fake.deleted)
    assert_equal(shop, fake)


def test_that_many_vanish_only_when_missing_two_nights_in_a_row(shop: Settings) -> None:
    fake = grown(7, 900)
    pull(shop, fake)
    everything = dict(fake.conversations), dict(fake.messages)
    victims = sorted(fake.conversations)[10:70]
    for number in victims:
        fake.vanish(number)
    pulled = pull(shop, fake, "nightly")
    assert landed(shop)["tombstones"] == []
    assert any("cannot be found" in problem for problem in pulled.problems)
    fake.conversations, fake.messages = everything  # they were only hidden
    fake.deleted.clear()
    assert pull(shop, fake, "nightly").problems == []
    assert_equal(shop, fake)
    for number in victims:
        fake.vanish(number)
    pull(shop, fake, "nightly")
    pull(shop, fake, "nightly")
    assert len(landed(shop)["tombstones"]) == len(victims)
    assert_equal(shop, fake)


def test_that_what_is_deleted_is_no_longer_open_and_stays_counted(shop: Settings) -> None:
    """Total, messages and the days before stay; open equals what Chatwoot itself counts, before and after."""
    shop.phone_key = SecretStr(KEY)
    fake = grown(6, 400)
    pull(shop, fake)
    before = figures_of(shop, fake)
    assert before["open"] == open_count(fake)
    victim = max(
        number
        for number, told in fake.conversations.items()
        if told["status"] == "open" and fake.messages[number][-1]["kind"] == 0
    )
    fake.vanish(victim)
    fake.now += timedelta(days=1)
    pull(shop, fake, "nightly")
    after = figures_of(shop, fake)
    assert after["open"] == before["open"] - 1 == open_count(fake)
    for name in ("total", "messages", "open_then"):
        assert after[name] == before[name], name
    assert after["gone"] == [(str(victim), "closed", "automation", False, False, False)]
    fake.conversations[victim], fake.messages[victim] = fake.graves[victim]  # it was hidden, and a webhook tells of it
    told = fake.conversation_object(victim) | {"updated_at": (fake.now + timedelta(minutes=5)).timestamp()}
    body = {"event": "conversation_updated", "account": {"id": fake.account}} | told
    day = fake.now.date().isoformat()
    with landing.LandingWriter(shop.landing, "default", "chatwoot", "receive-1", day=day) as writer:
        writer.append(landing.Delivery(json.dumps(body).encode(), "webhook", (fake.now + timedelta(hours=1)).isoformat()))
    fake.now += timedelta(hours=1)
    again = figures_of(shop, fake)
    assert again["gone"] == []
    assert again["open"] == before["open"] == open_count(fake)


def open_count(fake: FakeChatwoot) -> int:
    """What Chatwoot counts as not resolved."""
    return sum(fake.count(status) for status in ("open", "pending", "snoozed"))


def figures_of(settings: Settings, fake: FakeChatwoot) -> dict[str, Any]:
    """What the facts say now: open, total, messages, open at the end of the fake's first day, and what is gone."""
    as_of = fake.now + timedelta(seconds=1)
    build_landed(settings, as_of)
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        total, is_open = warehouse.execute(
            "select count(*), count(*) filter (status = 'open') from facts.fct_conversations"
        ).fetchone()
        messages = warehouse.execute("select count(*) from facts.fct_messages where is_counted").fetchone()[0]
        open_then = warehouse.execute(
            "select count(*) from facts.fct_conversation_status "
            "where status = 'open' and from_at < $1 and (to_at is null or to_at >= $1)",
            [START + timedelta(hours=12)],
        ).fetchone()[0]
        gone = warehouse.execute(
            "select ticket_number, status, closed_by, is_unread, is_waiting, is_waiting_after_close "
            "from facts.fct_conversations where gone_at is not null"
        ).fetchall()
    return {"total": total, "open": is_open, "messages": messages, "open_then": open_then, "gone": gone}


def test_that_an_answer_of_nothing_wipes_nothing(shop: Settings) -> None:
    fake = grown(8, 300)
    pull(shop, fake)
    fake.moods = Moods(empty=1.0)
    pull(shop, fake, "nightly")
    assert landed(shop)["tombstones"] == []
    fake.moods = Moods()
    pull(shop, fake, "nightly")
    assert_equal(shop, fake)


def test_that_secrets_of_a_channel_do_not_land(shop: Settings) -> None:
    pull(shop, grown(9, 50))
    text = b"\n".join(line for path in landed_files(shop.landing, "chatwoot") for line in read_lines(path))
    assert b"a-secret-of-meta" not in text
    assert TOKEN.encode() not in text
    assert b"800000000000001" in text


def test_that_lines_name_their_call_account_and_time(shop: Settings) -> None:
    fake = grown(10, 50)
    pull(shop, fake)
    lines = [json.loads(line) for path in landed_files(shop.landing, "chatwoot") for line in read_lines(path)]
    assert {line["account"] for line in lines} == {"3"}
    assert all(datetime.fromisoformat(line["received_at"]).utcoffset() == timedelta() for line in lines)
    kinds = {line["kind"] for line in lines}
    assert "GET /conversations?status=all&sort_by=created_at_asc&page=1" in kinds
    assert "GET /conversations/1/messages?after=0" in kinds


def test_that_another_address_begins_anew(shop: Settings) -> None:
    fake = grown(11, 60)
    pull(shop, fake)
    asked = len(fake.asked)
    pull(settings_for(shop.data, "https://moved.example.test"), fake)
    assert any("/messages?after=0" in one for one in fake.asked[asked:])


# --- refusals ----------------------------------------------------------------------------------------------------------


def test_that_a_refused_token_is_one_clear_line(shop: Settings) -> None:
    fake = grown(12, 50)
    fake.is_expired = True
    with pytest.raises(SourceRefused, match="SALWA_CHATWOOT_TOKEN") as refused:
        pull(shop, fake)
    assert refused.value.status == 401
    assert "\n" not in str(refused.value)
    assert fake.questions == 1


def test_that_another_account_is_one_clear_line(shop: Settings) -> None:
    fake = grown(12, 50)
    fake.account = 4
    with pytest.raises(SourceRefused, match="SALWA_CHATWOOT_ACCOUNT"):
        pull(shop, fake)


def test_that_what_came_before_a_failure_is_kept(shop: Settings) -> None:
    fake = grown(13, 400)

    def fail_later(path: str) -> None:
        fake.moods.error = 1.0 if fake.questions > 30 else 0.0

    fake.before_answer = fail_later
    with pytest.raises(SourceUnavailable):
        pull(shop, fake)
    assert len(landed(shop)["conversations"]) > 20
    fake.before_answer = lambda path: None
    fake.moods = Moods()
    asked = len(fake.asked)
    pull(shop, fake)
    assert_equal(shop, fake)
    read_before = [one for one in fake.asked[:asked] if "/messages?" in one]
    assert len(read_before) > 3
    assert not set(read_before[:-18]) & set(fake.asked[asked:])  # what was read is not read again


def test_that_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, chatwoot_url="https://inbox.example.test")
    with pytest.raises(SalwaError, match="SALWA_CHATWOOT_ACCOUNT, SALWA_CHATWOOT_TOKEN"):
        pull(settings, FakeChatwoot())


def test_that_waiting_obeys_what_was_asked_for(shop: Settings) -> None:
    fake = grown(14, 50)
    fake.moods = Moods(limit=0.3)
    waits: list[float] = []
    pull_chatwoot(
        shop, shop.workspaces()[0], "refresh", fake.now, waits.append, session=session_of(fake), clock=lambda: fake.now
    )
    assert 7.0 in waits
    assert_equal(shop, fake)


def test_that_a_long_wait_ends_the_run_and_nothing_is_asked_before(shop: Settings) -> None:
    fake = grown(15, 300)
    fake.moods = Moods(limit=1.0)
    fake.retry_after = "1800"
    until = (fake.now + timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M UTC")
    first = pull(shop, fake)
    assert [f"come back at {until}" in line for line in first.problems] == [True]
    fake.moods = Moods()
    for _ in range(2):
        assert f"{until}; nothing was asked" in pull(shop, fake).problems[0]
    assert fake.questions == 1
    fake.now += timedelta(minutes=31)
    assert pull(shop, fake).problems == []
    assert_equal(shop, fake)
    assert pull(shop, fake).problems == []


def test_that_a_long_wait_in_the_middle_keeps_what_came(shop: Settings) -> None:
    fake = grown(16, 900)
    fake.retry_after = "1800"
    fake.before_answer = lambda path: setattr(fake, "moods", Moods(limit=float(fake.questions > 12)))
    assert pull(shop, fake).pages > 5
    fake.before_answer = lambda path: None
    fake.moods = Moods()
    fake.now += timedelta(minutes=31)
    assert pull(shop, fake).problems == []
    assert_equal(shop, fake)


# --- kills -------------------------------------------------------------------------------------------------------------


def kill_at(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> Callable[[str], None]:
    """Ends the run at a question or at a step of landing, now or somewhat later; each run at another point."""
    left = [chance.randint(1, 120)]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    for name in ("append", "finish", "publish"):
        whole = getattr(landing.LandingWriter, name)

        def step(self: Any, *args: Any, _whole: Callable = whole, _is_after: bool = chance.random() < 0.5) -> Any:
            if not _is_after:
                count()
            done = _whole(self, *args)
            if _is_after:
                count()
            return done

        monkeypatch.setattr(landing.LandingWriter, name, step)
    return count


def test_that_thirty_killed_runs_end_equal(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.pulling.BATCH_LINES", 7)
    monkeypatch.setattr("ingestion.pulling.BATCH_STEPS", 20)
    fake = grown(15, 900)
    chance = random.Random(15)
    kills = 0
    while kills < 30:
        with monkeypatch.context() as patched:
            try:
                pull(shop, fake, chance.choice(("refresh", "nightly")), kill_at(patched, chance))
            except Killed:
                kills += 1
        fake.live(5)
    fake.vanish(sorted(fake.conversations)[3])
    pull(shop, fake)
    pull(shop, fake, "nightly")
    assert_equal(shop, fake)


def child(data: Path, url: str, now: datetime, depth: str) -> None:
    settings = settings_for(data, url)
    # as in life: the moment an answer comes is the puller's own
    pull_chatwoot(settings, settings.workspaces()[0], depth, now, sleep=lambda seconds: None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def forker() -> Iterator[Any]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ingestion.chatwoot.pull", "tests.ingestion.test_chatwoot_pull"])
    return context


def test_that_pulls_killed_from_outside_end_equal(shop: Settings, forker: Any) -> None:
    fake = grown(16, 400)
    chance = random.Random(16)
    running: list[Any] = []
    left = [0]

    def kill(path: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(running[0].pid, signal.SIGKILL)

    fake.before_answer = kill
    killed = 0
    with served(fake) as url:
        for depth in ["refresh"] * 8 + ["nightly"] * 2 + ["refresh", "nightly"]:
            left[0] = chance.randint(2, 45) if killed < 10 else -1
            running[:] = [forker.Process(target=child, args=(shop.data, url, fake.now, depth))]
            running[0].start()
            running[0].join(timeout=50)
            killed += running[0].exitcode == -signal.SIGKILL
            fake.live(3)
        left[0] = -1
        for _ in range(2):
            running[:] = [forker.Process(target=child, args=(shop.data, url, fake.now, "nightly"))]
            running[0].start()
            running[0].join(timeout=50)
            assert running[0].exitcode == 0
    assert killed >= 6
    assert_equal(shop, fake)
    assert not list(shop.landing.rglob("*.partial"))


def test_that_two_pulls_at_once_take_turns(shop: Settings, forker: Any) -> None:
    fake = grown(17, 300)
    with served(fake) as url:
        pulls = [forker.Process(target=child, args=(shop.data, url, fake.now, "refresh")) for _ in range(2)]
        for one in pulls:
            one.start()
        for one in pulls:
            one.join(timeout=50)
        assert [one.exitcode for one in pulls] == [0, 0]
    assert_equal(shop, fake)
    first_pages = [one for one in fake.asked if "/messages?after=0" in one]
    assert len(first_pages) == len(fake.conversations)  # the second found everything read


# --- checks ------------------------------------------------------------------------------------------------------------


def check(settings: Settings, fake: FakeChatwoot) -> dict[str, bool]:
    found = check_chatwoot(settings, settings.workspaces()[0], sleep=lambda seconds: None, session=session_of(fake))
    assert all(one.advice for one in found if not one.is_good)
    return {one.what.split(":", maxsplit=1)[0]: one.is_good for one in found}


def test_that_the_check_says_what_is_missing(shop: Settings, tmp_path: Path) -> None:
    fake = grown(18, 20)
    assert check(shop, fake) == {"settings": True, "address": True, "token": True, "account": True, "rights": True,
                                 "inboxes": True, "webhook": False}  # fmt: skip
    fake.is_admin = False
    assert not check(shop, fake)["rights"]
    fake.account = 9
    assert not check(shop, fake)["account"]
    fake.is_expired = True
    assert not check(shop, fake)["token"]
    fake.moods = Moods(error=1.0)
    assert not check(shop, fake)["address"]
    assert not check(Settings(data=tmp_path), fake)["Chatwoot"]


def test_that_a_pull_brings_nobody_back_who_was_erased(shop: Settings) -> None:
    fake = grown(4, 200)
    settings = shop.model_copy(update={"phone_key": SecretStr("a-key-for-tests-0123456789abcdef")})
    chosen = next(iter(fake.contacts.values()))
    people = people_of(settings, "default", begin=True)
    assert people is not None
    people.add([Id("phone", chosen["phone"].lstrip("+"))])
    pull(settings, fake)
    told = "".join(line.decode() for path in landed_files(settings.landing, "chatwoot") for line in landing.read_lines(path))
    assert chosen["phone"].lstrip("+") not in told
    assert all(one["phone"] in told for one in fake.contacts.values() if one is not chosen)
    assert len(held(settings)[1]) == len(fake.truth()[1]), "every message is there all the same"
