"""Rolled up credits: a report reads few of their sums, and says what it says of all of them."""

import random
from itertools import combinations

import msgspec
import pytest

from wetink.core.signals.credits import COLUMNS, Credits, CreditSum, Rollup, rolled_up
from wetink.core.signals.report import ALL, DIMENSIONS, Filter, Report
from wetink.insights.reports import _columns

DAY = 86_400_000
PARTS = (("phone",), ("phone", "@vip"), ("gmail", "@vip", "@new"))
EMAILS = {"hero": "news", "foot": "news", "cart": "cart"}


def some(seed: int) -> Credits:
    chance = random.Random(seed)
    places = {
        (
            *(chance.randrange(9) * DAY, chance.choice(sorted(EMAILS)), chance.choice(("a", "b", ""))),
            *(chance.choice(("may", "june", "")), chance.choice(("EUR", "USD")), chance.choice(PARTS)),
        )
        for _ in range(200)
    }
    amounts = ((chance.randrange(1, 9), chance.randrange(900)) for _ in places)
    sums = [
        CreditSum(*place, n, amount, amount % 7, amount**2)
        for place, (n, amount) in zip(sorted(places), amounts, strict=True)
    ]
    return Credits(300, 200, 5, 1, 8 * DAY, tuple(sums))


FILTERS = [
    ALL,
    Filter(block="hero"),
    Filter(campaign="may"),
    Filter(campaign="absent"),
    Filter(variant="", email="news"),
    Filter(device="phone"),
    Filter(audience="vip"),
    Filter(device="absent"),
    Filter(audience="vip", campaign=""),
    Filter(weekday="Friday", block="foot"),
]
WAYS = [by for count in range(3) for by in combinations(DIMENSIONS, count) if not {"audience", "device"} <= {*by}]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_a_report_of_rolled_up_credits_is_that_of_all_of_them(number: int) -> None:
    only, credits = FILTERS[number], some(number)
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(rolled_up(credits)), type=Rollup)
    for by in WAYS:
        if (only.device and "audience" in by) or (only.audience and "device" in by):
            continue  # refused: an open counts by one of both
        plain, rolled = (Report(by, only=only, emails=EMAILS) for _ in range(2))
        plain.add(credits.sums)
        rolled.add(packed.read(_columns(by, only), campaign=only.campaign, part=only.part))
        assert rolled.lines([]) == plain.lines([]), by


def test_all_columns_are_all_sums() -> None:
    credits = some(1)
    rollup = rolled_up(credits)
    assert sorted(rollup.read(), key=str) == sorted(credits.sums, key=str)
    assert {each.campaign for each in rollup.read(COLUMNS, campaign="may")} == {"may"}


def test_a_report_by_day_reads_a_sum_for_each_day_and_currency() -> None:
    assert len(list(rolled_up(some(1)).read(()))) == 18
