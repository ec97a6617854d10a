"""The contract of revisions of conversions and of opens and clicks: while one is the same, nothing about it changed."""

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, ONE, received
from tests.examples import examples
from wetink.core.events.message import pieces
from wetink.core.messages.normalize import normalize
from wetink.core.signals.attribution import Touch
from wetink.core.signals.goal import ORDER_EVENTS
from wetink.ports import DAY, HOUR, MINUTE, Revision, Storage

NAMES = ORDER_EVENTS
START = LATE - LATE % DAY - 3 * DAY
TIMES = [START, START + 30_000, START + 5 * MINUTE, START + 2 * HOUR, START + DAY, START + DAY + 3 * HOUR]
WHO: list[dict[str, str]] = [
    {"userId": "u"}, {"userId": "v"}, {"anonymousId": "a"}, {"anonymousId": "b"}, {"userId": "u", "anonymousId": "a"},
    {"userId": "v", "anonymousId": "a"}, {"userId": "v", "anonymousId": "b"},
]  # fmt: skip


def order(number: int, at: int, who: Mapping[str, str], order_id: str = "O", event: str = "Order Completed") -> Any:
    properties = {"order_id": order_id, "total": number, "currency": "EUR", "products": [{"sku": "S", "price": 1}]}
    about = {"event": event, "messageId": f"m{number}", "timestamp": at, "properties": properties}
    return {"type": "track", **about, **who}


def append(store: Storage, message: dict[str, Any], level: str = "server") -> None:
    run(store.log.append([received(message, level)]))


def revisions(store: Storage, width: int) -> dict[int, Revision]:
    return dict(run(store.conversions.revisions(NAMES, 0, LATE + DAY, width)))


def yielded(store: Storage, since: int, until: int) -> list[bytes]:
    async def read() -> list[bytes]:
        found = store.conversions.outcomes(NAMES, since, until)
        return sorted([msgspec.json.encode(each) async for batch in found for each in batch])

    return run(read())


def state(store: Storage) -> dict[tuple[int, int], tuple[Revision, list[bytes]]]:
    """Return each span with its revision, and then what it yields."""
    return {
        (width, start): (revision, yielded(store, start, start + width))
        for width in (MINUTE, HOUR, DAY)
        for start, revision in revisions(store, width).items()
    }


def test_spans_without_conversions_have_no_revision(store: Storage) -> None:
    append(store, {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": "m", "timestamp": START})
    assert [revisions(store, width) for width in (MINUTE, HOUR, DAY)] == [{}, {}, {}]
    append(store, order(1, START + 90_000, WHO[0]))
    assert [list(revisions(store, width)) for width in (MINUTE, HOUR, DAY)] == [[START + MINUTE], [START], [START]]


def test_a_span_is_found_if_a_part_of_it_is_asked_for(store: Storage) -> None:
    append(store, order(1, START + 90_000, WHO[0]))
    for since, until, found in (
        (START + 1, START + 2, [START]), (START + DAY, START + 2 * DAY, []), (START - DAY, START, []),
    ):  # fmt: skip
        assert list(run(store.conversions.revisions(NAMES, since, until, DAY))) == found


def test_an_order_of_another_day_leaves_a_revision_as_it_is(another: Callable[[], Storage]) -> None:
    here, there = another(), another()
    append(here, order(1, START, WHO[0], "O-1"))
    before = revisions(here, DAY)
    append(there, order(2, START + DAY, WHO[0], "O-2"))
    after = revisions(here, DAY)
    assert (after[START], START + DAY in after) == (before[START], True)


@pytest.mark.parametrize(
    "news",
    [
        pytest.param(order(2, START + DAY, WHO[0], event="Order Refunded"), id="a refund on another day"),
        pytest.param({"type": "identify", "userId": "u", "anonymousId": "a"}, id="a device that becomes hers"),
        pytest.param({"type": "identify", "userId": "u", "traits": {"email": "u@s.example"}}, id="her address"),
        pytest.param({"type": "alias", "userId": "v", "previousId": "u"}, id="an alias that joins her"),
        pytest.param(order(1, START, WHO[0]) | {"sentAt": LATE + 60_000}, id="an earlier time of the same message"),
    ],
)
def test_news_about_an_order_make_another_revision(another: Callable[[], Storage], news: dict[str, Any]) -> None:
    here, there = another(), another()
    append(here, order(1, START, WHO[0]))
    before = state(here)
    append(there, {"messageId": "news", "timestamp": START + DAY, **news})
    after = state(here)
    for span, (revision, found) in before.items():
        assert after[span][0] != revision or after[span][1] == found


def test_an_order_s_owner_has_the_identifiers_that_only_an_alias_named(store: Storage) -> None:
    append(store, order(1, START, {"userId": "v"}))
    append(store, {"type": "alias", "userId": "v", "previousId": "a", "messageId": "joins", "timestamp": START})
    [event] = yielded(store, START, START + 1)
    assert json.loads(event)["members"] == [["user", "a"], ["user", "v"], ["anonymous", "a"]]


def test_a_replay_makes_another_revision(store: Storage) -> None:
    append(store, order(1, START, WHO[0]))
    before = revisions(store, MINUTE)
    [old] = run(store.log.messages())
    [piece], _ = pieces(old.raw.replace(b'"total":1', b'"total":9'), ONE)
    assert run(store.log.renew([(old, normalize(piece, old.source, "server", old.received))])) == [True]
    assert revisions(store, MINUTE)[START] != before[START]


def test_a_rebuild_makes_another_revision(another: Callable[[], Storage]) -> None:
    here, there = another(), another()
    append(here, order(1, START, WHO[0]))
    before = revisions(here, MINUTE)
    run(there.projections.rebuild("conversions"))
    assert revisions(here, MINUTE)[START] != before[START]


@pytest.mark.parametrize("engine", ENGINES)
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=examples(20), deadline=None)
def test_a_span_of_the_same_revision_yields_the_same(engine: str, seed: int) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory() as folder:
        here, there = ENGINES[engine](Path(folder)), ENGINES[engine](Path(folder))
        try:
            before: dict[tuple[int, int], tuple[Revision, list[bytes]]] = {}
            for number in range(12):
                append(chance.choice([here, there]), _something(chance, number), chance.choice(["server", "browser"]))
                after = state(here)
                assert {span for span, (_, found) in before.items() if found} <= set(after)
                for span, (revision, found) in after.items():
                    assert span not in before or before[span][0] != revision or before[span][1] == found
                before = after
        finally:
            for each in (here, there):
                run(each.close())


def _something(chance: random.Random, number: int) -> dict[str, Any]:
    """Return an order, a later event about one, a retry, a claim, or an alias."""
    at, who = chance.choice(TIMES), chance.choice(WHO)
    kind = chance.randrange(10)
    if kind < 5:
        event = chance.choice(sorted(NAMES))
        again = chance.randrange(number + 1) if chance.random() < 0.2 else number
        return order(again, at, who, chance.choice(["O", "P", ""]), event) | (
            {"sentAt": LATE + 60_000} if chance.random() < 0.3 else {}
        )
    if kind < 9:
        mail = chance.choice(["x@s.example", "y@s.example"])
        return {"type": "identify", "messageId": f"m{number}", "timestamp": at, "traits": {"email": mail}, **who}
    pair = chance.sample(["u", "v", "a", "w"], 2)
    return {"type": "alias", "messageId": f"m{number}", "timestamp": at, "userId": pair[0], "previousId": pair[1]}


class Ledgers:
    """The ledger of two processes."""

    def __init__(self, another: Callable[[], Storage]) -> None:
        self.here, self.there = another().ledger, another().ledger

    def at(self, *times: int) -> list[Revision]:
        return list(run(self.here.revisions(times)))

    def touched(self, *touches: Touch) -> None:
        async def record() -> None:
            for touch in touches:
                await self.there.record(touch)
            await self.there.touches([], 0, 0)  # all that was recorded is written by then

        run(record())


@pytest.fixture
def ledgers(another: Callable[[], Storage]) -> Ledgers:
    return Ledgers(another)


def touch(at: int, kind: str = "open", **more: Any) -> Touch:
    return Touch(kind, "hero", "user:jane", "", at, "v", **more)


def test_a_touch_changes_the_revisions_of_later_times_alone(ledgers: Ledgers) -> None:
    times = [START, START + MINUTE, START + HOUR, START + DAY, START + 2 * DAY + 7 * MINUTE]
    for index, at in enumerate([START + 5, START + MINUTE + 5, START + HOUR + 5, START + DAY + HOUR + 5]):
        before = ledgers.at(*times)
        ledgers.touched(touch(at))
        after = ledgers.at(*times)
        same = [old == new for old, new in zip(before, after, strict=True)]
        assert same == [True] * (index + 1) + [False] * (len(times) - index - 1)
    assert ledgers.at(*times) == ledgers.at(*times)


def test_classifying_again_changes_all_revisions(ledgers: Ledgers) -> None:
    ledgers.touched(touch(START + HOUR))
    before = ledgers.at(START, START + DAY)
    run(ledgers.there.reclassify(lambda block, kind: False))
    assert all(old != new for old, new in zip(before, ledgers.at(START, START + DAY), strict=True))
