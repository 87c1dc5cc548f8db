"""What PostgreSQL is told of each served table: columns from the warehouse, keys and words from dbt, indexes from here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.errors import SalwaError

SCHEMAS = ("facts", "marts")

# What cards filter and join by. A key is an index too and is not repeated here.
INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "facts.fct_carts": (("workspace", "created_local_date"),),
    "facts.fct_conversation_status": (("from_at",),),
    "facts.fct_conversations": (
        ("workspace", "started_local_date"),
        ("workspace", "status", "waiting_since"),
        ("customer_id",),
    ),
    "facts.fct_episodes": (("workspace", "closed_local_date"), ("conversation_id",)),
    "facts.fct_messages": (("workspace", "sent_local_date"), ("workspace", "sent_at"), ("conversation_id",)),
    "facts.fct_order_items": (("order_id",),),
    "facts.fct_orders": (("workspace", "ordered_local_date"), ("conversation_id",), ("customer_id",)),
    "facts.fct_reads": (("conversation_id", "read_at"),),
    "facts.fct_refunds": (("workspace", "refunded_local_date"), ("order_id",)),
    "facts.fct_tags": (("workspace", "occurred_local_date"), ("conversation_id",)),
    "facts.fct_turns": (
        ("workspace", "started_local_date"),
        ("workspace", "answered_local_date"),
        ("conversation_id",),
    ),
    "facts.fct_unread_spans": (("workspace", "from_at"),),
    "marts.mart_agent_daily": (("workspace", "local_date"),),
    "marts.mart_campaign_daily": (("workspace", "local_date"),),
    "marts.mart_conversation_sales": (("workspace", "ordered_local_date"), ("conversation_id",)),
    "marts.mart_daily_metrics": (("workspace", "local_date"),),
    "marts.mart_hourly_metrics": (("workspace", "local_hour"),),
    "marts.mart_tag_daily": (("workspace", "local_date"),),
}

POSTGRES_TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    # text sorts by its bytes, as in DuckDB, so that the same query gives the same order
    "VARCHAR": 'text collate "C"',
}


@dataclass(frozen=True)
class Column:
    """A column as DuckDB has it."""

    name: str
    duckdb_type: str
    description: str

    @property
    def postgres_type(self) -> str:
        """The very same type in PostgreSQL.

        Raises:
            SalwaError: there is none.
        """
        if re.fullmatch(r"DECIMAL\(\d+,\d+\)", self.duckdb_type):
            return self.duckdb_type.replace("DECIMAL", "numeric")
        if self.duckdb_type not in POSTGRES_TYPES:
            raise SalwaError(f"column {self.name} has the type {self.duckdb_type}, which serving does not know")
        return POSTGRES_TYPES[self.duckdb_type]


@dataclass(frozen=True)
class Table:
    """A table of facts or marts."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    description: str
    keys: tuple[tuple[str, ...], ...]
    """Columns that identify a row; the first is the primary key."""

    @property
    def indexes(self) -> tuple[tuple[str, ...], ...]:
        return INDEXES.get(f"{self.schema}.{self.name}", ())


def served_tables(warehouse: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> list[Table]:
    """All tables of facts and marts.

    Args:
        warehouse: an open warehouse, whose tables they are.
        manifest: dbt's manifest.json, whose tests tell the keys and whose models tell the words.
    """
    models = {(node["schema"], node["alias"]): node for node in nodes_of(manifest, "model")}
    keys = unique_keys(manifest)
    found = []
    for (schema, name), columns in table_columns(warehouse).items():
        node = models.get((schema, name), {})
        described = node.get("columns", {})
        found.append(
            Table(
                schema=schema,
                name=name,
                columns=tuple(
                    Column(column, kind, described.get(column, {}).get("description", "")) for column, kind in columns
                ),
                description=node.get("description", ""),
                keys=tuple(keys.get(node.get("unique_id", ""), ())),
            )
        )
    return found


def table_columns(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(name, type) of each column, by (schema, table), in order."""
    rows = warehouse.execute(
        """
        select schema_name, table_name, column_name, data_type
        from duckdb_columns()
        where database_name = current_database() and schema_name in ('facts', 'marts') and not internal
        order by schema_name, table_name, column_index
        """
    ).fetchall()
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for schema, table, column, kind in rows:
        found[schema, table].append((column, kind))
    return found


def unique_keys(manifest: Mapping[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """Keys by the model's unique id, from dbt's tests: single columns before combinations."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for test in nodes_of(manifest, "test"):
        about = test.get("test_metadata") or {}
        columns: tuple[str, ...] = ()
        if about.get("name") == "unique":
            columns = (about["kwargs"]["column_name"],)
        elif about.get("name") == "unique_combination":
            columns = tuple(about["kwargs"]["columns"])
        if columns and test.get("attached_node"):
            found[test["attached_node"]].append(columns)
    return {model: sorted(keys, key=lambda key: (len(key), key)) for model, keys in found.items()}


def nodes_of(manifest: Mapping[str, Any], resource_type: str) -> Iterator[dict[str, Any]]:
    return (node for node in manifest["nodes"].values() if node["resource_type"] == resource_type)
