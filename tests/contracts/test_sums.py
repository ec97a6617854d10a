"""Sums and lists of opens and clicks: the same as counting them one by one, in periods of any zone."""

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.loop import run
from tests.contracts.profiles import received
from tests.examples import examples
from wetink.core.client_classification import Facts, classify
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import COUNTS, QUARTER_MS
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import TouchPlace, TouchQuery

DAY_MS = 86_400_000
START = 1_795_000_000_000 - 1_795_000_000_000 % DAY_MS
TOUCHES = st.lists(
    st.builds(
        Touch,
        kind=st.sampled_from(("open", "click")),
        block=st.sampled_from(("hero", "cards")),
        recipient=st.sampled_from(("user:1", "user:2", "email:a@b.c")),
        campaign=st.sampled_from(("", "may", "june")),
        at=st.integers(START, START + 3 * DAY_MS),
        variant=st.sampled_from(("", "v", "w")),
        fetch_class=st.sampled_from(("person", "proxy")),
        facts=st.sampled_from((Facts("apple-mail", "mobile"), Facts("gmail-proxy"), Facts())),
        human=st.booleans(),
    ),
    max_size=40,
)
QUARTERS = st.lists(st.integers(-10, 300), min_size=2, max_size=6, unique=True).map(sorted)
few = settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def record(store: Storage, touches: Sequence[Touch]) -> None:
    async def story() -> None:
        for touch in touches:
            await store.ledger.record(touch)

    run(story())


@pytest.fixture
def fresh(another: Callable[[], Storage]) -> Callable[[str], Storage]:
    """Opens the storage; each example has blocks of its own."""
    kept: list[Storage] = []

    def one(_: str) -> Storage:
        if not kept:
            kept.append(another())
        return kept[0]

    return one


@few
@given(
    TOUCHES,
    QUARTERS,
    st.sets(st.sampled_from(("block", "variant", "campaign", "part"))),
    st.sampled_from((None, "may", "")),
    st.uuids(),
)
def test_sums_are_those_of_a_naive_count(
    fresh: Callable[[str], Storage],
    touches: list[Touch],
    quarters: list[int],
    by: set[str],
    campaign: str | None,
    example: Any,
) -> None:
    store = fresh(str(example))
    mine = [Touch(t.kind, f"{t.block} {example}", *(getattr(t, n) for n in ("recipient", "campaign", "at", "variant",
            "fetch_class", "facts", "version", "human"))) for t in touches]  # fmt: skip
    record(store, mine)
    bounds = [START + each * QUARTER_MS for each in quarters]
    periods = list(itertools.pairwise(bounds))
    stored = [each for name in {t.block for t in mine} for each in _all(store, name)]
    naive: Counter[tuple[Any, ...]] = Counter()
    for touch in stored:
        for since, until in periods:
            if since <= touch.at < until and campaign in (None, touch.campaign):
                name = {"open": ("machine_opens", "opens"), "click": ("machine_clicks", "clicks")}[touch.kind]
                key = [getattr(touch, each) if each in by else "" for each in ("block", "variant", "campaign")]
                for part in touch.parts if "part" in by else ("",):
                    naive[since, *key, part, name[touch.human]] += 1
                    naive[since, *key, part, "implied_opens"] += touch.implied
    blocks = sorted({t.block for t in mine})
    found: Counter[tuple[Any, ...]] = Counter()
    for count in run(store.ledger.sums(periods, by, blocks=blocks, campaign=campaign)):
        for field in ("opens", "machine_opens", "clicks", "machine_clicks", "implied_opens"):
            found[count.day, count.block, count.variant, count.campaign, count.part, field] += getattr(count, field)
    assert +found == +naive
    whole = run(store.ledger.sums(periods, {*by, "block"}, campaign=campaign))
    own = run(store.ledger.sums(periods, {*by, "block"}, blocks=blocks, campaign=campaign))
    assert [each for each in whole if each.block in blocks] == own
    devices = run(store.ledger.sums(periods, {"block", "part"}, blocks=blocks, campaign=campaign))
    for each in run(store.ledger.sums(periods, {"block"}, blocks=blocks, campaign=campaign)):
        parts = [part for part in devices if (part.day, part.block) == (each.day, each.block)]
        assert [sum(getattr(part, name) for part in parts) for name in COUNTS] == [getattr(each, n) for n in COUNTS]


def _all(store: Storage, block: str) -> list[Touch]:
    found: list[Touch] = []
    for kind in ("open", "click"):
        for human in (True, False):
            wanted = TouchQuery(0, 1 << 61, kind, human, blocks=[block])  # type: ignore[arg-type]
            before: TouchPlace | None = None
            while page := run(store.ledger.listed(wanted, 7, before)):
                found += [each.touch for each in page]
                before = page[-1].place
    return found


def test_a_list_is_paged_newest_first_and_filtered_by_each_field(store: Storage) -> None:
    touches = [
        Touch(
            *("open", "hero", f"user:{number % 3}", "may" if number % 2 else "", START + number // 4),
            *("v" * (number % 2), "proxy" if number % 5 else "person"),
        )
        for number in range(40)
    ]
    record(store, touches)
    record(
        store, [Touch("open", "hero", "user:9", "", START, human=False), Touch("open", "cards", "user:9", "", START)]
    )

    def listed(**wanted: Any) -> list[Touch]:
        query = TouchQuery(**{"since": START, "until": START + DAY_MS, "blocks": ["hero"], **wanted})
        found: list[Touch] = []
        before = None
        while page := run(store.ledger.listed(query, 9, before)):
            found += [each.touch for each in page]
            before = page[-1].place
        return found

    def key(touch: Touch) -> tuple[Any, ...]:
        return touch.at, touch.recipient, touch.campaign, touch.variant, touch.fetch_class

    whole = listed()
    assert sorted(map(key, whole)) == sorted(map(key, touches))
    assert [each.at for each in whole] == sorted((each.at for each in whole), reverse=True)
    for field in ("campaign", "variant", "fetch_class"):
        for value in {getattr(each, field) for each in touches}:
            chosen = [each for each in touches if getattr(each, field) == value]
            assert sorted(map(key, listed(**{field: value}))) == sorted(map(key, chosen)), (field, value)
    of_one = [each for each in touches if each.recipient == "user:1"]
    assert sorted(map(key, listed(recipients=["user:1"]))) == sorted(map(key, of_one))
    assert listed(recipients=[]) == []
    both = [each for each in whole if each.recipient in ("user:0", "user:2")]
    assert listed(recipients=["user:2", "user:0", "user:2", "user:absent"]) == both
    assert listed(recipients=["user:0"], campaign="may") == [
        each for each in whole if (each.recipient, each.campaign) == ("user:0", "may")
    ]
    assert [each.at for each in listed(since=START + 3, until=START + 5)] == [START + 4] * 4 + [START + 3] * 4
    assert [each.recipient for each in listed(human=False)] == ["user:9"]
    assert len(listed(blocks=None)) == len(listed(blocks=("hero", "cards"))) == 41
    assert listed(blocks=[]) == []


def test_pictures_are_counted_in_the_quarter_of_an_hour_they_were_served(store: Storage) -> None:
    at = START + 5 * QUARTER_MS
    for each in (at - 1, at, at + QUARTER_MS - 1, at + QUARTER_MS):
        store.ledger.served(Served("hero", "v", ""), each)
    [count] = run(store.ledger.sums([(at, at + QUARTER_MS)], ("block",)))
    assert (count.pictures, [getattr(count, name) for name in COUNTS[1:]]) == (2, [0] * 8)
    assert [each.pictures for each in run(store.ledger.sums([(START, START + DAY_MS)], ()))] == [4]


PHONE, GMAIL = Facts("apple-mail", "mobile"), Facts("gmail-proxy")


def opened(who: str, at: int, facts: Facts = PHONE, kind: str = "open") -> Touch:
    return Touch(kind, "hero", who, "may", at, "v", classify(facts).kind, facts)


def stored(store: Storage, touches: Sequence[Touch]) -> None:
    record(store, touches)
    run(store.ledger.touches((), 0, 0))  # writes what waits


def by_part(store: Storage, **more: Any) -> dict[str, tuple[int, int]]:
    found = run(store.ledger.sums([(START, START + 2 * DAY_MS)], ("part",), **more))
    return {each.part: (each.opens, each.unique_opens) for each in found}


def listed_of(store: Storage, part: str) -> list[str]:
    wanted = TouchQuery(START, START + 2 * DAY_MS, part=part)
    return [each.touch.recipient for each in run(store.ledger.listed(wanted, 9))]


async def _members(*names: str) -> AsyncIterator[list[Identifier]]:
    yield [Identifier("user", each) for each in names]


def test_opens_count_for_their_device_and_the_audiences_of_that_time(store: Storage) -> None:
    stored(store, [opened("user:1", START)])
    run(store.memberships.take("vip", _members("1", "2"), START, lambda change, first: False))
    run(store.memberships.take("new", _members("2"), START, lambda change, first: False))
    stored(store, [opened("user:1", START + 1), opened("user:2", START + 2, GMAIL), opened("user:3", START + 3)])
    run(store.memberships.take("vip", _members("3"), START + 4, lambda change, first: False))
    expected = {"phone": (3, 2), "gmail": (1, 1), "@vip": (2, 1), "@new": (1, 1)}
    assert by_part(store) == by_part(store, blocks=["hero"]) == by_part(store, campaign="may") == expected
    assert by_part(store, blocks=["cards"]) == {}
    assert (listed_of(store, "@vip"), listed_of(store, "gmail")) == (["user:2", "user:1"], ["user:2"])
    assert listed_of(store, "tablet") == []
    run(store.ledger.reclassify(lambda _, kind: kind in ("person", "proxy")))
    assert by_part(store) == expected, "they are not looked up again"


def test_an_open_of_an_address_counts_for_the_audiences_of_its_user(
    store: Storage, another: Callable[[], Storage]
) -> None:
    run(store.log.append([received({"type": "identify", "userId": "7", "traits": {"email": "jane@shop.example"}})]))
    run(store.memberships.take("vip", _members("7"), START, lambda change, first: False))
    stored(another(), [opened("email:jane@shop.example", START + 1), opened("email:other@shop.example", START + 1)])
    assert by_part(store) == {"phone": (2, 2), "@vip": (1, 1)}


def test_an_open_that_a_click_proved_counts_for_the_device_that_is_seen_later(store: Storage) -> None:
    stored(store, [opened("user:1", START, kind="click")])
    assert by_part(store) == {"phone": (1, 1)}
    stored(store, [opened("user:1", START + 1000, GMAIL)])
    assert by_part(store) == {"gmail": (1, 1), "phone": (0, 0)}
    run(store.ledger.reclassify(lambda _, kind: kind in ("person", "proxy")))
    assert by_part(store) == {"gmail": (1, 1), "phone": (0, 0)}


@pytest.mark.parametrize(
    "facts",
    [
        Facts(client, device, owner, method)
        for client in (
            "",
            "bare-mozilla",
            "gmail-proxy",
            "gmail-prefetch",
            "apple-mail",
            "safari",
            "chrome",
            "curl",
            "barracuda",
        )
        for device in ("", "mobile", "tablet", "desktop")
        for owner in ("", "Akamai Technologies", "FASTMAIL", "Fastly, Inc.")
        for method in ("GET", "HEAD")
    ][::7],
    ids=repr,
)
def test_each_engine_has_the_device_class_of_the_rules(store: Storage, facts: Facts) -> None:
    touch = opened("user:1", START, facts)
    stored(store, [touch])
    assert list(by_part(store)) == list(touch.parts)
