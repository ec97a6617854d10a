"""Every app gives a valid picture of the right size at each corner of what a block may be, and what moves does move.

The whole grid is tried by `make gallery`.
"""

import asyncio
from pathlib import Path

import pytest

from tests.apps.grid import APPS, GRID, MOVES, tried

CORNERS = (((200, 60), 3, "dark"), ((640, 800), 1, "light"))
MOVING_CORNERS = (((200, 60), 3, "dark"), ((300, 250), 2, "light"), ((640, 800), 1, "dark"))


def test_every_app_gives_a_picture_at_the_corners_of_the_grid(tmp_path: Path) -> None:
    names = [name for name in APPS if name not in MOVES]
    assert len(names) + len(MOVES) >= 22
    assert asyncio.run(tried(names, CORNERS, tmp_path)) == []


@pytest.mark.parametrize("name", MOVES)
def test_what_moves_does_so_after_a_new_start_at_the_corners_of_the_grid(name: str, tmp_path: Path) -> None:
    assert asyncio.run(tried([name], MOVING_CORNERS, tmp_path)) == []


def test_the_grid_has_36_combinations_for_each_app() -> None:
    assert len(GRID) == 36
