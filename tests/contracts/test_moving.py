"""The contract of moving: another engine has everything afterwards, whatever is written meanwhile."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contracts.engines import ENGINES
from tests.contracts.houses import JANE, NOW, House, derived, fill, move, records, rows, steps
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, everybody, mentioned, received
from wetink.core.errors import BadSettings, Conflict, StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Touch
from wetink.ports import Record
from wetink.store.move import Move, Moved


def test_everything_is_in_the_other_engine_afterwards(houses: tuple[House, House]) -> None:
    source, target = houses
    some = records()
    run(source.store.log.append(some[:40]))
    for number in range(4):
        run(fill(source.store, number))
    run(source.store.log.append(some[40:]))
    keys = ["L0", "L3", "S"]
    before = derived(source.store, keys), run(rows(source.moving))
    steps = list[tuple[str, int, int]]()
    moved = move(houses, progress=lambda *step: steps.append(step))
    assert (moved.messages, moved.merged, moved.finished) == (len(run(source.store.log.messages(limit=9999))), 0, True)
    assert (derived(target.store, keys), run(rows(target.moving))) == before
    assert steps[-1][1] == steps[-1][2]
    messages = [[replace(each, seq=0) for each in run(house.store.log.messages(limit=9999))] for house in houses]
    assert messages[0] == messages[1]


def test_what_is_written_meanwhile_arrives_and_nothing_is_written_after_the_seal(houses: tuple[House, House]) -> None:
    source, target = houses
    chance = random.Random(3)
    acknowledged, writing = list[str](), asyncio.Event()
    run(fill(source.store))

    async def writes(moving: asyncio.Future[Moved]) -> None:
        """Write until the store refuses for good."""
        for number in range(1, 10_000):
            message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "timestamp": NOW + number}
            message |= {
                "userId": f"u{number % 9}",
                "anonymousId": f"a{chance.randrange(9)}",
                "properties": {"sku": "S"},
            }
            append = partial(source.store.log.append, [received(message)])
            for step in [append, *steps(source.store, number)]:
                while True:
                    try:
                        await step()
                        break
                    except StoreUnavailable:
                        if moving.done():
                            return
                    await asyncio.sleep(0.01)
                if step is append:
                    acknowledged.append(f"m{number}")
                    writing.set()
            await asyncio.sleep(0.02)

    async def both() -> None:
        async def moves() -> Moved:
            await writing.wait()
            return await Move(source.moving, target.moving, target.store).run(finish=True)

        moving = asyncio.create_task(moves())
        await asyncio.wait_for(asyncio.gather(moving, writes(moving)), 60)

    run(both())
    assert {each.message_id for each in run(target.store.log.messages(limit=20_000))} >= set(acknowledged)
    assert run(rows(target.moving)) == run(rows(source.moving))
    whom = [Identifier("user", f"u{n}") for n in range(9)] + [Identifier("anonymous", f"a{n}") for n in range(9)]
    assert everybody(target.store.profiles, whom) == everybody(source.store.profiles, whom)
    with pytest.raises(StoreUnavailable):
        run(source.store.polls.vote("poll", JANE, 9, NOW + 1))


def test_a_move_that_was_interrupted_goes_on(houses: tuple[House, House]) -> None:
    source, target = houses
    run(source.store.log.append(records()))
    for number in range(3):
        run(fill(source.store, number))
    steps = iter(range(1_000))

    def interrupt(step: str, done: int, of: int) -> None:
        if next(steps) in (3, 9, 20, 30, 40):
            raise InterruptedError

    for number in range(3, 8):
        with pytest.raises(InterruptedError):
            move(houses, progress=interrupt)
        run(fill(source.store, number))
    move(houses)
    assert run(rows(target.moving)) == run(rows(source.moving))
    with pytest.raises(Conflict, match="complete"):
        move(houses)


def test_a_move_may_be_finished_later(houses: tuple[House, House]) -> None:
    source, target = houses
    run(fill(source.store))
    assert not move(houses, finish=False).finished
    run(source.store.log.append(records()))
    run(fill(source.store, 1))
    assert move(houses).finished
    assert run(rows(target.moving)) == run(rows(source.moving))
    assert everybody(target.store.profiles, mentioned(records())) == everybody(
        source.store.profiles, mentioned(records())
    )


def test_a_store_with_other_data_is_no_target(houses: tuple[House, House]) -> None:
    _, target = houses
    run(target.store.polls.vote("poll", JANE, 1, NOW))
    with pytest.raises(Conflict, match="other data"):
        move(houses)


def test_a_replay_during_a_move_is_noticed(houses: tuple[House, House]) -> None:
    source, _ = houses
    run(source.store.log.append(records()))
    move(houses, finish=False)
    [first, *_] = run(source.store.log.messages())
    renewed = received(
        {"type": "track", "event": "Y", "messageId": first.message_id, "userId": "u"}, source=first.source
    )
    run(source.store.log.renew([(first, replace(renewed, received=first.received))]))
    with pytest.raises(Conflict, match="replayed"):
        move(houses)


def test_an_earlier_time_of_a_copied_message_arrives(houses: tuple[House, House]) -> None:
    source, target = houses
    sent = {"type": "track", "event": "X", "messageId": "m", "userId": "u", "timestamp": "2026-11-01T10:00:00Z",
            "sentAt": "2026-11-01T10:00:00Z"}  # fmt: skip
    run(source.store.log.append([received({**sent, "receivedAt": "2026-11-01T10:09:00Z"})]))
    move(houses, finish=False)
    run(source.store.log.append([received({**sent, "receivedAt": "2026-11-01T10:01:00Z"})]))
    move(houses)
    user = Identifier("user", "u")
    assert run(target.store.profiles.history(user, LATE)) == run(source.store.profiles.history(user, LATE))


def test_writing_goes_on_after_a_move_is_cancelled(houses: tuple[House, House]) -> None:
    source, _ = houses
    run(fill(source.store))
    move(houses)
    run(source.moving.end())
    again = House(source.engine, source.folder)
    run(again.store.polls.vote("poll", JANE, 2, NOW + 1))
    run(again.store.close())
    assert run(source.moving.notes()) == {}


def test_people_with_more_opens_than_are_read_at_a_time_have_all_of_them(houses: tuple[House, House]) -> None:
    source, _ = houses

    async def open_often() -> None:
        for number in range(2_500):  # a minute apart, so that each counts
            who = f"user:{'abc'[number % 50 // 24]}"  # the last one has few
            await source.store.ledger.record(
                Touch("open", "hero", who, "", NOW + number * 60_000, "v", fetch_class="person")
            )
        await source.store.ledger.touches([], 0, 0)

    run(open_often())
    move(houses)
    found = [sorted(run(house.moving.page("contact", None, 9_999)), key=repr) for house in houses]
    assert len(found[0]) == 2_500
    assert found[0] == found[1]


@pytest.mark.parametrize("finish", [False, True], ids=["copied", "interrupted"])
def test_no_server_uses_the_target_of_a_move_that_is_not_complete(houses: tuple[House, House], finish: bool) -> None:
    source, target = houses
    run(fill(source.store))
    if finish:
        with pytest.raises(InterruptedError):
            move(houses, progress=partial(interrupt_at, "comparing"))
    else:
        move(houses, finish=False)
    with pytest.raises(BadSettings, match="not complete") as error:
        again(target)
    assert "wetink move FROM TO --finish" in error.value.hint
    move(houses)
    again(target)


def test_a_source_is_not_sealed_while_servers_write_as_fast_as_rows_are_copied(
    houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = houses
    run(fill(source.store))
    monkeypatch.setattr("wetink.store.move.FEW", 3)
    busy, seconds = Busy(source), itertools.count(0, 10)
    with pytest.raises(StoreUnavailable, match="as fast as wetink copies"):
        run(Move(busy, target.moving, target.store, clock=seconds.__next__).run(finish=True))  # type: ignore[arg-type]
    run(source.store.polls.vote("poll", JANE, 2, NOW + 1))  # it is not sealed
    busy.messages = 0
    moved = run(Move(busy, target.moving, target.store, clock=seconds.__next__).run(finish=True))  # type: ignore[arg-type]
    assert (moved.finished, moved.seconds) == (True, 10)
    assert run(rows(target.moving)) == run(rows(source.moving))


def test_a_slow_target_gets_fewer_messages_at_a_time(houses: tuple[House, House]) -> None:
    source, target = houses
    some = records()
    run(source.store.log.append(some))
    with pytest.raises(StoreUnavailable):
        run(Move(source.moving, target.moving, replace(target.store, log=Slow(target, 0))).run(finish=True))  # type: ignore[arg-type]
    slow = replace(target.store, log=Slow(target, 40))  # type: ignore[arg-type]
    assert run(Move(source.moving, target.moving, slow).run(finish=True)).finished
    assert everybody(target.store.profiles, mentioned(some)) == everybody(source.store.profiles, mentioned(some))


class Slow:
    """The log of a house that takes a few messages at a time."""

    def __init__(self, house: House, most: int) -> None:
        self._log, self._most = house.store.log, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, records: Sequence[Record]) -> Any:
        if len(records) > self._most:
            raise StoreUnavailable("this takes too long")
        return await self._log.append(records)


class Busy:
    """All data of a house whose servers store some messages in each round of a move."""

    def __init__(self, house: House) -> None:
        self._house, self._numbers, self.messages = house, itertools.count(), 5

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house.moving, name)

    async def left(self, after: str) -> tuple[int, int]:
        told = [
            {"type": "track", "event": "X", "userId": "u", "messageId": f"busy{next(self._numbers)}"}
            for _ in range(self.messages)
        ]
        await self._house.store.log.append([received(each) for each in told])
        return await self._house.moving.left(after)


def interrupt_at(name: str, step: str, done: int, of: int) -> None:
    if step.startswith(name):
        raise InterruptedError


def again(house: House) -> None:
    """Open a storage as a server does that starts now."""

    async def story() -> None:
        store = ENGINES[house.engine](house.folder)
        try:
            await store.start()
            await store.sources.all()
        finally:
            await store.close()

    run(story())
