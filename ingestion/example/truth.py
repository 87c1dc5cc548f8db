"""What an end-to-end run over the example must find, counted from the story by the rules of the metrics contract.

All of it is as of the midnight that ends the story. Nothing here reads a wire format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from ingestion.example.clock import DAY
from ingestion.example.events import LabelChange, Message, Order, Seen, StatusChange, Story, Ticket
from ingestion.example.shop import Agent, Person

UNSOLD = ("canceled", "payment_pending", "waiting_for_payment_confirmation", "payment_failed")
SESSION_GAP = DAY
HUMAN = ("agent", "unknown")  # the example's numbers take an untagged send for an agent's


@dataclass(frozen=True)
class Conversation:
    """A conversation with its counted messages, in order, and the closes by a person."""

    person: Person
    messages: tuple[Message, ...]
    closes: tuple[int, ...] = ()

    @property
    def is_outbound_only(self) -> bool:
        return all(message.author != "customer" for message in self.messages)


@dataclass(frozen=True)
class ChannelTruth:
    """One number's figures; turns and response seconds over the whole story.

    conversations: those a customer wrote in; outbound_only: the others.
    """

    conversations: int
    outbound_only: int
    customer_messages: int
    agent_messages: int
    automation_messages: int
    unknown_messages: int
    unique_customers: int
    answered_turns: int
    unanswered_turns: int
    response_seconds: int


@dataclass(frozen=True)
class ExampleTruth:
    """The example's figures. Money in riyals, tax included.

    tags_applied, tags_removed: by tag. orders: all that were made; sales: of the counted ones, by the contract's §9.
    attributed_orders: counted orders that belong to a conversation of the same customer. rejects: lines cut short,
    by source. missing_in_inbox: messages on the inbox's number that the inbox lacks.
    """

    as_of: datetime
    sales_number: ChannelTruth
    support_number: ChannelTruth
    unique_customers: int
    open_tickets: int
    tickets_closed_by_person: int
    tickets_closed_by_automation: int
    unread_tickets: int
    waiting_tickets: int
    reopenings: int
    failed_messages: int
    tags_applied: dict[str, int]
    tags_removed: dict[str, int]
    orders: int
    counted_orders: int
    cod_orders: int
    sales: Decimal
    refunds: int
    refunded: Decimal
    carts: int
    carts_completed: int
    attributed_orders: int
    missing_in_inbox: int
    rejects: dict[str, int]

    @property
    def net_sales(self) -> Decimal:
        return self.sales - self.refunded


def truth_of(story: Story, rejects: dict[str, int]) -> ExampleTruth:
    """All figures of a story."""
    cut = story.stage.cut
    tickets = [ticket_conversation(ticket) for ticket in story.tickets]
    sessions = support_sessions(story)
    answered_for = [t for t, c in zip(story.tickets, tickets, strict=True) if not c.is_outbound_only]
    closers = Counter(closed_by(ticket) for ticket in answered_for)
    labels = [item for ticket in story.tickets for item in ticket.items if isinstance(item, LabelChange)]
    sold = [order for order in story.orders if is_counted(order, cut)]
    refunds = [amount for order in sold for amount in refund_amounts(order, cut)]
    writers = {c.person for c in tickets + sessions if not c.is_outbound_only}
    return ExampleTruth(
        as_of=datetime.fromtimestamp(cut, UTC),
        sales_number=channel_truth(tickets),
        support_number=channel_truth(sessions),
        unique_customers=len(writers),
        open_tickets=closers["nobody"],
        tickets_closed_by_person=closers["person"],
        tickets_closed_by_automation=closers["automation"],
        unread_tickets=sum(is_unread(ticket) for ticket in answered_for),
        waiting_tickets=sum(closed_by(t) == "nobody" and is_waiting(ticket_conversation(t)) for t in answered_for),
        reopenings=sum(isinstance(i, StatusChange) and i.status == "open" for t in answered_for for i in t.items),
        failed_messages=sum(message.is_failed for message in story.messages),
        tags_applied=dict(sorted(Counter(tag for change in labels for tag in change.added).items())),
        tags_removed=dict(sorted(Counter(tag for change in labels for tag in change.removed).items())),
        orders=len(story.orders),
        counted_orders=len(sold),
        cod_orders=sum(order.payment == "cod" for order in sold),
        sales=riyals(sum(order.total for order in sold)),
        refunds=len(refunds),
        refunded=riyals(sum(refunds)),
        carts=len(story.carts),
        carts_completed=sum(cart.order is not None and cart.order.at < cut for cart in story.carts),
        attributed_orders=attributed(sold, tickets + sessions),
        missing_in_inbox=sum(message.is_missing_in_inbox for message in story.strays),
        rejects=rejects,
    )


def riyals(halalas: int) -> Decimal:
    return Decimal(halalas) / 100


# ------------------------------------------------------------------------------------------------------- conversations


def ticket_conversation(ticket: Ticket) -> Conversation:
    closes = tuple(
        item.at
        for item in ticket.items
        if isinstance(item, StatusChange) and item.status == "resolved" and item.actor is not None
    )
    return Conversation(ticket.person, tuple(m for m in ticket.messages if not m.is_failed), closes)


def support_sessions(story: Story) -> list[Conversation]:
    """The plain number's threads, cut by the session gap; a late answer to a waiting customer does not cut."""
    threads: dict[Person, list[Message]] = {}
    for message in story.support:
        if not message.is_failed and (message.statuses or message.author == "customer" or message.by == "echo"):
            threads.setdefault(message.person, []).append(message)
    found: list[Conversation] = []
    for person, messages in threads.items():
        current: list[Message] = []
        is_waited_for = False
        for message in sorted(messages, key=lambda m: m.at):
            is_late_answer = is_waited_for and message.author in HUMAN
            if current and message.at - current[-1].at > SESSION_GAP and not is_late_answer:
                found.append(Conversation(person, tuple(current)))
                current, is_waited_for = [], False
            current.append(message)
            if message.author != "automation":
                is_waited_for = message.author == "customer"
        found.append(Conversation(person, tuple(current)))
    return found


def turns(conversation: Conversation) -> list[tuple[int, int | None]]:
    """(begun, answered or None) of each turn; only a person's close ends one without an answer."""
    events = [(m.at, 0, m.author) for m in conversation.messages] + [(at, 1, "close") for at in conversation.closes]
    found: list[tuple[int, int | None]] = []
    begun: int | None = None
    for at, _, author in sorted(events):
        if author == "customer":
            begun = at if begun is None else begun
        elif author != "automation" and begun is not None:
            found.append((begun, at if author in HUMAN else None))
            begun = None
    if begun is not None:
        found.append((begun, None))
    return found


def channel_truth(conversations: list[Conversation]) -> ChannelTruth:
    """A number's figures. Messages of conversations nobody of the customers wrote in count as messages too."""
    spoken = Counter(message.author for c in conversations for message in c.messages)
    found = [turn for conversation in conversations for turn in turns(conversation)]
    waits = [answered - begun for begun, answered in found if answered is not None]
    talked = [conversation for conversation in conversations if not conversation.is_outbound_only]
    return ChannelTruth(
        conversations=len(talked),
        outbound_only=len(conversations) - len(talked),
        customer_messages=spoken["customer"],
        agent_messages=spoken["agent"],
        automation_messages=spoken["automation"],
        unknown_messages=spoken["unknown"],
        unique_customers=len({conversation.person for conversation in talked}),
        answered_turns=len(waits),
        unanswered_turns=len(found) - len(waits),
        response_seconds=sum(waits),
    )


def closed_by(ticket: Ticket) -> str:
    """nobody (it is open), person or automation."""
    changes = [item for item in ticket.items if isinstance(item, StatusChange)]
    if not changes or changes[-1].status == "open":
        return "nobody"
    return "person" if isinstance(changes[-1].actor, Agent) else "automation"


def is_waiting(conversation: Conversation) -> bool:
    events = [(m.at, 0, m.author) for m in conversation.messages] + [(at, 1, "close") for at in conversation.closes]
    told = [author for _, _, author in sorted(events) if author != "automation"]
    return bool(told) and told[-1] == "customer"


def is_unread(ticket: Ticket) -> bool:
    """Whether the newest customer message came after the newest agent's message, look or close."""
    conversation = ticket_conversation(ticket)
    asked = max(m.at for m in conversation.messages if m.author == "customer")
    noticed = [m.at for m in conversation.messages if m.author == "agent"]
    noticed += [item.at for item in ticket.items if isinstance(item, Seen)]
    return asked > max([*noticed, *conversation.closes], default=0)


# --------------------------------------------------------------------------------------------------------------- sales


def is_counted(order: Order, cut: int) -> bool:
    is_deleted = order.deleted_at is not None and order.deleted_at < cut
    return not (is_deleted or order.is_draft or order.is_quote) and order.slug(cut - 1) not in UNSOLD


def refund_amounts(order: Order, cut: int) -> list[int]:
    """Halalas given back, credit note by credit note; whole where an order was restored without one."""
    noted = [note.amount for note in order.credit_notes if note.at < cut]
    if not noted and order.slug(cut - 1) == "restored":
        return [order.total]
    return noted


def attributed(orders: Iterable[Order], conversations: list[Conversation]) -> int:
    """How many orders follow a chat: the customer's latest human message before lies in a conversation in which the
    customer had written by then."""
    said: dict[Person, list[tuple[int, int, str]]] = {}
    for number, conversation in enumerate(conversations):
        for message in conversation.messages:
            if message.author != "automation":
                said.setdefault(conversation.person, []).append((message.at, number, message.author))
    found = 0
    for order in orders:
        person = order.buyer.person
        if order.buyer.hides_phone or not person.identity(order.at).phone:
            continue
        before = sorted(entry for entry in said.get(person, []) if entry[0] <= order.at)
        if before:
            found += any(entry[1] == before[-1][1] and entry[2] == "customer" for entry in before)
    return found
