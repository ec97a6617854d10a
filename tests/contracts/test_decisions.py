"""The contract of decisions: what an open got stands for a while in every process, and is counted once of each kind."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.examples import examples
from wetink.core.blocks.block import Decision, stands
from wetink.core.signals.attribution import Touch
from wetink.ports import Storage
from wetink.ports.ledger import Ledger, Onlooker

MINUTE, NOW = 60_000, 1_790_000_000_000
HERO, JANE = "hero", "user:jane"


@pytest.fixture
def pair(another: Callable[[], Storage]) -> tuple[Ledger, Ledger]:
    """The ledger as two processes have it."""
    return another().ledger, another().ledger


def decided(variant: str, at: int = NOW, campaign: str = "") -> Decision:
    return Decision(f"{at:x}{variant}", HERO, JANE, campaign, at, variant, "app", "", {}, (), (), ())


def settle(ledger: Ledger, decision: Decision, slot: int = 1, by: Onlooker = "person") -> tuple[str, bool]:
    kept, counted = run(ledger.settle(decision, slot, MINUTE, by))
    return kept.variant, counted


def test_a_decision_stands_for_other_slots_of_its_email_in_every_process(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    assert settle(here, decided("a")) == ("a", True)
    assert settle(there, decided("b", NOW + 1_000), slot=2) == ("a", False)
    assert settle(there, decided("b", NOW + 1_000, "spring"), slot=2) == ("b", True)
    assert settle(there, decided("b", NOW + MINUTE), slot=3) == ("b", True)
    current = [run(ledger.current(HERO, JANE, "")) for ledger in pair]
    assert [decision and decision.variant for decision in current] == ["b", "b"]
    assert run(here.current(HERO, "user:bob", "")) is None
    assert run(there.current(HERO, JANE, "", NOW + MINUTE)) == decided("b", NOW + MINUTE)
    assert run(there.current(HERO, JANE, "", NOW + MINUTE + 1)) is None


def test_an_email_that_is_opened_again_gets_what_is_decided_now(pair: tuple[Ledger, Ledger]) -> None:
    here, there = pair
    settle(here, decided("a"))
    assert settle(there, decided("b", NOW + 1_000)) == ("b", True)


@pytest.mark.parametrize(
    "fetches",
    [
        [("person", True), ("person", False), ("machine", True), ("machine", False)],
        [("nobody", False), ("machine", True), ("nobody", False), ("person", True)],
    ],
)
def test_one_fetch_of_a_person_and_one_of_a_machine_count(
    pair: tuple[Ledger, Ledger], fetches: list[tuple[Any, bool]]
) -> None:
    for number, (by, counts) in enumerate(fetches):
        assert settle(pair[number % 2], decided("a", NOW + number), slot=number, by=by) == ("a", counts)


OPENS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from("ab"),
        st.sampled_from([0, 1, MINUTE - 1, MINUTE, -1, -MINUTE]),
        st.integers(0, 3),
        st.sampled_from(["person", "machine", "nobody"]),
    ),
    max_size=12,
)


@settings(max_examples=examples(40))
@given(OPENS)
def test_any_opens_of_an_email_get_what_the_rule_says(opens: list[tuple[bool, str, int, int, Onlooker]]) -> None:
    for engine in ENGINES.values():
        with TemporaryDirectory() as folder:
            here, there = engine(Path(folder)), engine(Path(folder))
            try:
                run(follow_the_rule((here.ledger, there.ledger), opens))
            finally:
                for each in (here, there):
                    run(each.close())


async def follow_the_rule(
    pair: Sequence[Ledger], opens: Sequence[tuple[bool, str, int, int, Onlooker]], campaign: str = ""
) -> None:
    kept, served, counted, now = None, 0, set[Onlooker](), NOW
    for which, variant, later, slot, by in opens:
        now += later
        fresh = decided(variant, now, campaign)
        if kept is None or not stands(kept, served, fresh, slot, MINUTE):
            kept, served, counted = fresh, 0, {"nobody"}
        assert await pair[which].settle(fresh, slot, MINUTE, by) == (kept, by not in counted)
        served |= 1 << slot
        counted.add(by)
    assert await pair[0].current(HERO, JANE, campaign) == kept


def test_opens_at_the_same_moment_agree_and_one_of_each_kind_counts(pair: tuple[Ledger, Ledger]) -> None:
    async def story() -> list[tuple[Decision, bool]]:
        bys: list[Onlooker] = ["person", "machine"]
        jobs = [(pair[n % 2], decided("ab"[n // 2 % 2]), n, bys[n // 4 % 2]) for n in range(16)]
        return await asyncio.gather(*(ledger.settle(each, slot, MINUTE, by) for ledger, each, slot, by in jobs))

    found = run(story())
    assert len({decision.variant for decision, _ in found}) == 1
    assert sum(counts for _, counts in found) == 2


def test_a_promise_is_given_once(pair: tuple[Ledger, Ledger]) -> None:
    async def story() -> None:
        here, there = pair
        assert await here.promised(HERO, JANE) == {}
        assert await here.promise(HERO, JANE, {"ends": 5}) == {"ends": 5}
        assert await there.promise(HERO, JANE, {"ends": 7, "code": "x"}) == {"ends": 5, "code": "x"}
        assert await here.promised(HERO, JANE) == {"ends": 5, "code": "x"}
        assert await here.promised(HERO, "user:bob") == await here.promised("foot", JANE) == {}

    run(story())


def touch(kind: Any, at: int, who: str = JANE, block: str = HERO, *, human: bool = True) -> Touch:
    return Touch(kind, block, who, "", at, "v", human=human)


def test_contacts_are_the_opens_and_clicks_that_count(pair: tuple[Ledger, Ledger]) -> None:
    async def story() -> None:
        here, there = pair
        for kind, at in (("open", NOW), ("open", NOW + MINUTE), ("click", NOW + MINUTE)):
            await here.record(touch(kind, at))
        await here.record(touch("open", NOW, human=False))
        await here.record(touch("open", NOW, block="foot"))
        await here.record(touch("open", NOW, who="user:bob"))
        assert await here.contacts(HERO, JANE) == (2, 1)
        await here.touches([], 0, 0)  # all that was recorded is written by then
        assert await there.contacts(HERO, JANE) == (2, 1)

    run(story())


def test_touches_are_found_in_a_span_of_each_recipient(pair: tuple[Ledger, Ledger]) -> None:
    async def story() -> None:
        here, _ = pair
        for at in (10, 20, 30):
            await here.record(touch("open", at))
            await here.record(touch("open", at, "user:bob"))
        found = await here.touches_within({JANE: (10, 30), "user:bob": (20, 21)})
        assert sorted((each.recipient, each.at) for each in found) == [("user:bob", 20), (JANE, 10), (JANE, 20)]
        assert [each.at for each in await here.touches([JANE], 15, 31)] == [20, 30]

    run(story())


def test_an_address_that_many_claim_within_a_day_is_contested(store: Storage) -> None:
    for number in range(4):
        assert run(store.profiles.contested(0)) == []
        claim = {"type": "identify", "userId": f"u{number}", "traits": {"email": "home@shop.example"}}
        claim |= {"messageId": f"m{number}", "timestamp": LATE - number}
        run(store.log.append([received(claim, "browser")]))
    [contested] = run(store.profiles.contested(0))
    assert (str(contested.identifier), contested.claimers) == ("email:home@shop.example", 4)
    assert run(store.profiles.contested(LATE + 1)) == []
