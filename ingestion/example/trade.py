"""What is bought in the example shop: orders and their progress, refunds, and carts left behind."""

from __future__ import annotations

from random import Random

from ingestion.example import shop
from ingestion.example.clock import DAY, HOUR, MINUTE
from ingestion.example.events import Buyer, Cart, CreditNote, Intent, Order, Stage, Story
from ingestion.example.rhythm import busyness, log_normal, moment
from ingestion.example.shop import PRODUCTS, Person
from ingestion.example.talks import Talk

DIRECT_A_DAY = 2.7  # orders of people who never asked anything
CARTS_A_DAY = 2.2
STORE_ONLY = 5000  # numbers of the people only Salla knows begin after it
PAYMENTS = ("cod", "mada", "apple_pay", "tabby_installment", "credit_card", "bank")
PAYMENT_SHARES = (40, 26, 17, 9, 5, 3)
NOTICES = {
    "in_progress": "تم تأكيد طلبك وجاري تجهيزه",
    "delivering": "طلبك في الطريق إليك",
    "delivered": "وصلك طلبك، نتمنى أن ينال رضاك",
}


def add_trade(story: Story) -> None:
    """Everything sold, from the intents of those who chatted and from those who only shop."""
    stage = story.stage
    strangers: list[Person] = []
    plans = [(intent.at, intent, None) for intent in story.intents]
    for number in range(stage.days):
        load = busyness(stage, number)
        plans += [(at, None, None) for at in moments(stage, number, DIRECT_A_DAY * load)]
        for at in moments(stage, number, CARTS_A_DAY * load):
            cart = Cart(at, Buyer(shopper(story, strangers, at)), basket(stage.rng))
            story.carts.append(cart)
            if stage.rng.random() < 0.26:
                bought = at + log_normal(stage.rng, 9 * HOUR, 1.0, least=HOUR)
                plans.append((bought, Intent(bought, cart.buyer.person, "abandoned-cart"), cart))
            remind(story, cart)
    plans.sort(key=lambda plan: plan[0])
    for at, intent, cart in plans:
        if at < stage.cut:
            person = intent.person if intent else shopper(story, strangers, at)
            story.orders.append(order_of(stage, at, person, intent.source if intent else "store", cart))
    give_numbers(story)
    for order in story.orders:
        tell_progress(story, order)


def moments(stage: Stage, number: int, mean: float) -> list[int]:
    return [moment(stage, number) for _ in range(max(0, round(stage.rng.gauss(mean, mean**0.5))))]


def shopper(story: Story, strangers: list[Person], at: int) -> Person:
    """Somebody who shops without asking: known from a chat, known to Salla only, or new."""
    rng, known = story.stage.rng, story.stage.crowd
    chance = rng.random()
    if chance < 0.2 and known:
        return known[rng.randrange(len(known))]
    if chance < 0.4 and strangers:
        return strangers[rng.randrange(len(strangers))]
    person = shop.new_person(rng, STORE_ONLY + len(strangers) + 1)
    strangers.append(person)
    return person


def basket(rng: Random) -> list[tuple[shop.Product, int]]:
    products = rng.sample(PRODUCTS, rng.choices((1, 2, 3), (62, 28, 10))[0])
    return [(product, 2 if product.price < 150 and rng.random() < 0.4 else 1) for product in products]


def order_of(stage: Stage, at: int, person: Person, source: str, cart: Cart | None) -> Order:
    """An order with all that will become of it."""
    rng = stage.rng
    lines = cart.lines if cart else basket(rng)
    payment = rng.choices(PAYMENTS, PAYMENT_SHARES)[0]
    goods = sum(product.price * quantity for product, quantity in lines)
    order = Order(
        at=at,
        buyer=cart.buyer if cart else Buyer(person),
        lines=lines,
        payment=payment,
        source=source,
        discount=round(goods * 0.1) if rng.random() < 0.18 else 0,
        shipping=0 if goods >= 500 else 25,
        cod_fee=15 if payment == "cod" else 0,
        cart=cart,
    )
    if cart:
        cart.order = order
    fate = rng.random()
    if fate < 0.03:
        order.payment = "waiting"
        order.cod_fee = 0
        order.steps = [(at, "payment_pending")] + ([(at + 2 * DAY, "canceled")] if fate < 0.02 else [])
    elif fate < 0.042 and payment != "cod":
        order.steps = [(at, "payment_failed")]
    elif fate < 0.046:
        order.is_draft, order.steps = True, [(at, "under_review")]
    elif fate < 0.05:
        order.is_quote, order.steps = True, [(at, "request_quote")]
    else:
        order.steps = progress(stage, order)
        add_refunds(rng, order)
    if 0.05 <= fate < 0.056:
        order.deleted_at = order.steps[-1][0] + 3 * HOUR
    return order


def progress(stage: Stage, order: Order) -> list[tuple[int, str]]:
    """(instant, status slug) from the order on."""
    rng, at = stage.rng, order.at
    begin = "waiting_for_payment_confirmation" if order.payment == "bank" else "under_review"
    steps = [(at, begin)]
    if rng.random() < (0.3 if order.payment == "bank" else 0.065):
        return [*steps, (at + rng.randrange(HOUR, 30 * HOUR), "canceled")]
    at += rng.randrange(40 * MINUTE, 16 * HOUR)
    steps.append((at, "in_progress"))
    at += rng.randrange(8 * HOUR, 40 * HOUR)
    steps.append((at, "delivering"))
    at += rng.randrange(6 * HOUR, 3 * DAY)
    steps.append((at, "delivered"))
    if rng.random() < 0.06:
        at += rng.randrange(DAY, 5 * DAY)
        steps.append((at, "restoring"))
        at += rng.randrange(6 * HOUR, 2 * DAY)
        steps.append((at, "restored"))
    return steps


def add_refunds(rng: Random, order: Order) -> None:
    """A credit note for most of what came back whole, and for a part of some of what did not."""
    last, slug = order.steps[-1]
    if slug == "restored" and rng.random() < 0.8:
        order.credit_notes.append(CreditNote(last + 9, order.total))
    elif slug == "delivered" and rng.random() < 0.04:
        product, _ = order.lines[0]
        order.credit_notes.append(CreditNote(last + rng.randrange(DAY, 4 * DAY), min(product.price * 100, order.total)))


def give_numbers(story: Story) -> None:
    """Salla's ids, in order of time; a buyer is one Salla customer per person."""
    buyers: dict[Person, Buyer] = {}
    for number, cart in enumerate(sorted(story.carts, key=lambda cart: cart.at), 1):
        cart.cart_id = 820000000 + number
    for number, entry in enumerate(sorted([*story.orders, *story.carts], key=lambda entry: entry.at), 1):
        buyer = buyers.setdefault(entry.buyer.person, entry.buyer)
        entry.buyer = buyer
        if not buyer.customer_id:
            buyer.customer_id, buyer.since = 700100200 + number, entry.at
    for number, order in enumerate(story.orders, 1):
        order.order_id, order.reference_id = 910000000 + number, 50010000 + number
        order.cart_id = order.cart.cart_id if order.cart else 820500000 + number


def tell_progress(story: Story, order: Order) -> None:
    """The notices a customer gets on WhatsApp while an order moves."""
    person = order.buyer.person
    if order.is_draft or order.is_quote:
        return
    for at, slug in order.steps:
        if slug in NOTICES and at < story.stage.cut and person.identity(at).phone and story.stage.rng.random() < 0.7:
            notify(story, at + 20, person, f"api:order_{slug}", NOTICES[slug])


def remind(story: Story, cart: Cart) -> None:
    """A reminder of a cart left behind, an hour after."""
    at = cart.at + HOUR
    if at < story.stage.cut and cart.buyer.person.identity(at).phone:
        notify(story, at, cart.buyer.person, "flow:cart_reminder", "نسيت شيئا في سلتك؟ نحفظها لك حتى الغد")


def notify(story: Story, at: int, person: Person, tag: str, text: str) -> None:
    """A machine's message from the support number, outside any conversation."""
    talk = Talk(story.stage, shop.SUPPORT, person, "shipping")
    talk.business(at, "automation", tag, text, category="utility")
    story.support.extend(talk.settled())
