"""What somebody's emails would show is drawn when they do something, before they open one, and gives way to opens."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.render.renderer import Here
from tests.web.test_open import House
from wetink.content.content import Content
from wetink.core.blocks.block import Block
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens import prerender
from wetink.opens.prerender import MOST_PEOPLE, RECENT_MS, Prerenderer

NOW = 1_795_000_000_000


def event(user: str = "jane", at: int = NOW, **more: Any) -> Event:
    return Event("track", at, f"{user}-{at}", "shop", "Product Viewed", user=user, **more)


def ahead(warm: Any) -> Prerenderer:
    """Return one that draws with `warm`."""
    return Prerenderer(SimpleNamespace(warm=warm), lambda: NOW)  # type: ignore[arg-type]


def drawn_for(monkeypatch: pytest.MonkeyPatch, *events: Event) -> list[tuple[str, Identifier]]:
    """Return which blocks were drawn for whom after these events."""
    monkeypatch.setattr(prerender, "CALM_SECONDS", 0.0)
    drawn: list[tuple[str, Identifier]] = []

    async def warm(content: Content, block: Block, who: Identifier, moment: Moment) -> None:
        drawn.append((block.name, who))

    async def story() -> None:
        from wetink.core.blocks.block import Fallback

        blocks = {name: Block(name, Fallback("https://shop.example/")) for name in ("hero", "cards")}
        it = ahead(warm)
        it.notice(events)
        while await it.step(Content(blocks)):
            pass

    asyncio.run(story())
    return drawn


def test_an_open_after_an_event_finds_its_tiles_drawn(house: House) -> None:
    here = Here()
    house.wetink.renderer.pool.close()
    house.wetink.renderer._pool = here  # type: ignore[assignment]
    house.saw("mug")
    jane = Identifier("user", "jane")
    asyncio.run(
        house.wetink.opens.warm(house.wetink.content, house.wetink.content.block("hero"), jane, Moment(house.now))
    )
    assert here.drawn
    here.drawn.clear()
    picture = asyncio.run(house.wetink.opens.open(house.wetink.content, "hero", 1, jane, Moment(house.now + 1)))
    assert picture.content_type == "image/jpeg"
    assert here.drawn == [], "nothing was left to draw"
    assert not picture.stopgap


def test_the_newest_people_come_first_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = drawn_for(monkeypatch, event("ada"), event("jane"), event("ada"), event("bea"))
    assert [who.value for name, who in drawn if name == "hero"] == ["bea", "ada", "jane"]


def test_nothing_is_drawn_for_old_events_or_for_browsers_nobody_has_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn_for(monkeypatch, event(at=NOW - RECENT_MS - 1), event("", anonymous="x")) == []
    named = drawn_for(monkeypatch, event("", email="jane@shop.example"))
    assert {str(who) for _, who in named} == {"email:jane@shop.example"}


def test_prerendering_keeps_a_bounded_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = drawn_for(monkeypatch, *(event(f"u{number}") for number in range(MOST_PEOPLE + 50)))
    assert len({who for _, who in drawn}) == MOST_PEOPLE
    assert drawn[0][1].value == f"u{MOST_PEOPLE + 49}"


def test_a_person_who_is_still_browsing_is_prerendered_later() -> None:
    async def story() -> None:
        async def never(*_: Any) -> None:
            raise AssertionError

        it = ahead(never)
        it.notice([event()])
        assert not await it.step(Content())

    asyncio.run(story())


def test_prerendering_takes_no_more_than_its_share_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def warm(*_: Any) -> None:
        time.sleep(0.02)  # noqa: ASYNC251 (as drawing in a busy process would)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def story() -> None:
        from wetink.core.blocks.block import Fallback

        monkeypatch.setattr(prerender, "CALM_SECONDS", 0.0)
        monkeypatch.setattr(prerender.asyncio, "sleep", sleep)
        it = ahead(warm)
        it.notice([event()])
        assert await it.step(Content({"hero": Block("hero", Fallback(""))}))

    asyncio.run(story())
    assert slept
    assert slept[0] >= 0.02 * 9


def test_warming_gives_way_to_whoever_waits_for_a_picture(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wetink.render.renderer.GIVE_WAY_TIMES", 10_000)
    order: list[str] = []

    async def story() -> None:
        opens, content, jane = house.wetink.opens, house.wetink.content, Identifier("user", "jane")
        busy = asyncio.create_task(house.wetink.renderer.countdown(_ticking()))
        await asyncio.sleep(0.05)
        busy.add_done_callback(lambda _: order.append("open"))
        await opens.warm(content, content.block("hero"), jane, Moment(house.now))
        order.append("warm")
        await busy

    house.saw("mug")
    asyncio.run(story())
    assert order == ["open", "warm"]


def _ticking() -> Any:
    from wetink.ports import Ticking

    return Ticking("Ends", ("D", "H", "M", "S"), "#ff6b4a", 300, 80, 1_000_000)
