"""What happens in the example shop, day by day: who comes, when, and the campaigns they are sent.

Nothing here knows a wire format. A story ends before `Stage.cut`, the midnight after its last day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from ingestion.example import clock, shop, texts
from ingestion.example.clock import DAY, HOUR, MINUTE
from ingestion.example.events import (
    IdentityChange,
    Intent,
    Item,
    LabelChange,
    Stage,
    StatusChange,
    Story,
    Ticket,
    Visit,
)
from ingestion.example.oddities import add_oddities
from ingestion.example.rhythm import busyness, log_normal, moment
from ingestion.example.shop import Line, Person
from ingestion.example.talks import AUTO_RESOLVE, Talk, converse, next_wamid, sales_visit, support_visit
from ingestion.example.trade import add_trade

Act = tuple[int, Callable[..., "list[Act]"], tuple[Any, ...]]


def holiday_of(end: date) -> date:
    """The shop's one day off within the example."""
    return end - timedelta(days=20)


def set_stage(end: date, days: int, seed: int) -> Stage:
    first = clock.midnight(end - timedelta(days=days - 1))
    rng = Random(seed)  # noqa: S311 - a story, not a secret
    return Stage(rng, end, days, first, clock.midnight(end + timedelta(days=1)), holiday_of(end))


def tell(end: date, days: int, seed: int) -> Story:
    """The whole story of `days` local days, the last of them `end`."""
    stage = set_stage(end, days, seed)
    story = Story(stage)
    play(story, plan_visits(stage) + plan_campaigns(stage) + plan_moves(stage))
    add_trade(story)
    add_oddities(story)
    return finished(story)


def play(story: Story, acts: list[Act]) -> None:
    """Let everything happen in order of time; what happens may lead to more."""
    queue: list[tuple[int, int, Act]] = []
    serial = count()
    for act in acts:
        heappush(queue, (act[0], next(serial), act))
    while queue:
        at, _, (_, happens, details) = heappop(queue)
        if at < story.stage.cut:
            for act in happens(story, at, *details):
                heappush(queue, (act[0], next(serial), act))


def finished(story: Story) -> Story:
    """The story cut at its end, in order, with ticket numbers."""
    cut = story.stage.cut
    for ticket in story.tickets:
        ticket.items = real_changes(sorted((item for item in ticket.items if item.at < cut), key=lambda item: item.at))
        for message in ticket.messages:
            message.statuses = told_before(message.statuses, cut)
    story.tickets = sorted((t for t in story.tickets if t.created_at < cut), key=lambda t: t.created_at)
    for number, ticket in enumerate(story.tickets, 1):
        ticket.ticket_id = number
    for name in ("support", "strays", "marks", "identity_changes", "intents", "orders", "carts"):
        setattr(story, name, sorted((e for e in getattr(story, name) if e.at < cut), key=lambda e: e.at))
    for message in story.support + story.strays:
        message.statuses = told_before(message.statuses, cut)
    story.opt_outs = [entry for entry in story.opt_outs if entry[0] < cut]
    return story


def real_changes(items: list[Item]) -> list[Item]:
    """The items without changes of labels that change nothing."""
    carried: set[str] = set()
    found: list[Item] = []
    for item in items:
        if isinstance(item, LabelChange):
            added = tuple(label for label in item.added if label not in carried)
            removed = tuple(label for label in item.removed if label in carried)
            carried = (carried | set(added)) - set(removed)
            if added or removed:
                found.append(LabelChange(item.at, added, removed, item.actor))
        else:
            found.append(item)
    return found


def told_before(statuses: tuple[tuple[str, int], ...], cut: int) -> tuple[tuple[str, int], ...]:
    return tuple(entry for entry in statuses if entry[1] < cut)


# ----------------------------------------------------------------------------------------------- when people come


def plan_visits(stage: Stage) -> list[Act]:
    """Everyone who comes by themselves, to either number."""
    acts: list[Act] = []
    for line, a_day in ((shop.SALES, 23.0), (shop.SUPPORT, 7.0)):
        for number in range(stage.days):
            mean = a_day * busyness(stage, number)
            for _ in range(max(0, round(stage.rng.gauss(mean, mean**0.5)))):
                at = moment(stage, number)
                acts.append((at, visit, (Visit(at, line),)))
    return acts


def plan_campaigns(stage: Stage) -> list[Act]:
    """The White Friday broadcast from the support number, and the inbox's own campaign a week later."""
    white_friday = stage.first + max(stage.days - 13, 1) * DAY + 17 * HOUR
    new_oud = stage.first + max(stage.days - 6, 1) * DAY + 20 * HOUR + 30 * MINUTE
    return [(white_friday, broadcast, ("white_friday", 330)), (new_oud, inbox_campaign, (240,))]


def plan_moves(stage: Stage) -> list[Act]:
    """Customers who change their number, and one whose old number somebody else gets."""
    return [
        (stage.first + int(stage.days * share) * DAY + 12 * HOUR, move, (reused,))
        for share, reused in ((0.35, True), (0.45, False), (0.55, False), (0.7, False))
    ]


# ------------------------------------------------------------------------------------------------------- who comes


def is_free(stage: Stage, line: Line, person: Person, at: int) -> bool:
    return stage.busy.get((line.phone, person), 0) < at


def newcomer(stage: Stage, phone: str | None = None) -> Person:
    person = shop.new_person(stage.rng, len(stage.crowd) + 1, phone)
    stage.crowd.append(person)
    return person


def whoever_comes(stage: Stage, line: Line, at: int) -> Person:
    """A known customer, rather a recent one, or a new one."""
    wanted = 0.36 if line is shop.SALES else 0.6
    if stage.crowd and stage.rng.random() < wanted:
        for _ in range(5):
            back = min(int(stage.rng.expovariate(1 / 150)), len(stage.crowd) - 1)
            person = stage.crowd[-1 - back]
            if is_free(stage, line, person, at) and at - stage.last_seen.get(person, 0) > 2 * HOUR:
                return person
    return newcomer(stage)


def move(story: Story, at: int, is_reused: bool) -> list[Act]:
    """A customer changes the number, tells nobody, and writes again the day after."""
    stage = story.stage
    movable = [
        p
        for p in stage.crowd
        if len(p.identities) == 1 and p.identities[0].phone and p.identities[0].user_id and p.country == "SA"
        and all(is_free(stage, line, p, at) for line in (shop.SALES, shop.SUPPORT)) and p in stage.last_seen
    ]
    if not movable:
        return []
    person = stage.rng.choice(movable)
    old_phone = person.identities[0].phone
    fresh = shop.Identity(
        at, shop.new_phone("SA", 9000 + len(story.identity_changes)), shop.user_id_of("SA", person.number, 1)
    )
    person.identities.append(fresh)
    story.identity_changes.append(IdentityChange(at, person, shop.SUPPORT, next_wamid(stage, person, at)))
    acts: list[Act] = [(at + DAY, visit, (Visit(at + DAY, shop.SALES, person, "product"),))]
    if is_reused:
        acts.append((at + 15 * DAY, reuse, (old_phone,)))
    return acts


def reuse(story: Story, at: int, phone: str) -> list[Act]:
    """Somebody else has got the number, and writes."""
    return [(at, visit, (Visit(at, shop.SUPPORT, newcomer(story.stage, phone), "product"),))]


def visit(story: Story, at: int, coming: Visit) -> list[Act]:
    """A customer writes, and what follows."""
    stage = story.stage
    person = coming.person or whoever_comes(stage, coming.line, at)
    if not is_free(stage, coming.line, person, at):
        return []
    topics = ("product", "shipping", "exchange", "complaint")
    weights = (62, 18, 12, 8) if coming.line is shop.SALES else (22, 38, 25, 15)
    topic = coming.topic or stage.rng.choices(topics, weights)[0]
    if coming.line is shop.SALES:
        sales_visit(story, person, at, topic)
    else:
        support_visit(story, person, at, topic)
    return []


def broadcast(story: Story, at: int, name: str, size: int) -> list[Act]:
    """A campaign from the support number; some answer, some buy, a few want no more of it."""
    stage, rng = story.stage, story.stage.rng
    audience = [p for p in stage.crowd if is_free(stage, shop.SUPPORT, p, at)]
    rng.shuffle(audience)
    acts: list[Act] = []
    for number, person in enumerate(audience[:size]):
        talk = Talk(stage, shop.SUPPORT, person, "product")
        message = talk.business(at + number, "automation", f"campaign:{name}", texts.CAMPAIGN_TEXT, category="marketing")
        talk.settled()
        story.support.append(message)
        stage.busy[(shop.SUPPORT.phone, person)] = at + number + 5 * MINUTE
        fate = rng.random()
        if message.is_failed:
            continue
        when = at + number + 6 * MINUTE + log_normal(rng, 45 * MINUTE, 1.2)
        if fate < 0.15:
            acts.append((when, visit, (Visit(when, shop.SUPPORT, person, "product"),)))
        elif fate < 0.19:
            story.intents.append(Intent(when, person, "campaign"))
        elif fate < 0.21:
            acts.append((when, opt_out, (person,)))
    return acts


def opt_out(story: Story, at: int, person: Person) -> list[Act]:
    """A customer presses the template's button for no more offers."""
    if is_free(story.stage, shop.SUPPORT, person, at):
        talk = Talk(story.stage, shop.SUPPORT, person, "product")
        talk.customer(at, "button", "إيقاف العروض")
        story.support.extend(talk.settled())
        story.opt_outs.append((at + 1, person))
    return []


def inbox_campaign(story: Story, at: int, size: int) -> list[Act]:
    """A campaign of the inbox itself: a ticket each, of which most stay without an answer."""
    stage, rng = story.stage, story.stage.rng
    audience = [p for p in stage.crowd if is_free(stage, shop.SALES, p, at)]
    rng.shuffle(audience)
    for number, person in enumerate(audience[:size]):
        sent = at + number * 2
        ticket = Ticket(person, sent)
        story.tickets.append(ticket)
        stage.last_ticket[person] = ticket
        opening = Talk(stage, shop.SALES, person, "product")
        message = opening.business(sent, "automation", "campaign", texts.CAMPAIGN_TEXT, category="marketing")
        ticket.items.extend(opening.settled())
        if not message.is_failed and rng.random() < 0.16:
            start = sent + 30 + log_normal(rng, 40 * MINUTE, 1.1)
            converse(story, ticket, Talk(stage, shop.SALES, person, "product"), start)
        else:
            resolved = sent + AUTO_RESOLVE
            ticket.items.append(StatusChange(resolved, "resolved", None))
            stage.busy[(shop.SALES.phone, person)] = resolved + 30 * MINUTE
    return []
