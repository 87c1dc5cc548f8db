"""Dagster's event log in SQLite, with connections that stay open.

Dagster opens an engine and a connection for each statement and waits for the disk after each of them. A run of the
refresh job writes over a thousand events, most of them checks: that was longer than building the models. Here each
shard keeps one engine, a batch of events is one transaction, and the write-ahead log is flushed at checkpoints. A crash
of the machine, not of the process, can lose the last events of a run's log; no number depends on it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

OPEN_SHARDS = 8  # a shard is a run; the page looks at several


class KeptOpenEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage, as dagster.yaml names it."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._of_this_thread = threading.local()
        self._known_tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> KeptOpenEventLog:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard in self._batch:
            yield self._batch[shard]
            return
        # one connection per shard, so one at a time
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    @property
    def _batch(self) -> dict[str, Connection]:
        """Connections of the batch that this thread writes, if it does."""
        return getattr(self._of_this_thread, "batch", {})

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of them or, where one cannot be stored, none."""
        shards = {INDEX_SHARD_NAME, *(event.run_id for event in events)}
        with self._db_lock, ExitStack() as open_until_stored:
            batch = {}
            for shard in sorted(shards):
                batch[shard] = open_until_stored.enter_context(self._engine(shard).connect())
                open_until_stored.enter_context(batch[shard].begin())
            self._of_this_thread.batch = batch
            try:
                for one in events:
                    self.store_event(one)
            finally:
                self._of_this_thread.batch = {}

    def has_table(self, table_name: str) -> bool:
        """Asked for each event; a table that is there stays."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None) or self._opened(shard)
        self._engines[shard] = engine
        while len(self._engines) > OPEN_SHARDS:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def _opened(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", wait_for_the_disk_at_checkpoints)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()

    def _close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()


def wait_for_the_disk_at_checkpoints(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
