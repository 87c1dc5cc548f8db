"""The kinds of events the example's story is made of: plain dataclasses, times in whole seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ingestion.example.clock import DAY
from ingestion.example.shop import Agent, Line, Person, Product


@dataclass(eq=False)
class Message:
    """Something said on a business number. author: customer, agent, automation or unknown.

    by: an Agent; or for the rest 'greeting', 'bot', 'rule', 'echo', a campaign or a sender tag.
    statuses: what WhatsApp tells of an outgoing message, (status, at).
    """

    at: int
    line: Line
    person: Person
    author: str
    kind: str = "text"
    text: str = ""
    by: Agent | str | None = None
    wamid: str = ""
    statuses: tuple[tuple[str, int], ...] = ()
    category: str = "service"
    is_referred: bool = False
    is_missing_in_inbox: bool = False

    @property
    def is_failed(self) -> bool:
        return any(status == "failed" for status, _ in self.statuses)


@dataclass(frozen=True)
class Note:
    """A private note of an agent."""

    at: int
    agent: Agent
    text: str


@dataclass(frozen=True)
class StatusChange:
    """A ticket's new status. actor: None is the inbox itself."""

    at: int
    status: str
    actor: Agent | None


@dataclass(frozen=True)
class LabelChange:
    """Labels put on and taken off in one step. actor: an Agent, or 'rule'."""

    at: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    actor: Agent | str


@dataclass(frozen=True)
class Assignment:
    at: int
    agent: Agent


@dataclass(frozen=True)
class Seen:
    """An agent opened the conversation."""

    at: int
    agent: Agent


Item = Message | Note | StatusChange | LabelChange | Assignment | Seen


@dataclass(eq=False)
class Ticket:
    """A conversation of the inbox; items in order of time."""

    person: Person
    created_at: int
    items: list[Item] = field(default_factory=list)
    ticket_id: int = 0

    @property
    def messages(self) -> list[Message]:
        return [item for item in self.items if isinstance(item, Message)]


@dataclass(frozen=True)
class Mark:
    """A reaction, its removal, an edit or a revoke of a customer; wamid: its own."""

    at: int
    kind: str
    message: Message
    wamid: str


@dataclass(frozen=True)
class IdentityChange:
    """A customer moved to another phone number."""

    at: int
    person: Person
    line: Line
    wamid: str


@dataclass(frozen=True)
class Intent:
    """Someone means to buy at an instant, and from where they come."""

    at: int
    person: Person
    source: str


@dataclass(eq=False)
class Buyer:
    """A person as Salla's customer."""

    person: Person
    customer_id: int = 0
    since: int = 0

    @property
    def hides_phone(self) -> bool:
        """Some log in through another service and never give a number."""
        return self.customer_id % 97 == 0


@dataclass(frozen=True)
class CreditNote:
    """Money given back. amount: halalas, tax included."""

    at: int
    amount: int


@dataclass(eq=False)
class Cart:
    """A cart left behind; `order` where it was bought after all."""

    at: int
    buyer: Buyer
    lines: list[tuple[Product, int]]
    cart_id: int = 0
    order: Order | None = None

    @property
    def goods(self) -> int:
        """Whole riyals before tax."""
        return sum(product.price * quantity for product, quantity in self.lines)


@dataclass(eq=False)
class Order:
    """An order and what becomes of it. Prices in whole riyals before tax; total in halalas with 15 % tax."""

    at: int
    buyer: Buyer
    lines: list[tuple[Product, int]]
    payment: str
    source: str
    discount: int
    shipping: int
    cod_fee: int
    cart: Cart | None = None
    steps: list[tuple[int, str]] = field(default_factory=list)
    credit_notes: list[CreditNote] = field(default_factory=list)
    is_draft: bool = False
    is_quote: bool = False
    deleted_at: int | None = None
    order_id: int = 0
    reference_id: int = 0
    cart_id: int = 0

    @property
    def goods(self) -> int:
        return sum(product.price * quantity for product, quantity in self.lines)

    @property
    def net(self) -> int:
        return self.goods - self.discount + self.shipping + self.cod_fee

    @property
    def total(self) -> int:
        return self.net * 115

    def slug(self, at: int) -> str:
        """The status at an instant."""
        return [slug for since, slug in self.steps if since <= at][-1]

    def updated_at(self, at: int) -> int:
        """The last change of status before an instant."""
        return max(since for since, _ in self.steps if since <= at)


@dataclass(frozen=True)
class Visit:
    """A customer who is about to write; person: None is whoever comes."""

    at: int
    line: Line
    person: Person | None = None
    topic: str | None = None


@dataclass
class Stage:
    """The days of the story and everyone met so far."""

    rng: Random
    end: date
    days: int
    first: int = 0
    cut: int = 0
    holiday: date = date.min
    crowd: list[Person] = field(default_factory=list)
    last_seen: dict[Person, int] = field(default_factory=dict)
    busy: dict[tuple[str, Person], int] = field(default_factory=dict)
    last_ticket: dict[Person, Ticket] = field(default_factory=dict)
    orders_of: dict[Person, int] = field(default_factory=dict)
    wamids: int = 0

    def day(self, at: int) -> int:
        """The day of the story an instant lies on, from 0."""
        return (at - self.first) // DAY


@dataclass
class Story:
    """Everything that happened, each list in order of time."""

    stage: Stage
    tickets: list[Ticket] = field(default_factory=list)
    support: list[Message] = field(default_factory=list)
    strays: list[Message] = field(default_factory=list)  # on the sales number, never seen by the inbox
    marks: list[Mark] = field(default_factory=list)
    identity_changes: list[IdentityChange] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    carts: list[Cart] = field(default_factory=list)
    opt_outs: list[tuple[int, Person]] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """All messages of both numbers, in order of time."""
        found = [m for ticket in self.tickets for m in ticket.messages] + self.support + self.strays
        return sorted(found, key=lambda m: (m.at, m.wamid))
