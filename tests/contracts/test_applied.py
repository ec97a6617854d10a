"""Groups of opens and clicks from a stream are stored once, however often they come, on every engine."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.contracts.loop import run
from tests.days import days
from wetink.core.blocks.block import Decision
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DAY_MS
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group, Ledger

NOW, HERO = 1_790_000_000_000, "hero"


@pytest.fixture
def pair(another: Callable[[], Storage]) -> tuple[Ledger, Ledger]:
    """The ledger as two processes have it."""
    return another().ledger, another().ledger


def group(number: int, who: str = "user:jane", **more: Any) -> Group:
    at = NOW + number * 60_000
    touches = [Touch("open", HERO, who, "", at, "v"), Touch("click", HERO, who, "", at + 9, "v")]
    return Group(f"group-{number}", at, touches, [(Served(HERO, "v", ""), at)] * 3, **more)


def decided(variant: str, at: int = NOW) -> Decision:
    return Decision(f"{at:x}{variant}", HERO, "user:jane", "", at, variant, "app", "", {}, (), (), ())


def counts(ledger: Ledger) -> tuple[int, int, int]:
    """Return the numbers of opens, clicks and pictures."""
    sums = run(days(ledger, NOW - DAY_MS, NOW + DAY_MS))
    found = run(ledger.contacts(HERO, "user:jane"))
    assert found == (sum(day.opens for day in sums), sum(day.clicks for day in sums))
    return (*found, sum(day.pictures for day in sums))


def test_a_group_that_comes_again_changes_nothing(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    run(here.apply([group(0), group(1)]))
    run(there.apply([group(1), group(2), group(2)]))
    run(here.apply([group(number) for number in range(3)]))
    assert counts(here) == counts(there) == (3, 3, 9)


def test_processes_that_store_the_same_at_the_same_time_count_it_once(pair: tuple[Ledger, Ledger]) -> None:
    async def story() -> None:
        some = [group(number) for number in range(20)]
        calls: Sequence[Any] = [each.apply(part) for part in (some[:12], some[8:], some) for each in pair]
        await asyncio.gather(*calls)

    run(story())
    assert counts(pair[0]) == (20, 20, 60)


def test_a_group_is_stored_as_a_whole_or_not(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    with pytest.raises(Exception, match=r".") as raised:
        run(here.apply([group(0), Group("odd", NOW, [Touch("open", HERO, "user:jane", "", NOW, "\ud800")])]))
    assert type(raised.value).__name__ != "StoreUnavailable", "else it would be tried for ever"
    assert counts(there) == (0, 0, 0)
    run(here.apply([group(0)]))
    assert counts(there) == (1, 1, 3)


def test_a_group_brings_decisions_and_a_newer_one_stays(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    first, second = decided("a"), decided("b", NOW + 60_000)
    run(here.apply([Group("1", NOW, decisions=[(second, 0b10), (first, 0b10), (second, 0b100)])]))
    run(there.apply([Group("2", NOW, decisions=[(first, 0b1000)])]))
    assert run(here.current(HERO, "user:jane", "")) == second
    fresh = decided("c", NOW + 60_001)
    assert run(there.settle(fresh, 3, 60_000, "person")) == (second, True), "its slots 1 and 2 were served, not 3"
    assert run(there.settle(fresh, 2, 60_000, "nobody"))[0] == fresh


def test_groups_are_forgotten_by_the_time_they_were_published(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    run(here.apply([group(0), group(5)]))
    run(there.forget_applied(group(5).at))
    run(here.apply([group(5)]))
    assert counts(here) == (2, 2, 6)
    run(here.apply([Group("group-0", NOW, [Touch("open", HERO, "user:jane", "", NOW + 1, "v")])]))
    assert counts(there) == (3, 2, 6)
