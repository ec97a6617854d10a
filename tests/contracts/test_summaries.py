"""The contract of summaries: what is kept of somebody is what their events come to, or nothing."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, ONE, received
from tests.examples import examples
from wetink.core.events.event import Entry
from wetink.core.events.message import pieces
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.core.profile.summary import Summary
from wetink.ports import Record, Storage

HOUR, DAY, RULES = 3_600_000, 86_400_000, 7
PEOPLE = [Identifier("user", "u"), Identifier("user", "v"), Identifier("email", "e@x.example")]
DEVICES = [Identifier("anonymous", "a"), Identifier("anonymous", "b")]
JANE = PEOPLE[0]


def made(entries: Sequence[Entry]) -> Summary:
    """Return all that tells these entries from others."""
    told = sorted((entry.at, entry.message_id, entry.name, entry.traits) for entry in entries)
    return Summary(repr(told).encode(), repr(told[::-1]).encode())


def told(number: int, at: int, **ids: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "timestamp": at, **ids}


def visit(number: int, at: int, **ids: Any) -> list[Record]:
    """A visit of a dozen messages, a second each."""
    return [received(told(number * 100 + step, at + step * 1_000, **ids)) for step in range(12)]


def append(store: Storage, records: Sequence[Record]) -> None:
    run(store.log.append(records))


def sum_up(store: Storage, rules: int = RULES) -> None:
    while run(store.profiles.summarize(made, rules, LATE + DAY, 50)):
        pass


def summary(store: Storage, who: Identifier = JANE, rules: int = RULES, *, brief: bool = False) -> Summary | None:
    return run(store.profiles.load({who: ""}, FOREVER - 1, rules=rules, brief=brief))[who].summary


def right(store: Storage, who: Identifier = JANE) -> Summary:
    return made(run(store.profiles.load({who: ""}, FOREVER - 1))[who].entries)


def test_a_quiet_person_has_a_summary_under_each_identifier(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u", anonymousId="a"))
    assert summary(store) is None
    sum_up(store)
    assert summary(store) == summary(store, DEVICES[0]) == right(store)


def test_a_brief_summary_comes_without_its_history(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u"))
    sum_up(store)
    whole = right(store)
    assert (summary(store, brief=True), summary(store)) == (Summary(whole.person), whole)


def test_an_active_or_short_profile_has_no_summary(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u"))
    append(store, visit(2, LATE - HOUR, userId="v")[:3])
    assert not run(store.profiles.summarize(made, RULES, LATE + 60_000, 50)), "it was received a minute ago"
    sum_up(store)
    assert summary(store) is not None
    assert summary(store, PEOPLE[1]) is None


@pytest.mark.parametrize(
    "news",
    [
        pytest.param([told(1, LATE - 60_000, userId="u")], id="an event"),
        pytest.param([told(1, LATE - 9 * HOUR, userId="u")], id="a late event"),
        pytest.param([told(1, LATE - HOUR + 11_000, userId="u")], id="an event of the newest moment there was"),
        pytest.param([told(1, 0, userId="u") | {"timestamp": None}], id="an event without a time"),
        pytest.param([told(1, LATE - 60_000, anonymousId="a")], id="an event of her device"),
        pytest.param([told(1, LATE - 9 * HOUR, anonymousId="a")], id="a late event of her device"),
        pytest.param([told(1, LATE - 60_000, userId="u", anonymousId="b")], id="a device that becomes hers"),
        pytest.param([told(1, LATE - 9 * HOUR, userId="v", anonymousId="a")], id="a device that was somebody else's"),
        pytest.param([told(1, LATE - 60_000, userId="v", anonymousId="a")], id="a device that is somebody else's now"),
        pytest.param(
            [told(1, LATE - 60_000, userId="v", previousId="u") | {"type": "alias"}], id="an alias that joins her"
        ),
        pytest.param(
            [told(100, LATE - HOUR, userId="u", sentAt=LATE + 60_000, anonymousId="a")], id="a retry that moves one"
        ),
    ],
)
def test_news_of_any_kind_end_a_summary_at_once_until_the_next(store: Storage, news: list[dict[str, Any]]) -> None:
    append(store, visit(1, LATE - HOUR, userId="u", anonymousId="a"))
    sum_up(store)
    assert summary(store) == right(store)
    append(store, [received(each) for each in news])
    assert summary(store) in (None, right(store))
    sum_up(store)
    assert summary(store) in (None, right(store))
    append(store, [received(told(2, LATE - 50_000, userId="u"))])
    sum_up(store)
    assert summary(store) == right(store)


def test_a_device_that_moves_takes_its_events_out_of_one_summary_into_another(store: Storage) -> None:
    """Jane's device was Bob's at first, as is heard of last: what was done there before she came is his."""
    append(store, visit(1, LATE - 5 * HOUR, anonymousId="a"))
    append(store, visit(2, LATE - 2 * HOUR, userId="u", anonymousId="a"))
    append(store, visit(3, LATE - 8 * HOUR, userId="v"))
    sum_up(store)
    hers, his = summary(store), summary(store, PEOPLE[1])
    assert (hers, his) == (right(store), right(store, PEOPLE[1]))
    append(store, [received(told(9, LATE - 60_000, userId="w", anonymousId="a"))])
    for each in (told(4, LATE - 6 * HOUR, userId="v", anonymousId="a"), told(5, LATE - HOUR, userId="u")):
        append(store, [received(each)])
    assert right(store) != hers
    assert right(store, PEOPLE[1]) != his
    for who in PEOPLE:
        assert summary(store, who) in (None, right(store, who))


def test_a_device_that_somebody_new_claims_late_is_gone_from_a_summary(store: Storage) -> None:
    append(store, visit(1, LATE - 5 * HOUR, anonymousId="a"))
    append(store, visit(2, LATE - 2 * HOUR, userId="u", anonymousId="a"))
    sum_up(store)
    hers = summary(store)
    assert hers == right(store)
    append(store, [received(told(4, LATE - 6 * HOUR, userId="v", anonymousId="a"))])
    assert right(store) != hers
    assert summary(store) in (None, right(store))


def test_a_replay_that_says_something_else_of_them_ends_a_summary(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u"))
    sum_up(store)
    old = run(store.log.messages())[-5]
    [piece], _ = pieces(old.raw.replace(b"Product Viewed", b"Lamp Turned On"), ONE)
    assert run(store.log.renew([(old, normalize(piece, old.source, "server", old.received))])) == [True]
    assert b"Lamp" in right(store).person
    assert summary(store) is None


def test_new_rules_make_every_summary_anew(store: Storage) -> None:
    append(store, visit(1, LATE - HOUR, userId="u"))
    sum_up(store)
    assert summary(store, rules=8) is None
    sum_up(store, rules=8)
    assert summary(store, rules=8) == right(store)


IDS = st.fixed_dictionaries(
    {},
    optional={
        "userId": st.sampled_from(["u", "v"]),
        "anonymousId": st.sampled_from(["a", "b"]),
        "traits": st.just({"email": "e@x.example"}),
    },
).filter(bool)
TIMES = st.integers(1, 9).map(lambda hours: LATE - hours * HOUR)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("visit"), IDS, TIMES),
        st.tuples(st.just("say"), IDS, TIMES),
        st.tuples(st.just("alias"), st.sampled_from(["u", "v"]), TIMES),
        st.tuples(st.just("again"), st.integers(0, 5), st.integers(1, 9)),
        st.tuples(st.just("renew"), st.integers(0, 50), st.sampled_from(["u", "v"])),
        st.tuples(st.just("sum up"), st.none(), st.none()),
    ),
    min_size=2,
    max_size=9,
)


def do(store: Storage, number: int, deed: tuple[str, Any, Any], said: list[dict[str, Any]]) -> None:
    kind, what, when = deed
    if kind == "visit":
        append(store, visit(number, when, **what))
    elif kind == "say":
        said.append({**told(number * 100, when, **what), "type": "identify" if "traits" in what else "track"})
        append(store, [received(said[-1])])
    elif kind == "alias":
        other = {"u": "v", "v": "u"}[what]
        append(store, [received({**told(number * 100, when, userId=what, previousId=other), "type": "alias"})])
    elif kind == "again" and what < len(said):
        append(store, [received({**said[what], "sentAt": said[what]["timestamp"] + when * HOUR})])
    elif kind == "renew":
        for old in run(store.log.messages(limit=1_000))[::-1][what : what + 1]:
            [piece], _ = pieces(old.raw[:-1] + b',"userId":"%s"}' % when.encode(), ONE)
            run(store.log.renew([(old, normalize(piece, old.source, "server", old.received))]))
    elif kind == "sum up":
        sum_up(store)


@settings(max_examples=examples(60), deadline=None)
@given(DEEDS)
def test_a_summary_is_right_or_absent_after_any_events(deeds: list[tuple[str, Any, Any]]) -> None:
    for engine in ENGINES.values():
        with TemporaryDirectory() as place:
            store = engine(Path(place))
            said: list[dict[str, Any]] = []
            for number, deed in enumerate(deeds, 1):
                do(store, number, deed, said)
                for who in (*PEOPLE, *DEVICES):
                    assert summary(store, who) in (None, right(store, who)), f"{who} after {deed}"
            run(store.close())


def test_a_summary_is_not_made_beyond_the_events_an_open_reads(store: Storage) -> None:
    long = {f"k{number}": "x" * 100 for number in range(200)}
    for number in range(60):
        told = {"type": "identify", "messageId": f"m{number}", "timestamp": LATE - HOUR + number, "traits": long}
        append(store, [received({**told, "userId": "u"})])
    sum_up(store)
    assert summary(store) is None
    read = run(store.profiles.load({JANE: ""}, FOREVER - 1))[JANE].entries
    assert sorted(entry.message_id for entry in read) == sorted(f"m{number}" for number in range(60 - len(read), 60))
