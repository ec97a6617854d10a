"""Seed: the shop's past. Messages go through the real Segment SDK over HTTP.

No endpoint takes past opens, so the code behind it opens the emails of two weeks, with the clock at that time.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from segment.analytics.client import Client

from wetink.core.client_classification import classify, facts_of
from wetink.core.errors import Unavailable
from wetink.core.profile.person import Moment
from wetink.demo.life import DAY, DEVICES, HOUR, MINUTE, Message
from wetink.opens.recipient import parse
from wetink.ports.drawing import Served
from wetink.wiring import Wetink

PATIENCE = 60
"""Seconds without a single acknowledged message after which seeding gives up."""


def seed(
    write_key: str, address: str, messages: Sequence[Message], progress: Callable[[int], None] = lambda _: None
) -> int:
    """Send the messages to the server at `address`; return their number once all are acknowledged.

    `progress` gets the number acknowledged so far. Raises Unavailable if the server refuses any, or stops answering.
    """
    refused: list[tuple[Exception, int]] = []

    def lost(error: Exception, batch: Iterable[Any]) -> None:
        refused.append((error, len(list(batch))))

    client = Client(
        write_key,
        host=address,
        on_error=lost,
        max_queue_size=len(messages) + 1,
        max_retries=3,
        upload_size=100,
        upload_interval=0.2,
        timeout=20,
    )
    try:
        for message in messages:
            _call(client, message)
        acknowledged = _wait(client, len(messages), refused, progress)
    finally:
        client.join()
    return acknowledged


def seed_with_bar(write_key: str, address: str, messages: Sequence[Message], console: Console) -> int:
    """Run `seed` with a progress bar."""
    look = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*look, console=console, transient=True) as progress:
        task = progress.add_task("Two weeks of Tidewick", total=len(messages))
        return seed(write_key, address, messages, lambda count: progress.update(task, completed=count))


def _call(client: Client, message: Message) -> None:
    common = {
        "user_id": message.user or None,
        "anonymous_id": message.anonymous,
        "timestamp": datetime.fromtimestamp(message.at / 1000, UTC),
        "message_id": message.message_id,
        "context": dict(message.context),
    }
    if message.kind == "track":
        client.track(event=message.name, properties=message.properties, **common)
    elif message.kind == "identify":
        client.identify(traits=message.properties, **common)
    else:
        client.page(name=message.name, properties=message.properties, **common)


def _wait(client: Client, total: int, refused: list[tuple[Exception, int]], progress: Callable[[int], None]) -> int:
    """Wait until the server has answered all messages. A batch counts once its answer arrives, never earlier."""
    count, moved = 0, time.monotonic()
    while True:
        if refused:
            error, size = refused[0]
            raise Unavailable(f"the server refused {size} messages: {error}", hint="see the server's log")
        answered = total - client.queue.unfinished_tasks
        if answered > count:
            count, moved = answered, time.monotonic()
            progress(count)
        if count == total and not refused:
            return count
        if time.monotonic() - moved > PATIENCE:
            raise Unavailable(f"the server has answered nothing for {PATIENCE} s", hint="see the server's log")
        time.sleep(0.02)


CAMPAIGNS = (("autumn-lamps", 13), ("slow-mornings", 10), ("back-to-the-trail", 6), ("long-evenings", 2))
"""Name, and how many days ago it was sent."""

PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PREFETCH = "Mozilla/5.0"


SUBSCRIBERS = 240
"""Recipients of the emails who have never visited the shop."""

RATES = {"cart left behind": 0.3, "cart, while it lasts": 0.42, "still looking": 0.26, "": 0.16}
"""The click rate of the hero, by the variant shown."""
PICKS = 0.95
"""The mood above which a person clicks a card."""


class Letter(msgspec.Struct, frozen=True):
    """An email to a person: the time of the open (Unix ms), the user agent, and the mood to click, from 0 to 1."""

    recipient: str
    campaign: str
    at: int
    agent: str
    mood: float = 1.0


def letters(seed: int, messages: Sequence[Message], now: int) -> list[Letter]:
    """Return the emails opened up to `now`, by shoppers who have given their address and by others.

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
    """Open and click all these emails at their times; return the number of pictures sent."""
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
            await wetink.clicks.destination(
                wetink.content, clicked, 1, who, _moment(letter, letter.at + MINUTE // 2, click=True)
            )
    return pictures


def _clicked(letter: Letter, shown: Mapping[str, str]) -> str:
    """Return the block that the person clicks, empty for none."""
    if letter.agent == PREFETCH:
        return ""
    if letter.mood < RATES.get(shown["hero"], 0.0):
        return "hero"
    return "picks" if letter.mood > PICKS else ""


def _moment(letter: Letter, at: int, *, click: bool) -> Moment:
    facts = facts_of(letter.agent, click=click)
    return Moment(now=at, campaign=letter.campaign, facts=facts, fetch_class=classify(facts).kind, device=facts.device)
