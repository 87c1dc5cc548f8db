"""How people name a channel, a tag or an agent to `salwa figures`."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dashboards.figures import named
from ingestion.errors import SalwaError

KNOWN = "select channel, channel_name, phone_number from facts.dim_channels"


@pytest.fixture
def serving() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema facts")
        connection.execute(
            "create table facts.dim_channels as select * from (values "
            "('w', '8001', 'Sales', '966110000001'), ('w', 'desk', 'desk', null), ('w', '8002', 'sales', null), ('v', '8003', 'Other', '966110000003')"
            ") as t (workspace, channel, channel_name, phone_number)"
        )
        yield connection


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("Sales", "Sales"),
        ("sales", "sales"),
        ("SALES", "Sales"),
        (" desk ", "desk"),
        ("8001", "Sales"),
        ("+966 11 000 0001", "Sales"),
        ("00966110000001", "Sales"),
        ("966-11-000-0001", "Sales"),
    ],
)
def test_a_channel_by_id_name_in_any_case_or_phone_number(serving: duckdb.DuckDBPyConnection, wanted: str, meant: str) -> None:
    assert named(serving, "w", "channel", wanted, KNOWN) == [meant]


@pytest.mark.parametrize("wanted", ["Other", "966110000003", "+", ""])
def test_what_is_not_there_is_said(serving: duckdb.DuckDBPyConnection, wanted: str) -> None:
    with pytest.raises(SalwaError, match="there is Sales, desk, sales"):
        named(serving, "w", "channel", wanted, KNOWN)
