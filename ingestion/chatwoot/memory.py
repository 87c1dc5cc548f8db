"""What the pull remembers of each conversation, message and contact: how far it read, and a hash of how it looked.

One small SQLite file per workspace and account, changed in one transaction with each landed file. Losing it costs a
backfill, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

TABLES = """
create table if not exists marks (name text primary key, value text not null);
create table if not exists conversations (
    id integer primary key,
    hash text,              -- of what is told of it
    talk text,              -- of what says that its messages changed
    rest text,              -- of everything but the time of its last change
    newest_message integer, -- that a listing told of
    last_message integer not null default 0,  -- landed up to here
    todo integer not null default 0,          -- 1: messages to be read; 2: something unseen changed, perhaps an old one
    round integer,          -- the full listing that showed it last
    missing_at real,        -- first asked for in vain
    gone_at real
);
create index if not exists conversations_todo on conversations (todo) where todo > 0;
create table if not exists messages (
    id integer primary key,
    conversation integer not null,
    created_at real not null,
    hash text not null,
    is_unsettled integer not null  -- sent, and nothing heard of it since
);
create index if not exists messages_conversation on messages (conversation);
create table if not exists contacts (id integer primary key, hash text not null, round integer);
"""


def open_memory(path: Path, url: str) -> sqlite3.Connection:
    """The memory of one account, begun anew where the address is another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    memory = sqlite3.connect(path, isolation_level=None)
    memory.execute("pragma synchronous = full")
    memory.executescript(TABLES)
    memory.execute("begin")
    if mark(memory, "url", url) != url:
        for table in ("marks", "conversations", "messages", "contacts"):
            memory.execute(f"delete from {table}")
    set_mark(memory, "url", url)
    commit(memory)
    return memory


def commit(memory: sqlite3.Connection) -> None:
    """Keep what was noted, and begin the next transaction."""
    memory.execute("commit")
    memory.execute("begin")


def rollback(memory: sqlite3.Connection) -> None:
    memory.execute("rollback")
    memory.execute("begin")


def mark(memory: sqlite3.Connection, name: str, default: Any = None) -> Any:
    row = memory.execute("select value from marks where name = ?", [name]).fetchone()
    return json.loads(row[0]) if row else default


def set_mark(memory: sqlite3.Connection, name: str, value: Any) -> None:
    memory.execute("insert or replace into marks values (?, ?)", [name, json.dumps(value)])


def short_hash(*told: Any) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def note_conversation(
    memory: sqlite3.Connection, told: dict[str, Any], seen: dict[str, Any], round_: int | None
) -> bool:
    """Remember how a conversation looks; whether that is news.

    Args:
        told: hash, talk, rest and newest_message of it.
        seen: its id.
    """
    before = memory.execute("select hash, talk, rest from conversations where id = ?", [seen["id"]]).fetchone()
    is_news = before is None or before[0] != told["hash"]
    todo = 0
    if before is None or before[1] != told["talk"]:
        todo = 2 if before is not None and before[2] == told["rest"] else 1
    memory.execute(
        """
        insert into conversations (id, hash, talk, rest, newest_message, todo, round) values (?, ?, ?, ?, ?, ?, ?)
        on conflict (id) do update set
            hash = excluded.hash, talk = excluded.talk, rest = excluded.rest,
            newest_message = coalesce(excluded.newest_message, newest_message),
            -- 1 stays 1: a reason to read messages is not undone by another look
            todo = case when todo = 1 or excluded.todo = 0 then todo else excluded.todo end,
            round = coalesce(excluded.round, round), missing_at = null, gone_at = null
        """,
        [seen["id"], told["hash"], told["talk"], told["rest"], told["newest_message"], todo, round_],
    )
    return is_news
