"""The stream: what a quorum acknowledged reaches the store once, whatever fails on the way."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nats
import pytest
from msgspec.structs import replace

from tests.jetstream import Cluster, cluster
from tests.stream.streaming import connect, drain, now_ms, stored, streaming, viewed
from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.ports import Inbox, Record
from wetink.ports.stream import Delivery
from wetink.stream.apply import Applier
from wetink.stream.front import StreamedLog, partition_of
from wetink.stream.jetstream import Address, JetStream


def test_what_is_published_is_stored_once_and_in_order_for_each_person(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            front, applier = StreamedLog(stream), Applier(stream, store, now_ms)
            records = [viewed(number, f"u{number % 7}") for number in range(200)]
            for start in range(0, 200, 40):
                duplicates = await front.append(records[start : start + 40])
                assert duplicates == [False] * len(records[start : start + 40])
            await front.append(records[:50])  # a client sends some again
            assert await stored(store) == [], "nothing is stored before a worker has it"
            await drain(applier, stream)
            found = await stored(store)
            assert sorted(found) == sorted(each.message_id for each in records)
            for person in range(7):
                own = [each for each in found if int(each[1:]) % 7 == person]
                assert own == sorted(own, key=lambda id_: int(id_[1:]))

    asyncio.run(story())


def test_requests_that_wait_go_out_together() -> None:
    class Slow:
        """A stream that counts its publications."""

        partitions, most_bytes = 2, 1 << 20

        def __init__(self) -> None:
            self.bodies: list[bytes] = []

        async def publish(self, topic: str, partition: int, body: bytes) -> None:
            await asyncio.sleep(0.01)
            self.bodies.append(body)

    async def story() -> None:
        slow: Any = Slow()
        front = StreamedLog(slow)
        await asyncio.gather(*(front.append([viewed(number, f"u{number}")]) for number in range(100)))
        assert len(slow.bodies) == 2
        slow.most_bytes = 2_000
        await front.append([viewed(number) for number in range(20)])
        assert all(len(body) <= 2_000 for body in slow.bodies[2:])
        assert len(slow.bodies) > 6

    asyncio.run(story())


def test_everything_of_one_identifier_has_one_partition() -> None:
    assert {partition_of(viewed(number, "jane"), 8) for number in range(20)} == {partition_of(viewed(0), 8)}
    assert {partition_of(viewed(0, f"u{number}"), 8) for number in range(200)} == set(range(8))


class Flawed:
    """A store's log that fails as it is told to."""

    def __init__(self, log: Inbox) -> None:
        self.log = log
        self.away = False
        self.rejects = ""

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        if self.away:
            raise StoreUnavailable("the database cannot be reached")
        if any(each.message_id == self.rejects and each.event is not None for each in batch):
            raise ValueError("this one cannot be stored")
        return await self.log.append(batch)


async def step(applier: Applier, partition: int) -> None:
    """Take what is there: the servers may have nothing to hand out yet."""
    while not await applier.step(partition):
        pass


def test_nothing_is_refused_or_lost_while_the_store_is_away(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            flawed = Flawed(store.log)
            front, applier = StreamedLog(stream), Applier(stream, replace(store, log=flawed), now_ms)
            flawed.away = True
            await front.append([viewed(number, f"u{number}") for number in range(30)])
            partition = partition_of(viewed(0, "u0"), stream.partitions)
            with pytest.raises(StoreUnavailable):
                await step(applier, partition)
            await front.append([viewed(30, "u0")])
            flawed.away = False
            await drain(applier, stream)
            assert sorted(await stored(store)) == sorted(f"m{number}" for number in range(31))

    asyncio.run(story())


def test_the_state_tells_what_waits_and_since_when(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            assert (await stream.state()).waiting == 0
            assert (await stream.state()).oldest == {}
            await StreamedLog(stream).append([viewed(1)])
            partition = partition_of(viewed(1), stream.partitions)
            first = await stream.state()
            await StreamedLog(stream).append([viewed(2)])
            await stream.publish("opens", 3, b"\xc1 no opens")
            state = await stream.state()
            assert {(each.topic, each.partition): each.waiting for each in state.backlogs if each.waiting} == {
                ("messages", partition): 2,
                ("opens", 3): 1,
            }
            assert state.oldest["messages"] == first.oldest["messages"] <= state.oldest["opens"]
            for _ in range(2):  # nobody acknowledges them, so they come again
                found: list[Delivery] = []
                while len(found) < 2:
                    found += await stream.fetch("messages", partition, 10.0)
            again = {(each.topic, each.partition): each.redelivered for each in (await stream.state()).backlogs}
            assert again["messages", partition] == 2
            await drain(Applier(stream, store, now_ms), stream)
            done = await stream.state()
            assert (done.waiting, done.oldest, done.aside) == (0, {}, 1)

    asyncio.run(story())


def test_a_message_that_the_store_rejects_is_set_aside_alone(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            flawed = Flawed(store.log)
            flawed.rejects = "m3"
            front, applier = StreamedLog(stream), Applier(stream, replace(store, log=flawed), now_ms)
            await front.append([viewed(number) for number in range(6)])
            await drain(applier, stream)
            found = {each.message_id: each.verdict for each in await store.log.messages()}
            assert found == {f"m{number}": "parked" if number == 3 else "usable" for number in range(6)}
            (parked,) = await store.log.messages(verdict="parked")
            assert "could not store" in parked.problems[0].hint
            assert b"m3" in parked.raw, "a replay can read it again"

    asyncio.run(story())


def test_bytes_that_nobody_can_read_are_set_aside_with_the_reason(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            applier = Applier(stream, store, now_ms)
            await stream.publish("messages", 0, b"\xc1 no messages")
            await StreamedLog(stream).append([viewed(1)])
            await drain(applier, stream)
            assert await stored(store) == ["m1"]
            place = Address(address)
            client = await nats.connect(place.servers)
            aside = await client.jetstream().get_msg(f"{place.name}_aside", 1)
            await client.close()
            assert aside.data == b"\xc1 no messages"
            assert "cannot be read" in (aside.headers or {})["Wetink-Reason"]

    asyncio.run(story())


def test_what_a_killed_worker_had_fetched_goes_to_another(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            await StreamedLog(stream).append([viewed(number) for number in range(5)])
            partition = partition_of(viewed(0), stream.partitions)
            killed = JetStream(address)
            assert await killed.fetch("messages", partition, 2.0)
            await killed.close()
            async with asyncio.timeout(10):
                await drain(Applier(stream, store, now_ms), stream)
            assert await stored(store) == [f"m{number}" for number in range(5)]

    asyncio.run(story())


def test_live_processes_share_the_partitions_evenly(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            first, second = (Applier(stream, store, now_ms) for _ in range(2))

            async def shares(*appliers: Applier) -> list[int]:
                for _ in range(6):
                    for each in appliers:
                        await each.share()
                        await asyncio.sleep(0.05)
                names = [lease.name for lease in await store.leases.held()]
                return [len(each.partitions) for each in appliers] + [sum("partition" in name for name in names)]

            assert await shares(first) == [4, 4]
            assert await shares(first, second) == [2, 2, 4]
            await second.close()
            assert await shares(first) == [4, 4]
            await first.close()

    asyncio.run(story())


def killed(nodes: Cluster, number: int) -> Callable[[], object]:
    nodes.nodes[number].send(signal.SIGKILL)
    return nodes.nodes[number].start


def frozen(nodes: Cluster, number: int) -> Callable[[], object]:
    nodes.nodes[number].send(signal.SIGSTOP)
    return lambda: nodes.nodes[number].send(signal.SIGCONT)


def cut_off(nodes: Cluster, number: int) -> Callable[[], object]:
    links = nodes.links_of(number)
    for link in links:
        link.cut()
    return lambda: [link.mend() for link in links]


FAULTS: dict[str, Callable[[Cluster, int], Callable[[], object]]] = {
    "killed": killed,
    "frozen": frozen,
    "cut off": cut_off,
}
"""What happens to a server of the cluster. Each returns how it is mended."""


@pytest.mark.parametrize("how", FAULTS)
def test_no_acknowledged_message_is_lost_with_one_node(how: str, tmp_path: Path) -> None:
    async def story(nodes: Cluster) -> None:
        async with streaming(f"{nodes.address}?monitoring=http://127.0.0.1:{nodes.nodes[0].monitor}", tmp_path) as (
            stream,
            store,
        ):
            front = StreamedLog(stream)
            acknowledged: list[str] = []

            async def send(first: int) -> None:
                """Send messages as a client does, which tries again after a 503."""
                for number in range(first, first + 100):
                    for pause in (0.5, 1.0, 2.0, 4.0, None):
                        try:
                            await front.append([viewed(number, f"u{number}")])
                            break
                        except StoreUnavailable:
                            if pause is None:
                                raise
                            await asyncio.sleep(pause)
                    acknowledged.append(f"m{number}")

            async def fail() -> None:
                await asyncio.sleep(0.1)
                for number in (1, 2):
                    mend = FAULTS[how](nodes, number)
                    await asyncio.sleep(2.0)
                    mend()
                    await asyncio.to_thread(nodes.wait)

            await asyncio.gather(fail(), *(send(start * 100) for start in range(8)))
            await drain(Applier(stream, store, now_ms), stream)
            assert len(acknowledged) == 800
            assert sorted(await stored(store)) == sorted(acknowledged)

    with cluster(cuttable=how == "cut off") as nodes:
        asyncio.run(story(nodes))


def test_a_set_up_that_can_lose_messages_is_told_with_the_remedy() -> None:
    async def warnings(address: str) -> str:
        stream = JetStream(address)
        await connect(stream)
        try:
            return " ".join(stream.warnings())
        finally:
            await stream.close()

    with cluster(1, sync='"2m"') as lazy:
        place = f"{lazy.address}?replicas=1"
        found = asyncio.run(warnings(f"{place}&monitoring=http://127.0.0.1:{lazy.nodes[0].monitor}"))
        assert "1 replica" in found
        assert "sync_interval: always" in found
        assert "monitoring" in asyncio.run(warnings(place))
    with cluster(1, sync="always, max_mem: 64MB") as small:
        place = f"{small.address}?replicas=1&monitoring=http://127.0.0.1:{small.nodes[0].monitor}"
        assert "no room for decisions" in asyncio.run(warnings(place))
    with cluster(1) as strict:
        place = f"{strict.address}?replicas=1&monitoring=http://127.0.0.1:{strict.nodes[0].monitor}"
        assert "sync_interval" not in (said := asyncio.run(warnings(place)))
        assert "room" not in said


@pytest.mark.parametrize(
    ("sync", "options", "told", "remedy"),
    [
        ("", "?replicas=1", "JetStream does not", "jetstream block"),
        ("always", "", "replicas > 1 not supported", "replicas in WETINK_LOG"),
        ("always, max_file_store: 1KB", "?replicas=1", "insufficient resources", "make room"),
        ("always }\nauthorization { user: ida, password: secret", "?replicas=1", "refuse the user", "the password in"),
    ],
)
def test_servers_that_cannot_hold_the_stream_are_reported_with_the_remedy(
    sync: str, options: str, told: str, remedy: str
) -> None:
    async def fill(stream: JetStream) -> None:
        await stream.start()
        for _ in range(2):
            await stream.publish("messages", 0, b"x" * 2_000)

    async def story(address: str) -> None:
        stream = JetStream(address)
        with pytest.raises(StoreUnavailable) as caught:
            await fill(stream)
        await stream.close()
        assert told in str(caught.value)
        assert remedy in caught.value.hint

    with cluster(1, sync=sync) as nodes:
        asyncio.run(story(nodes.address + options))


def test_a_stream_with_other_partitions_is_refused_with_the_remedy(address: str) -> None:
    async def story() -> None:
        stream, other = JetStream(address), JetStream(f"{address}&partitions=8")
        await connect(stream)
        with pytest.raises(BadSettings, match="has 4"):
            await other.start()
        await other.close()
        await stream.close()

    asyncio.run(story())


def test_a_stream_of_somebody_else_or_of_another_version_is_refused(address: str, nodes: Cluster) -> None:
    async def story() -> None:
        client = await nats.connect(nodes.address.split("//")[1].split(","))
        name = address.partition("name=")[2].partition("&")[0]
        for metadata in (None, {"wetink_format": "0", "wetink_partitions": "4"}):
            await client.jetstream().add_stream(name=name, subjects=[f"{name}.*.*"], metadata=metadata)
            stream = JetStream(address)
            with pytest.raises(BadSettings, match="not made by this version of wetink") as error:
                await stream.start()
            assert "?name=" in error.value.hint
            await stream.close()
            await client.jetstream().delete_stream(name)
        await client.close()

    asyncio.run(story())


def test_servers_that_do_not_answer_are_reported_within_seconds() -> None:
    async def story() -> None:
        stream = JetStream("nats://127.0.0.1:9")
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await stream.publish("messages", 0, b"")
        await stream.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("kafka://host:9092", "names no server"),
        ("nats://", "names no server"),
        ("nats://host?replicas=0", "replicas='0'"),
        ("nats://host?replicas=many", "replicas='many'"),
        ("nats://host?partitions=65", "partitions='65'"),
        ("nats://host?name=two words", "name="),
        ("nats://host?nmae=x", "'nmae' is not an option"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_is_wrong_with_it(address: str, told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        Address(address)


def test_an_address_may_name_several_servers_with_credentials() -> None:
    found = Address("nats://ida:secret@a:4222,b:4222?replicas=1")
    assert found.servers == ["nats://ida:secret@a:4222", "nats://ida:secret@b:4222"]
