"""The contract of revisions: `load` leaves out a profile whose revision you know, and no other."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, ONE, received
from tests.contracts.test_summaries import (
    DAY,
    DEEDS,
    DEVICES,
    HOUR,
    JANE,
    PEOPLE,
    append,
    do,
    made,
    sum_up,
    told,
    visit,
)
from tests.examples import examples
from wetink.core.events.message import pieces
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.ports import Loaded, Revision, Storage

NOBODY = Identifier("user", "nobody")


def load(
    store: Storage, known: Mapping[Identifier, Revision], at: int = FOREVER - 1, rules: int | None = None
) -> Mapping[Identifier, Loaded]:
    return run(store.profiles.load(known, at, rules=rules))


def revision(store: Storage, who: Identifier = JANE, at: int = FOREVER - 1) -> Revision:
    return load(store, {who: ""}, at)[who].revision


def state(profile: Loaded) -> tuple[Identifier, bytes]:
    return profile.root, made(profile.entries)


def test_a_profile_of_the_revision_you_know_is_left_out(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u", anonymousId="a"))
    known = {who: revision(store, who) for who in (JANE, DEVICES[0], NOBODY)}
    assert known[JANE] == known[DEVICES[0]] != ""
    assert load(store, known) == {}
    assert set(load(store, {**known, PEOPLE[1]: ""})) == {PEOPLE[1]}


def test_a_stranger_has_a_profile_without_events(store: Storage) -> None:
    profile = load(store, {NOBODY: ""})[NOBODY]
    assert (profile.root, list(profile.entries)) == (NOBODY, [])


def test_what_others_do_leaves_a_revision_as_it_is(another: Callable[[], Storage]) -> None:
    here, there = another(), another()
    append(here, visit(1, LATE - HOUR, userId="u"))
    before = revision(here)
    append(there, visit(2, LATE - HOUR, userId="v"))
    assert load(here, {JANE: before}) == {}
    append(there, [received(told(3, LATE - 60_000, userId="u"))])
    assert set(load(here, {JANE: before})) == {JANE}


@pytest.mark.parametrize(
    "news",
    [
        pytest.param(told(1, LATE - 60_000, userId="u"), id="an event"),
        pytest.param(told(1, LATE - 9 * HOUR, anonymousId="a"), id="a late event of her device"),
        pytest.param(told(1, LATE - 60_000, userId="u", anonymousId="b"), id="a device that becomes hers"),
        pytest.param(told(1, LATE - 9 * HOUR, userId="v", anonymousId="a"), id="a device that was somebody else's"),
        pytest.param(told(1, LATE, userId="v", previousId="u") | {"type": "alias"}, id="an alias that joins her"),
        pytest.param(told(100, LATE - HOUR, userId="u", sentAt=LATE + 60_000, anonymousId="a"), id="a retry"),
    ],
)
def test_news_of_any_kind_make_another_revision(store: Storage, news: dict[str, Any]) -> None:
    append(store, visit(1, LATE - HOUR, userId="u", anonymousId="a"))
    before = load(store, {JANE: ""})[JANE]
    append(store, [received(news)])
    after = load(store, {JANE: before.revision})
    assert after or state(load(store, {JANE: ""})[JANE]) == state(before)


def test_a_replay_that_says_something_else_makes_another_revision(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u"))
    before = revision(store)
    old = run(store.log.messages())[-5]
    [piece], _ = pieces(old.raw.replace(b"Product Viewed", b"Lamp Turned On"), ONE)
    assert run(store.log.renew([(old, normalize(piece, old.source, "server", old.received))])) == [True]
    assert revision(store) != before


def test_a_summary_comes_with_the_revision_of_the_events_it_is_made_of(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u", anonymousId="a"))
    before = revision(store)
    sum_up(store)
    assert revision(store) == before
    with_summary = load(store, {JANE: ""}, rules=7)[JANE]
    assert (with_summary.revision, with_summary.root, with_summary.entries) == (before, JANE, ())
    assert with_summary.summary is not None
    assert load(store, {JANE: before}, rules=7) == {}


def test_a_moment_sees_the_profile_it_had_then(store: Storage) -> None:
    append(store, visit(1, LATE - 5 * HOUR, userId="u"))
    first = revision(store)
    append(store, visit(2, LATE - HOUR, userId="u"))
    sum_up(store)
    for rules in (None, 7):
        past = load(store, {JANE: ""}, LATE - 3 * HOUR, rules)[JANE]
        assert len(past.entries) == 12
        assert past.summary is None
        assert set(load(store, {JANE: first}, LATE, rules)) == {JANE}
        assert load(store, {JANE: past.revision}, LATE - 2 * HOUR, rules) == {}
        assert set(load(store, {JANE: past.revision}, LATE, rules)) == {JANE}


def test_many_profiles_are_loaded_at_once_as_each_alone(store: Storage) -> None:
    people = [Identifier("user", f"p{number}") for number in range(150)]
    append(store, [received(told(number, LATE - HOUR, userId=who.value)) for number, who in enumerate(people)])
    at_once = load(store, dict.fromkeys(people, ""))
    assert {who: state(profile) for who, profile in at_once.items()} == {
        who: state(load(store, {who: ""})[who]) for who in people
    }
    assert load(store, {who: profile.revision for who, profile in at_once.items()}) == {}


@settings(max_examples=examples(40), deadline=None)
@given(DEEDS)
def test_equal_revisions_are_equal_profiles_whatever_is_done(deeds: Sequence[tuple[str, Any, Any]]) -> None:
    everyone = (*PEOPLE, *DEVICES)
    for engine in ENGINES.values():
        with TemporaryDirectory() as place:
            store, said = engine(Path(place)), list[dict[str, Any]]()
            seen: dict[tuple[Identifier, Revision], tuple[Identifier, bytes]] = {}
            known: dict[Identifier, Revision] = {}
            for number, deed in enumerate(deeds, 1):
                do(store, number, deed, said)
                fresh = load(store, dict.fromkeys(everyone, ""), LATE + DAY)
                for who, profile in fresh.items():
                    assert seen.setdefault((who, profile.revision), state(profile)) == state(profile), deed
                changed = {who for who in everyone if known.get(who) != fresh[who].revision}
                assert set(load(store, {who: known.get(who, "") for who in everyone}, LATE + DAY, 7)) == changed
                known = {who: profile.revision for who, profile in fresh.items()}
            run(store.close())
