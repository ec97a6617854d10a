"""Replicas: opens read the primary, and go on from a replica that is near enough while the primary is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from unittest.mock import ANY

import pytest

from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.contracts.test_odd_rows import NOW, decision
from tests.postgresql import Server
from tests.store.postgresql.outages import OUTAGES, Proxy
from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.opens.open import DECISION_MS
from wetink.ports import Storage
from wetink.ports.inspection import Replica
from wetink.store.postgresql import open_storage
from wetink.telemetry.metrics import REPLICA_READS, total

JANE = Identifier("user", "jane")
STALENESS, LONG, OPEN = 2, 30.0, 10.0
NUMBERS = count()
MUG = {"sku": "S-1", "name": "Mug", "price": 12.5, "currency": "EUR", "url": "https://shop.example/mug"}


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    made = Server(durable=True)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def replica(primary: Server) -> Iterator[Server]:
    made = Server(of=primary)
    yield made
    made.remove()


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a state."""
    async with asyncio.timeout(LONG):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.05)


class Shop:
    """A process whose database is behind a network, with a replica."""

    def __init__(self, primary: Server, replica: Server, name: str) -> None:
        self.primary, self.replica, self.proxy = primary, replica, Proxy(primary.port)
        self.name, self.sent = name, 0

    def store(self) -> Storage:
        more = f"connections=4&replicas=127.0.0.1:{self.replica.port}&staleness={STALENESS}"
        hosts = f"127.0.0.1:{self.proxy.port},127.0.0.1:{self.replica.port}"
        address = f"postgresql://wetink@{hosts}/{self.name}?target_session_attrs=read-write&{more}"
        return open_storage(address, lambda: NOW, archive_days=9, archive_bytes=1 << 30)

    async def send(self, store: Storage) -> None:
        """Append a view by Jane."""
        self.sent += 1
        message = {"type": "track", "event": "Product Viewed", "messageId": f"m{self.sent}", "properties": MUG}
        await store.log.append([received({**message, "userId": "jane", "timestamp": LATE + self.sent})])

    async def replicated(self) -> None:
        """Wait until the replica has all that the primary has."""
        position = await asyncio.to_thread(self.primary.sql, "SELECT pg_current_wal_flush_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position.strip()}'"

        async def is_there() -> bool:
            return "t" in await asyncio.to_thread(self.replica.sql, query)

        await until(is_there)


async def seen(store: Storage) -> int:
    """Return the number of Jane's events that an open sees."""
    async with asyncio.timeout(OPEN):
        return len((await store.profiles.load({JANE: ""}, LATE + 10_000))[JANE].entries)


async def fresh(store: Storage) -> bool:
    """Return whether the only replica has all that the primary has, and is read if need be."""
    return await store.inspection.replicas() == [Replica(ANY, 0.0)]


async def tell(primary: Server, replica: Server, story: Callable[[Shop, Storage], Awaitable[None]]) -> None:
    shop = Shop(primary, replica, f"replicas{next(NUMBERS)}")
    await asyncio.to_thread(primary.sql, f"CREATE DATABASE {shop.name}")
    await shop.proxy.start()
    store = shop.store()
    try:
        await store.start()
        await shop.send(store)
        await shop.replicated()
        await story(shop, store)
    finally:
        await store.close()
        await shop.proxy.cut()


async def answers(store: Storage) -> Sequence[object]:
    """Return all that opens read."""
    async with asyncio.timeout(OPEN):
        return await asyncio.gather(
            store.profiles.resolve(JANE, LATE),
            store.profiles.profile(JANE, LATE),
            store.profiles.history(JANE, LATE + 10_000),
            store.catalog.products(["S-1"]),
            store.catalog.changes(["S-1"]),
            store.catalog.search("mug"),
            store.ledger.current("hero", "user:u1", ""),
            store.ledger.promised("hero", "user:u1"),
            store.ledger.contacts("hero", "user:u1"),
            store.exposures.of("test", ["user:u1"]),
            store.polls.tally("tea", JANE),
            store.sources.source_of_write_key("key"),
            store.sources.all(),
        )


def test_opens_see_every_acknowledged_event_while_the_primary_answers(primary: Server, replica: Server) -> None:
    async def story(shop: Shop, store: Storage) -> None:
        replica.sql("SELECT pg_wal_replay_pause()")
        try:
            for number in range(2, 20):
                await shop.send(store)
                assert await seen(store) == number
        finally:
            replica.sql("SELECT pg_wal_replay_resume()")

    run(tell(primary, replica, story))


@pytest.mark.parametrize("outage", ["refused", "killed", "frozen"])
def test_opens_go_on_from_a_replica_while_the_primary_is_away(primary: Server, replica: Server, outage: str) -> None:
    async def story(shop: Shop, store: Storage) -> None:
        await store.ledger.settle(decision(1), 1, DECISION_MS, "person")
        while await store.projections.settle():
            pass
        before, reads = await answers(store), total(REPLICA_READS[0])
        await shop.replicated()
        async with OUTAGES[outage](primary, shop.proxy):
            assert await seen(store) == 1
            assert await answers(store) == before
            assert total(REPLICA_READS[0]) > reads + 10, "each is counted"
            assert await store.ledger.settle(decision(1), 2, DECISION_MS, "person") == (decision(1), False)
            with pytest.raises(StoreUnavailable):
                await store.writable()
        await shop.send(store)

        async def is_seen() -> bool:
            return await seen(store) == 2

        await until(is_seen)  # it may read the replica for one more second

    run(tell(primary, replica, story))


def test_a_replica_that_is_too_far_behind_is_not_read(primary: Server, replica: Server) -> None:
    async def story(shop: Shop, store: Storage) -> None:
        await until(lambda: fresh(store))
        replica.sql("SELECT pg_wal_replay_pause()")
        try:
            async with asyncio.timeout(LONG):
                while not (await store.inspection.replicas())[0].problem:
                    await shop.send(store)
                    await asyncio.sleep(0.2)
            [state] = await store.inspection.replicas()
            assert state.behind is not None
            assert state.behind > STALENESS
            async with OUTAGES["refused"](primary, shop.proxy):
                with pytest.raises(StoreUnavailable):
                    await seen(store)
        finally:
            replica.sql("SELECT pg_wal_replay_resume()")
        await until(lambda: fresh(store))
        async with OUTAGES["refused"](primary, shop.proxy):
            assert await seen(store) == shop.sent

    run(tell(primary, replica, story))


def test_counts_read_a_replica_that_has_caught_up(primary: Server, replica: Server) -> None:
    def sessions(server: Server) -> int:
        of = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state LIKE 'idle in tr%'"
        return int(server.sql(of))

    async def story(shop: Shop, store: Storage) -> None:
        def count_them() -> tuple[int, int, int]:
            with store.crowd() as crowd:
                found = sum(len(each.events) for each in crowd.profiles())
                return found, sessions(primary), sessions(replica)

        assert await asyncio.to_thread(count_them) == (1, 0, 1)
        replica.sql("SELECT pg_wal_replay_pause()")
        try:
            await shop.send(store)
            assert await asyncio.to_thread(count_them) == (2, 1, 0), "one that is late is left out"
        finally:
            replica.sql("SELECT pg_wal_replay_resume()")

    run(tell(primary, replica, story))


def test_a_server_that_is_no_replica_or_does_not_answer_is_left_out(primary: Server) -> None:
    other, promoted = Server(), Server(of=primary)
    other.sql("CREATE DATABASE wetink")
    primary.sql("CREATE DATABASE wetink")
    at = primary.sql("SELECT pg_current_wal_flush_lsn()").strip()
    run(until(lambda: asyncio.to_thread(lambda: "t" in promoted.sql(f"SELECT pg_last_wal_replay_lsn() >= '{at}'"))))
    promoted.sql("SELECT pg_promote()")
    address = f"postgresql://wetink@127.0.0.1:{primary.port}/wetink?replicas="
    hosts = ",".join(f"127.0.0.1:{port}" for port in (primary.port, other.port, promoted.port, 9))

    async def story() -> None:
        store = open_storage(address + hosts, lambda: NOW, archive_days=9, archive_bytes=1 << 30)
        await store.start()
        problems = [each.problem for each in await store.inspection.replicas()]
        assert problems[:2] == ["it is not a copy of this database", "it is no longer a replica"]
        assert problems[2].startswith("it does not answer")
        await store.close()

    try:
        run(story())
    finally:
        other.remove()
        promoted.remove()


def test_messages_after_a_failover_are_followed(primary: Server) -> None:
    """The promoted replica lacks the last messages of the old primary, and gives their transaction IDs to others."""
    heir = Server(of=primary)
    shop = Shop(primary, heir, "failover")
    primary.sql("CREATE DATABASE failover")

    async def story() -> None:
        await shop.proxy.start()
        store = shop.store()
        await store.start()
        await shop.send(store)
        await shop.replicated()
        heir.sql("SELECT pg_wal_replay_pause()")
        await shop.send(store)
        assert set(await store.catalog.products(["S-1"])) == {"S-1"}
        with store.crowd() as crowd:
            place = crowd.cursor
        await shop.proxy.cut()
        heir.sql("SELECT pg_promote()")
        later = {**MUG, "sku": "S-2"}
        message = {"type": "track", "event": "Product Viewed", "messageId": "later", "properties": later}

        async def is_taken() -> bool:
            with suppress(StoreUnavailable):
                await store.log.append([received({**message, "userId": "jane", "timestamp": LATE})])
                return True
            return False

        await until(is_taken)
        assert set(await store.catalog.products(["S-1", "S-2"])) == {"S-1", "S-2"}
        with store.crowd() as crowd:
            assert crowd.changes(place, 1_000) is None
        await store.close()

    try:
        run(story())
    finally:
        heir.remove()


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("staleness=0", "staleness='0'"),
        ("staleness=x", "staleness='x'"),
        ("staleness=3601", "staleness='3601'"),
        ("replicas=:5432", "replicas=':5432'"),
        ("replicas=" + ",".join(f"host-{n}" for n in range(17)), "replicas names 17 hosts"),
        ("replicas=a:b", "replicas='a:b'"),
        ("replicas=a,b/c", "replicas='b/c'"),
    ],
)
def test_bad_options_of_replicas_are_refused(more: str, word: str) -> None:
    with pytest.raises(BadSettings, match=word):
        open_storage(f"postgresql://wetink@db/wetink?{more}", lambda: 1, archive_days=1, archive_bytes=1)
