"""Outages: while the database does not answer, opens are settled and counted even so, and written when it is back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import pytest

from tests.contracts.loop import run
from tests.contracts.test_odd_rows import NOW, decision, touch
from tests.days import days
from tests.postgresql import Server
from tests.store.postgresql.outages import OUTAGES, Outage, Proxy
from wetink.core.blocks.block import Block, Fallback
from wetink.core.blocks.experiment import Exposure
from wetink.core.errors import Held, StoreUnavailable
from wetink.core.profile.person import Moment
from wetink.opens.open import DECISION_MS
from wetink.ports import Picture, Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Opened
from wetink.store.postgresql import open_storage

PATIENCE = 3.0
"""Seconds that anything of an open may take here. The database is away for longer."""
LONG = 60.0
NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(durable=True, max_connections="100")
    yield made
    made.remove()


@pytest.fixture(params=OUTAGES)
def outage(request: pytest.FixtureRequest) -> Outage:
    return OUTAGES[request.param]


async def tell(server: Server, story: Callable[[Callable[[], Storage], Proxy], Awaitable[None]]) -> None:
    """Have a story of processes that share a new database behind a network."""
    name, proxy, opened = f"outage{next(NUMBERS)}", Proxy(server.port), list[Storage]()
    await asyncio.to_thread(server.sql, f"CREATE DATABASE {name}")
    await proxy.start()

    def another() -> Storage:
        address = f"postgresql://wetink@127.0.0.1:{proxy.port}/{name}?connections=4"
        opened.append(open_storage(address, lambda: NOW, archive_days=9, archive_bytes=1 << 30))
        return opened[-1]

    try:
        await story(another, proxy)
    finally:
        for each in opened:
            await each.close()
        await proxy.cut()


async def written(store: Storage) -> None:
    """Wait until a process has written all that waits."""
    async with asyncio.timeout(LONG):
        while True:
            try:
                await days(store.ledger, NOW, NOW)
                await store.archive.newest(0, 1)
                return
            except StoreUnavailable:
                await asyncio.sleep(0.1)


def test_opens_are_settled_and_counted_while_the_database_is_away(server: Server, outage: Outage) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here = another()
        await here.start()
        known, fresh = decision(1), decision(2)
        assert await here.ledger.settle(known, 1, DECISION_MS, "person") == (known, True)
        async with outage(server, proxy):
            for number in range(5):
                async with asyncio.timeout(PATIENCE):
                    again = decision(1, variant="other", at=NOW + number)
                    assert await here.ledger.settle(again, 2 + number, DECISION_MS, "person") == (known, False)
                async with asyncio.timeout(PATIENCE):
                    kept = decision(2, variant="other" if number else "v")
                    assert await here.ledger.settle(kept, 1 + number, DECISION_MS, "person") == (fresh, not number)
                    await here.ledger.record(touch(number))
                    here.ledger.served(Served("hero", "v", ""), NOW)
                    here.archive.keep(Opened(decision(number), Moment(NOW), Block("hero", Fallback("")), "t"))
                    here.pictures.put(("hero", 1, "jane", ""), number, Picture(b"%d" % number, "image/png"))
            async with asyncio.timeout(PATIENCE):
                assert await here.ledger.current("hero", "user:u2", "") == fresh
                assert await here.pictures.get(("hero", 1, "jane", "")) == (4, Picture(b"4", "image/png"))
            async with asyncio.timeout(PATIENCE):
                assert await here.ledger.promise("hero", "user:u1", {"ends": 5}) == {"ends": 5}
                assert await here.ledger.promise("hero", "user:u1", {"ends": 9, "code": 1}) == {"ends": 5, "code": 1}
            exposure = Exposure("test", "user:u1", "a", NOW, "user:u1")
            async with asyncio.timeout(PATIENCE):
                assert await here.exposures.keep(exposure) == exposure
        await written(here)
        assert here.lost() == {}
        there = another()
        found = await days(there.ledger, NOW, NOW)
        assert sorted((day.pictures, day.opens, day.unique_opens) for day in found) == [(0, 5, 5), (5, 0, 0)]
        assert len(await there.archive.newest(NOW, 10)) == 5
        assert [await there.ledger.current("hero", f"user:u{number}", "") for number in (1, 2)] == [known, fresh]
        again = decision(1, variant="other")
        assert await there.ledger.settle(again, 9, DECISION_MS, "person") == (known, False)
        opened, _ = await there.ledger.settle(again, 6, DECISION_MS, "person")
        assert opened == again, "slots served meanwhile are known"
        assert await there.ledger.promised("hero", "user:u1") == {"ends": 5, "code": 1}
        assert await there.exposures.of("test", ["user:u1"]) == {"user:u1": exposure}

    run(tell(server, story))


def test_every_read_ends_within_seconds_while_the_database_is_away(server: Server, outage: Outage) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here = another()
        await here.start()
        async with outage(server, proxy):
            reads = (
                here.ledger.contacts("hero", "user:u1"),
                here.ledger.promised("hero", "user:u1"),
                here.ledger.current("hero", "user:u1", ""),
                here.exposures.of("test", ["user:u1"]),
                here.sources.source_of_write_key("key"),
                here.polls.tally("tea", None),
                here.pictures.get(("hero", 1, "jane", "")),
            )
            async with asyncio.timeout(PATIENCE):
                *found, picture = await asyncio.gather(*reads, return_exceptions=True)
            assert [type(each) for each in found] == [StoreUnavailable] * len(found)
            assert picture is None
        assert await here.ledger.contacts("hero", "user:u1") == (0, 0)

    run(tell(server, story))


def test_opens_beyond_the_limit_are_lost_and_counted(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here = another()
        await here.start()
        async with OUTAGES["refused"](server, proxy):
            for number in range(50_007):
                await here.ledger.record(touch(number % 10_000))
        await written(here)
        assert here.lost() == {"opens and clicks": 7}
        assert sum(day.opens for day in await days(here.ledger, NOW, NOW)) == 50_000

    run(tell(server, story))
    assert "7 opens, clicks or decisions are lost: they could not be written for too long" in caplog.text


@pytest.mark.parametrize("outage", ["refused", "frozen"], indirect=True)
def test_a_process_that_ends_without_the_database_says_what_is_lost(
    server: Server, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here = another()
        await here.start()
        async with outage(server, proxy):
            for number in range(7):
                await here.ledger.record(touch(number))
            async with asyncio.timeout(LONG):
                await here.close()
            assert here.lost() == {"opens and clicks": 7}

    run(tell(server, story))
    assert "7 opens, clicks or decisions are lost: this process ends" in caplog.text


@pytest.mark.parametrize("outage", ["killed", "frozen"], indirect=True)
def test_a_holder_without_the_database_stops_before_another_begins(server: Server, outage: Outage) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here, there = another(), another()
        await here.start()
        await there.start()
        stopped = asyncio.Event()

        async def works() -> None:
            try:
                async with here.leases.hold("one", 1.5):
                    await asyncio.sleep(LONG)
            finally:
                stopped.set()

        working = asyncio.create_task(works())
        await asyncio.sleep(0.5)
        async with outage(server, proxy):
            with pytest.raises(Held):
                await asyncio.wait_for(working, LONG)
            with pytest.raises((Held, StoreUnavailable)):
                async with there.leases.hold("one"):
                    pass
        async with there.leases.hold("one", wait=LONG):
            assert stopped.is_set()

    run(tell(server, story))


def test_a_store_that_opens_without_its_database_works_once_it_is_there(server: Server) -> None:
    async def story(another: Callable[[], Storage], proxy: Proxy) -> None:
        here = another()
        async with OUTAGES["refused"](server, proxy):
            with pytest.raises(StoreUnavailable, match="the database cannot be reached"):
                await asyncio.wait_for(here.start(), LONG)
            async with asyncio.timeout(PATIENCE):
                assert await here.ledger.settle(decision(1), 1, DECISION_MS, "person") == (decision(1), True)
        await here.start()
        await written(here)
        assert await another().ledger.current("hero", "user:u1", "") == decision(1)

    run(tell(server, story))
