"""Extremes: figures and comparisons over the largest, smallest and oddest numbers, the same in all evaluations."""

import math
import random
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.asking import holds
from tests.contracts.columns import columns_of, laid_out
from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import received
from tests.core.rules.asking import NOW, asked, event, person
from wetink.audiences.segment_query import ColumnCrowd
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import compiled
from wetink.core.rules.parse import parse
from wetink.ports import Storage

MOST = sys.float_info.max
EXTREMES: list[Any] = [
    1e308, -1e308, MOST, -MOST, 5e-324, -5e-324, 2.2250738585072014e-308, 1e15, 1e16, -1e16, 1e22, 0.1, -0.0, 0, 1,
    2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**30, "1e308", "1e400", "99999999999999999999", "9" * 16, "-0", "inf",
    "nan", "Infinity", True, None, "", [1e308, 1e308], [1e308, -1e308, 1],
]  # fmt: skip
"""What a sender may send as a number."""
BOUNDS = [0, 1, -1, 0.1, 5e-324, 1e15, 1e16, 2**53 + 1, 2**63 - 1, 1e308, -1e308, MOST, -MOST]
FIGURES = ["sum", "average", "maximum", "minimum", "distinct"]
TESTS = ["above", "at_least", "below", "at_most", "equals", "not_equals"]
numbers = st.one_of(st.sampled_from(EXTREMES), st.floats(allow_nan=False, allow_infinity=False), st.integers())


def of(figure: str, test: str, bound: Any) -> dict[str, Any]:
    return {figure: "stars", "of": "Rated", test: bound}


@given(st.lists(numbers, max_size=5), st.sampled_from(FIGURES), st.sampled_from(TESTS), st.sampled_from(BOUNDS))
def test_a_figure_is_told_of_any_numbers_and_its_negation_is_the_opposite(
    said: list[Any], figure: str, test: str, bound: Any
) -> None:
    events = [event("Rated", 1000 * place, place, properties={"stars": each}) for place, each in enumerate(said)]
    rule = of(figure, test, bound)
    found, opposite = asked(rule, person(*events)), asked({"not": rule}, person(*events))
    assert not found.unknown
    assert found.holds is not opposite.holds
    assert found.saw is None or math.isfinite(found.saw)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_sums_and_averages_are_exact_as_far_as_there_are_numbers(said: list[float]) -> None:
    events = [event("Rated", 1000 * place, place, properties={"stars": each}) for place, each in enumerate(said)]
    total = sum(map(Fraction, said))
    for figure, exact in (("sum", total), ("average", total / len(said))):
        saw = asked(of(figure, "above", 0), person(*events)).saw
        within = max(Fraction(-MOST), min(exact, Fraction(MOST)))
        assert abs(Fraction(saw) - within) <= Fraction(1, 10**6) + abs(within) / 10**15


class Town:
    """People who rated things in extreme ways, all of it laid out in columns, but for those who came last."""

    def __init__(self, store: Storage, folder: Path) -> None:
        self.store = store
        chance = random.Random(5)
        told: list[dict[str, Any]] = []
        groups: list[list[Any]] = [[each] for each in EXTREMES]
        groups += [
            [one, other]
            for one, other in product([1e308, -1e308, MOST, 5e-324, 1], repeat=2)
            if one != other or one == 1e308
        ]
        groups += [[chance.choice(EXTREMES) for _ in range(chance.randrange(2, 5))] for _ in range(20)]
        for number, group in enumerate(groups):
            who = f"p{number}"
            base = {"userId": who, "receivedAt": NOW + 1000, "context": {}}
            for place, value in enumerate(group):
                said = {**base, "messageId": f"{who}-{place}", "timestamp": NOW - 1000 * place, "type": "track"}
                told.append({**said, "event": "Rated", "properties": {"stars": value}})
                more = {"sku": "a", "price": value, "quantity": value, "total": value}
                told.append({**said, "messageId": f"{who}-o{place}", "event": "Order Completed",
                             "properties": {**more, "order_id": f"{who}{place}", "products": [more]}})  # fmt: skip
                told.append({**said, "messageId": f"{who}-c{place}", "event": "Product Added", "properties": more})
            told.append({**base, "messageId": f"{who}-t", "timestamp": NOW, "type": "identify",
                         "traits": {"score": group[0], "scores": group}})  # fmt: skip
        self.people = [Identifier("user", f"p{number}") for number in range(len(groups))]
        records = [received(each) for each in told]
        run(self.store.log.append(records[: len(records) * 9 // 10]))
        laid_out(store, folder)
        run(self.store.log.append(records[len(records) * 9 // 10 :]))
        self.columns = columns_of(store, folder)
        self.crowd = ColumnCrowd(self.store, lambda: self.columns)

    async def agrees(self, said: Any) -> None:
        rule = parse(said)
        one = compiled(rule)
        held = {who for who in self.people if await holds(self.store, one, Moment(NOW), who)}
        counted = await self.crowd.count(rule, Moment(NOW), {})
        listed = {who async for some in self.crowd.members(rule, Moment(NOW), {}) for who in some}
        assert listed == held, (said, listed ^ held)
        assert counted.matches == len(held), said


@pytest.fixture(scope="module", params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    made = Town(ENGINES[request.param](folder), folder)
    yield made
    run(made.columns.close())
    run(made.store.close())


PLACES = [("Rated", "stars"), *(("Order Completed", name) for name in ("total", "price"))]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("figure", FIGURES)
def test_a_count_agrees_on_figures_of_extremes(town: Town, figure: str, place: tuple[str, str]) -> None:
    async def all_of_them() -> None:
        chance, asked_of = random.Random(f"{figure}{place}"), {figure: place[1], "of": place[0]}
        for test in chance.sample(TESTS, 3):
            await town.agrees({**asked_of, test: chance.choice(BOUNDS)})
        await town.agrees({"not": {**asked_of, "above": 1e300}})
        await town.agrees({**asked_of, "at_least": -1e308, "at_most": 1e308})

    run(all_of_them())


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_count_agrees_on_comparisons_with_extremes(town: Town, bound: Any) -> None:
    async def all_of_them() -> None:
        chance = random.Random(str(bound))
        for test in chance.sample(TESTS, 2):
            for rule in (
                {"trait": "score", test: bound},
                {"trait": "scores", test: bound},
                {"done": "Rated", "where": {"stars": {test: bound}}},
                {"done": "Order Completed", "where": {"total": {test: bound}}},
                {"cart": {"value": {test: bound}}},
            ):
                await town.agrees(rule)
            await town.agrees({"not": {"trait": "score", test: bound}})

    run(all_of_them())
