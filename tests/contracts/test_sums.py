"""Sums and lists of opens and clicks: the same as counting them one by one, in periods of any zone."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.loop import run
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import COUNTS, QUARTER_MS
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import TouchPlace, TouchQuery

DAY_MS = 86_400_000
START = 1_795_000_000_000 - 1_795_000_000_000 % DAY_MS
TOUCHES = st.lists(
    st.builds(
        Touch,
        kind=st.sampled_from(("open", "click")),
        block=st.sampled_from(("hero", "cards")),
        recipient=st.sampled_from(("user:1", "user:2", "email:a@b.c")),
        campaign=st.sampled_from(("", "may", "june")),
        at=st.integers(START, START + 3 * DAY_MS),
        variant=st.sampled_from(("", "v", "w")),
        fetch_class=st.sampled_from(("person", "proxy")),
        human=st.booleans(),
    ),
    max_size=40,
)
QUARTERS = st.lists(st.integers(-10, 300), min_size=2, max_size=6, unique=True).map(sorted)
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def record(store: Storage, touches: Sequence[Touch]) -> None:
    async def story() -> None:
        for touch in touches:
            await store.ledger.record(touch)

    run(story())


@pytest.fixture
def fresh(another: Callable[[], Storage]) -> Callable[[str], Storage]:
    """Opens the storage; each example has blocks of its own."""
    kept: list[Storage] = []

    def one(_: str) -> Storage:
        if not kept:
            kept.append(another())
        return kept[0]

    return one


@few
@given(TOUCHES, QUARTERS, st.sets(st.sampled_from(("block", "variant", "campaign"))), st.uuids())
def test_sums_are_those_of_a_naive_count(
    fresh: Callable[[str], Storage], touches: list[Touch], quarters: list[int], by: set[str], example: Any
) -> None:
    store = fresh(str(example))
    mine = [Touch(t.kind, f"{t.block} {example}", *(getattr(t, n) for n in ("recipient", "campaign", "at", "variant",
            "fetch_class", "facts", "version", "human"))) for t in touches]  # fmt: skip
    record(store, mine)
    bounds = [START + each * QUARTER_MS for each in quarters]
    periods = list(itertools.pairwise(bounds))
    stored = [each for name in {t.block for t in mine} for each in _all(store, name)]
    naive: Counter[tuple[Any, ...]] = Counter()
    for touch in stored:
        for since, until in periods:
            if since <= touch.at < until:
                name = {"open": ("machine_opens", "opens"), "click": ("machine_clicks", "clicks")}[touch.kind]
                key = [getattr(touch, each) if each in by else "" for each in ("block", "variant", "campaign")]
                naive[since, *key, name[touch.human]] += 1
                naive[since, *key, "implied_opens"] += touch.implied
    found: Counter[tuple[Any, ...]] = Counter()
    for name in {t.block for t in mine}:
        for count in run(store.ledger.sums(periods, by, block=name)):
            for field in ("opens", "machine_opens", "clicks", "machine_clicks", "implied_opens"):
                found[count.day, count.block, count.variant, count.campaign, field] += getattr(count, field)
    assert +found == +naive


def _all(store: Storage, block: str) -> list[Touch]:
    found: list[Touch] = []
    for kind in ("open", "click"):
        for human in (True, False):
            wanted = TouchQuery(0, 1 << 61, kind, human, blocks=[block])  # type: ignore[arg-type]
            before: TouchPlace | None = None
            while page := run(store.ledger.listed(wanted, 7, before)):
                found += [each.touch for each in page]
                before = page[-1].place
    return found


def test_a_list_is_paged_newest_first_and_filtered_by_each_field(store: Storage) -> None:
    touches = [
        Touch(
            *("open", "hero", f"user:{number % 3}", "may" if number % 2 else "", START + number // 4),
            *("v" * (number % 2), "proxy" if number % 5 else "person"),
        )
        for number in range(40)
    ]
    record(store, touches)
    record(
        store, [Touch("open", "hero", "user:9", "", START, human=False), Touch("open", "cards", "user:9", "", START)]
    )

    def listed(**wanted: Any) -> list[Touch]:
        query = TouchQuery(**{"since": START, "until": START + DAY_MS, "blocks": ["hero"], **wanted})
        found: list[Touch] = []
        before = None
        while page := run(store.ledger.listed(query, 9, before)):
            found += [each.touch for each in page]
            before = page[-1].place
        return found

    def key(touch: Touch) -> tuple[Any, ...]:
        return touch.at, touch.recipient, touch.campaign, touch.variant, touch.fetch_class

    whole = listed()
    assert sorted(map(key, whole)) == sorted(map(key, touches))
    assert [each.at for each in whole] == sorted((each.at for each in whole), reverse=True)
    for field in ("campaign", "variant", "fetch_class"):
        for value in {getattr(each, field) for each in touches}:
            chosen = [each for each in touches if getattr(each, field) == value]
            assert sorted(map(key, listed(**{field: value}))) == sorted(map(key, chosen)), (field, value)
    of_one = [each for each in touches if each.recipient == "user:1"]
    assert sorted(map(key, listed(recipients=["user:1"]))) == sorted(map(key, of_one))
    assert listed(recipients=[]) == []
    assert [each.at for each in listed(since=START + 3, until=START + 5)] == [START + 4] * 4 + [START + 3] * 4
    assert [each.recipient for each in listed(human=False)] == ["user:9"]
    assert len(listed(blocks=None)) == len(listed(blocks=("hero", "cards"))) == 41
    assert listed(blocks=[]) == []


def test_pictures_are_counted_in_the_quarter_of_an_hour_they_were_served(store: Storage) -> None:
    at = START + 5 * QUARTER_MS
    for each in (at - 1, at, at + QUARTER_MS - 1, at + QUARTER_MS):
        store.ledger.served(Served("hero", "v", ""), each)
    [count] = run(store.ledger.sums([(at, at + QUARTER_MS)], ("block",)))
    assert (count.pictures, [getattr(count, name) for name in COUNTS[1:]]) == (2, [0] * 8)
    assert [each.pictures for each in run(store.ledger.days(START, START + DAY_MS))] == [4]
