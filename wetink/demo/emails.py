"""Letters: the emails that the shop has sent in its two weeks, and who opened and clicked them.

No door takes opens of the past, so they go to what stands behind it: the code of an open, with the clock of then.
"""

import random
from collections.abc import Mapping, Sequence

import msgspec

from wetink.core.client_classification import classify, facts_of
from wetink.core.profile.person import Moment
from wetink.demo.life import DAY, DEVICES, HOUR, MINUTE, Message
from wetink.opens.recipient import parse
from wetink.ports.drawing import Served
from wetink.wiring import Wetink

CAMPAIGNS = (("autumn-lamps", 13), ("slow-mornings", 10), ("back-to-the-trail", 6), ("long-evenings", 2))
"""Name, and how many days ago it went out."""

PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PREFETCH = "Mozilla/5.0"


SUBSCRIBERS = 240
"""Who get the emails and have never been at the shop."""

RATES = {"cart left behind": 0.3, "cart, while it lasts": 0.42, "still looking": 0.26, "": 0.16}
"""How often the hero is clicked, by the variant that was shown."""
PICKS = 0.95
"""Whoever is in a better mood than that clicks a card."""


class Letter(msgspec.Struct, frozen=True):
    """An email somebody got: who opened it when (Unix ms), with what, and their mood to click, from 0 to 1."""

    recipient: str
    campaign: str
    at: int
    agent: str
    mood: float = 1.0


def letters(seed: int, messages: Sequence[Message], now: int) -> list[Letter]:
    """Return the emails that were opened up to `now`, by shoppers who have said their address and by others.

    The oldest come first.
    """
    shoppers = {message.properties["email"] for message in messages if message.kind == "identify"}
    addresses = [*sorted(shoppers), *(f"reader{number}@mail.example" for number in range(SUBSCRIBERS))]
    found = []
    for address in addresses:
        chance = random.Random(f"{seed}/letters/{address}")  # noqa: S311 (no secret)
        agent = chance.choice((*DEVICES, PROXY))
        for campaign, days in CAMPAIGNS:
            at = now - days * DAY + int(chance.expovariate(1 / (9 * HOUR)))
            if at > now - HOUR:
                continue
            if chance.random() < 0.2:
                found.append(Letter(f"email:{address}", campaign, now - days * DAY + MINUTE, PREFETCH))
            if chance.random() < 0.72:
                found.append(Letter(f"email:{address}", campaign, at, agent, chance.random()))
    return sorted(found, key=lambda letter: (letter.at, letter.recipient))


async def post(wetink: Wetink, sent: Sequence[Letter]) -> int:
    """Have all these emails opened and clicked as of then; return how many pictures were sent."""
    pictures = 0
    for letter in sent:
        who = parse(letter.recipient)
        if who is None:
            continue
        shown = {}
        for block in wetink.content.blocks.values():
            decision = await wetink.opens.read(wetink.content, block, who, _moment(letter, letter.at, click=False))
            shown[block.name] = decision.variant
            for _ in range(block.slots):
                wetink.store.ledger.served(Served(block.name, decision.variant, letter.campaign), letter.at)
            pictures += block.slots
        clicked = _clicked(letter, shown)
        if clicked:
            await wetink.opens.destination(
                wetink.content, clicked, 1, who, _moment(letter, letter.at + MINUTE // 2, click=True)
            )
    return pictures


def _clicked(letter: Letter, shown: Mapping[str, str]) -> str:
    """Return the block that is clicked, empty for none."""
    if letter.agent == PREFETCH:
        return ""
    if letter.mood < RATES.get(shown["hero"], 0.0):
        return "hero"
    return "picks" if letter.mood > PICKS else ""


def _moment(letter: Letter, at: int, *, click: bool) -> Moment:
    facts = facts_of(letter.agent, click=click)
    return Moment(now=at, campaign=letter.campaign, facts=facts, fetch_class=classify(facts).kind, device=facts.device)
