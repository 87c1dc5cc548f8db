"""A Salla of our own, in this process: a store that lives on, its API with the habits of the real one, its tokens.

Written from the reference: page numbers over a live list, list rows without `updated_at`, a cache of lists, ids that do
not grow with time, per-call page caps, 429 with headers, 500s, broken connections, empty pages in between, ignored
filters, single-use refresh tokens whose second use ends the connection.
"""

from __future__ import annotations

import copy
import json
import random
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

RIYADH = ZoneInfo("Asia/Riyadh")
MERCHANT = 1100220033
STATUSES = {
    "payment_pending": 1473353380,
    "under_review": 566146469,
    "in_progress": 1939592358,
    "completed": 1298199463,
    "canceled": 525144736,
    "restored": 989286562,
    "delivering": 349994915,
    "delivered": 1723506348,
    "shipped": 814202285,
}
ACCESS_SECONDS = 14 * 86_400


class FakeClock:
    """A clock that goes on a little with each look, and as long as somebody sleeps."""

    def __init__(self, start: datetime) -> None:
        self.at = start
        self.slept = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self.at += timedelta(milliseconds=1)
            return self.at

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept += seconds
            self.at += timedelta(seconds=seconds)


@dataclass
class Habits:
    """What this Salla does wrong, and how often (0 to 1)."""

    errors: float = 0.0
    throttles: float = 0.0
    drops: float = 0.0
    empty_pages: float = 0.0
    duplicates: float = 0.0
    drift: float = 0.0  # something changes in the store between two pages
    ignored: set[str] = field(default_factory=set)  # parameters it does not look at
    missing_scopes: set[str] = field(default_factory=set)  # first part of a path
    cache_seconds: float = 0.0
    limit: int = 0  # requests a minute; 0: unlimited
    customer_limit: int = 500  # requests for customers in ten minutes
    is_to_date_included: bool = True
    says_expires_in: bool = False
    loses_token_answers: int = 0  # so many answers of the token endpoint never arrive


class FakeSalla:
    def __init__(self, clock: FakeClock, seed: int = 1) -> None:
        self.clock = clock
        self.dice = random.Random(seed)
        self.habits = Habits()
        self.lock = threading.RLock()
        self.requests: list[tuple[str, str, datetime]] = []
        self.refreshes = 0
        self.refused_calls = 0
        self.too_early = 0
        self.on_request: Callable[[int], None] = lambda number: None
        self.minute: tuple[int, int] = (0, 0)
        self.customer_times: deque[float] = deque()
        self.closed_until = 0.0
        self.snapshot: tuple[float, list[dict[str, Any]]] | None = None
        self.access: dict[str, tuple[float, int]] = {}  # token: (end, connection)
        self.refresh: dict[str, tuple[bool, int]] = {}  # token: (is used, connection)
        self.alive: set[int] = set()
        self.changes = 0
        self.orders: dict[int, dict[str, Any]] = {}
        self.deleted: set[int] = set()
        self.carts: dict[int, dict[str, Any]] = {}
        self.bought_carts: dict[int, dict[str, Any]] = {}
        self.customers: dict[int, dict[str, Any]] = {}
        self.products: dict[int, dict[str, Any]] = {}
        self.transactions: dict[int, dict[str, Any]] = {}
        self.invoices: dict[int, dict[str, Any]] = {}

    # --- the store lives ---------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        self.changes += 1
        return self.dice.randrange(10**8, 10**9) * 1000 + self.changes % 1000

    def touched(self) -> int:
        self.changes += 1
        return self.changes

    def add_customer(self) -> int:
        customer_id = self.new_id()
        self.customers[customer_id] = {
            "id": customer_id,
            "first_name": f"عميل {self.changes}",
            "last_name": "تجربة",
            "mobile": 500000000 + self.changes,
            "mobile_code": "+966",
            "city": "الرياض",
            "country_code": "SA",
            "created_at": php(self.clock()),
            "updated_at": php(self.clock()),
        }
        return customer_id

    def add_product(self) -> int:
        product_id = self.new_id()
        self.products[product_id] = {
            "id": product_id,
            "name": f"منتج {self.changes}",
            "sku": f"SKU-{self.changes}",
            "status": "sale",
            "price": money(10 + self.changes % 90),
            "sale_price": {},
        }
        return product_id

    def add_order(self, at: datetime | None = None) -> int:
        order_id, at = self.new_id(), at or self.clock()
        if not self.customers or self.dice.random() < 0.5:
            self.add_customer()
        if len(self.products) < 5:
            self.add_product()
        customer_id = self.dice.choice(list(self.customers))
        order = {
            "id": order_id,
            "reference_id": 50_000_000 + self.changes,
            "made": at,
            "updated": at,
            "touched": self.touched(),
            "slug": "under_review",
            "payment_method": self.dice.choice(["cod", "mada", "bank"]),
            "customer": customer_id,
            "lines": [],
            "history": [],
        }
        self.orders[order_id] = order
        for _ in range(self.dice.randint(1, 4)):
            self.add_line(order)
        self.add_history(order)
        if order["payment_method"] == "mada":
            self.add_transaction(order)
        return order_id

    def add_line(self, order: dict[str, Any]) -> None:
        product = self.products[self.dice.choice(list(self.products))]
        order["lines"].append(
            {"id": self.new_id(), "name": product["name"], "sku": product["sku"], "quantity": self.dice.randint(1, 3),
             "price": product["price"]["amount"]}
        )  # fmt: skip

    def add_history(self, order: dict[str, Any]) -> None:
        order["history"].append(
            {"id": self.new_id(), "status": f"حالة {order['slug']}", "slug": order["slug"], "at": order["updated"]}
        )

    def add_transaction(self, order: dict[str, Any], cart: int | None = None) -> None:
        transaction_id = self.new_id()
        self.transactions[transaction_id] = {
            "id": transaction_id,
            "customer": {"id": order["customer"], "mobile": "+966500000001"},
            "references": {"order_id": order["id"], "reference_id": order["reference_id"], "cart_id": cart},
            "total": money(total(order)),
            "payment_method": {"slug": "mada"},
            "status": {"name": "مؤكدة", "slug": "paid"},
            "created_at": php(self.clock()),
            "touched": self.touched(),
        }

    def add_cart(self) -> int:
        cart_id = self.new_id()
        self.carts[cart_id] = {
            "id": cart_id,
            "total": money(self.dice.randint(50, 500)),
            "customer": {"id": self.dice.choice(list(self.customers)), "name": "عميل", "mobile": "+966500000009"},
            "created_at": php(self.clock()),
            "updated_at": php(self.clock()),
            "items": [],
        }
        return cart_id

    def change_status(self, order: dict[str, Any], slug: str) -> None:
        order.update(slug=slug, updated=self.clock(), touched=self.touched())
        self.add_history(order)
        if slug == "restored":
            invoice_id = self.new_id()
            self.invoices[invoice_id] = {
                "id": invoice_id, "order_id": order["id"], "type": "Credit Note", "made": order["updated"],
                "total": total(order),
            }  # fmt: skip
            for payment in self.transactions.values():
                if payment["references"]["order_id"] == order["id"]:
                    payment["status"] = {"name": "مسترجعة", "slug": "refunded"}
        elif slug == "completed":
            invoice_id = self.new_id()
            self.invoices[invoice_id] = {
                "id": invoice_id, "order_id": order["id"], "type": "Tax Invoice", "made": order["updated"],
                "total": total(order),
            }  # fmt: skip

    def live(self, moments: int) -> None:
        """So many random things happen."""
        for _ in range(moments):
            self.dice.choice(
                [self.add_order, self.add_order, self.some_status, self.some_status, self.some_status, self.some_line,
                 self.some_deletion, self.add_cart, self.some_purchase, self.some_expiry, self.some_name]
            )()  # fmt: skip

    def some_status(self) -> None:
        if self.orders:
            order = self.orders[self.dice.choice(list(self.orders))]
            self.change_status(order, self.dice.choice([slug for slug in STATUSES if slug != order["slug"]]))

    def some_line(self) -> None:
        if self.orders:
            order = self.orders[self.dice.choice(list(self.orders))]
            self.add_line(order)
            order.update(updated=self.clock(), touched=self.touched())

    def some_deletion(self) -> None:
        if len(self.orders) > 5 and self.dice.random() < 0.3:
            self.delete(self.dice.choice(list(self.orders)))

    def delete(self, order_id: int) -> None:
        del self.orders[order_id]
        self.deleted.add(order_id)

    def some_purchase(self) -> None:
        if self.carts:
            cart_id = self.dice.choice(list(self.carts))
            self.bought_carts[cart_id] = self.carts.pop(cart_id)
            self.add_transaction(self.orders[self.add_order()], cart_id)

    def some_expiry(self) -> None:
        if self.carts:
            del self.carts[self.dice.choice(list(self.carts))]

    def some_name(self) -> None:
        if self.products:
            self.products[self.dice.choice(list(self.products))]["name"] += "*"

    # --- the API answers ---------------------------------------------------------------------------------------------

    def list_row(self, order: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": order["id"],
            "reference_id": order["reference_id"],
            "total": money(total(order)),
            "date": php(order["made"]),
            "status": status(order),
            "draft": False,
            "read": self.dice.random() < 0.5,
            "payment_method": order["payment_method"],
            "is_pending_payment": False,
            "pending_payment_ends_at": self.dice.randint(0, 9999),
            "items": [{"name": line["name"], "quantity": line["quantity"]} for line in order["lines"]],
            "customer": self.customers[order["customer"]],
        }

    def details(self, order: dict[str, Any]) -> dict[str, Any]:
        row = self.list_row(order)
        for name in ("items", "total", "draft", "read"):
            del row[name]
        amounts = {"total": money(total(order))}
        return {**row, "updated_at": php(order["updated"]), "currency": "SAR", "amounts": amounts, "source": "store"}

    def listed_orders(self, query: dict[str, str]) -> list[dict[str, Any]]:
        now = self.clock().timestamp()
        if self.habits.cache_seconds:
            if self.snapshot is None or now - self.snapshot[0] > self.habits.cache_seconds:
                self.snapshot = (now, copy.deepcopy(list(self.orders.values())))
            rows = self.snapshot[1]
        else:
            rows = list(self.orders.values())
        ignored = self.habits.ignored
        if "from_date" in query and "from_date" not in ignored:
            rows = [order for order in rows if local_day(order["made"]) >= query["from_date"]]
        if "to_date" in query and "to_date" not in ignored:
            last = query["to_date"] + ("~" if self.habits.is_to_date_included else "")
            rows = [order for order in rows if local_day(order["made"]) < last]
        by = {
            "id-asc": lambda o: o["id"],
            "created_at-asc": lambda o: o["made"],
            "updated_at-desc": lambda o: (-o["updated"].timestamp(), -o["touched"]),
        }
        key = by.get(query.get("sort_by", "") if "sort_by" not in ignored else "", lambda o: -o["made"].timestamp())
        return [self.list_row(order) for order in sorted(rows, key=key)]

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:  # noqa: PLR0911, PLR0912
        if path == "/store/info":
            return 200, envelope({"id": MERCHANT, "name": "متجر", "plan": "plus", "currency": "SAR", "type": "live"})
        if path == "/orders":
            return self.page(self.listed_orders(query), query, 30)
        if path == "/orders/statuses":
            return 200, envelope(
                [{"id": n, "name": f"حالة {s}", "slug": s, "type": "original"} for s, n in STATUSES.items()]
            )
        if path == "/settings/fields/reports.order_statuses":
            return 200, envelope({"order_statuses": [{"id": 4, "name": "تم التنفيذ", "selected": True}]})
        if path == "/orders/items":
            order = self.orders.get(int(query.get("order_id", 0)))
            if "order_id" in self.habits.ignored:
                order = next(iter(self.orders.values()))
            return self.page([line_row(line) for line in order["lines"]], query, 60) if order else gone()
        if path == "/orders/invoices":
            rows = [
                invoice_row(found)
                for found in self.invoices.values()
                if "from_date" in self.habits.ignored
                or query.get("from_date", "") <= local_day(found["made"]) <= query.get("to_date", "~")
            ]
            return self.page(rows, query, 60)
        if path == "/carts/abandoned":
            if int(query.get("per_page", 15)) > 50:
                return 422, failure(422, "alert.invalid_fields")
            rows = [{**cart, "age_in_minutes": self.dice.randint(1, 9999)} for cart in self.carts.values()]
            return self.page(rows, query, 50)
        if path in ("/customers", "/products", "/transactions"):
            rows = list(getattr(self, path[1:]).values())[::-1]
            return self.page([{k: v for k, v in row.items() if k != "touched"} for row in rows], query, 60)
        if found := re.fullmatch(r"/orders/(\d+)(/histories)?", path):
            order = self.orders.get(int(found[1]))
            if order is None:
                return gone()
            return self.page([history_row(h) for h in order["history"]], query, 60) if found[2] else (
                200, envelope(self.details(order)))  # fmt: skip
        if found := re.fullmatch(r"/carts/abandoned/(\d+)", path):
            cart_id = int(found[1])
            if cart_id in self.carts:
                return 200, envelope({**self.carts[cart_id], "status": "active"})
            if cart_id in self.bought_carts:
                return 200, envelope({**self.bought_carts[cart_id], "status": "purchased"})
        return gone()

    def page(self, rows: list[dict[str, Any]], query: dict[str, str], most: int) -> tuple[int, dict[str, Any]]:
        size, number = min(int(query.get("per_page", 15)), most), int(query.get("page", 1))
        part = rows[(number - 1) * size : number * size]
        if number > 1 and self.dice.random() < self.habits.duplicates:
            part = [rows[(number - 1) * size - 1], *part[:-1], *part[-1:]]
        count, pages = len(rows), max(1, -(-len(rows) // size))
        if rows and self.dice.random() < self.habits.empty_pages:
            part = []
            count = self.dice.choice([count, 0])
        told = {"count": len(part), "total": count, "perPage": size, "currentPage": number,
                "totalPages": pages if count else 1, "links": [] if pages == 1 else {"next": "http://x"}}  # fmt: skip
        return 200, {**envelope(part), "pagination": told}

    def handle(  # noqa: PLR0911
        self, method: str, target: str, headers: Any, form: dict[str, str]
    ) -> tuple[int, dict[str, str], Any] | None:
        """(status, headers, body) of a request; None: the connection breaks."""
        with self.lock:
            url = urlsplit(target)
            query = dict(parse_qsl(url.query))
            now = self.clock().timestamp()
            self.requests.append((method, target, self.clock.at))
            self.on_request(len(self.requests))
            if url.path == "/oauth2/token":
                return self.token(form, now)
            token = (headers.get("Authorization") or "").removeprefix("Bearer ")
            end, connection = self.access.get(token, (0.0, -1))
            if end <= now or connection not in self.alive:
                return 401, {}, failure(401, "The access token is invalid", "Unauthorized")
            if url.path == "/oauth2/user/info":
                return 200, {}, {"id": 1, "merchant": {"id": MERCHANT}}
            path = url.path.removeprefix("/admin/v2")
            refused = self.over_limit(path, now)
            if refused:
                return refused
            if any(path.startswith(f"/{scope}") for scope in self.habits.missing_scopes):
                return (
                    401,
                    self.rate_headers(now),
                    failure(401, "The access token should have access to one of those scopes: x.read"),
                )
            chance = self.dice.random()
            if chance < self.habits.drops:
                return None
            if chance < self.habits.drops + self.habits.errors:
                return self.dice.choice([500, 503]), self.rate_headers(now), failure(500, "server")
            if chance < self.habits.drops + self.habits.errors + self.habits.throttles:
                self.closed_until = now + 20
                return 429, {**self.rate_headers(now), "Retry-After": "20"}, failure(429, "slow down")
            code, body = self.answer(path, query)
            if self.dice.random() < self.habits.drift:
                self.live(1)
            return code, self.rate_headers(now), copy.deepcopy(body)

    def rate_headers(self, now: float) -> dict[str, str]:
        if not self.habits.limit:
            return {"X-RateLimit-Limit": "100000", "X-RateLimit-Remaining": "99999"}
        minute, used = self.minute
        left = max(0, self.habits.limit - used)
        return {
            "X-RateLimit-Limit": str(self.habits.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str((minute + 1) * 60),
        }

    def over_limit(self, path: str, now: float) -> tuple[int, dict[str, str], Any] | None:
        if now < self.closed_until:
            self.too_early += 1
            return 429, {"Retry-After": str(self.closed_until - now)}, failure(429, "slow down")
        if self.habits.limit:
            minute = int(now // 60)
            self.minute = (minute, (self.minute[1] if self.minute[0] == minute else 0) + 1)
            if self.minute[1] > self.habits.limit:
                self.refused_calls += 1
                return 429, {**self.rate_headers(now), "Retry-After": str(60 - now % 60)}, failure(429, "slow down")
        if path.startswith("/customers"):
            self.customer_times.append(now)
            while self.customer_times[0] <= now - 600:
                self.customer_times.popleft()
            if len(self.customer_times) > self.habits.customer_limit:
                self.refused_calls += 1
                return 429, {"Retry-After": "600"}, failure(429, "slow down")
        return None

    # --- tokens ------------------------------------------------------------------------------------------------------

    def install(self) -> dict[str, Any]:
        """The merchant installs the app: the body of app.store.authorize."""
        connection = self.touched()
        self.alive = {connection}
        return {
            "event": "app.store.authorize",
            "merchant": MERCHANT,
            "created_at": f"{self.clock():%Y-%m-%d %H:%M:%S}",
            "data": self.new_pair(connection),
        }

    def new_pair(self, connection: int) -> dict[str, Any]:
        number = self.touched()
        access, refresh = f"ory_at_SECRET{number}", f"ory_rt_SECRET{number}"
        end = self.clock().timestamp() + ACCESS_SECONDS
        self.access[access] = (end, connection)
        self.refresh[refresh] = (False, connection)
        told = {"expires_in": ACCESS_SECONDS} if self.habits.says_expires_in else {"expires": int(end)}
        return {
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": refresh,
            "scope": "orders.read offline_access",
            **told,
        }

    def token(self, form: dict[str, str], now: float) -> tuple[int, dict[str, str], Any] | None:
        if form.get("client_secret") != "client-secret":
            return 401, {}, {"error": "invalid_client"}
        if form.get("grant_type") == "authorization_code":
            if form.get("code") != "good-code":
                return 400, {}, {"error": "invalid_grant"}
            connection = self.touched()
            self.alive = {connection}
            return 200, {}, self.new_pair(connection)
        is_used, connection = self.refresh.get(form.get("refresh_token", ""), (True, -1))
        if is_used or connection not in self.alive:
            self.alive.discard(connection)  # a second use ends the whole connection
            return 401, {}, {"error": "invalid_grant"}
        self.refresh[form["refresh_token"]] = (True, connection)
        self.refreshes += 1
        fresh = self.new_pair(connection)
        for token, (_end, owner) in list(self.access.items()):
            if owner == connection and token != fresh["access_token"]:
                del self.access[token]
        if self.habits.loses_token_answers:
            self.habits.loses_token_answers -= 1
            return None
        return 200, {}, fresh

    # --- over HTTP ---------------------------------------------------------------------------------------------------

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on localhost; gives the address."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                found = fake.handle(self.command, self.path, self.headers, form)
                if found is None:
                    self.close_connection = True
                    return
                code, headers, body = found
                content = json.dumps(body, ensure_ascii=False).encode()
                self.send_response(code)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


def php(at: datetime) -> dict[str, Any]:
    local = at.astimezone(RIYADH)
    return {"date": f"{local:%Y-%m-%d %H:%M:%S}.000000", "timezone_type": 3, "timezone": "Asia/Riyadh"}


def local_day(at: datetime) -> str:
    return at.astimezone(RIYADH).date().isoformat()


def money(amount: float) -> dict[str, Any]:
    return {"amount": amount, "currency": "SAR"}


def total(order: dict[str, Any]) -> int:
    return sum(line["quantity"] * line["price"] for line in order["lines"])


def status(order: dict[str, Any]) -> dict[str, Any]:
    slug = order["slug"]
    return {
        "id": STATUSES[slug],
        "name": f"حالة {slug}",
        "slug": slug,
        "customized": {"id": STATUSES[slug] + 1, "name": slug},
    }


def line_row(line: dict[str, Any]) -> dict[str, Any]:
    amounts = {"price_without_tax": money(line["price"]), "total": money(line["price"] * line["quantity"])}
    return {
        "id": line["id"],
        "name": line["name"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "amounts": amounts,
    }


def history_row(entry: dict[str, Any]) -> dict[str, Any]:
    custom = {"id": 1, "name": entry["slug"], "slug": entry["slug"]}
    return {
        "id": entry["id"],
        "status": entry["status"],
        "customized": custom,
        "note": "",
        "created_at": php(entry["at"]),
    }


def invoice_row(found: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in found.items() if key != "made"}
    return {**row, "date": local_day(found["made"]), "sub_total": money(1), "total": money(found["total"])}


def envelope(data: Any) -> dict[str, Any]:
    return {"status": 200, "success": True, "data": data}


def failure(code: int, message: str, slug: Any = None) -> dict[str, Any]:
    return {"status": code, "success": False, "error": {"code": slug or code, "message": message}}


def gone() -> tuple[int, dict[str, Any]]:
    return 404, failure(404, "المحتوى الذي تحاول الوصول اليه غير متوفر")


NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
