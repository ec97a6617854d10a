"""Decisions in the bucket: all processes agree without the store, and go on without the bucket."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.test_decisions import HERO, JANE, MINUTE, NOW, decided, follow_the_rule
from tests.jetstream import Cluster, cluster
from tests.stream.streaming import connect, drain, opened_store
from wetink.core.errors import StoreUnavailable
from wetink.ports import Storage
from wetink.ports.ledger import Onlooker
from wetink.stream.apply import Applier
from wetink.stream.jetstream import JetStream
from wetink.stream.opens import StreamedLedger


class Away:
    """A ledger whose database is away."""

    def __getattr__(self, name: str) -> Any:
        async def unavailable(*_: object) -> None:
            raise StoreUnavailable("the database cannot be reached")

        return unavailable


def now_ms() -> int:
    return NOW + MINUTE


@asynccontextmanager
async def processes(address: str, *ledgers: Any) -> AsyncIterator[list[Any]]:
    """Yield a ledger for each process, once all have found the bucket."""
    streams = [JetStream(address) for _ in ledgers]
    made = [StreamedLedger(ledger, stream, now_ms) for ledger, stream in zip(ledgers, streams, strict=True)]
    try:
        for turn, (each, stream, ledger) in enumerate(zip(made, streams, ledgers, strict=True)):
            await connect(stream)
            numbers = count()
            async with asyncio.timeout(20):
                while not await answers(each, ledger, f"try {turn}.{next(numbers)}"):  # noqa: ASYNC110 (it tells nobody)
                    await asyncio.sleep(0.01)
        yield made
    finally:
        for each, stream in zip(made, streams, strict=True):
            await each.close()
            await stream.close()


async def answers(ledger: Any, stored: Any, campaign: str) -> bool:
    """Return whether a decision is settled in the bucket, and not in the store."""
    try:
        await ledger.settle(decided("a", campaign=campaign), 1, MINUTE, "nobody")
    except StoreUnavailable:
        return False
    return isinstance(stored, Away) or await stored.current(HERO, JANE, campaign) is None


def test_processes_agree_while_the_store_is_away(address: str) -> None:
    async def story() -> None:
        async with processes(address, Away(), Away()) as (here, there):
            assert await here.settle(decided("a"), 1, MINUTE, "person") == (decided("a"), True)
            assert await there.settle(decided("b", NOW + 9), 2, MINUTE, "person") == (decided("a"), False)
            assert [await each.current(HERO, JANE, "") for each in (here, there)] == [decided("a")] * 2
            again = decided("b", NOW + 20)
            assert await there.settle(again, 1, MINUTE, "person") == (again, True), "it was opened again"
            assert await here.settle(decided("c", NOW + 21), 3, MINUTE, "machine") == (again, True)
            assert await here.current(HERO, JANE, "") == again
            with pytest.raises(StoreUnavailable):
                await here.current(HERO, "user:bob", "")

    asyncio.run(story())


def test_the_bucket_settles_as_the_rule_says(address: str) -> None:
    """The same rule as that of the engines, over random opens in two processes."""
    chance, bys = random.Random(5), ("person", "machine", "nobody")
    later = (0, 0, 1, MINUTE - 1, MINUTE, -1)

    def open_() -> tuple[bool, str, int, int, Any]:
        return chance.random() < 0.5, chance.choice("ab"), chance.choice(later), chance.randrange(4), chance.choice(bys)

    async def story() -> None:
        async with processes(address, Away(), Away()) as pair:
            for number in range(100):
                await follow_the_rule(pair, [open_() for _ in range(10)], f"c{number}")

    asyncio.run(story())


def test_opens_at_the_same_moment_agree_and_one_of_each_kind_counts(address: str) -> None:
    async def story() -> None:
        bys: list[Onlooker] = ["person", "machine"]
        async with processes(address, Away(), Away(), Away()) as ledgers:
            jobs = [(ledgers[n % 3], decided("ab"[n % 2]), n, bys[n // 4 % 2]) for n in range(24)]
            found = await asyncio.gather(*(each.settle(what, slot, MINUTE, by) for each, what, slot, by in jobs))
            assert len({decision.variant for decision, _ in found}) == 1
            assert sum(counts for _, counts in found) == 2

    asyncio.run(story())


def test_decisions_reach_the_store_by_the_stream(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened_store(tmp_path) as store, processes(address, Away(), store.ledger) as (here, there):
            for number in range(700):
                await here.settle(decided("a", campaign=f"c{number}"), 1, MINUTE, "person")
            await here.settle(decided("a", NOW + 1), 2, MINUTE, "person")
            await here.close()
            assert await store.ledger.current(HERO, JANE, "") is None
            stream = JetStream(address)
            await drain(Applier(stream, store, now_ms), stream)
            await stream.close()
            assert await store.ledger.current(HERO, JANE, "c699") == decided("a", campaign="c699")
            assert await there.current(HERO, JANE, "") == await store.ledger.current(HERO, JANE, "") != None  # noqa: E711

    asyncio.run(story())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_the_store_settles_while_the_servers_are_away_and_the_bucket_afterwards(
    how: signal.Signals, tmp_path: Path
) -> None:
    async def story(nodes: Cluster, store: Storage) -> None:
        async with processes(nodes.address, store.ledger) as (here,):
            await here.settle(decided("a", campaign="before"), 1, MINUTE, "person")
            for node in nodes.nodes:
                node.send(how)
            for number in range(20):
                fresh = decided("a", campaign=f"c{number}")
                assert await here.settle(fresh, 1, MINUTE, "person") == (fresh, True)
                assert await here.current(HERO, JANE, f"c{number}") == fresh
            for node in nodes.nodes:
                node.start() if how == signal.SIGKILL else node.send(signal.SIGCONT)
            await asyncio.to_thread(nodes.wait)
            numbers = count()
            async with asyncio.timeout(30):
                while not await answers(here, store.ledger, f"again {next(numbers)}"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            lost = await here.settle(decided("b", NOW + 1, "before"), 2, MINUTE, "person")
            assert lost[0].variant == ("b" if how == signal.SIGKILL else "a"), "memory is lost with all servers"

    async def over(nodes: Cluster) -> None:
        async with opened_store(tmp_path) as store:
            await story(nodes, store)

    with cluster() as nodes:
        asyncio.run(over(nodes))
