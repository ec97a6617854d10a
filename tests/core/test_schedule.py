"""Schedules: when a block is shown, in its time zone, and what keeps a schedule from working."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wetink import apps
from wetink.core.app.app import Shop
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.blocks.decide import choose, prepared, requirements
from wetink.core.blocks.schedule import Schedule, bounds, outside, problems_of, spoken
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import Rulebook

APPS = apps.load()
RULES = Rulebook()


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


DURING: list[tuple[Schedule, str, str]] = [
    (Schedule("2026-11-27T18:00", "2026-11-30T09:00"), "2026-11-27T18:00", "2026-11-30T09:00"),
    (Schedule("2026-11-27", "2026-11-30"), "2026-11-27T00:00", "2026-12-01T00:00"),
    (Schedule("2026-11-27T18:00:30+02:00"), "2026-11-27T16:00:30", ""),
    (Schedule(until="2026-11-30", zone="America/New_York"), "", "2026-12-01T05:00"),
    (Schedule("2026-03-29", "2026-03-29", "Europe/Berlin"), "2026-03-28T23:00", "2026-03-29T22:00"),
    (Schedule("2026-10-25", "2026-10-25", "Europe/Berlin"), "2026-10-24T22:00", "2026-10-25T23:00"),
    (Schedule("2026-11-27", zone="+05:30"), "2026-11-26T18:30", ""),
]


@pytest.mark.parametrize(("schedule", "begins", "ends"), DURING)
def test_a_schedule_holds_from_its_beginning_up_to_its_end(schedule: Schedule, begins: str, ends: str) -> None:
    assert list(problems_of(schedule)) == []
    if begins:
        assert "it begins on" in outside(schedule, at(begins) - 1)
        assert outside(schedule, at(begins)) == ""
    if ends:
        assert outside(schedule, at(ends) - 1) == ""
        assert "it ended on" in outside(schedule, at(ends))


WRONG: list[tuple[Schedule, str]] = [
    (Schedule(), "add from or until"),
    (Schedule("tomorrow"), "from: 'tomorrow' is not a date"),
    (Schedule(until="2026-02-30"), "until: '2026-02-30' is not a date"),
    (Schedule("0001-01-01"), "from: '0001-01-01' is not a date"),
    (Schedule("9999-12-31T23:59"), "is not a date"),
    (Schedule("2026-11-27", zone="Mars/Phobos Base"), "zone: there is no time zone"),
    (Schedule("2026-11-27", "2026-11-26"), "until: this is before the beginning"),
    (Schedule("2026-11-27T10:00", "2026-11-27T10:00"), "until: this is before the beginning"),
]


@pytest.mark.parametrize(("schedule", "said"), WRONG)
def test_a_schedule_that_cannot_work_is_named(schedule: Schedule, said: str) -> None:
    assert said in "; ".join(problems_of(schedule))
    assert outside(schedule, 0) is not None
    assert spoken(schedule)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=20), st.integers(0, 2**42))
def test_no_text_breaks_a_schedule(begins: str, until: str, zone: str, now: int) -> None:
    schedule = Schedule(begins, until, zone)
    assert isinstance(outside(schedule, now), str)
    assert isinstance(list(problems_of(schedule)), list)


@given(st.datetimes(datetime(2001, 1, 1), datetime(2190, 1, 1)), st.integers(1, 10**6))  # noqa: DTZ001
def test_a_longer_schedule_holds_whenever_a_shorter_one_does(begins: datetime, minutes: int) -> None:
    until = begins + timedelta(minutes=minutes)
    schedule = Schedule(begins.isoformat(), until.isoformat(), "Europe/Berlin")
    longer = replace(schedule, until=(until + timedelta(days=1)).isoformat())
    for moment in bounds(schedule):
        assert moment is not None
        for now in (moment - 1, moment, moment + 1):
            assert outside(longer, now) == "" or outside(schedule, now) != ""


NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
BLOCK = Block("hero", Fallback("https://shop.org/"), (Variant("a", "countdown", {"at": "2030-01-01T00:00"}),))
SHUT: list[tuple[Block, str]] = [
    (replace(BLOCK, paused=True), "fallback: the block is paused"),
    (replace(BLOCK, archived=True, paused=True), "fallback: the block is archived"),
    (
        replace(BLOCK, schedule=Schedule("2026-07-01", zone="Europe/Berlin")),
        "fallback: the block has a schedule: it begins on 2026-07-01 at 00:00 (Europe/Berlin)",
    ),
    (
        replace(BLOCK, schedule=Schedule(until="2026-05-01")),
        "fallback: the block has a schedule: it ended on 2026-05-02 at 00:00 (UTC)",
    ),
]


@pytest.mark.parametrize(("block", "why"), SHUT)
def test_a_block_that_is_not_shown_has_its_fallback_with_the_reason(block: Block, why: str) -> None:
    ready = prepared(block, APPS, RULES)
    choice = choose(ready, Person(), Moment(NOW), Shop())
    assert choice.variant is None
    assert [(step.variant, step.taken, step.why) for step in choice.trace] == [("", True, why)]
    assert requirements(ready, Person(), Moment(NOW), Shop()).apps == ()


def test_a_block_within_its_schedule_is_decided_as_ever() -> None:
    block = replace(BLOCK, schedule=Schedule("2026-05-01", "2026-07-01"))
    choice = choose(prepared(block, APPS, RULES), Person(), Moment(NOW), Shop())
    assert choice.variant == block.variants[0]


def test_a_variant_outside_of_its_schedule_gives_way_to_the_next() -> None:
    early = replace(BLOCK.variants[0], name="early", schedule=Schedule(until="2026-05-01"))
    block = replace(BLOCK, variants=(early, *BLOCK.variants))
    ready = prepared(block, APPS, RULES)
    choice = choose(ready, Person(), Moment(NOW), Shop())
    assert [(step.variant, step.taken) for step in choice.trace] == [("early", False), ("a", True)]
    assert choice.trace[0].why == "its schedule: it ended on 2026-05-02 at 00:00 (UTC)"
    assert len(requirements(ready, Person(), Moment(NOW), Shop()).apps) == 1
