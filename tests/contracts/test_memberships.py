"""The contract of memberships: whoever came and went is known once, and told in order."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.examples import examples
from tests.storage import all_at_once
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import MembershipChange, Outcome
from wetink.ports import Storage
from wetink.ports.audiences import Memberships, Moved

DAY, NOW = 86_400_000, 20_000 * 86_400_000
ANNA, BEN, CLEO = (Identifier("user", name) for name in ("anna", "ben", "cleo"))


@pytest.fixture
def kept(store: Storage) -> Memberships:
    return store.memberships


def all_told(change: MembershipChange, first: bool) -> bool:
    return True


def news(change: MembershipChange, first: bool) -> bool:
    return not first


def take(kept: Memberships, now: int, *members: Identifier, tell: Any = all_told, audience: str = "vip") -> Moved:
    moved: Moved = run(kept.take(audience, all_at_once(*members), now, tell))
    return moved


def due(kept: Memberships, now: int, audience: str = "vip") -> list[tuple[str, str]]:
    return [(each.change.move, each.change.member.value) for each in run(kept.due(audience, now, 100))]


def test_the_first_count_finds_members_and_nobody_who_joined(kept: Memberships) -> None:
    assert take(kept, NOW, ANNA, BEN, tell=news) == Moved(2, 0, 0, first=True)
    assert due(kept, NOW) == []
    assert run(kept.since("vip", ANNA)) == NOW
    assert run(kept.since("vip", CLEO)) is None


def test_later_counts_say_who_joined_and_who_left(kept: Memberships) -> None:
    take(kept, NOW, ANNA, BEN, tell=news)
    assert take(kept, NOW + 1, BEN, CLEO, tell=news) == Moved(2, 1, 1)
    assert sorted(due(kept, NOW + 1)) == [("enter", "cleo"), ("leave", "anna")]
    assert take(kept, NOW + 2, BEN, CLEO, tell=news) == Moved(2, 0, 0)
    assert len(due(kept, NOW + 2)) == 2


def test_the_audiences_of_several_people_are_read_at_once(kept: Memberships) -> None:
    take(kept, NOW, ANNA, BEN)
    take(kept, NOW, BEN, audience="new")
    assert run(kept.of([ANNA, BEN, CLEO])) == {ANNA: ["vip"], BEN: ["new", "vip"]}
    assert run(kept.of([])) == {}


def test_members_are_listed_a_page_at_a_time(kept: Memberships) -> None:
    take(kept, NOW, CLEO, ANNA, BEN)
    first = run(kept.page("vip", 2))
    assert len(first) == 2
    assert {*first, *run(kept.page("vip", 2, first[-1]))} == {ANNA, BEN, CLEO}
    assert run(kept.page("vip", 2, run(kept.page("vip", 3))[-1])) == []
    assert run(kept.page("absent", 2)) == []


def test_each_day_has_one_point_with_its_last_size_and_all_comings_and_goings(kept: Memberships) -> None:
    take(kept, NOW, ANNA)
    take(kept, NOW + 5, ANNA, BEN)
    take(kept, NOW + 9, BEN)
    take(kept, NOW + 2 * DAY, BEN, CLEO)
    points = run(kept.points("vip", NOW))
    assert [(each.at, each.size, each.entered, each.left) for each in points] == [
        (NOW, 1, 1, 1),
        (NOW + 2 * DAY, 2, 1, 0),
    ]
    assert len(run(kept.points("vip", NOW + DAY))) == 1
    assert run(kept.points("other", NOW)) == []


def test_sizes_of_past_days_are_filled_in_without_changing_known_ones(kept: Memberships) -> None:
    take(kept, NOW, ANNA)
    run(kept.trace_back("vip", {NOW - DAY: 3}))
    run(kept.trace_back("vip", {NOW - DAY: 7, NOW + 5: 99}))
    points = run(kept.points("vip", NOW - 9 * DAY))
    assert [(each.at, each.size, each.entered, each.left) for each in points] == [
        (NOW - DAY, 7, None, None),
        (NOW, 1, 0, 0),
    ]


def test_a_departure_is_sent_only_after_the_arrival(kept: Memberships) -> None:
    take(kept, NOW, ANNA)
    take(kept, NOW + 1)
    assert due(kept, NOW + 1) == [("enter", "anna")]
    [waiting] = run(kept.due("vip", NOW + 1, 10))
    run(kept.settle([(waiting.change.id, Outcome("waiting", NOW + 100, "it answered 503"))]))
    assert due(kept, NOW + 2) == [], "it waits, and so does what comes after"
    [again] = run(kept.due("vip", NOW + 100, 10))
    assert (again.change.move, again.tries, again.why) == ("enter", 1, "it answered 503")
    run(kept.settle([(again.change.id, Outcome("delivered", NOW + 100))]))
    assert due(kept, NOW + 100) == [("leave", "anna")]
    assert run(kept.tallies("vip")) == {"waiting": 1, "delivered": 1, "dead": 0}


def test_webhooks_that_were_given_up_are_kept_and_can_be_retried(kept: Memberships) -> None:
    take(kept, NOW, ANNA, BEN)
    waiting = run(kept.due("vip", NOW, 10))
    run(kept.settle([(each.change.id, Outcome("dead", NOW, "it answered 410")) for each in waiting]))
    dead = run(kept.deliveries("vip", "dead"))
    assert [(each.why, each.tries) for each in dead] == [("it answered 410", 1)] * 2
    assert run(kept.again("vip", NOW + 1, dead[0].change.id)) == 1
    assert run(kept.again("vip", NOW + 1)) == 1
    assert [each.tries for each in run(kept.due("vip", NOW + 1, 10))] == [0, 0]
    assert run(kept.again("vip", NOW + 1)) == 0


def test_only_delivered_changes_are_deleted_after_a_week(kept: Memberships) -> None:
    take(kept, NOW, ANNA, BEN)
    first, second = run(kept.due("vip", NOW, 10))
    run(kept.settle([(first.change.id, Outcome("delivered", NOW)), (second.change.id, Outcome("dead", NOW))]))
    run(kept.clean(NOW + 8 * DAY))
    assert run(kept.tallies("vip")) == {"waiting": 0, "delivered": 0, "dead": 1}


def test_an_audience_nobody_looks_at_for_a_month_is_forgotten_but_for_its_sizes(kept: Memberships) -> None:
    take(kept, NOW, ANNA)
    take(kept, NOW + 20 * DAY, ANNA, audience="other")
    run(kept.clean(NOW + 29 * DAY))
    assert run(kept.since("vip", ANNA)) == NOW, "its file may be missing by a mistake"
    run(kept.clean(NOW + 31 * DAY))
    assert run(kept.since("vip", ANNA)) is None
    assert due(kept, NOW + 31 * DAY) == []
    assert due(kept, NOW + 31 * DAY, "other") == [("enter", "anna")]
    assert take(kept, NOW + 31 * DAY, ANNA).first, "an audience of that name is another one"
    assert run(kept.points("vip", NOW)) != []


def test_members_are_there_after_a_restart(store: Storage, another: Callable[[], Storage]) -> None:
    take(store.memberships, NOW, ANNA)
    run(store.close())
    other = another().memberships
    assert take(other, NOW + 1, ANNA, BEN, tell=news) == Moved(2, 1, 0)
    assert due(other, NOW + 1) == [("enter", "anna"), ("enter", "ben")]


NAMES = st.sets(st.sampled_from("abcdef"))


@settings(max_examples=examples(40))
@given(st.lists(NAMES, min_size=1, max_size=8))
def test_sent_arrivals_and_departures_add_up_to_the_members(looks: list[set[str]]) -> None:
    for engine in ENGINES.values():
        with TemporaryDirectory() as folder:
            store = engine(Path(folder))
            adds_up(store.memberships, looks)
            run(store.close())


def adds_up(kept: Memberships, looks: list[set[str]]) -> None:
    inside: set[str] = set()
    for number, names in enumerate(looks):
        moved = take(kept, NOW + number, *(Identifier("user", name) for name in names))
        assert moved.size == len(names)
        while waiting := run(kept.due("vip", NOW + number, 100)):
            for each in waiting:
                change = each.change
                assert (change.member.value in inside) is (change.move == "leave")
                inside ^= {change.member.value}
                run(kept.settle([(change.id, Outcome("delivered", NOW))]))
        assert inside == names
