"""The contract of a ledger and of its exposures: what was served, opened and clicked, and who is in which arm."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from tests.days import days
from wetink.core.blocks.experiment import Exposure
from wetink.core.signals.attribution import Touch
from wetink.core.signals.experiment_result import DailyExposures
from wetink.core.signals.report import DAY_MS, DayCount
from wetink.ports import Storage
from wetink.ports.drawing import Served

T = TypeVar("T")
NOON = 12 * 3_600_000


class Desk:
    """A ledger and its exposures."""

    def __init__(self, store: Storage) -> None:
        self.ledger, self.exposures = store.ledger, store.exposures

    def touched(self, *touches: Touch) -> None:
        for touch in touches:
            run(self.ledger.record(touch))
        run(self.ledger.touches([], 0, 0))  # all that was recorded is counted by then

    def days(self) -> dict[tuple[int, str, str, str], tuple[int, ...]]:
        found = run(days(self.ledger, 0, 10 * DAY_MS))
        return {
            (each.day // DAY_MS, each.block, each.variant, each.campaign): tuple(
                getattr(each, name) for name in DayCount.__struct_fields__[4:12]
            )
            for each in found
        }


@pytest.fixture
def desk(store: Storage) -> Desk:
    return Desk(store)


def opened(who: str = "user:jane", day: int = 1, **more: Any) -> Touch:
    given = {"block": "hero", "campaign": "", "variant": "v", **more}
    kind = given.pop("kind", "open")
    return Touch(kind, recipient=who, at=day * DAY_MS + NOON, **given)


def test_days_have_the_sums_of_opens_and_clicks_with_machines_apart_and_firsts_once(desk: Desk) -> None:
    machine = {"human": False, "fetch_class": "prefetch"}
    desk.touched(opened(), opened(), opened("user:bob"), opened(**machine), opened(kind="click"))
    desk.touched(
        opened(), opened(day=2), opened(day=2, variant="w"), opened("user:new", 2), opened(kind="click", day=2)
    )
    desk.touched(opened(campaign="spring"))
    #                              pictures, opens, unique, machines', unique, clicks, unique, machines'
    assert desk.days() == {
        (1, "hero", "v", ""): (0, 4, 2, 1, 1, 1, 1, 0),
        (2, "hero", "v", ""): (0, 2, 1, 0, 0, 1, 0, 0),
        (2, "hero", "w", ""): (0, 1, 0, 0, 0, 0, 0, 0),
        (1, "hero", "v", "spring"): (0, 1, 1, 0, 0, 0, 0, 0),
    }


def test_pictures_are_counted_each_time_they_are_sent(desk: Desk) -> None:
    for _ in range(3):
        desk.ledger.served(Served("hero", "v", ""), DAY_MS + NOON)
    desk.touched(opened())
    desk.ledger.served(Served("hero", "v", ""), DAY_MS + NOON)
    assert desk.days()[1, "hero", "v", ""][:3] == (4, 1, 1)


def test_two_processes_count_firsts_once(desk: Desk, another: Callable[[], Storage]) -> None:
    other = Desk(another())
    desk.touched(opened(), opened(kind="click"))
    other.touched(opened(), opened("user:bob"))
    assert other.days() == desk.days() == {(1, "hero", "v", ""): (0, 3, 2, 0, 0, 1, 1, 0)}


def test_sums_that_are_made_anew_are_the_sums_that_grew(desk: Desk) -> None:
    chance = random.Random(3)
    run(desk.exposures.keep(Exposure("test", "user:1", "a", 1, "user:1")))
    for _ in range(40):
        desk.touched(
            *(
                opened(
                    f"user:{chance.randrange(6)}", chance.randrange(3), kind=chance.choice(["open", "click"]),
                    variant=chance.choice("vw"), campaign=chance.choice(["", "c"]), arms={"test": "a"},
                )
                for _ in range(chance.randrange(5))
            )
        )  # fmt: skip
        desk.ledger.served(Served("hero", "v", ""), NOON)
    before, exposed = desk.days(), run(desk.exposures.of("test", ["user:1"]))
    run(desk.ledger.reclassify(lambda block, kind: True))
    after = desk.days()
    assert {key: value[0] for key, value in after.items()} == {key: value[0] for key, value in before.items()}
    for index in (1, 2, 5, 6):
        assert sum(each[index] for each in after.values()) == sum(each[index] for each in before.values())
    assert run(desk.exposures.of("test", ["user:1"])) == exposed


def test_the_first_exposure_is_kept_and_no_other_takes_its_place(desk: Desk) -> None:
    first = Exposure("test", "user:1", "a", 5, "user:1")
    assert run(desk.exposures.keep(first)) == first
    assert run(desk.exposures.keep(replace(first, arm="b", at=9))) == first
    assert run(desk.exposures.of("other", ["user:1"])) == {}


def test_an_exposure_knows_the_first_open_and_click_that_count(desk: Desk) -> None:
    run(desk.exposures.keep(Exposure("test", "user:1", "a", 5, "user:1")))
    arms = {"test": "a"}
    desk.touched(opened("user:1", 1, human=False, arms=arms))
    assert run(desk.exposures.days("test")) == [DailyExposures(0, "a", False, 1, 0)]
    desk.touched(opened("user:1", 3, arms=arms), opened("user:1", 4, kind="click", arms=arms))
    desk.touched(opened("user:1", 2, arms=arms), opened("user:2", 2, arms=arms))
    [exposure] = run(desk.exposures.of("test", ["user:1", "user:2"])).values()
    assert (exposure.seen, exposure.clicked) == (2 * DAY_MS + NOON, 4 * DAY_MS + NOON)
    assert run(desk.exposures.days("test")) == [DailyExposures(2 * DAY_MS, "a", True, 1, 1)]


def test_a_merged_person_counts_once_in_the_arm_they_inherit(desk: Desk) -> None:
    run(desk.exposures.keep(Exposure("test", "email:a@b.c", "a", 5, "email:a@b.c")))
    run(desk.exposures.keep(Exposure("test", "user:1", "b", 6, "user:1")))
    kept = run(desk.exposures.keep(Exposure("test", "user:1", "a", 6, "user:1", "email:a@b.c")))
    assert (kept.arm, kept.heir_of) == ("a", "email:a@b.c")
    desk.touched(opened("user:1", 3, kind="click", arms={"test": "a"}), opened("user:1", 2, arms={"test": "a"}))
    assert run(desk.exposures.days("test")) == [DailyExposures(2 * DAY_MS, "a", True, 1, 1)]


def test_a_bandits_shares_of_an_epoch_are_those_that_were_kept_first(desk: Desk) -> None:
    assert run(desk.exposures.shares("test", 7)) is None
    assert run(desk.exposures.keep_shares("test", 7, {"a": 0.9, "b": 0.1})) == {"a": 0.9, "b": 0.1}
    assert run(desk.exposures.keep_shares("test", 7, {"a": 0.5, "b": 0.5})) == {"a": 0.9, "b": 0.1}
    assert run(desk.exposures.shares("test", 8)) is None


def test_a_read_writes_what_waits_and_another_process_sees_it(another: Callable[[], Storage]) -> None:
    one, other = another().ledger, another().ledger
    run(one.record(Touch("open", "hero", "user:jane", "", DAY_MS, "v")))
    one.served(Served("hero", "v", ""), DAY_MS)
    run(days(one, 0, DAY_MS))
    assert run(other.contacts("hero", "user:jane")) == (1, 0)
    assert [(day.pictures, day.opens) for day in run(days(other, 0, DAY_MS))] == [(1, 1)]
