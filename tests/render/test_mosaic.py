"""Mosaics: joined from parts, a JPEG is byte for byte what it is when all of it is encoded at once."""

import asyncio
import io
from collections.abc import Sequence
from importlib.resources import files
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from tests.examples import examples
from tests.render.renderer import ALBUM, PRODUCTS, Album, Here, near, plain, scene, seen
from wetink.ports import Picture, Scene
from wetink.render import Renderer, drawing
from wetink.render.compose import Pixels, window
from wetink.render.encode import QUALITIES, jpeg, turbo
from wetink.render.mosaic import MOST_SEGMENTS, SIDE, Box, Grid, encoded, grid, joined

SHELF = files("wetink.apps").joinpath("last_viewed.liquid").read_text(encoding="utf-8")
CARDS: tuple[Box, ...] = ((56, 48, 828, 64), (56, 144, 340, 400), (428, 144, 340, 400), (800, 144, 340, 400))


def noise(width: int, height: int) -> Pixels:
    """Return pixels of which no two places are alike."""
    small = np.random.default_rng(width * height).integers(0, 255, (-(-height // 4), -(-width // 4), 4), np.uint8)
    return np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)[:height, :width].copy()


def put_together(plan: Grid, pixels: Pixels) -> bytes:
    """Return the JPEG of pixels whose cells are encoded one by one."""
    return joined(plan, [encoded(plan, cell, window(pixels, *plan.box(cell))) for cell in plan.cells])


@st.composite
def pages(draw: st.DrawFn) -> tuple[int, int, tuple[Box, ...]]:
    """Draw the size of a page and boxes on it."""
    width, height = draw(st.integers(1, 200)), draw(st.integers(1, 90))
    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        boxes.append((left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top))))
    return width, height, tuple(boxes)


@given(pages())
@settings(max_examples=examples(150), deadline=None)
def test_whatever_the_tiles_the_parts_make_the_same_jpeg_as_the_whole(page: tuple[int, int, tuple[Box, ...]]) -> None:
    width, height, boxes = page
    pixels, plan = noise(width, height), grid(width, height, boxes)
    assert put_together(plan, pixels) == turbo(pixels, QUALITIES[0], restart=plan.blocks)


@given(pages())
@settings(deadline=None)
def test_every_pixel_is_in_one_cell_and_a_cell_knows_all_tiles_that_reach_into_it(
    page: tuple[int, int, tuple[Box, ...]],
) -> None:
    width, height, boxes = page
    plan = grid(width, height, boxes)
    count = np.zeros((height, width), int)
    for cell in plan.cells:
        window(count, *plan.box(cell))[:] += 1
        inside = np.zeros((height, width), bool)
        window(inside, *plan.box(cell))[:] = True
        reach = {number for number, box in enumerate(boxes) if window(inside, *box).any()}
        assert reach <= set(cell.tiles)
    assert (count == 1).all()
    assert plan.segments <= MOST_SEGMENTS


@pytest.mark.parametrize("size", [(1200, 600), (1280, 600), (600, 300)])
def test_cards_beside_each_other_get_cells_of_their_own(size: tuple[int, int]) -> None:
    share = size[0] / 1200
    cards = [tuple(round(side * share) for side in box) for box in CARDS]
    plan = grid(*size, tuple(cards))
    assert all(len(cell.tiles) <= 1 for cell in plan.cells)
    assert {tile for cell in plan.cells for tile in cell.tiles} == {0, 1, 2, 3}


def test_tiles_that_touch_share_a_cell_and_the_markers_are_few() -> None:
    plan = grid(160, 80, ((0, 0, 84, 40), (84, 0, 76, 40)))
    assert plan.cells[0].tiles == (0, 1)
    assert plan.blocks * SIDE == 160


def test_a_picture_of_parts_shows_what_it_shows_in_one_piece_and_weighs_hardly_more() -> None:
    pixels = noise(1200, 600)
    body = put_together(grid(1200, 600, CARDS), pixels)
    whole = jpeg(pixels, 10_000_000).body
    shown = [np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in (body, whole)]
    assert (shown[0] == shown[1]).all()
    assert len(body) < len(whole) * 1.02


class Counted:
    """Notes which cells are encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in the encoder's place."""
        self.boxes: list[Box] = []

        def noting(plan: Grid, cell: Any, pixels: Pixels) -> tuple[bytes, ...]:
            self.boxes.append(plan.box(cell))
            return encoded(plan, cell, pixels)

        monkeypatch.setattr(drawing, "encoded", noting)


def shots(*scenes: Scene) -> Sequence[Picture]:
    """Return the pictures of scenes, drawn one after the other by the same studio."""
    studio = Renderer(Album(ALBUM))
    studio._pool = Here()  # type: ignore[assignment]
    return [asyncio.run(studio.render(it)) for it in scenes]


def named(name: str, order: Sequence[int] = (0, 1, 2)) -> Scene:
    """Return the scene of three products for somebody of that name."""
    it = scene(SHELF, [PRODUCTS[number] for number in order], width=600, height=300)
    return replace(it, scale=2, data={**it.data, "person": {**it.data["person"], "traits": {"firstName": name}}})


def test_for_another_person_only_the_greeting_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    first, second = shots(named("Ada"), named("Bea"))
    assert len(counted.boxes) == len(grid(1200, 600, CARDS).cells) + 1
    assert counted.boxes[-1] == (0, 48, 1200, 64)
    assert first.body != second.body
    assert shots(named("Bea"))[0] == second


def test_products_in_other_places_are_the_same_picture_as_drawn_from_nothing() -> None:
    turned = (named("Ada", order) for order in ((0, 1, 2), (1, 2, 0), (1, 0, 2)))
    *_, last = shots(*turned)
    assert last == shots(named("Ada", (1, 0, 2)))[0]


def test_what_is_too_heavy_gives_way_as_ever() -> None:
    (light,) = shots(named("Ada"))
    (bound,) = shots(replace(named("Ada"), most_bytes=len(light.body) * 9 // 10))
    assert len(bound.body) < len(light.body)
    assert "JPEG at quality 74" in bound.note
    assert seen(bound).size == (1200, 600)


def test_a_tile_is_encoded_where_it_lies_now() -> None:
    page = """<style>.blue { background-color: #0000ff }</style>
    <div style="position: relative; width: 100px; height: 50px; background-color: #ffffff">
      <div data-tile="a" class="blue" style="left: %dpx; top: 10px; width: 20px; height: 20px"></div>
    </div>"""
    for place, picture in zip((10, 60), shots(plain(page % 10, scale=1), plain(page % 60, scale=1)), strict=True):
        image = seen(picture).convert("RGB")
        assert near(image.getpixel((place + 10, 20)), (0, 0, 255))
        assert near(image.getpixel((80 - place, 20)), (255, 255, 255))


def test_what_is_drawn_ahead_is_ready_for_every_place_it_may_move_to(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    studio = Renderer(Album(ALBUM))
    studio._pool = Here()  # type: ignore[assignment]
    asyncio.run(studio.warm(named("Ada")))
    for order in permutations(range(3)):
        counted.boxes.clear()
        picture = asyncio.run(studio.render(named("Bea", order)))
        assert set(counted.boxes) <= {(0, 48, 1200, 64)}
        assert picture == shots(named("Bea", order))[0]
