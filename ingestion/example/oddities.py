"""The odd things every real stream holds, a few of each: reactions, edits, unsupported kinds, strays."""

from __future__ import annotations

from ingestion.example import shop, texts
from ingestion.example.clock import HOUR
from ingestion.example.events import Mark, Message, Story
from ingestion.example.talks import Talk, next_wamid


def add_oddities(story: Story) -> None:
    add_marks(story)
    add_strays(story)
    add_unsupported(story)
    add_group_message(story)


def add_marks(story: Story) -> None:
    """Customers react to what they were told, take it back, and edit or revoke what they wrote."""
    stage = story.stage
    for ticket in story.tickets:
        for message in ticket.messages:
            chance = stage.rng.random()
            if message.author == "agent" and not message.is_failed and chance < 0.02:
                mark(story, message, "reaction", 60)
                if chance < 0.003:
                    mark(story, message, "reaction_removed", 200)
            elif message.author == "customer" and message.kind == "text" and chance < 0.003:
                mark(story, message, "edit" if chance < 0.0022 else "revoke", 45)


def mark(story: Story, message: Message, kind: str, later: int) -> None:
    at = message.at + later
    story.marks.append(Mark(at, kind, message, next_wamid(story.stage, message.person, at)))


def add_strays(story: Story) -> None:
    """Sends through another tool on the inbox's number, which the inbox never hears of."""
    talked = [ticket for ticket in story.tickets if ticket.person.identity(ticket.created_at).phone]
    for ticket in talked[len(talked) // 10 :: max(len(talked) // 9, 1)]:
        talk = Talk(story.stage, shop.SALES, ticket.person, "shipping")
        talk.business(ticket.created_at - 3 * HOUR, "automation", None, texts.BOT_ANSWER, category="utility")
        keep_strays(story, talk)


def keep_strays(story: Story, talk: Talk) -> None:
    for message in talk.settled():
        message.is_missing_in_inbox = True
        story.strays.append(message)


def add_unsupported(story: Story) -> None:
    """A poll: the inbox drops it, the plain number keeps it as a message of unknown content."""
    spoken = [m for m in story.support if m.author == "customer"]
    for message in spoken[20 :: max(len(spoken) // 3, 1)]:
        message.kind, message.text = "unsupported", ""
    if story.tickets:
        ticket = story.tickets[len(story.tickets) // 2]
        talk = Talk(story.stage, shop.SALES, ticket.person, "product")
        talk.customer(ticket.created_at - HOUR, "unsupported", "")
        keep_strays(story, talk)


def add_group_message(story: Story) -> None:
    """One message of a group the support number is in."""
    if story.support:
        near = story.support[len(story.support) // 2]
        talk = Talk(story.stage, shop.SUPPORT, near.person, "product")
        talk.customer(near.at + 7, "group", "جمعة مباركة")
        story.strays.extend(talk.settled())
