"""Made-up WhatsApp webhooks as landing files, fast: a million messages in some seconds, the same bytes for the same seed.

They have what real ones have: repeats, statuses out of order, several in one POST or without their message, deliveries
hours or days late, lines cut short, edits, reactions, echoes of the phone app, failed sends, campaigns nobody answers,
people who show only a number or only an id, who change both, and a few who write far more often than all others.

A day has some 10,000 messages, so that more messages are more days: history grows, the business does not.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

FOLDER = Path(__file__).parent
ZONE = "Asia/Riyadh"
END = date(2026, 10, 31)  # the last day
HOUR_WEIGHTS = (3, 2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 12, 11, 9, 8, 9, 11, 13, 15, 16, 14, 10, 6)
MESSAGES_A_DAY = 10_000
MESSAGES_A_TALK = 7.15  # on average, of the draws in talks.sql
FEWEST_DAYS = 30
FILE_MESSAGES = 40_000  # so that a landing file stays below its 64 MB of text
HOUR_DELIVERIES = 5_000
LATE_TALKS = 12
LATE_BY = timedelta(days=3)


@dataclass
class Made:
    """What was written. The counts are the truth that the warehouse is held to.

    as_of: the instant right after the last delivery's hour or day.
    told: deliveries by kind, repeats and cut lines left out.
    messages: of how many messages anything was told, by who sent them; only if asked for.
    """

    as_of: datetime
    lines: int = 0
    repeats: int = 0
    cut: int = 0
    told: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How many talks, over which days."""

    messages: int
    seed: int = 1

    @property
    def days(self) -> int:
        return max(FEWEST_DAYS, self.messages // MESSAGES_A_DAY)

    @property
    def talks_a_day(self) -> int:
        return max(1, round(self.messages / MESSAGES_A_TALK / self.days))

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(END + timedelta(days=1), datetime.min.time(), ZoneInfo(ZONE))

    @property
    def begins_at(self) -> datetime:
        return self.ends_at - timedelta(days=self.days)

    @property
    def talks(self) -> int:
        return self.days * self.talks_a_day

    @property
    def block_days(self) -> int:
        return max(1, round(FILE_MESSAGES / self.talks_a_day / MESSAGES_A_TALK))


def land_history(landing: Path, plan: Plan, with_truth: bool = False) -> Made:
    """Write everything up to the end of the last day.

    Args:
        landing: the landing zone, without this history in it.
        with_truth: count the messages told of, too; for small histories.
    """
    made = Made(plan.ends_at)
    with generator(plan, plan.talks) as connection:
        for number, (first_day, end_day) in enumerate(blocks(plan), start=1):
            make_block(connection, plan, first_day * plan.talks_a_day, end_day * plan.talks_a_day, (first_day, end_day))
            until = plan.begins_at + timedelta(days=end_day)
            write_due(connection, landing_file(landing, f"history-{number:04d}"), until, made, with_truth)
        if with_truth:
            made.messages = dict(connection.execute("select kind, count(distinct message) from messages_told group by kind").fetchall())
    return made


def land_hour(landing: Path, plan: Plan) -> Made:
    """Write the hour after the history: 5,000 deliveries, some late by days, states of old messages, a link of two people."""
    as_of = plan.ends_at + timedelta(hours=1)
    made = Made(as_of)
    rush = math.ceil(HOUR_DELIVERIES / 5)
    with generator(plan, plan.talks) as connection:
        # what is said three days before and only heard of now
        set_variables(connection, ends_at=seconds(plan.ends_at - LATE_BY))
        make_block(connection, plan, plan.talks + rush, plan.talks + rush + LATE_TALKS, (plan.days - 1, plan.days))
        set_variables(connection, ends_at=seconds(plan.ends_at))
        connection.execute(
            "delete from waiting where kind = 'move' or received_us >= getvariable('ends_at') * 1000000; "
            "update waiting set received_us = getvariable('ends_at') * 1000000 + hash(body) % 3000000000"
        )
        old = max(0, plan.days - 60) * plan.talks_a_day
        set_variables(connection, first_talk=old, end_talk=old + 200)
        connection.execute(statements("talks"))
        connection.execute(statements("hour"))
        connection.execute("create temp table besides as select * from waiting; delete from waiting")
        make_block(connection, plan, plan.talks, plan.talks + rush, (plan.days, plan.days))
        connection.execute(
            f"""
            delete from waiting where received_us >= (getvariable('ends_at') + 3600) * 1000000;
            create temp table kept as
            select * from waiting
            order by received_us, body
            limit {HOUR_DELIVERIES} - (select count(*) from besides);
            delete from waiting;
            insert into waiting select * from kept union all select * from besides;
            """
        )
        write_due(connection, landing_file(landing, "hour-0001"), as_of, made, False)
    return made


def generator(plan: Plan, rush_talk: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    hours = [hour for hour, weight in enumerate(HOUR_WEIGHTS) for _ in range(weight)]
    connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false; set enable_progress_bar = false")
    set_variables(
        connection,
        seed=plan.seed,
        begins_at=seconds(plan.begins_at),
        ends_at=seconds(plan.ends_at),
        seconds=plan.days * 86400,
        talks_a_day=plan.talks_a_day,
        rush_talk=rush_talk,
        hours=hours,
    )
    connection.execute(statements("draws"))
    connection.execute(
        "create temp table waiting (message bigint, kind varchar, delivery varchar, received_us bigint, body varchar);"
        "create temp table messages_told (message bigint, kind varchar)"
    )
    return connection


def blocks(plan: Plan) -> Iterator[tuple[int, int]]:
    """(first day, day after the last) of each file."""
    for first in range(0, plan.days, plan.block_days):
        yield first, min(plan.days, first + plan.block_days)


def make_block(connection: duckdb.DuckDBPyConnection, plan: Plan, first_talk: int, end_talk: int, days: tuple[int, int]) -> None:
    """Add to `waiting` what is told of the talks from first_talk up to end_talk, and of people who move on those days."""
    begins, ends = (seconds(plan.begins_at + timedelta(days=day)) for day in days)
    set_variables(connection, first_talk=first_talk, end_talk=end_talk, block_begins_at=begins, block_ends_at=ends)
    connection.execute(statements("talks"))
    connection.execute(statements("deliveries"))


def write_due(connection: duckdb.DuckDBPyConnection, path: Path, until: datetime, made: Made, with_truth: bool) -> None:
    """Write what is received before an instant into a landing file; the rest waits for the next one."""
    bound = seconds(until) * 1_000_000
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = connection.execute(
        f"""
        select to_json(struct_pack(
            received_at := iso(received_us), kind := 'webhook', account := null, sha256 := sha256(body), body := body
        )) from waiting
        where received_us < {bound}
        order by received_us, body
        """
    )
    partial = path.with_name(f".{path.name}.partial")
    with gzip.GzipFile(filename="", fileobj=partial.open("wb"), mode="wb", compresslevel=1, mtime=0) as out:
        while lines := rows.fetchmany(20_000):
            out.write("\n".join(line for (line,) in lines).encode() + b"\n")
    partial.rename(path)
    counted = connection.execute(
        f"select delivery, kind, count(*) from waiting where received_us < {bound} group by delivery, kind"
    ).fetchall()
    for delivery, kind, count in counted:
        made.lines += count
        made.repeats += count if delivery == "repeat" else 0
        made.cut += count if delivery == "cut" else 0
        if delivery == "first":
            made.told[kind] = made.told.get(kind, 0) + count
    if with_truth:
        connection.execute(
            f"insert into messages_told select message, kind from waiting where received_us < {bound} and message is not null"
        )
    connection.execute(f"delete from waiting where received_us < {bound}")


def landing_file(landing: Path, name: str) -> Path:
    return landing / "default" / "whatsapp" / (END + timedelta(days=1)).isoformat() / f"import-{name}.ndjson.gz"


def statements(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def set_variables(connection: duckdb.DuckDBPyConnection, **values: int | list[int]) -> None:
    for name, value in values.items():
        connection.execute(f"set variable {name} = {value}{'::bigint' if isinstance(value, int) else ''}")


def seconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp())
