"""The contract of the log: read and followed from any place, in the order of arrival, and anew after a replay."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.core.identity.identifier import Identifier
from wetink.ports import Cursor, Record, Storage

NAMES = ("Product Viewed", "Order Completed")


def told(number: int, event: str = "Product Viewed", **more: Any) -> Record:
    message = {"type": "track", "event": event, "messageId": f"m{number}", "userId": "u", "timestamp": LATE - 9}
    product = {"sku": "S", "url": "https://shop.example/s"}
    return received({**message, "receivedAt": LATE + number, "properties": product, **more})


def ids(found: Sequence[Any]) -> list[str]:
    return [each.message_id for each in found]


def test_messages_are_read_from_any_place_in_the_order_of_arrival(store: Storage) -> None:
    async def story() -> None:
        place = await store.log.cursor()
        assert await store.log.read(place, 10) == (place, [])
        await store.log.append([told(number) for number in range(5)])
        place, found = await store.log.read(place, 3)
        assert ids(found) == ["m0", "m1", "m2"]
        place, found = await store.log.read(place, 3)
        assert ids(found) == ["m3", "m4"]
        assert await store.log.read(place, 3) == (place, [])
        assert await store.log.cursor() == place
        for since, expected in ((0, 5), (LATE + 3, 2), (LATE + 5, 0)):
            _, found = await store.log.read(await store.log.cursor(since), 10)
            assert len(found) == expected

    run(story())


def test_events_of_some_names_are_followed_past_all_others(store: Storage) -> None:
    async def follow(place: Cursor, limit: int) -> tuple[Cursor, list[str]]:
        found = await store.log.events(place, NAMES, limit)
        assert found is not None
        return found[0], ids(found[1])

    async def story() -> None:
        place = await store.log.cursor(0)
        assert await follow(place, 10) == (place, [])
        await store.log.append(
            [told(number, "Product Added" if number == 2 else "Product Viewed") for number in range(5)]
        )
        place, events = await follow(place, 3)
        assert events == ["m0", "m1"]
        place, events = await follow(place, 10)
        assert events == ["m3", "m4"]
        assert await follow(place, 10) == (place, [])

    run(story())


def test_a_follower_begins_anew_after_messages_were_renewed(store: Storage) -> None:
    async def story() -> None:
        await store.log.append([told(1), told(2)])
        begin = await store.log.cursor(0)
        _, [old, _] = await store.log.read(begin, 10)
        same, other = told(1), told(1, properties={"sku": "T", "url": "https://shop.example/t"})
        assert await store.log.renew([(old, same)]) == [False]
        assert await store.log.renew([(old, other)], dry=True) == [True]
        assert await store.log.events(begin, NAMES, 1) is not None
        assert await store.log.renew([(old, replace(other, received=old.received))]) == [True]
        assert await store.log.events(begin, NAMES, 1) is None
        found = await store.log.events(await store.log.cursor(0), NAMES, 1)
        assert found is not None
        assert found[1][0].products[0].sku == "T"
        assert len((await store.log.read(begin, 10))[1]) == 2, "who reads messages goes on"

    run(story())


def test_an_append_is_seen_in_the_next_turn_of_every_process(store: Storage, another: Callable[[], Storage]) -> None:
    """Reads of one turn may be of one state, but what somebody was told of before a turn is seen in it."""
    other, jane = another(), Identifier("user", "u")

    async def story() -> list[int]:
        seen = []
        for number in range(20):
            assert len(await store.profiles.history(jane, LATE)) == number
            asyncio.get_running_loop().call_soon(lambda: None)
            await (store, other)[number % 2].log.append([told(number)])
            seen.append(len(await store.profiles.history(jane, LATE)))
            assert len(await other.profiles.history(jane, LATE)) == number + 1
        return seen

    assert run(story()) == list(range(1, 21))
