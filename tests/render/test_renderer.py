"""The studio when drawing goes wrong: it is told, others are drawn meanwhile, and what is guilty is left alone."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from tests.render.renderer import Album, near, plain, seen
from wetink.core.errors import BadContent
from wetink.ports import Picture, Scene
from wetink.render import Renderer, renderer
from wetink.render.breaker import SECONDS, Quarantine
from wetink.sandbox import Pool, StartFailed

WRONG = ("HANG", "SPIN", "CRASH", "ABORT", "EAT")
BOX = '<div style="width: 100px; height: 50px; background-color: {{ color }}">{{ word }}</div>'


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> Iterator[Renderer]:
    """Return a studio whose engine goes wrong at certain words."""
    monkeypatch.setattr(renderer, "DRAW_SECONDS", 1.0)
    made = Renderer(Album())
    made._pool = Pool("tests.render.wild", 2)
    yield made
    made.close()


def box(color: str, word: str = "", template: str = BOX) -> Scene:
    return plain(template, data={"color": color, "word": word})


def fine(picture: Picture, color: tuple[int, int, int]) -> bool:
    return near(seen(picture).getpixel((190, 90)), color)


@pytest.mark.parametrize("word", WRONG)
def test_what_hangs_crashes_or_eats_memory_is_told_and_the_next_is_drawn(wild: Renderer, word: str) -> None:
    async def story() -> None:
        with pytest.raises(BadContent, match="cannot be rendered"):
            await wild.render(plain(f"<b>{word}</b>"))
        assert fine(await wild.render(box("#ff0000")), (254, 0, 0))

    asyncio.run(story())


def test_what_was_drawn_before_goes_on_while_others_hang(wild: Renderer) -> None:
    async def story() -> None:
        await wild.render(box("#00ff00"))
        hanging = [asyncio.create_task(wild.render(plain(f"<b>HANG {number}</b>"))) for number in range(4)]
        await asyncio.sleep(0.3)
        async with asyncio.timeout(15):
            pictures = [await wild.render(box(f"#{red:02x}0000")) for red in (0, 120, 240)]
        assert all(fine(each, (red, 0, 0)) for each, red in zip(pictures, (0, 120, 240), strict=True))
        ends = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(end, BadContent) for end in ends)

    asyncio.run(story())


def test_a_template_nobody_has_seen_drawn_is_left_alone_after_it_went_wrong(wild: Renderer) -> None:
    async def story() -> None:
        template = "<b>{{ word }}</b>"
        with pytest.raises(BadContent):
            await wild.render(plain(template, data={"word": "HANG"}))
        pids = wild.pool.pids
        for _ in range(20):
            with pytest.raises(BadContent, match="paused after"):
                await wild.render(plain(template, data={"word": "anything"}))
        assert wild.pool.pids == pids, "no worker was asked"
        assert await wild.render(plain(template + " ", data={"word": "mended"}))

    asyncio.run(story())


def test_one_bad_page_of_a_good_template_is_left_alone_and_the_others_are_drawn(wild: Renderer) -> None:
    async def story() -> None:
        assert fine(await wild.render(box("#ff0000")), (254, 0, 0))
        for _ in range(3):
            with pytest.raises(BadContent):
                await wild.render(box("#ff0000", "CRASH"))
        for red in range(0, 250, 50):
            assert fine(await wild.render(box(f"#{red:02x}0000")), (red, 0, 0))

    asyncio.run(story())


def test_workers_that_somebody_ends_cost_no_picture(wild: Renderer) -> None:
    async def story() -> None:
        for red in range(0, 250, 50):
            assert fine(await wild.render(box(f"#{red:02x}0000")), (red, 0, 0))
            for pid in wild.pool.pids:
                os.kill(pid, signal.SIGABRT)

    asyncio.run(story())


def test_data_that_is_no_data_is_told(wild: Renderer) -> None:
    with pytest.raises(BadContent, match="sent to the worker"):
        asyncio.run(wild.render(plain("x", data={"word": lambda: 1})))


def test_numbers_of_any_size_are_filled_in(wild: Renderer) -> None:
    assert asyncio.run(wild.render(plain("{{ n }}", data={"n": 10**30}))).body


BOMBS = {
    "loops": "{% for a in (1..99999) %}{% for b in (1..99999) %}{{ a | times: b }}{% endfor %}{% endfor %}",
    "a range": '{{ (1..1000000000) | join: "," }}',
    "doubling": '{% assign s = "xx" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s | size }}',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_where_the_limits_of_templates_have_a_hole_the_workers_hold(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "DRAW_SECONDS", 2.0)

    async def story() -> None:
        loose = Renderer(Album())
        loose._pool = Pool("tests.render.loose", 2)
        with pytest.raises(BadContent, match=r"cannot be rendered|has an error"):
            await loose.render(plain(bomb))
        assert fine(await loose.render(box("#ff0000")), (254, 0, 0))
        loose.close()

    asyncio.run(story())


def test_a_worker_that_is_slow_to_start_and_fails_is_not_the_templates_fault(
    wild: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "SLOW_SECONDS", 0.0)

    async def failing(*_: object) -> bytes:
        await asyncio.sleep(0.01)
        raise StartFailed("no worker can be started")

    async def story() -> None:
        with monkeypatch.context() as busy:
            busy.setattr(wild.pool, "ask", failing)
            with pytest.raises(BadContent, match="no worker can be started"):
                await wild.render(box("#ff0000"))
        assert fine(await wild.render(box("#ff0000")), (254, 0, 0))

    asyncio.run(story())


def test_a_template_is_tried_again_after_its_quarantine() -> None:
    now = 0.0
    quarantine = Quarantine(lambda: now)
    quarantine.prove(b"good")
    for key in (b"good", b"new"):
        quarantine.strike(key, b"page of " + key, "it hangs")
    assert quarantine.why(b"new") == "it hangs"
    assert quarantine.why(b"good") == ""
    assert quarantine.why(b"good", b"page of good") == "it hangs"
    quarantine.strike(b"good", b"second", "it hangs")
    assert quarantine.why(b"good", b"third") == ""
    quarantine.strike(b"good", b"third", "it crashed")
    assert quarantine.why(b"good", b"fourth") == "it crashed"
    now = SECONDS + 1
    assert not any(quarantine.why(key, b"third") for key in (b"good", b"new"))
