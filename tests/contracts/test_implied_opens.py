"""A person's click proves an open that only a machine has fetched; opens as data count once in all processes."""

from collections import Counter
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.test_ledger import Desk
from tests.days import days
from tests.examples import examples
from wetink.core.blocks.experiment import Exposure
from wetink.core.client_classification import Facts, Kind, classify
from wetink.core.signals.attribution import PROVED_MS, Touch
from wetink.core.signals.experiment_result import DailyExposures
from wetink.core.signals.report import COUNTS, DAY_MS, Report
from wetink.ports import Storage

START = 100 * DAY_MS + DAY_MS // 2
MINUTE, HOUR = 60_000, 3_600_000
CLIENTS = {"person": "chrome", "prefetch": "bare-mozilla", "proxy": "gmail-proxy", "scanner": "mimecast"}


def touch(kind: str, who: Kind = "person", after: int = 0, block: str = "hero", **more: Any) -> Touch:
    given = {"recipient": "user:jane", "campaign": "c", "variant": "v", "arms": {"test": "a"}, **more}
    facts = Facts(CLIENTS[who], click=kind == "click")
    assert classify(facts).kind == who or (kind == "click" and who == "prefetch")
    return Touch(kind, block, given["recipient"], given["campaign"], START + after, given["variant"], who, facts,
                 human=who in ("person", "proxy"), arms=given["arms"])  # fmt: skip


SEQUENCES: list[tuple[str, list[Touch], dict[str, tuple[int, int, int, int, int]]]] = [
    # what happened, and of each block: opens, of these implied, opens by machines, clicks, unique opens
    ("a prefetch alone", [touch("open", "prefetch")], {"hero": (0, 0, 1, 0, 0)}),
    ("prefetch, then a click", [touch("open", "prefetch"), touch("click", after=HOUR)], {"hero": (1, 1, 1, 1, 1)}),
    ("prefetch, clicks", [touch("open", "prefetch"), *(touch("click", after=n * MINUTE) for n in range(1, 7))],
     {"hero": (1, 1, 1, 6, 1)}),
    ("proxy, then a click", [touch("open", "proxy"), touch("click", after=MINUTE)], {"hero": (1, 0, 0, 1, 1)}),
    ("browser, then a click", [touch("open"), touch("click", after=MINUTE)], {"hero": (1, 0, 0, 1, 1)}),
    ("a click alone", [touch("click")], {"hero": (1, 1, 0, 1, 1)}),
    ("a scanner's click", [touch("click", "scanner")], {"hero": (0, 0, 0, 0, 0)}),
    ("prefetch, a scanner's click", [touch("open", "prefetch"), touch("click", "scanner", 500)],
     {"hero": (0, 0, 1, 0, 0)}),
    ("a click, then the picture", [touch("click"), touch("open", after=200)], {"hero": (1, 0, 0, 1, 1)}),
    ("a click, the picture hours later", [touch("click"), touch("open", after=5 * HOUR)], {"hero": (1, 0, 0, 1, 1)}),
    ("a click, then two opens", [touch("click"), touch("open", after=200), touch("open", after=HOUR)],
     {"hero": (2, 0, 0, 1, 1)}),
    ("open, days later a click", [touch("open"), touch("click", after=3 * DAY_MS)], {"hero": (2, 1, 0, 1, 1)}),
    ("clicks on two days", [touch("click"), touch("click", after=3 * DAY_MS)], {"hero": (2, 2, 0, 2, 1)}),
    ("clicks before and after midnight", [touch("click", after=11 * HOUR), touch("click", after=13 * HOUR)],
     {"hero": (1, 1, 0, 2, 1)}),
    ("two blocks prefetched, one clicked",
     [touch("open", "prefetch"), touch("open", "prefetch", block="foot"), touch("click", after=MINUTE)],
     {"hero": (1, 1, 1, 1, 1), "foot": (0, 0, 1, 0, 0)}),
    ("another block opened", [touch("open", block="foot"), touch("click", after=MINUTE)],
     {"hero": (1, 1, 0, 1, 1), "foot": (1, 0, 0, 0, 1)}),
    ("another campaign opened", [touch("open", campaign="d"), touch("click", after=MINUTE)], {"hero": (2, 1, 0, 1, 2)}),
    ("another person opened", [touch("open", recipient="user:bob"), touch("click", after=MINUTE)],
     {"hero": (2, 1, 0, 1, 2)}),
    ("another variant opened", [touch("open", variant="w"), touch("click", after=MINUTE)], {"hero": (1, 0, 0, 1, 1)}),
]  # fmt: skip


def figures(desk: Desk) -> dict[str, tuple[int, int, int, int, int]]:
    found = run(days(desk.ledger, START - DAY_MS, START + 6 * DAY_MS))
    for each in found:
        assert min(each.opens - each.implied_opens, each.implied_opens, each.unique_opens) >= 0
    week = [(START // DAY_MS * DAY_MS - DAY_MS, START // DAY_MS * DAY_MS + 6 * DAY_MS)]
    whole, devices = (run(desk.ledger.sums(week, by)) for by in ((), ("part",)))
    assert [sum(getattr(each, name) for each in devices) for name in COUNTS[1:]] == [
        sum(getattr(each, name) for each in whole) for name in COUNTS[1:]
    ], "each counts for one device"
    sums: dict[str, Counter[str]] = {}
    for each in found:
        mine = sums.setdefault(each.block, Counter())
        for name in ("opens", "implied_opens", "machine_opens", "clicks", "unique_opens"):
            mine[name] += getattr(each, name)
    for line in Report(("block", "campaign", "day", "variant")).lines(found):
        assert line.click_rate is None or line.click_rate <= 1
    return {
        block: (mine["opens"], mine["implied_opens"], mine["machine_opens"], mine["clicks"], mine["unique_opens"])
        for block, mine in sums.items()
    }


@pytest.fixture
def desks(another: Callable[[], Storage]) -> tuple[Desk, Desk]:
    return Desk(another()), Desk(another())


@pytest.mark.parametrize("way", ["at once", "one by one", "by two processes"])
@pytest.mark.parametrize(("touches", "expected"), [each[1:] for each in SEQUENCES], ids=[each[0] for each in SEQUENCES])
def test_a_click_of_a_person_proves_one_open(
    desks: tuple[Desk, Desk], touches: list[Touch], expected: dict[str, Any], way: str
) -> None:
    if way == "at once" and len({each.at // DAY_MS for each in touches}) > 1:
        expected = {}  # days apart are never written together
    if way == "at once":
        desks[0].touched(*touches)
    for number, each in enumerate(touches if way != "at once" else ()):
        desks[number % 2 if way == "by two processes" else 0].touched(each)
    if expected:
        assert figures(desks[1]) == expected
    run(desks[0].ledger.reclassify(lambda _, kind: kind in ("person", "proxy")))
    assert figures(desks[1]) == (expected or figures(desks[0]))
    run(desks[1].ledger.reclassify(lambda _, kind: kind in ("person", "proxy")))
    assert figures(desks[0]) == (expected or figures(desks[1])), "the same rules say the same again"
    implied = [each for each in run(desks[0].ledger.touches(["user:jane"], 0, 1 << 61)) if each.implied]
    assert all(each.kind == "open" and each.human for each in implied)


def test_a_click_after_a_prefetch_enters_the_experiment(desks: tuple[Desk, Desk]) -> None:
    desk = desks[0]
    run(desk.exposures.keep(Exposure("test", "user:jane", "a", START, "user:jane")))
    desk.touched(touch("open", "prefetch"))
    assert run(desk.exposures.days("test")) == [DailyExposures(START - START % DAY_MS, "a", False, 1, 0)]
    desk.touched(touch("click", after=HOUR))
    expected = [DailyExposures(START - START % DAY_MS, "a", True, 1, 1, 1)]
    assert run(desk.exposures.days("test")) == expected
    run(desk.ledger.reclassify(lambda _, kind: kind == "person"))
    assert run(desk.exposures.days("test")) == expected


ONES = [touch("open"), touch("click", after=1), touch("open", "prefetch", after=2), touch("click", "scanner", after=3)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_they_come_they_count_the_same(desks: tuple[Desk, Desk], order: tuple[int, ...]) -> None:
    for number, which in enumerate(order):
        desks[number % 2].touched(ONES[which])
    assert figures(desks[0]) == {"hero": (1, 0, 1, 1, 1)}


ANY = st.lists(
    st.builds(
        touch,
        st.sampled_from(["open", "click"]),
        st.sampled_from(["person", "proxy", "prefetch", "scanner"]),
        st.integers(0, 3 * PROVED_MS),
        st.sampled_from(["hero", "foot"]),
        variant=st.sampled_from(["v", ""]),
    ),
    max_size=7,
)


@settings(max_examples=examples(25))
@given(ANY)
def test_every_clicker_has_opened_and_no_rate_is_above_100_percent(touches: list[Touch]) -> None:
    for engine in ENGINES.values():
        with TemporaryDirectory() as folder:
            store = engine(Path(folder))
            try:
                clickers_have_opened(Desk(store), touches)
            finally:
                run(store.close())


def clickers_have_opened(desk: Desk, touches: list[Touch]) -> None:
    for each in touches:
        desk.touched(each)
    for _ in range(2):
        figures(desk)
        told = run(desk.ledger.touches(["user:jane"], 0, 1 << 61))
        for each in told:
            if each.kind == "click" and each.human:
                assert any(
                    other.kind == "open" and other.human and other.block == each.block
                    and abs(other.at - each.at) < PROVED_MS for other in told
                )  # fmt: skip
        run(desk.ledger.reclassify(lambda _, kind: kind in ("person", "proxy")))


def once(after: int, **more: Any) -> Touch:
    return replace(touch("open", after=after, **more), once=True)


@pytest.mark.parametrize(
    ("touches", "opens"),
    [
        ([once(0), once(0)], 1),
        ([once(0), once(59_999)], 1),
        ([once(30_000), once(0)], 1),
        ([once(0), once(60_000)], 2),
        ([once(0), once(0, campaign="d")], 2),
        ([once(0), once(0, recipient="user:bob")], 2),
        ([once(0), once(0, who="prefetch")], 1),
        ([once(0, who="prefetch"), once(0)], 1),
        ([once(0), touch("open", after=9)], 2),
    ],
)
def test_opens_as_data_count_once_a_minute_in_all_processes(
    desks: tuple[Desk, Desk], touches: list[Touch], opens: int
) -> None:
    for number, each in enumerate(touches):
        desks[number % 2].touched(each)
    assert figures(desks[0])["hero"][0] == opens
