"""The shop's trade as Salla tells it: webhooks as things happen, lists and details by nightly pulls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestion.example import salla_shapes as shapes
from ingestion.example import shop
from ingestion.example.archive import Arrival, webhook
from ingestion.example.clock import DAY, MINUTE
from ingestion.example.events import Buyer, Cart, CreditNote, Order, Stage, Story

Json = dict[str, Any]
PULL_DELAY = 25 * MINUTE  # after midnight; the answers of a pull come within the second before it
CART_DAYS = 15  # how long Salla lists a cart
REPORTED = (  # raw status id, name, ticked for the merchant's reports
    (1, "بإنتظار الدفع", False),
    (2, "بإنتظار المراجعة", True),
    (3, "قيد التنفيذ", True),
    (4, "تم التنفيذ", True),
    (8, "جاري التوصيل", True),
    (9, "تم التوصيل", True),
    (10, "تم الشحن", True),
    (11, "بإنتظار تأكيد الدفع", False),
    (13, "طلب عرض سعر", False),
)
NOT_ONLINE = ("cod", "bank", "waiting")


def salla_arrivals(story: Story) -> Iterator[Arrival]:
    """All deliveries of the store, in no particular order."""
    stage = story.stage
    buyers = sorted({entry.buyer.customer_id: entry.buyer for entry in [*story.orders, *story.carts]}.items())
    invoices = numbered_invoices(story)
    for _, buyer in buyers:
        yield told(buyer.since - 60, "customer.created", new_customer(buyer))
    for order in story.orders:
        yield from order_arrivals(order, stage.cut)
    for cart in story.carts:
        yield from cart_arrivals(cart, stage.cut)
    for serial, (at, order, note) in enumerate(invoices, 1):
        yield told(at, "invoice.created", shapes.invoice_event(order, note, serial, at))
    yield from nightly_pulls(story, invoices)
    for at in (stage.first + PULL_DELAY, stage.cut + PULL_DELAY):
        yield from store_pages(at)
    rows = [listed_customer(buyer, stage.cut) for _, buyer in buyers]
    for place, page in enumerate(shapes.pages(rows, 60)):
        yield Arrival(stage.cut + PULL_DELAY + 60 + place, "GET /customers", page)


def told(at: int, name: str, data: Json) -> Arrival:
    """A store event, stamped and received a few seconds after it happened."""
    return webhook(at + 4.3, shapes.event(name, at + 3, data))


def new_customer(buyer: Buyer) -> Json:
    source = {"device": "mobile", "user-agent": "Mozilla/5.0 (example)", "ip": "192.0.2.10"}
    return shapes.customer(buyer, buyer.since) | {"groups": [], "source": source, "is_notifications_enabled": True}


def listed_customer(buyer: Buyer, at: int) -> Json:
    extra = {"groups": [], "full_name": buyer.person.name, "lang": "ar" if buyer.person.is_arabic else "en"}
    return shapes.customer(buyer, at) | extra | {"created_at": shapes.date_object(buyer.since)}


def order_arrivals(order: Order, cut: int) -> Iterator[Arrival]:
    """An order's webhooks from its creation to its last status before the cut."""
    yield told(order.at, "order.created", shapes.full_order(order, order.at))
    serial = (order.order_id - 910000000) * 10
    for place, (at, slug) in enumerate(order.steps[1:], 1):
        if at < cut:
            data = shapes.status_event(order, at, slug, 940000000 + serial + place)
            yield told(at, "order.status.updated", data)
            if slug == "canceled":
                yield told(at + 1, "order.cancelled", shapes.full_order(order, at))
            if slug == "restored":
                yield told(at + 1, "order.refunded", shapes.full_order(order, at))
    if order.deleted_at and order.deleted_at < cut:
        yield told(order.deleted_at, "order.deleted", shapes.full_order(order, order.deleted_at) | {"items": []})


def cart_arrivals(cart: Cart, cut: int) -> Iterator[Arrival]:
    """A cart left behind, and bought after all."""
    yield told(cart.at + 20 * MINUTE, "abandoned.cart", shapes.cart_object(cart, cart.at + 20 * MINUTE))
    if cart.order and cart.order.at < cut:
        goods = shapes.number(cart.goods * 100)
        data: Json = {"id": cart.cart_id, "status": "purchased", "currency": "SAR"}
        data |= {"total": shapes.number(cart.goods * 115), "subtotal": goods, "total_discount": 0}
        yield told(cart.order.at + 1, "abandoned.cart.purchased", data)
        yield told(cart.order.at + 1, "abandoned.cart.status.changed", {"id": cart.cart_id, "status": "purchased"})


def numbered_invoices(story: Story) -> list[tuple[int, Order, CreditNote | None]]:
    """Invoices (on delivery) and credit notes in order of time: (at, order, the note or None)."""
    found: list[tuple[int, Order, CreditNote | None]] = []
    for order in story.orders:
        found += [(at + 8, order, None) for at, slug in order.steps if slug == "delivered"]
        found += [(note.at, order, note) for note in order.credit_notes]
    return sorted((entry for entry in found if entry[0] < story.stage.cut), key=lambda entry: entry[0])


# --------------------------------------------------------------------------------------------------------------- pulls


def nightly_pulls(story: Story, invoices: list[tuple[int, Order, CreditNote | None]]) -> Iterator[Arrival]:
    """What is asked of the API each night about what changed since the night before."""
    stage = story.stage
    changed = changed_by_pull(story)
    created: dict[int, list[Order]] = {}
    for order in story.orders:
        created.setdefault(next_pull(stage, order.at), []).append(order)
    noted: dict[int, list[Json]] = {}
    for serial, (at, order, note) in enumerate(invoices, 1):
        row = shapes.invoice(order, note, serial) | {"date": shapes.plain_date(at)[:10]}
        noted.setdefault(next_pull(stage, at), []).append(row)
    for pull in range(stage.first + PULL_DELAY, stage.cut + DAY, DAY):
        seen = min(pull, stage.cut) - 1
        answers: list[tuple[str, Json]] = []
        new = [order for order in created.get(pull, []) if not is_gone(order, seen)]
        rows = [shapes.list_order(order, seen) for order in new]
        answers += [("GET /orders", page) for page in shapes.pages(rows, 30)]
        for order in changed.get(pull, []):
            answers.append((f"GET /orders/{order.order_id}", shapes.answer(shapes.light_order(order, seen))))
        for order in new:
            items = shapes.answer([item for item, _ in shapes.items(order)])
            answers.append((f"GET /orders/items?order_id={order.order_id}", items))
        answers.append(("GET /orders/invoices", shapes.page(noted.get(pull, []))))
        paid = [row for order in changed.get(pull, []) for row in transactions(order, seen)]
        answers.append(("GET /transactions", shapes.page(paid)))
        carts = [shapes.cart_object(cart, pull) for cart in story.carts if is_listed(cart, seen)]
        answers += [("GET /carts/abandoned", page) for page in shapes.pages(carts, 50)]
        for place, (kind, body) in enumerate(answers):
            yield Arrival(pull - 0.9 + place * 0.001, kind, body)


def next_pull(stage: Stage, at: int) -> int:
    """The first pull that can tell of what happened at an instant."""
    return stage.first + ((at - stage.first - PULL_DELAY) // DAY + 1) * DAY + PULL_DELAY


def changed_by_pull(story: Story) -> dict[int, list[Order]]:
    """The orders of which something changed since the pull before."""
    stage = story.stage
    found: dict[int, list[Order]] = {}
    for order in story.orders:
        instants = [at for at, _ in order.steps] + [note.at for note in order.credit_notes]
        for pull in sorted({next_pull(stage, at) for at in instants if at < stage.cut}):
            if not is_gone(order, pull):
                found.setdefault(pull, []).append(order)
    return found


def is_gone(order: Order, at: int) -> bool:
    return order.deleted_at is not None and order.deleted_at < at


def is_listed(cart: Cart, at: int) -> bool:
    is_bought = cart.order is not None and cart.order.at < at
    return cart.at < at <= cart.at + CART_DAYS * DAY and not is_bought


def transactions(order: Order, at: int) -> list[Json]:
    """The payments of an order paid online, a failed attempt before some."""
    if order.payment in NOT_ONLINE or order.is_quote or order.is_draft:
        return []
    serial = (order.order_id - 910000000) * 10
    slug = "canceled" if order.slug(at) == "payment_failed" else "paid"
    given_back = sum(note.amount for note in order.credit_notes if note.at < at)
    if given_back:
        slug = "refunded" if given_back >= order.total else "partial_refunded"
    found = [shapes.transaction(order, slug, serial, at)]
    if order.order_id % 14 == 0:
        found.append(shapes.transaction(order, "canceled", serial + 1, at))
    return found


def store_pages(at: int) -> Iterator[Arrival]:
    """What changes seldom: the store, its statuses, products, people and ways to pay."""
    yield Arrival(at, "GET /store/info", shapes.answer(store_info()))
    yield Arrival(at + 1, "GET /orders/statuses", shapes.answer(status_list()))
    ticked = [{"id": raw, "name": name, "selected": selected} for raw, name, selected in REPORTED]
    yield Arrival(at + 2, "GET /settings/fields/reports.order_statuses", shapes.answer({"order_statuses": ticked}))
    yield Arrival(at + 3, "GET /products", shapes.page([shapes.full_product(p, at - DAY) for p in shop.PRODUCTS]))
    names = ("credit_card", "mada", "bank", "cod", "apple_pay", "tabby_installment")
    methods = [{"id": 349994915 + place, "slug": slug, "name": slug} for place, slug in enumerate(names)]
    yield Arrival(at + 4, "GET /payment/methods", shapes.page(methods))


def store_info() -> Json:
    social = ("telegram", "twitter", "facebook", "maroof", "youtube", "snapchat", "appstore_link", "googleplay_link")
    return {
        "id": shop.STORE_ID,
        "name": shop.STORE_NAME,
        "entity": "company",
        "email": "owner@rayhan.example.com",
        "avatar": "https://cdn.example.com/logo.png",
        "plan": "pro",
        "type": "live",
        "status": "active",
        "verified": True,
        "currency": "SAR",
        "domain": shop.STORE_DOMAIN,
        "description": "متجر خيالي للتجربة",
        "licenses": {"tax_number": None, "commercial_number": "1010999999", "freelance_number": None},
        "social": dict.fromkeys(social) | {"whatsapp": f"+{shop.SALES.phone}"},
    }


def status_list() -> list[Json]:
    """The original statuses, and the merchant's own names for them."""
    common = {"message": "", "icon": "sicon-cart", "is_active": True}
    originals = [
        {"id": status_id, "name": name, "type": "original", "slug": slug, "sort": place, "parent": {}, "original": {}}
        for place, (status_id, name, slug) in enumerate(shapes.ORIGINAL_STATUSES)
    ]
    own = []
    for place, (slug, (own_id, own_name)) in enumerate(shapes.OWN_NAMES.items()):
        original_id, name = shapes.STATUS_OF[slug]
        status: Json = {"id": own_id, "name": own_name, "type": "custom", "slug": slug, "sort": place, "parent": {}}
        own.append(status | {"original": {"id": original_id, "name": name}})
    return [entry | common for entry in originals + own]
