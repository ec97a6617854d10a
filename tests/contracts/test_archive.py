"""The contract of the archive: what opens got is found again, for so many days and up to so many bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from wetink.core.blocks.block import Block, Decision, Fallback, decision_id
from wetink.core.profile.person import Moment
from wetink.ports import Storage
from wetink.ports.ledger import Opened

DAY = 86_400_000
BLOCK = Block("hero", Fallback("https://shop.example/"))


def opened(number: int, at: int, campaign: str = "", **facts: Any) -> Opened:
    """Return what an open of somebody at some time got."""
    id_, who = decision_id("hero", f"user:{number}", campaign, at), f"user:{number}"
    decision = Decision(id_, "hero", who, campaign, at, "", "", "", {}, (), (), (), facts)
    return Opened(decision, Moment(at), BLOCK, "the template")


def test_an_open_is_found_by_its_id_its_recipient_and_its_block(store: Storage) -> None:
    one, two = opened(1, 5), opened(2, 6)

    async def story() -> None:
        store.archive.keep(one)
        store.archive.keep(two)
        assert await store.archive.find(one.decision.id) == one
        assert await store.archive.newest(9, 10) == [two, one]
        assert await store.archive.newest(5, 10) == [one]
        assert await store.archive.newest(9, 1) == [two]
        assert await store.archive.newest(9, 10, recipients=["user:1"]) == [one]
        assert await store.archive.newest(9, 10, block="hero") == [two, one]
        assert await store.archive.newest(9, 10, block="foot") == []

    run(story())


def test_where_somebody_was_is_not_kept(store: Storage) -> None:
    here = opened(1, 5)

    async def story() -> Opened | None:
        store.archive.keep(replace(here, moment=replace(here.moment, latitude=1.0, longitude=2.0)))
        return await store.archive.find(here.decision.id)

    assert run(story()) == here


def test_what_is_kept_is_bounded_by_days_and_by_size(engine: str, tmp_path: Path) -> None:
    now = [100 * DAY]

    async def story() -> tuple[list[str], int]:
        store = ENGINES[engine](tmp_path, lambda: now[0], days=2, most=4 << 20)
        archive = store.archive
        archive.keep(opened(0, 97 * DAY))
        archive.keep(opened(1, 99 * DAY))
        assert len(await archive.newest(now[0], 10)) == 2
        await archive.tidy()
        left = [each.decision.id for each in await archive.newest(now[0], 10)]
        for number in range(2, 6_000):
            archive.keep(opened(number, now[0], x="y" * 2_000))
            if number % 500 == 0:
                await archive.find("")
                await archive.newest(0, 1)
                await archive.tidy()
        count = len(await archive.newest(now[0], 10_000, block="hero"))
        assert await archive.find(opened(5_999, now[0]).decision.id) is not None
        await store.close()
        return left, count

    left, count = run(story())
    assert left == [opened(1, 99 * DAY).decision.id]
    assert 1_000 < count < 4_500
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 12 << 20


def test_a_block_that_another_process_tidied_away_is_kept_again_with_the_next_open(engine: str, tmp_path: Path) -> None:
    async def story() -> tuple[Opened | None, Opened | None]:
        one, other = (ENGINES[engine](tmp_path, lambda: 100 * DAY, days=2) for _ in range(2))
        old, new = opened(1, 90 * DAY), opened(2, 100 * DAY)
        one.archive.keep(old)
        await one.archive.newest(0, 1)
        assert not await other.archive.tidy()
        one.archive.keep(new)
        await one.archive.newest(0, 1)
        found = await other.archive.find(old.decision.id), await other.archive.find(new.decision.id)
        await one.close()
        await other.close()
        return found

    assert run(story()) == (None, opened(2, 100 * DAY))


def test_any_id_and_any_time_may_be_asked_for_and_any_number_of_days_kept(engine: str, tmp_path: Path) -> None:
    async def story() -> list[int]:
        store, kept = ENGINES[engine](tmp_path, lambda: 5, days=10**9), opened(1, 5)
        store.archive.keep(kept)
        await store.archive.tidy()
        for odd in ("", "none", "f" * 40, "-1", "ffffffffffff", kept.decision.id + "0", "é" * 12):
            assert await store.archive.find(odd) is None
        assert await store.archive.find(kept.decision.id) == kept
        found = [len(await store.archive.newest(until, 10)) for until in (-(10**20), -1, 4, 5, 10**20)]
        await store.close()
        return found

    assert run(story()) == [0, 0, 0, 1, 1]


def test_with_no_days_nothing_is_kept(engine: str, tmp_path: Path) -> None:
    async def story() -> int:
        store = ENGINES[engine](tmp_path, lambda: 5, days=0)
        store.archive.keep(opened(1, 5))
        found = len(await store.archive.newest(5, 10))
        await store.close()
        return found

    assert run(story()) == 0


def test_an_open_that_cannot_be_written_down_loses_no_other(store: Storage) -> None:
    async def story() -> list[Opened]:
        store.archive.keep(opened(1, 5, "bad", x=object()))
        store.archive.keep(opened(1, 5, "good"))
        return list(await store.archive.newest(5, 10))

    assert run(story()) == [opened(1, 5, "good")]


def test_the_end_of_a_process_keeps_what_waits(store: Storage, another: Callable[[], Storage]) -> None:
    async def story() -> Opened | None:
        store.archive.keep(opened(1, 5))
        await store.close()
        return await another().archive.find(opened(1, 5).decision.id)

    assert run(story()) == opened(1, 5)
