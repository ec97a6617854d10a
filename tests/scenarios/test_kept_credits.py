"""Kept credits: a report from sums that were kept is the report made anew, whatever happened in any process."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.contracts.profiles import ONE, received
from tests.examples import examples
from tests.storage import opened
from wetink.content.content import Content
from wetink.core.events.message import pieces
from wetink.core.messages.normalize import normalize
from wetink.core.signals.attribution import Touch
from wetink.core.signals.credits import Sale
from wetink.core.signals.goal import MODELS, Currencies, Goal, Signals
from wetink.core.signals.report import DIMENSIONS
from wetink.insights.periods import Periods
from wetink.insights.reports import Reports
from wetink.ports import DAY, HOUR, MINUTE, Storage

START = 1_794_960_000_000
"""The first millisecond of a day."""
END = START + 4 * DAY
OVER = START + 2 * DAY + HOUR
"""Days and hours that end before are stored."""
PEOPLE: list[dict[str, Any]] = [
    {"userId": "u"}, {"userId": "v"}, {"anonymousId": "a"}, {"userId": "u", "anonymousId": "a"},
    {"anonymousId": "a", "traits": {"email": "x@s.example"}}, {"userId": "v", "traits": {"email": "x@s.example"}},
]  # fmt: skip
ITEMS = [{"sku": "S", "price": 1}]
RECIPIENTS = ("user:u", "user:v", "email:x@s.example", "anonymous:a")
SIGNALS = (
    Signals(),
    Signals(model="linear"),
    Signals(currencies=Currencies("EUR", {"USD": 0.5})),
    Signals(goals={"order": Goal(clicks="2h", opens="1h"), "sign": Goal("Signed Up", id="sign")}),
    Signals(goals={"sign": Goal("Signed Up")}),
)


class Nothing:
    """A report cache that keeps nothing."""

    async def get(self, key: bytes, starts: Sequence[int]) -> Mapping[int, bytes]:
        return {}

    async def put(self, key: bytes, start: int, body: bytes, at: int) -> None:
        pass


class Shop:
    """Two processes with a store, the content of both, and random life."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance, self.number, self.credited = random.Random(seed), 0, 0
        self.stores = [opened(folder), opened(folder)]
        self.reports = [Reports(each, Periods(each, lambda: OVER, few=1)) for each in self.stores]
        self.content = Content(signals=SIGNALS[0])

    async def live(self) -> None:
        chance, self.number = self.chance, self.number + 1
        kind = chance.choice(("order", "order", "order", "other", "who", "touch", "touch", "rare", "content"))
        store, at = chance.choice(self.stores), START + chance.randrange(3 * DAY)
        if chance.random() < 0.5:  # close to others
            at = START + 5 * HOUR + chance.randrange(3 * MINUTE)
        if kind == "touch":
            await self._touch(store, at)
        elif kind == "rare":
            await self._rare(store, at)
        elif kind == "content":
            self.content = Content(signals=chance.choice(SIGNALS))
        else:
            await store.log.append([received(self._message(kind, at), chance.choice(["server", "browser"]))])

    def _message(self, kind: str, at: int) -> dict[str, Any]:
        chance, who = self.chance, self.chance.choice(PEOPLE)
        again = chance.randrange(self.number) if chance.random() < 0.1 else self.number
        sent = {"sentAt": at + 5 * DAY} if chance.random() < 0.1 else {}
        about = {"messageId": f"m{again}", "timestamp": at, **who, **sent}
        if kind == "who":
            return {"type": "identify", **about}
        order = {
            "order_id": chance.choice(["", *"OPQRST"]),
            "total": chance.randrange(1, 99),
            "products": ITEMS,
        }
        order |= {"currency": chance.choice(["EUR", "USD"]), "sign": chance.choice("xyz")}
        later = ("Order Refunded", "Order Updated", "Order Cancelled", "Signed Up")
        event = "Order Completed" if kind == "order" else chance.choice(later)
        return {"type": "track", "event": event, "properties": order, **about}

    async def _touch(self, store: Storage, at: int) -> None:
        chance = self.chance
        touch = Touch(
            chance.choice(("open", "click")), chance.choice(("hero", "foot")), chance.choice(RECIPIENTS),
            chance.choice(("", "c")), at, chance.choice(("v", "w", "")), human=chance.random() < 0.8,
        )  # fmt: skip
        await store.ledger.record(touch)
        await store.ledger.touches([], 0, 0)  # it is written by then

    async def _rare(self, store: Storage, at: int) -> None:
        chance = self.chance
        match chance.randrange(4):
            case 0:
                await store.ledger.reclassify(lambda block, kind: chance.random() < 0.5)
            case 1:
                await store.projections.rebuild("conversions")
            case 2:
                pair = chance.sample(["u", "v", "a"], 2)
                alias = {"type": "alias", "userId": pair[0], "previousId": pair[1], "messageId": f"m{self.number}"}
                await store.log.append([received({**alias, "timestamp": at})])
            case _:
                [old] = await store.log.messages(limit=1) or [None]
                if old is None:
                    return
                [piece], _ = pieces(old.raw.replace(b"Order Updated", b"Order Cancelled"), ONE)
                await store.log.renew([(old, normalize(piece, old.source, "server", old.received))])

    async def same(self) -> None:
        """See that each process tells what one that keeps nothing tells."""
        chance = self.chance
        goal = "sign" if "sign" in self.content.signals.goals and chance.random() < 0.3 else ""
        model = chance.choice(["", "", *MODELS])
        until = chance.choice([END, START + 5 * HOUR + chance.randrange(3 * MINUTE), START + chance.randrange(3 * DAY)])
        given: dict[str, Any] = {"goal": goal, "model": model}
        alone = replace(self.stores[0], report_cache=Nothing())
        fresh = Reports(alone, Periods(alone, lambda: OVER, most=0))
        other = Reports(self.stores[1], Periods(self.stores[1], lambda: OVER, few=1))  # it has what is stored alone
        for each in (*self.reports, other):
            for span in ((START, END), (START + DAY, until)):
                for apart in ("audience", "device"):
                    by = [name for name in DIMENSIONS if name != apart]
                    lines = [await one.lines(self.content, *span, by, **given) for one in (each, fresh)]
                    assert lines[0] == lines[1]
                sales = [
                    [some async for day in one.sales(self.content, *span) for some in day] for one in (each, fresh)
                ]
                assert sorted(sales[0], key=_by_all) == sorted(sales[1], key=_by_all)
                credits = await each.credits(self.content, *span, **given)
                listed = [some async for batch in each.attributions(self.content, *span, **given) for some in batch]
                assert credits.conversions == len(listed)
                assert credits.credited == sum(bool(one.credits) for one in listed)
                assert credits.unclear == sum(bool(one.conversion.notes) for one in listed)
                self.credited += credits.credited
                back = each.attributions(self.content, *span, **given, newest=True)
                assert [some async for batch in back for some in batch] == listed[::-1]


def _by_all(sale: Sale) -> bytes:
    return msgspec.json.encode(sale)


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=examples(8), deadline=None)
def test_a_kept_report_is_the_report_made_anew(seed: int) -> None:
    async def story() -> None:
        with TemporaryDirectory() as folder:
            shop = Shop(Path(folder), seed)
            for turn in range(40):
                await shop.live()
                if turn % 2:
                    await shop.same()
            for store in shop.stores:
                await store.close()

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(2))
def test_a_bound_of_a_few_bytes_changes_no_report(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        shop = Shop(tmp_path, seed)
        shop.reports = [Reports(each, Periods(each, lambda: OVER, most=900, few=1)) for each in shop.stores]
        for _ in range(20):
            await shop.live()
            await shop.same()
        assert shop.credited
        for store in shop.stores:
            await store.close()

    asyncio.run(story())
