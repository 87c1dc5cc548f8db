"""The shapes in which Salla's API and webhooks show orders, customers, carts, invoices and products."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ingestion.example import clock, shop
from ingestion.example.events import Buyer, Cart, CreditNote, Order
from ingestion.example.shop import Person, Product

Json = dict[str, Any]
ORIGINAL_STATUSES = (  # id, name, slug; constant in every store
    (1473353380, "بإنتظار الدفع", "payment_pending"),
    (566146469, "بإنتظار المراجعة", "under_review"),
    (1939592358, "قيد التنفيذ", "in_progress"),
    (1298199463, "تم التنفيذ", "completed"),
    (525144736, "ملغي", "canceled"),
    (989286562, "مسترجع", "restored"),
    (349994915, "جاري التوصيل", "delivering"),
    (1723506348, "تم التوصيل", "delivered"),
    (814202285, "تم الشحن", "shipped"),
    (1548352431, "قيد الإسترجاع", "restoring"),
    (1797324150, "بإنتظار تأكيد الدفع", "waiting_for_payment_confirmation"),
    (1797324151, "فشل الدفع", "payment_failed"),
    (1797324152, "طلب عرض سعر", "request_quote"),
)
OWN_NAMES = {  # what the merchant made of them
    "payment_pending": (880000101, "ننتظر الدفع"),
    "under_review": (880000102, "استلمنا طلبك"),
    "in_progress": (880000103, "نجهز طلبك"),
    "completed": (880000104, "تم التنفيذ"),
    "canceled": (880000105, "ملغي"),
    "restored": (880000106, "مسترجع"),
    "delivering": (880000107, "بالطريق لك"),
    "delivered": (880000108, "وصلك الطلب"),
    "shipped": (880000109, "شحنّا طلبك"),
    "restoring": (880000110, "قيد الإسترجاع"),
}
STATUS_OF = {slug: (status_id, name) for status_id, name, slug in ORIGINAL_STATUSES}
TAX_PERCENT = "15.00"


def number(halalas: int) -> int | float:
    """Riyals as JSON shows them: 115, 356.5."""
    return halalas // 100 if halalas % 100 == 0 else halalas / 100


def money(halalas: int) -> Json:
    return {"amount": number(halalas), "currency": "SAR"}


def text_money(halalas: int) -> Json:
    """Money as the invoices' list shows it."""
    return {"amount": f"{halalas / 100:.2f}", "currency": "SAR"}


def tax(halalas: int) -> Json:
    return {"percent": TAX_PERCENT, "amount": money(halalas)}


def date_object(at: int) -> Json:
    local = datetime.fromtimestamp(at, clock.RIYADH)
    return {"date": f"{local:%Y-%m-%d %H:%M:%S}.000000", "timezone_type": 3, "timezone": "Asia/Riyadh"}


def plain_date(at: int) -> str:
    return f"{datetime.fromtimestamp(at, clock.RIYADH):%Y-%m-%d %H:%M:%S}"


def script_date(at: int) -> str:
    """Sun Nov 01 2026 14:05:09 GMT+0300, whatever the machine's locale."""
    local = datetime.fromtimestamp(at, clock.RIYADH)
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[local.weekday()]
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[local.month - 1]
    return f"{weekday} {month} {local:%d %Y %H:%M:%S} GMT+0300"


def page(rows: list[Json], current: int = 1, per_page: int = 60, total: int | None = None) -> Json:
    """The envelope of a list; `links` is [] where there is no other page."""
    total = len(rows) if total is None else total
    pages = max(-(-total // per_page), 1)
    links = {"next": f"http://api.salla.dev/admin/v2?page={current + 1}"} if current < pages else []
    pagination = {
        "count": len(rows),
        "total": total,
        "perPage": per_page,
        "currentPage": current,
        "totalPages": pages,
        "links": links,
    }
    return {"status": 200, "success": True, "data": rows, "pagination": pagination}


def pages(rows: list[Json], per_page: int) -> Iterable[Json]:
    """All pages of a list, at least one."""
    for start in range(0, max(len(rows), 1), per_page):
        yield page(rows[start : start + per_page], start // per_page + 1, per_page, len(rows))


def answer(data: Any) -> Json:
    return {"status": 200, "success": True, "data": data}


def event(name: str, at: int, data: Json) -> Json:
    return {"event": name, "merchant": shop.STORE_ID, "created_at": script_date(at), "data": data}


# -------------------------------------------------------------------------------------------------------------- people


def local_number(person: Person, at: int) -> tuple[int | None, str]:
    """(number without its country code, the code as Salla writes it)."""
    _, code, _, prefix = shop.COUNTRIES[person.country]
    phone = person.phone(at) or ""
    return int(phone[len(str(prefix)) :]), code


def email_of(buyer: Buyer) -> str | None:
    return None if buyer.customer_id % 5 == 0 else f"customer{buyer.customer_id}@example.com"


def customer(buyer: Buyer, at: int) -> Json:
    """A customer as orders and the customers' list hold them: number and code apart."""
    person = buyer.person
    country, _, currency, _ = shop.COUNTRIES[person.country]
    mobile, code = (None, None) if buyer.hides_phone else local_number(person, at)
    return {
        "id": buyer.customer_id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "mobile": mobile,
        "mobile_code": code,
        "email": email_of(buyer),
        "urls": {"customer": f"{shop.STORE_DOMAIN}/profile", "admin": f"https://s.salla.sa/customers/{buyer.customer_id}"},
        "avatar": "https://cdn.example.com/avatar.png",
        "gender": "female" if person.is_female else "male",
        "birthday": None,
        "city": person.city,
        "country": country,
        "country_code": person.country,
        "currency": currency,
        "location": "",
        "updated_at": date_object(buyer.since),
    }


def short_customer(buyer: Buyer, at: int) -> Json:
    """A customer as status events and carts hold them: one name, one string with a plus."""
    phone = None if buyer.hides_phone else f"+{buyer.person.phone(at)}"
    return {
        "id": buyer.customer_id,
        "name": buyer.person.name,
        "mobile": phone,
        "email": email_of(buyer) or "",
        "avatar": "https://cdn.example.com/avatar.png",
        "country": shop.COUNTRIES[buyer.person.country][0],
        "city": buyer.person.city,
    }


def receiver(order: Order, at: int) -> Json:
    """Who gets the parcel: digits without a plus."""
    buyer = order.buyer
    phone = "" if buyer.hides_phone else buyer.person.phone(at)
    return {"name": buyer.person.name, "email": email_of(buyer) or "", "phone": phone}


# -------------------------------------------------------------------------------------------------------------- orders


def status(slug: str, has_own_name: bool = True) -> Json:
    status_id, name = STATUS_OF[slug]
    found: Json = {"id": status_id, "name": name, "slug": slug}
    if has_own_name:
        own_id, own_name = OWN_NAMES.get(slug, (status_id, name))
        found["customized"] = {"id": own_id, "name": own_name}
    return found


def amounts(order: Order) -> Json:
    discounts = []
    if order.discount:
        discount: Json = {"title": "كوبون خصم", "type": "normal", "code": "RAYHAN10", "currency": "SAR"}
        discounts.append(
            discount | {"discount": f"{order.discount}.00", "discounted_shipping": "0.00", "hasMarketing": False}
        )
    return {
        "sub_total": money(order.goods * 100),
        "shipping_cost": money(order.shipping * 100),
        "cash_on_delivery": money(order.cod_fee * 100),
        "tax": tax(order.net * 15),
        "discounts": discounts,
        "total": money(order.total),
    }


def source_details(order: Order) -> Json:
    found = {
        "type": order.source if order.source != "store" else "direct",
        "value": None,
        "device": "mobile",
        "user-agent": "Mozilla/5.0 (example)",
        "ip": "192.0.2.10",
    }
    if order.source == "campaign":
        found |= {"utm_source": "whatsapp", "utm_medium": "message", "utm_campaign": "white_friday"}
        found |= {"utm_term": "", "utm_content": ""}
    return found


def order_urls(order: Order) -> Json:
    return {
        "customer": f"{shop.STORE_DOMAIN}/order/{order.order_id}",
        "admin": f"https://s.salla.sa/orders/order/{order.order_id}",
        "digital_content": None,
        "rating": f"{shop.STORE_DOMAIN}/rating/{order.order_id}",
    }


def is_pending(slug: str) -> bool:
    return slug == "payment_pending"


def list_order(order: Order, at: int) -> Json:
    """An order as the list shows it: no amounts but the total, items without prices."""
    slug = order.slug(at)
    found: Json = {
        "id": order.order_id,
        "reference_id": order.reference_id,
        "total": money(order.total),
        "date": date_object(order.at),
        "status": status(slug),
        "draft": order.is_draft,
        "read": True,
        "can_cancel": False,
        "can_reorder": True,
        "payment_method": order.payment,
        "is_pending_payment": is_pending(slug),
        "pending_payment_ends_at": 172790 if is_pending(slug) else 0,
        "features": {"digitalable": False, "shippable": True, "has_suspicious_alert": False},
        "items": [
            {"name": product.name, "quantity": quantity, "thumbnail": "https://cdn.example.com/p.png"}
            for product, quantity in order.lines
        ],
        "customer": customer(order.buyer, at) | {"groups": []},
    }
    return found


def light_order(order: Order, at: int) -> Json:
    """An order as `GET /orders/{id}` shows it: amounts, no items."""
    slug = order.slug(at)
    is_open = slug in ("under_review", "payment_pending")
    return {
        "id": order.order_id,
        "checkout_id": order.order_id - 80000000,
        "reference_id": order.reference_id,
        "features": {
            "shippable": True,
            "digitalable": False,
            "multiple_shipments_supported": False,
            "order_type_price_quote": order.is_quote,
            "has_suspicious_alert": False,
        },
        "actions": {"cancellable": is_open, "reorderable": True, "payable": is_pending(slug)},
        "urls": order_urls(order),
        "date": date_object(order.at),
        "updated_at": date_object(order.updated_at(at)),
        "source": order.source,
        "source_details": source_details(order),
        "status": status(slug),
        "is_price_quote": order.is_quote,
        "payment_method": order.payment,
        "currency": "SAR",
        "amounts": amounts(order),
        "can_cancel": is_open,
        "show_weight": True,
        "can_reorder": True,
        "is_pending_payment": is_pending(slug),
        "pending_payment_ends_at": 172790 if is_pending(slug) else 0,
        "total_weight": "٠٫٧٥ كجم",
        "receiver": receiver(order, at),
        "customer": customer(order.buyer, at),
        "bank": None,
        "tags": [],
    }


def full_order(order: Order, at: int) -> Json:
    """An order as `order.created` and its like carry it: items with their products, and shipping."""
    person = order.buyer.person
    slug = order.slug(at)
    address = {"shipping_address": "عنوان خيالي", "street_number": "", "block": "", "postal_code": ""}
    shipping = {
        "id": order.order_id - 70000000,
        "app_id": None,
        "company": "ناقل خيالي",
        "logo": "",
        "receiver": receiver(order, at),
        "shipper": {"name": shop.STORE_NAME, "company_name": "rayhan", "email": "", "phone": shop.SALES.phone},
        "pickup_address": {"country": "السعودية", "country_code": "SA", "city": "الرياض"} | address,
        "address": {"country": person.country, "country_code": person.country, "city": person.city} | address,
        "shipment": {"id": "0", "pickup_id": None, "tracking_link": "0", "label": []},
        "policy_options": [],
    }
    light = light_order(order, at)
    left_out = ("features", "actions", "receiver", "checkout_id")
    return {key: value for key, value in light.items() if key not in left_out} | {
        "checkout_id": None,
        "draft": order.is_draft,
        "read": False,
        "source_device": "mobile",
        "first_complete_at": None,
        "status": status(slug),
        "receipt_image": None,
        "shipping": shipping,
        "shipments": [],
        "shipment_branch": [],
        "items": [item | {"product": short_product(product)} for item, product in items(order)],
    }


def status_event(order: Order, at: int, slug: str, history_id: int) -> Json:
    """The data of `order.status.updated`: its id is the history's, the order's is `order.id`."""
    return {
        "id": history_id,
        "status": STATUS_OF[slug][1],
        "customized": None,
        "note": "",
        "created_at": date_object(at),
        "order": {
            "id": order.order_id,
            "reference_id": order.reference_id,
            "urls": order_urls(order),
            "date": date_object(order.at),
            "source": order.source,
            "source_device": "mobile",
            "source_details": source_details(order),
            "first_complete_at": date_object(at) if slug == "delivered" else None,
            "status": status(slug, has_own_name=False),
            "payment_method": order.payment,
            "currency": "SAR",
            "amounts": amounts(order),
            "can_cancel": False,
            "show_weight": False,
            "can_reorder": False,
            "is_pending_payment": is_pending(slug),
            "pending_payment_ends_at": 0,
            "total_weight": "٠٫٧٥ كجم",
            "shipment_branch": [],
            "customer": short_customer(order.buyer, at),
            "items": [flat_item(item, product) for item, product in items(order)],
            "total": money(order.total),
        },
    }


def items(order: Order) -> list[tuple[Json, Product]]:
    """The order's lines as `GET /orders/items` shows them, each with its product."""
    found = []
    for place, (product, quantity) in enumerate(order.lines):
        line = product.price * quantity * 100
        discount = order.discount * 100 * product.price * quantity // order.goods
        item = {
            "id": 960000000 + (order.order_id - 910000000) * 10 + place,
            "name": product.name,
            "sku": product.sku,
            "quantity": quantity,
            "currency": "SAR",
            "weight": 0.25,
            "weight_label": "٠٫٢٥ كجم",
            "amounts": {
                "price_without_tax": money(product.price * 100),
                "total_discount": money(discount),
                "tax": tax((line - discount) * 15 // 100),
                "total": money(line),
            },
            "notes": "",
            "options": [],
            "images": [],
            "codes": [],
            "files": [],
            "reservations": [],
        }
        found.append((item, product))
    return found


def flat_item(item: Json, product: Product) -> Json:
    kept = {key: item[key] for key in ("id", "name", "sku", "quantity", "weight", "amounts")}
    return kept | {"product_id": product.product_id}


def short_product(product: Product) -> Json:
    return {
        "id": product.product_id,
        "type": "product",
        "promotion": {"title": None, "sub_title": None},
        "status": "sale",
        "is_available": True,
        "sku": product.sku,
        "name": product.name,
        "price": money(product.price * 100),
        "sale_price": money(0),
        "currency": "SAR",
        "url": f"{shop.STORE_DOMAIN}/p{product.product_id}",
        "thumbnail": "https://cdn.example.com/p.png",
        "has_special_price": False,
        "regular_price": money(product.price * 100),
    }


def full_product(product: Product, at: int) -> Json:
    """A product as `GET /products` shows it; `{}` where there is no sale price."""
    price = product.price * 100
    category = {"id": 640000000 + sum(map(ord, product.category)), "name": product.category, "parent_id": 0}
    return short_product(product) | {
        "mpn": None,
        "gtin": None,
        "taxed_price": money(price * 115 // 100),
        "pre_tax_price": money(price),
        "tax": money(price * 15 // 100),
        "description": "",
        "quantity": "40",
        "views": 120,
        "sale_price": {},
        "require_shipping": True,
        "cost_price": str(product.price // 2),
        "weight": 0.5,
        "weight_type": "kg",
        "with_tax": True,
        "sold_quantity": 14,
        "rating": {"total": 4, "count": 3, "rate": 4},
        "unlimited_quantity": False,
        "channels": ["web", "app"],
        "updated_at": plain_date(at),
        "options": [],
        "skus": [],
        "categories": [category | {"items": [], "status": "active", "sort_order": 1, "update_at": date_object(at)}],
        "brand": {},
        "tags": [],
    }


# ------------------------------------------------------------------------------------------------- money and leftovers


def invoice(order: Order, note: CreditNote | None, serial: int) -> Json:
    """An invoice, or a credit note where `note` is given, as the list shows it: amounts as text but the total."""
    total = note.amount if note else order.total
    is_whole = total == order.total
    parts = (order.goods, order.shipping, order.cod_fee, order.discount) if is_whole else (total / 115, 0, 0, 0)
    goods, shipping, cod, discount = (text_money(int(part * 100)) for part in parts)
    return {
        "id": 930000000 + serial,
        "invoice_number": f"{serial:06d}",
        "uuid": f"00000000-0000-4000-8000-{930000000 + serial:012d}",
        "order_id": order.order_id,
        "invoice_reference_id": None,
        "type": "Credit Note" if note else "Tax Invoice",
        "qr_code": None,
        "payment_method": order.payment,
        "sub_total": goods,
        "shipping_cost": shipping,
        "cod_cost": cod,
        "discount": discount,
        "tax": {"percent": TAX_PERCENT, "amount": text_money(total * 15 // 115)},
        "total": money(total),
    }


def invoice_event(order: Order, note: CreditNote | None, serial: int, at: int) -> Json:
    """The same as `invoice.created` carries it: amounts as numbers, a time, and the customer."""
    listed = invoice(order, note, serial)
    numeric = {
        key: {"amount": float(value["amount"]), "currency": "SAR"}
        for key, value in listed.items()
        if key in ("sub_total", "shipping_cost", "cod_cost", "discount")
    }
    percent = {"percent": 15, "amount": {"amount": float(listed["tax"]["amount"]["amount"]), "currency": "SAR"}}
    return listed | numeric | {
        "date": plain_date(at),
        "tax": percent,
        "items": [],
        "company": None,
        "customer": customer(order.buyer, at),
    }


def transaction(order: Order, slug: str, serial: int, at: int) -> Json:
    names = {
        "paid": "مؤكدة",
        "refunded": "مسترجعة",
        "partial_refunded": "مسترجعة جزئيا",
        "canceled": "ملغية",
    }
    buyer = order.buyer
    return {
        "id": 810000000 + serial,
        "customer": {
            "id": buyer.customer_id,
            "email": email_of(buyer) or "",
            "mobile": None if buyer.hides_phone else f"+{buyer.person.phone(at)}",
            "first_name": buyer.person.first_name,
            "last_name": buyer.person.last_name,
        },
        "references": {
            "reference_id": order.reference_id,
            "order_id": order.order_id,
            "cart_id": order.cart_id,
            "transaction": 815000000 + serial,
        },
        "total": money(order.total),
        "payment_method": {
            "payment_provider": "salla_pay",
            "name": order.payment,
            "slug": order.payment,
            "icon": "https://cdn.example.com/pm.png",
        },
        "status": {"name": names[slug], "slug": slug},
        "card": {"brand": "mada", "number": "400000xxxxxx0000", "country": "SA"},
        "available_actions": ["print"],
        "created_at": date_object(order.at),
        "notes": None,
    }


def cart_object(cart: Cart, at: int) -> Json:
    """An abandoned cart as the list shows it."""
    lines = []
    for place, (product, quantity) in enumerate(cart.lines):
        price = product.price * quantity * 100
        line = {
            "price_without_tax": money(price),
            "total_discount": money(0),
            "tax": tax(price * 15 // 100),
            "total": money(price),
        }
        item = {"id": 825000000 + (cart.cart_id - 820000000) * 10 + place, "product_id": product.product_id}
        lines.append(item | {"quantity": quantity, "weight": 0.25, "amounts": line, "notes": ""})
    return {
        "id": cart.cart_id,
        "total": money(cart.goods * 115),
        "subtotal": money(cart.goods * 100),
        "total_discount": money(0),
        "checkout_url": f"{shop.STORE_DOMAIN}/checkout/{cart.cart_id}",
        "age_in_minutes": (at - cart.at) // 60,
        "created_at": date_object(cart.at),
        "updated_at": date_object(cart.at),
        "customer": short_customer(cart.buyer, at),
        "coupon": None,
        "items": lines,
    }
