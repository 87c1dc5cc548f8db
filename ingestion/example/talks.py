"""How one conversation goes: bursts of questions, answers late and soon, labels, a close, perhaps an order."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from random import Random

from ingestion.example import clock, shop, texts
from ingestion.example.clock import DAY, HOUR, MINUTE
from ingestion.example.events import (
    Assignment,
    Intent,
    Item,
    LabelChange,
    Message,
    Note,
    Seen,
    Stage,
    StatusChange,
    Story,
    Ticket,
)
from ingestion.example.rhythm import busyness, log_normal
from ingestion.example.shop import Agent, Line, Person

AUTO_RESOLVE = 2 * DAY
LOCKED_DAYS = 12  # until then the inbox reopened a customer's last ticket; after, it began a new one


def next_wamid(stage: Stage, person: Person, at: int) -> str:
    """A message id. Like WhatsApp's own it is base64 around the customer's number."""
    stage.wamids += 1
    phone = (person.identity(at).phone or "").encode()
    serial = f"{stage.wamids * 2654435761 % 2**32:08X}{stage.wamids:012X}".encode()
    return "wamid." + b64encode(b"\x1c\x18" + bytes([len(phone)]) + phone + b"\x15\x02\x00\x12\x18\x14" + serial).decode()


def customer_words(stage: Stage, person: Person, topic: str, is_first: bool, is_last: bool) -> list[tuple[str, str]]:
    """A burst of a customer: (kind, text) each."""
    rng, arabic = stage.rng, person.is_arabic
    words: list[tuple[str, str]] = []
    if is_first:
        if rng.random() < 0.55:
            words.append(("text", rng.choice(texts.OPENERS[arabic])))
        words.append(("text", rng.choice(texts.QUESTIONS[topic][arabic])))
    elif is_last and rng.random() < 0.6:
        return [("text", rng.choice(texts.THANKS[arabic]))]
    while rng.random() < 0.42 or not words:
        kind = rng.choices(("text", "image", "audio", "location", "sticker", "document"), (83, 7, 5, 2, 2, 1))[0]
        words.append((kind, rng.choice(texts.FOLLOW_UPS[arabic]) if kind == "text" else ""))
    return words


def reply_moment(stage: Stage, asked: int, median: float) -> int:
    """When the shop answers: soon while it is open, else with the next opening, now and then a day late."""
    rng = stage.rng
    if rng.random() < 0.012:
        asked += DAY + rng.randrange(2 * HOUR, 12 * HOUR)
    load = busyness(stage, min(max(stage.day(asked), 0), stage.days - 1))
    at = asked + log_normal(rng, median * max(load, 0.8), 1.05, least=8)
    if clock.is_open(at, stage.holiday) or (rng.random() < 0.12 and clock.is_open(at - HOUR, stage.holiday)):
        return at
    return clock.next_open(at, stage.holiday) + log_normal(rng, 11 * MINUTE, 0.9, least=20)


def on_shift(stage: Stage, at: int) -> Agent:
    """Somebody who works then."""
    is_evening = (at + clock.OFFSET) % DAY >= 16 * HOUR
    present = [
        a
        for a in shop.AGENTS
        if (a.works_evenings if is_evening else a.works_mornings) and stage.day(at) >= a.from_day
    ]
    return stage.rng.choice(present)


def outgoing_statuses(rng: Random, at: int, kind: str, fails: float) -> tuple[tuple[str, int], ...]:
    """What WhatsApp will tell of a message sent at `at`."""
    if rng.random() < fails:
        return (("failed", at),)
    found = [("sent", at)]
    if rng.random() < 0.04:
        return tuple(found)
    delivered = at + (rng.randrange(1, 5) if rng.random() < 0.85 else log_normal(rng, 40 * MINUTE, 1.2))
    is_read = rng.random() < 0.8
    if not (is_read and rng.random() < 0.06):
        found.append(("delivered", delivered))
    if is_read:
        read = delivered + log_normal(rng, 150, 1.6)
        found.append(("read", read))
        if kind == "audio" and rng.random() < 0.8:
            found.append(("played", read + rng.randrange(2, 40)))
    return tuple(found)


@dataclass
class Talk:
    """A conversation while it is written down."""

    stage: Stage
    line: Line
    person: Person
    topic: str
    messages: list[Message] = field(default_factory=list)
    others: list[Item] = field(default_factory=list)
    now: int = 0

    def customer(self, at: int, kind: str, text: str) -> Message:
        self.now = max(at, self.now)
        message = Message(self.now, self.line, self.person, "customer", kind, text)
        self.messages.append(message)
        return message

    def business(
        self, at: int, author: str, by: Agent | str | None, text: str, *, kind: str = "text", category: str = "service"
    ) -> Message:
        fails = 0.006 if category == "service" else 0.035
        message = Message(at, self.line, self.person, author, kind, text, by, category=category)
        message.statuses = outgoing_statuses(self.stage.rng, at, kind, fails)
        self.messages.append(message)
        return message

    def settled(self) -> list[Message]:
        """The messages in order, no two within three seconds, each with its id."""
        self.messages.sort(key=lambda m: m.at)
        last = 0
        for message in self.messages:
            if message.at < last + 3:
                late = last + 3 - message.at
                message.at += late
                message.statuses = tuple((status, at + late) for status, at in message.statuses)
            last = message.at
            message.wamid = next_wamid(self.stage, self.person, message.at)
        self.now = max(last, self.now)
        return self.messages


def burst(talk: Talk, start: int, is_first: bool, is_last: bool) -> None:
    """The customer writes one or more messages in a row."""
    at = start
    for kind, text in customer_words(talk.stage, talk.person, talk.topic, is_first, is_last):
        talk.customer(at, kind, text)
        at += talk.stage.rng.randrange(3, 55)


def sales_visit(story: Story, person: Person, at: int, topic: str) -> None:
    """A customer writes to the number that the inbox serves."""
    stage = story.stage
    previous = stage.last_ticket.get(person)
    if previous and stage.day(at) < LOCKED_DAYS:
        ticket = previous
        ticket.items.append(StatusChange(at, "open", None))
    else:
        ticket = Ticket(person, at)
        story.tickets.append(ticket)
    stage.last_ticket[person] = ticket
    talk = Talk(stage, shop.SALES, person, topic)
    if topic == "shipping" and stage.rng.random() < 0.8:
        talk.others.append(LabelChange(at + 4, ("shipping",), (), "rule"))
    first_words(talk, at)
    converse(story, ticket, talk, at)


def first_words(talk: Talk, at: int) -> None:
    """What machines say before a person does."""
    rng, stage = talk.stage.rng, talk.stage
    if clock.is_open(at, stage.holiday):
        talk.business(at + 3, "automation", "greeting", texts.GREETING)
    else:
        talk.business(at + 3, "automation", "greeting", texts.OUT_OF_OFFICE)
    if talk.topic == "shipping":
        if rng.random() < 0.45:
            talk.business(at + rng.randrange(9, 20), "automation", "bot", texts.BOT_ANSWER)
        elif rng.random() < 0.4:
            talk.business(at + 7, "automation", "rule", texts.RULE_ANSWER)


def converse(story: Story, ticket: Ticket, talk: Talk, start: int) -> None:
    """Customer and agents by turns, until one side stops; then the ticket's end."""
    stage, rng, person = talk.stage, talk.stage.rng, talk.person
    rounds = rng.choices((1, 2, 3, 4, 5), (24, 32, 24, 13, 7))[0]
    at: int = start
    agent: Agent | None = None
    for number in range(rounds):
        is_last = number == rounds - 1 and number > 0
        burst(talk, at, is_first=number == 0, is_last=is_last)
        if rng.random() < (0.055 if not is_last else 0.4):
            if rng.random() < 0.5:
                talk.others.append(Seen(reply_moment(stage, talk.now, 20 * MINUTE), agent or shop.AGENTS[0]))
            break
        answered = reply_moment(stage, talk.now, agent.reply_median if agent else 200)
        if agent is None or rng.random() < 0.1 or not works_at(stage, agent, answered):
            agent = on_shift(stage, answered)
            talk.others.append(Assignment(answered, agent))
        talk.others.append(Seen(answered - min(6, answered - talk.now), agent))
        said = 1 + (rng.random() < 0.22)
        for extra in range(said):
            kind = rng.choices(("text", "image", "audio"), (92, 5, 3))[0]
            moment_of = answered + extra * rng.randrange(8, 45)
            message = talk.business(moment_of, "agent", agent, rng.choice(texts.ANSWERS[person.is_arabic]), kind=kind)
            talk.now = max(talk.now, message.at)
        if rng.random() < 0.04:
            talk.others.append(Note(talk.now + 15, agent, rng.choice(texts.NOTES)))
        if number == 0:
            talk.others.extend(first_labels(stage, talk, agent))
        pause = log_normal(rng, 170, 1.0, least=12) if rng.random() < 0.93 else rng.randrange(2 * HOUR, 20 * HOUR)
        at = talk.now + pause
    messages = talk.settled()
    if talk.line is shop.SALES and person not in stage.last_seen and rng.random() < 0.12:
        next(m for m in messages if m.author == "customer").is_referred = True
    buy_after(story, talk, agent)
    ticket.items.extend(messages)
    ticket.items.extend(talk.others)
    finish_ticket(stage, ticket, talk, agent)


def works_at(stage: Stage, agent: Agent, at: int) -> bool:
    is_evening = (at + clock.OFFSET) % DAY >= 16 * HOUR
    return agent.works_evenings if is_evening else agent.works_mornings


def first_labels(stage: Stage, talk: Talk, agent: Agent) -> list[LabelChange]:
    """What an agent marks a conversation with, mistakes and second thoughts included."""
    rng, at = stage.rng, talk.now + stage.rng.randrange(20, 90)
    by_topic = {"exchange": ("exchange", 0.8), "complaint": ("complaint", 0.85), "product": ("طلب جديد", 0.42)}
    label, chance = by_topic.get(talk.topic, ("", 0.0))
    found: list[LabelChange] = []
    if rng.random() < chance:
        added = (label, "vip") if stage.orders_of.get(talk.person, 0) > 1 and rng.random() < 0.6 else (label,)
        found.append(LabelChange(at, added, (), agent))
        if rng.random() < 0.08:
            found.append(LabelChange(at + 20 * MINUTE, (), (label,), agent))
            if rng.random() < 0.6:
                found.append(LabelChange(at + 50 * MINUTE, (label,), (), on_shift(stage, at + 50 * MINUTE)))
    return found


def finish_ticket(stage: Stage, ticket: Ticket, talk: Talk, agent: Agent | None) -> None:
    """An agent closes the ticket, or the inbox does after two silent days; a few are opened again."""
    rng, person = stage.rng, talk.person
    last = max(item.at for item in ticket.items)
    resolved = last + AUTO_RESOLVE
    if rng.random() < (0.74 if agent else 0.28):
        closer = agent or shop.AGENTS[0]
        resolved = last + log_normal(rng, 14 * MINUTE, 1.1, least=20)
        if not clock.is_open(resolved, stage.holiday):
            resolved = clock.next_open(resolved, stage.holiday) + rng.randrange(60, 1800)
        ticket.items.append(StatusChange(resolved, "resolved", closer))
        if rng.random() < 0.035:
            again = resolved + rng.randrange(10 * MINUTE, 90 * MINUTE)
            ticket.items.append(StatusChange(again, "open", closer))
            follow = Talk(stage, talk.line, person, talk.topic)
            follow.business(again + 40, "agent", closer, texts.ANSWERS[person.is_arabic][5])
            ticket.items.extend(follow.settled())
            resolved = again + log_normal(rng, 30 * MINUTE, 0.6)
            ticket.items.append(StatusChange(resolved, "resolved", closer))
    else:
        ticket.items.append(StatusChange(resolved, "resolved", None))
    stage.busy[(talk.line.phone, person)] = resolved + 30 * MINUTE
    stage.last_seen[person] = last


def buy_after(story: Story, talk: Talk, agent: Agent | str | None) -> None:
    """Some of those who asked buy, most of them within the hour."""
    stage = talk.stage
    if agent and talk.topic == "product" and stage.rng.random() < 0.34:
        after = log_normal(stage.rng, 35 * MINUTE, 1.5, least=90)
        source = stage.rng.choices(("store", "dashboard", "mahly-app"), (76, 14, 10))[0]
        story.intents.append(Intent(talk.now + after, talk.person, source))
        stage.orders_of[talk.person] = stage.orders_of.get(talk.person, 0) + 1


def support_visit(story: Story, person: Person, at: int, topic: str) -> None:
    """A customer writes to the plain number: a flow answers at once, people later, by interface or by phone."""
    stage, rng = story.stage, story.stage.rng
    talk = Talk(stage, shop.SUPPORT, person, topic)
    rounds = rng.choices((1, 2, 3, 4), (34, 34, 20, 12))[0]
    by = None
    for number in range(rounds):
        burst(talk, at, is_first=number == 0, is_last=number == rounds - 1 and number > 0)
        if number == 0 and rng.random() < 0.7:
            talk.business(at + rng.randrange(3, 9), "automation", rng.choice(texts.FLOW_TAGS), texts.BOT_ANSWER)
        if rng.random() < (0.12 if number == 0 else 0.3):
            break
        answered = reply_moment(stage, talk.now, 380)
        by = by or rng.choices(("agent:layla", "agent:omar", "echo", None), (42, 26, 26, 6))[0]
        author = "unknown" if by is None else "agent"
        message = talk.business(answered, author, by, rng.choice(texts.ANSWERS[person.is_arabic]))
        if by == "echo":
            message.statuses = ()
        talk.now = max(talk.now, answered)
        at = talk.now + (log_normal(rng, 200, 1.0, least=12) if rng.random() < 0.85 else rng.randrange(3 * HOUR, 26 * HOUR))
    story.support.extend(talk.settled())
    buy_after(story, talk, by)
    stage.busy[(shop.SUPPORT.phone, person)] = talk.now + 45 * MINUTE
    stage.last_seen[person] = talk.now
