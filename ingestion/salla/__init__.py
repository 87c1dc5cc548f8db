"""Salla: landed pages and webhooks as typed tables.

documents → answers (which call or event, its data) → objects (each order, cart, customer … on its own) → the tables.
An order is seen in many shapes, and none of them holds everything: a row of `orders` is one sighting, and what its
shape does not carry is null there, never empty.

Columns common to all: workspace, landing_file, landing_line, received_at, position (place in the line), object_hash
(orders what is otherwise equal), and for a date of Salla's two columns: <name>_local, the clock time as given, and
<name>_zone, the zone it names: UTC where the text had an offset, null where it named none (then it is the store's).
"""

from ingestion.loading import LandedSource

SALLA = LandedSource(
    name="salla",
    steps=("macros", "answers", "objects", "findings", "parts"),
    tables=(
        "orders",
        "order_items",
        "order_histories",
        "order_statuses",
        "customers",
        "products",
        "carts",
        "cart_items",
        "invoices",
        "transactions",
        "employees",
        "store_info",
        "report_statuses",
        "list_totals",
        "other_objects",
    ),
)
