"""What moves is made ready: for every block that is saved, in every look, one by one, whatever becomes of one."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from wetink.apps import load
from wetink.content.content import Content
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.errors import BadContent
from wetink.core.profile.person import Moment
from wetink.opens.prerender import Animations
from wetink.ports import Ticking

APPS = load()
LOOKS = {(ratio, scheme) for ratio in (1, 2, 3) for scheme in ("light", "dark")}


def block(name: str, app: str, **more: Any) -> Block:
    settings = more.pop("settings", {})
    return Block(name, Fallback("https://shop.example/"), (Variant("v", app, settings=settings),), moving=True, **more)


class Renderer:
    """Notes what is made ready."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made: list[Ticking] = []
        self.films: list[tuple[str, str]] = []
        self.error = error

    async def prepare_countdown(self, ticking: Ticking) -> None:
        self.made.append(ticking)
        if self.error is not None:
            raise self.error

    async def warm(self, content: Content, block: Block, who: None, moment: Moment) -> None:
        self.films.append((block.name, moment.scheme))
        if self.error is not None:
            raise self.error


def stepped(studio: Renderer, *shelves: dict[str, Block]) -> None:
    moving = Animations(studio, APPS, studio, lambda: 1)  # type: ignore[arg-type]
    for shelf in shelves:
        content = Content(shelf)
        while asyncio.run(moving.step(content)):
            pass


def test_each_look_of_each_countdown_is_made_once_and_films_for_nobody() -> None:
    studio = Renderer()
    sale = block("sale", "countdown", settings={"title": "Sale", "at": "2026-12-24T18:00"})
    shelf = {"sale": sale, "strip": block("strip", "filmstrip"), "hero": block("hero", "last-viewed")}
    other = {**shelf, "sale": replace(sale, variants=(replace(sale.variants[0], settings={"title": "Now"}),))}
    stepped(studio, shelf, dict(shelf), other)
    assert [(each.title, each.remaining_ms) for each in studio.made] == [("Sale", 0)] * 6 + [("Now", 0)] * 6
    assert {(each.scale, each.scheme) for each in studio.made[:6]} == LOOKS
    assert (studio.made[0].scale, studio.made[0].scheme) == (2, "light"), "what emails ask for comes first"
    assert set(studio.films) == {("strip", "light"), ("strip", "dark")}


@pytest.mark.parametrize("error", [BadContent("too small"), ZeroDivisionError()])
def test_what_cannot_be_made_keeps_nothing_else_from_being_made(error: Exception) -> None:
    studio = Renderer(error)
    stepped(
        studio, {"a": block("a", "countdown"), "b": block("b", "countdown", width=300), "c": block("c", "filmstrip")}
    )
    assert len(studio.made) == 12
    assert len(studio.films) == 2


def test_what_stands_still_or_has_wrong_settings_is_left_out() -> None:
    studio = Renderer()
    wrong = block("wrong", "countdown", settings={"hours": "many"})
    stepped(
        studio, {"still": replace(block("still", "countdown"), moving=False), "wrong": wrong, "no": block("no", "x")}
    )
    assert not studio.made
