"""Reports: what is counted and what is credited, added up by any of block, variant, campaign and day."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Attribution, Credit, Touch
from wetink.core.signals.conversion import Conversion
from wetink.core.signals.credits import credits_of
from wetink.core.signals.goal import Currencies, Signals
from wetink.core.signals.report import DAY_MS, DayCount, Line, Report, total

JANE = Identifier("user", "jane")


def brought(
    *parts: tuple[str, float], amount: float = 20, currency: str = "EUR", at: int = 5, **more: object
) -> Attribution:
    order = Conversion("order", "O", at, amount, currency, JANE, **more)  # type: ignore[arg-type]
    touches = [(Touch("click", block, "user:jane", "", 1, "v"), part) for block, part in parts]
    return Attribution(order, "linear", tuple(Credit(touch, part, "", amount * part) for touch, part in touches))


COUNTS = [
    DayCount(0, "hero", "v", "c", pictures=9, opens=7, unique_opens=4, clicks=3, unique_clicks=2),
    DayCount(DAY_MS, "hero", "w", "c", pictures=1, opens=1, unique_opens=1, machine_opens=5, unique_machine_opens=5),
    DayCount(0, "quiet", "", "", opens=2, unique_opens=2),
]


def report(
    counts: Iterable[DayCount],
    attributions: Iterable[Attribution],
    by: Sequence[str],
    signals: Signals,
    keys: Iterable[dict[str, str]] = (),
) -> list[Line]:
    made = Report(by)
    for each in attributions:
        made.add(credits_of([each], signals).sums)
    return made.lines(counts, keys=keys)


def test_each_block_has_what_was_counted_and_what_was_credited_to_it() -> None:
    lines = report(COUNTS, [brought(("hero", 0.5), ("gone", 0.5))], ("block",), Signals(), keys=[{"block": "new"}])
    assert [(line.key["block"], line.opens, line.clicks, line.orders, line.revenue) for line in lines] == [
        ("gone", 0, 0, 0.5, {"EUR": 10.0}),
        ("hero", 8, 3, 0.5, {"EUR": 10.0}),
        ("new", 0, 0, 0, {}),
        ("quiet", 2, 0, 0, {}),
    ]
    hero = lines[1]
    assert (hero.pictures, hero.unique_opens, hero.unique_machine_opens) == (10, 5, 5)
    assert (hero.click_rate, hero.per_thousand) == (0.4, {"EUR": 2000.0})
    assert (lines[0].click_rate, lines[0].per_thousand) == (None, {})


def test_a_day_is_of_utc_and_an_order_stands_on_its_own() -> None:
    lines = report(COUNTS, [brought(("hero", 1), at=DAY_MS + 5)], ("day",), Signals())
    found = [(line.key["day"], line.opens, line.orders) for line in lines]
    assert found == [("1970-01-01", 9, 0), ("1970-01-02", 1, 1)]


def test_what_was_cancelled_or_given_back_in_whole_counts_no_more() -> None:
    [line] = report([], [brought(("hero", 1)), brought(("hero", 1), cancelled=True)], ("block",), Signals())
    assert (line.orders, line.revenue) == (1, {"EUR": 20.0})


def test_currencies_stay_apart_unless_a_table_says_what_they_are_worth() -> None:
    found = [brought(("hero", 1)), brought(("hero", 1), currency="USD"), brought(("hero", 1), currency="SEK")]
    [line] = report([], found, ("block",), Signals())
    assert line.revenue == {"EUR": 20.0, "SEK": 20.0, "USD": 20.0}
    [line] = report([], found, ("block",), Signals(currencies=Currencies("EUR", {"USD": 0.5})))
    assert line.revenue == {"EUR": 30.0, "SEK": 20.0}


@given(st.lists(st.integers(1, 99_999), min_size=1, max_size=40))
def test_revenue_is_right_to_the_cent(cents: list[int]) -> None:
    [line] = report([], [brought(("hero", 1), amount=each / 100) for each in cents], ("block",), Signals())
    assert (line.orders, line.revenue) == (len(cents), {"EUR": sum(cents) / 100})


@pytest.mark.parametrize("by", [("block",), ("variant",), ("campaign",), ("day",), ("block", "variant", "day")])
def test_every_breakdown_adds_up_to_the_same_total(by: tuple[str, ...]) -> None:
    whole = total(report(COUNTS, [brought(("hero", 0.5), ("gone", 0.5))], by, Signals()))
    assert (whole.pictures, whole.opens, whole.orders, whole.revenue) == (10, 10, 1, {"EUR": 20.0})
