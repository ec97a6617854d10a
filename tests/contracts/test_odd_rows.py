"""The contract of rows that nobody can store: each harms only itself, however many are written together."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from tests.days import days
from tests.store.said import NOW
from wetink.core.blocks.block import Block, Decision, Fallback, decision_id
from wetink.core.profile.person import Moment
from wetink.core.signals.attribution import Touch
from wetink.opens.open import DECISION_MS
from wetink.ports import Picture, Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Opened

MANY = 100
HALF = "\ud800"
"""Half a character: no file takes it."""


def decision(number: int, **more: Any) -> Decision:
    who = more.get("recipient", f"user:u{number}")
    given = {"id": decision_id("hero", f"user:u{number}", "", NOW), "block": "hero", "recipient": who, "campaign": "",
             "at": NOW, "variant": "v", "app": "", "template": "", "settings": {}, "items": (), "links": ("",),
             "trace": (), **more}  # fmt: skip
    return Decision(**given)


ODD_DECISIONS: dict[str, tuple[Decision, int]] = {
    **{f"slot {slot}": (decision(-1), slot) for slot in (31, 62, 63, 64, 99, 400)},
    "facts that nothing can hold": (decision(-1, facts={"what": object()}), 1),
    "a number of 70 bits": (decision(-1, facts={"what": 1 << 70}), 1),
    "half a character": (decision(-1, recipient=f"user:{HALF}"), 1),
    "half a character inside": (decision(-1, facts={"what": HALF}), 1),
    "a time that no file has": (decision(-1, at=1 << 70), 1),
}


@pytest.mark.parametrize("place", [0, 50, 100])
@pytest.mark.parametrize("odd", ODD_DECISIONS)
def test_an_odd_decision_leaves_a_hundred_settled(store: Storage, odd: str, place: int) -> None:
    async def settled() -> list[Any]:
        ledger = store.ledger
        jobs = [(decision(number), 1) for number in range(MANY)]
        jobs.insert(place, ODD_DECISIONS[odd])
        work = (ledger.settle(each, slot, DECISION_MS, "person") for each, slot in jobs)
        answers = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 60)
        kept = [await ledger.current("hero", f"user:u{number}", "") for number in range(MANY)]
        del answers[place]
        return [answers, kept]

    answers, kept = run(settled())
    assert answers == [(decision(number), True) for number in range(MANY)]
    assert kept == [decision(number) for number in range(MANY)]


def touch(number: int, **more: Any) -> Touch:
    return Touch(**{"kind": "open", "block": "hero", "recipient": f"user:u{number}", "campaign": "", "at": NOW, **more})


ODD_TOUCHES = [
    touch(-1, variant=HALF), touch(-1, recipient=f"user:{HALF}"), touch(-1, campaign=HALF), touch(-1, kind="glance"),
    touch(-1, arms={HALF: "a"}), touch(-1, arms={"test": object()}), touch(-1, at=None), touch(-1, block=None),
]  # fmt: skip


@pytest.mark.parametrize("odd", range(len(ODD_TOUCHES)))
def test_an_odd_open_leaves_a_hundred_counted(store: Storage, odd: int) -> None:
    async def counted() -> tuple[int, int, int, int]:
        ledger = store.ledger
        for number in range(MANY):
            if number == 37:
                await ledger.record(ODD_TOUCHES[odd])
                ledger.served(Served("hero", HALF, ""), NOW)
            await ledger.record(touch(number))
            ledger.served(Served("hero", "", ""), NOW)
        before = await days(ledger, NOW, NOW)
        await ledger.record(touch(MANY))  # the writer lives on
        after = await days(ledger, NOW, NOW)
        lost = sum(store.lost().values())
        good = [each for each in before if not each.variant]
        return (*(sum(getattr(each, name) for each in good) for name in ("pictures", "opens")),
                sum(each.opens for each in after) - sum(each.opens for each in before), lost)  # fmt: skip

    pictures, opens, more, lost = run(counted())
    assert (pictures, more) == (MANY, 1)
    assert opens + lost == MANY + 2, "the odd one is lost, or stored with another character"


@pytest.mark.parametrize("odd", [{"template": HALF}, {"block": replace(Block("hero", Fallback("")), title=HALF)}])
def test_an_odd_open_leaves_a_hundred_kept_in_the_archive(store: Storage, odd: dict[str, Any]) -> None:
    async def kept() -> tuple[int, int]:
        archive, block = store.archive, Block("hero", Fallback(""))
        for number in range(MANY + 1):
            opened = Opened(decision(number), Moment(NOW), block, "t")
            archive.keep(replace(opened, **odd) if number == 37 else opened)
        found = await archive.newest(NOW, 2 * MANY)
        return len(found), sum(store.lost().values())

    assert run(kept()) == (MANY, 1)


@pytest.mark.parametrize(
    "odd", [(("hero", 1, HALF, ""), Picture(b"x", "image/png")), (("hero", 1, "who", ""), Picture(b"x", HALF))]
)
def test_an_odd_picture_leaves_a_hundred_for_the_next_process(another: Callable[[], Storage], odd: Any) -> None:
    async def found() -> int:
        one, two = another(), another().pictures
        places = [("hero", 1, f"user:u{number}", "") for number in range(MANY)]
        for place in places[:37]:
            one.pictures.put(place, NOW, Picture(b"good", "image/png"))
        one.pictures.put(odd[0], NOW, odd[1])
        for place in places[37:]:
            one.pictures.put(place, NOW, Picture(b"good", "image/png"))
        await one.close()
        last = [await two.get(place) for place in places]
        return sum(each is not None for each in last)

    assert run(found()) == MANY
