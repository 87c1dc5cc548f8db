"""A year of a real wholesaler through the Salla source: sales, refunds and net equal plain sums over the same lines.

Orders are told as `order.created` events (some of them twice), as details, or as details and an answer about their lines. What was taken back is a
credit note on the customer's last order, or makes it a `restored` order where it is exactly that order's total.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from conftest import KEY, SHARED, build_landed

from ingestion.importing import import_archives
from ingestion.settings import Settings

PARQUET = SHARED / "data" / "online_retail" / "online_retail.parquet"
ZONE = "Europe/London"

pytestmark = pytest.mark.skipif(not PARQUET.exists(), reason="shared/data/online_retail is not part of the repository")

LINE_TOTAL = 'cast("Quantity" as decimal(18, 4)) * cast("UnitPrice" as decimal(18, 4))'
# An order is a run of lines; its key is the invoice's number where there is one. A run of negative lines takes goods back.
ORDERS = f"""
    select
        order_run,
        min("InvoiceDate")::timestamp as made_at,
        min("CustomerID")::bigint as customer,
        any_value("Country") as country,
        sum({LINE_TOTAL}) as total,
        to_json(list({{
            'name': "Description", 'sku': "StockCode", 'quantity': "Quantity",
            'total': cast("Quantity" * cast("UnitPrice" as decimal(18, 4)) as varchar)
        }})) as lines
    from '{PARQUET}'
    group by order_run
"""


def told_order(run: int, made_at: datetime, customer: int | None, country: str, total: Decimal) -> dict[str, Any]:
    return {
        "id": run,
        "reference_id": 100_000 + run,
        "date": {"date": f"{made_at:%Y-%m-%d %H:%M:%S}.000000", "timezone_type": 3, "timezone": ZONE},
        "status": {"id": 1298199463, "name": "تم التنفيذ", "slug": "completed"},
        "payment_method": "bank",
        "currency": "GBP",
        "amounts": {"total": {"amount": str(total), "currency": "GBP"}},
        "customer": {"id": customer, "first_name": "x", "city": country} if customer else None,
    }


def told_lines(run: int, lines: str) -> list[dict[str, Any]]:
    return [
        {
            "id": run * 2000 + number,
            "name": line["name"],
            "sku": line["sku"] or "",
            "quantity": line["quantity"],
            "amounts": {"total": line["total"]},
        }
        for number, line in enumerate(json.loads(lines))
    ]


def answer(call: str, data: Any) -> dict[str, Any]:
    return {"kind": call, "body": {"status": 200, "success": True, "data": data}}


def event(name: str, at: datetime, data: Any) -> dict[str, Any]:
    return {
        "kind": "webhook",
        "body": {"event": name, "merchant": 1, "created_at": f"{at:%Y-%m-%d %H:%M:%S}", "data": data},
    }


def deliveries() -> Iterator[dict[str, Any]]:
    """What Salla would have told, a line each."""
    last_order: dict[int | None, int] = {}
    open_total: dict[int, Decimal] = {}  # of orders nothing was taken back of
    newest = 0
    restored: set[int] = set()
    rows = duckdb.connect().execute(f"{ORDERS} order by made_at, order_run").fetchall()
    for run, made_at, customer, country, total, lines in rows:
        if total >= 0:
            last_order[customer] = newest = run
            open_total[run] = total
            order = told_order(run, made_at, customer, country, total)
            items = told_lines(run, lines)
            if run % 2 == 0:
                yield answer(f"GET /admin/v2/orders/{run}?format=light", order | {"updated_at": order["date"]})
            elif run % 3 == 0:
                yield answer(f"GET /admin/v2/orders/{run}?format=light", order | {"updated_at": order["date"]})
                yield answer(f"GET /orders/items?order_id={run}", items)
            else:
                created = event("order.created", made_at, order | {"items": items})
                yield created
                if run % 15 == 1:  # and again, as after a time-out
                    yield created
            continue
        mended = last_order.get(customer, newest)
        if mended in restored:
            mended = newest if newest not in restored else max(set(open_total) - restored)
        if open_total.get(mended) == -total:  # the whole order, and no note was written
            restored.add(mended)
            status = {"id": 989286562, "name": "مسترجع", "slug": "restored"}
            yield event(
                "order.status.updated",
                made_at,
                {"id": run, "status": "مسترجع", "order": {"id": mended, "status": status}},
            )
            continue
        open_total[mended] = Decimal(-1)
        note = {"id": run, "order_id": mended, "type": "Credit Note", "date": f"{made_at:%Y-%m-%d %H:%M:%S}"}
        yield answer("GET /orders/invoices", [note | {"total": {"amount": str(-total), "currency": "GBP"}}])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    folder = tmp_path_factory.mktemp("retail")
    archive = folder / "deliveries.ndjson"
    with archive.open("w", encoding="utf-8") as out:
        for delivery in deliveries():
            out.write(json.dumps(delivery, ensure_ascii=False) + "\n")
    settings = Settings(data=folder, timezone=ZONE, currency="GBP", phone_key=KEY)  # type: ignore[arg-type]
    import_archives(settings.landing, "default", "salla", [archive])
    build_landed(settings, "2012-01-01T00:00:00+00:00")
    connection = duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)
    connection.execute(f"attach '{folder / 'restricted.duckdb'}' as restricted (read_only)")
    return connection


PLAIN = f"""
    select
        local_date,
        coalesce(sum(total) filter (where total >= 0), 0) as sales,
        coalesce(-sum(total) filter (where total < 0), 0) as refunds,
        count(*) filter (where total >= 0) as orders
    from (
        select order_run, cast(min("InvoiceDate") as date) as local_date, sum({LINE_TOTAL}) as total
        from '{PARQUET}'
        group by order_run
    )
    group by local_date
"""


def test_sales_refunds_and_net_equal_plain_sums_per_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    plain = warehouse.execute(
        f"select local_date, sales, refunds, sales - refunds, orders from ({PLAIN}) order by 1"
    ).fetchall()
    ours = warehouse.execute(
        "select local_date, sales, refunds, net_sales, orders from marts.mart_sales_daily order by 1"
    ).fetchall()
    assert len(plain) == 305
    assert ours == plain


def test_the_year_equals_the_sum_of_all_lines(warehouse: duckdb.DuckDBPyConnection) -> None:
    (net,) = warehouse.execute("select sum(net_sales) from marts.mart_sales_daily").fetchone()
    (lines,) = warehouse.execute(f"select sum({LINE_TOTAL}) from '{PARQUET}'").fetchone()
    assert net == lines


def test_both_kinds_of_refund_occur(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = dict(warehouse.execute("select evidence, count(*) from facts.fct_refunds group by evidence").fetchall())
    assert found.keys() == {"credit_note", "restored_status"}
    assert min(found.values()) > 100


def test_every_line_that_was_told_is_there_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    plain = f"""
        select sum(lines), sum(quantity), sum(total)
        from (select order_run, count(*) as lines, sum("Quantity") as quantity, sum({LINE_TOTAL}) as total from '{PARQUET}' group by 1)
        where total >= 0 and order_run % 2 = 1
    """
    ours = "select count(*), sum(quantity), sum(line_total) from facts.fct_order_items"
    assert warehouse.execute(ours).fetchone() == warehouse.execute(plain).fetchone()


def test_new_customers_are_counted_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    plain = f"""
        select count(distinct customer)
        from (select min("CustomerID") as customer, sum({LINE_TOTAL}) as total from '{PARQUET}' group by order_run)
        where total >= 0
    """
    ours = "select sum(new_customers) from marts.mart_sales_daily"
    assert warehouse.execute(ours).fetchone() == warehouse.execute(plain).fetchone()


def test_nothing_was_rejected(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute("select count(*) from restricted.raw_salla.rejects").fetchone() == (0,)
