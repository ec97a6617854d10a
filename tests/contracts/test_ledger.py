"""The contract of a ledger and of its exposures: what was served, opened and clicked, and who is in which arm."""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest
from msgspec.structs import replace

from wetink.core.blocks.experiment import Exposure
from wetink.core.signals.experiment_result import Newcomers
from wetink.core.signals.interaction import Touch
from wetink.core.signals.report import DAY_MS, DayCount
from wetink.ports.ledger import Served
from wetink.store.sqlite.exposures import SQLiteExposures
from wetink.store.sqlite.ledger import SQLiteLedger

T = TypeVar("T")
NOON = 12 * 3_600_000


class Desk:
    """A ledger and its exposures over one file."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.exposures = SQLiteLedger(folder), SQLiteExposures(folder)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def touched(self, *touches: Touch) -> None:
        for touch in touches:
            self.run(self.ledger.record(touch))
        self.ledger.flush()

    def days(self) -> dict[tuple[int, str, str, str], tuple[int, ...]]:
        found = self.run(self.ledger.days(0, 1 << 61))
        return {
            (each.day // DAY_MS, each.block, each.variant, each.campaign): tuple(
                getattr(each, name) for name in DayCount.__struct_fields__[4:12]
            )
            for each in found
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    asyncio.run(made.ledger.close())
    asyncio.run(made.exposures.close())


def opened(who: str = "user:jane", day: int = 1, **more: Any) -> Touch:
    given = {"block": "hero", "campaign": "", "variant": "v", **more}
    kind = given.pop("kind", "open")
    return Touch(kind, recipient=who, at=day * DAY_MS + NOON, **given)


def test_days_have_the_sums_of_opens_and_clicks_with_machines_apart_and_firsts_once(desk: Desk) -> None:
    machine = {"human": False, "taken_for": "prefetch"}
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


def test_two_processes_count_firsts_once(tmp_path: Path, desk: Desk) -> None:
    other = Desk(tmp_path)
    desk.touched(opened(), opened(kind="click"))
    other.touched(opened(), opened("user:bob"))
    assert other.days() == desk.days() == {(1, "hero", "v", ""): (0, 3, 2, 0, 0, 1, 1, 0)}
    asyncio.run(other.ledger.close())
    asyncio.run(other.exposures.close())


def test_sums_that_are_made_anew_are_the_sums_that_grew(desk: Desk) -> None:
    chance = random.Random(3)
    desk.run(desk.exposures.keep(Exposure("test", "user:1", "a", 1, "user:1")))
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
    before, exposed = desk.days(), desk.run(desk.exposures.of("test", ["user:1"]))
    desk.run(desk.ledger.reclassify(lambda block, kind: True))
    after = desk.days()
    assert {key: value[0] for key, value in after.items()} == {key: value[0] for key, value in before.items()}
    for index in (1, 2, 5, 6):
        assert sum(each[index] for each in after.values()) == sum(each[index] for each in before.values())
    assert desk.run(desk.exposures.of("test", ["user:1"])) == exposed


def test_a_ledger_of_an_earlier_version_is_summed_up_when_it_is_opened(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "opens.db"))
    old.execute(
        "CREATE TABLE contact (recipient TEXT NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL, block TEXT NOT"
        " NULL, campaign TEXT NOT NULL, variant TEXT NOT NULL, taken_for TEXT NOT NULL, facts TEXT NOT NULL,"
        " version INTEGER NOT NULL)"
    )
    for taken_for in ("person", "prefetch", "person"):
        old.execute("INSERT INTO contact VALUES ('user:jane', 5, 0, 'hero', '', 'v', ?, '{}', 1)", (taken_for,))
    old.close()
    for _ in range(2):
        desk = Desk(tmp_path)
        assert desk.days() == {(0, "hero", "v", ""): (0, 2, 1, 1, 1, 0, 0, 0)}
        [first, *_] = desk.run(desk.ledger.touches(["user:jane"], 0, 10))
        assert first.arms == {}
        asyncio.run(desk.ledger.close())
        asyncio.run(desk.exposures.close())


def test_the_first_exposure_is_kept_and_no_other_takes_its_place(desk: Desk) -> None:
    first = Exposure("test", "user:1", "a", 5, "user:1")
    assert desk.run(desk.exposures.keep(first)) == first
    assert desk.run(desk.exposures.keep(replace(first, arm="b", at=9))) == first
    assert desk.run(desk.exposures.of("other", ["user:1"])) == {}


def test_an_exposure_knows_the_first_open_and_click_that_count(desk: Desk) -> None:
    desk.run(desk.exposures.keep(Exposure("test", "user:1", "a", 5, "user:1")))
    arms = {"test": "a"}
    desk.touched(opened("user:1", 1, human=False, arms=arms))
    assert desk.run(desk.exposures.days("test")) == [Newcomers(0, "a", False, 1, 0)]
    desk.touched(opened("user:1", 3, arms=arms), opened("user:1", 4, kind="click", arms=arms))
    desk.touched(opened("user:1", 2, arms=arms), opened("user:2", 2, arms=arms))
    [exposure] = desk.run(desk.exposures.of("test", ["user:1", "user:2"])).values()
    assert (exposure.seen, exposure.clicked) == (2 * DAY_MS + NOON, 4 * DAY_MS + NOON)
    assert desk.run(desk.exposures.days("test")) == [Newcomers(2 * DAY_MS, "a", True, 1, 1)]


def test_what_an_heir_does_counts_for_whom_it_follows_once(desk: Desk) -> None:
    desk.run(desk.exposures.keep(Exposure("test", "email:a@b.c", "a", 5, "email:a@b.c")))
    desk.run(desk.exposures.keep(Exposure("test", "user:1", "b", 6, "user:1")))
    kept = desk.run(desk.exposures.keep(Exposure("test", "user:1", "a", 6, "user:1", "email:a@b.c")))
    assert (kept.arm, kept.heir_of) == ("a", "email:a@b.c")
    desk.touched(opened("user:1", 3, kind="click", arms={"test": "a"}), opened("user:1", 2, arms={"test": "a"}))
    assert desk.run(desk.exposures.days("test")) == [Newcomers(2 * DAY_MS, "a", True, 1, 1)]


def test_a_bandits_shares_of_an_epoch_are_those_that_were_kept_first(desk: Desk) -> None:
    assert desk.run(desk.exposures.shares("test", 7)) is None
    assert desk.run(desk.exposures.keep_shares("test", 7, {"a": 0.9, "b": 0.1})) == {"a": 0.9, "b": 0.1}
    assert desk.run(desk.exposures.keep_shares("test", 7, {"a": 0.5, "b": 0.5})) == {"a": 0.9, "b": 0.1}
    assert desk.run(desk.exposures.shares("test", 8)) is None
