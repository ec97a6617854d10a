"""Writers on several machines write at once: nobody gets an error, and profiles are what a naive model says."""

import asyncio
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.store.postgresql.naive import profiles_of
from wetink.ports import Record, Storage

MESSAGES = int(os.environ.get("WETINK_TEST_MESSAGES", "2500"))
"""How many messages the writers send. Set it to 50000 for a long run."""
HOUR = 3_600_000
WRITERS = 4


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Storage]]:
    made = [postgresql.opened(tmp_path) for _ in range(WRITERS)]
    yield made
    for each in made:
        run(each.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


def story(count: int, chance: random.Random) -> list[Record]:
    """Return messages of a shop in which people share devices and addresses, and some send a copy with a new time."""
    people = max(10, count // 40)

    def somebody(kind: str) -> str:
        return f"{kind}{chance.randrange(3) if chance.random() < 0.1 else chance.randrange(people)}"  # some are hot

    told = []
    for number in range(count):
        at = LATE - chance.randrange(1, 1_000) * HOUR
        said: dict[str, Any] = {"type": "track", "event": "X", "messageId": f"m{number}", "timestamp": at}
        if chance.random() < 0.5:
            said["userId"] = somebody("u")
        if "userId" not in said or chance.random() < 0.5:
            said["anonymousId"] = somebody("d")
        if chance.random() < 0.25:
            said |= {"type": "identify", "traits": {"email": f"{somebody('e')}@shop.example"}}
        elif chance.random() < 0.02:
            said |= {"type": "alias", "userId": somebody("u"), "previousId": somebody(chance.choice("ud"))}
        level = chance.choice(["server", "server", "browser"])
        told.append(received({**said, "receivedAt": LATE}, level=level))
        if chance.random() < 0.05:  # the same message, whose clock was found to be late
            told.append(received({**said, "sentAt": at + HOUR, "receivedAt": LATE}, level=level))
    chance.shuffle(told)
    return told


async def write(stores: Sequence[Storage], shares: Sequence[Sequence[Record]], chance: random.Random) -> list[str]:
    """Have each storage write its share in groups of different sizes. Returns the ids that were new."""

    async def one(store: Storage, share: Sequence[Record]) -> list[str]:
        new, start = [], 0
        while start < len(share):
            end = start + chance.choice([1, 3, 20, 60])
            parts = [share[start:end], share[end : end + 10]]
            for part, duplicates in zip(parts, await asyncio.gather(*map(store.log.append, parts)), strict=True):
                new += [each.message_id for each, again in zip(part, duplicates, strict=True) if not again]
            start = end + 10
        return new

    found = await asyncio.gather(*(one(*each) for each in zip(stores, shares, strict=True)))
    return [each for new in found for each in new]


def test_four_concurrent_writers_make_the_profiles_of_a_naive_model(stores: list[Storage]) -> None:
    chance = random.Random(16)
    records = story(MESSAGES, chance)
    shares = [records[turn::WRITERS] for turn in range(WRITERS)]
    new = run(write(stores, shares, chance))
    assert len(new) == len(set(new)) == MESSAGES
    with stores[0].crowd() as log:
        found = {each.root: sorted(event.message_id for event in each.events) for each in log.profiles()}
    expected = profiles_of(records)
    wrong = [root for root in found.keys() | expected.keys() if found.get(root) != expected.get(root)]
    assert not wrong, f"{len(wrong)} of {len(expected)} profiles are wrong"


def test_writers_of_the_same_messages_in_any_order_get_no_error(stores: list[Storage]) -> None:
    """Each message is sent by all of them, on two connections each, and all name the same three people."""
    chance = random.Random(5)

    def named(number: int) -> Record:
        ids = {"userId": f"u{number % 3}", "anonymousId": f"d{number % 5}"}
        return received({"type": "track", "event": "X", "messageId": f"m{number}", "timestamp": LATE - number, **ids})

    records = [named(number) for number in range(300)]
    shares = [chance.sample(records, len(records)) for _ in stores]
    new = run(write(stores, shares, chance))
    assert sorted(new) == sorted(record.message_id for record in records)
