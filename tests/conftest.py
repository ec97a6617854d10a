"""What many tests share: a real browser, and patience."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from tests.browser import chromium as start
from tests.examples import examples
from wetink.feeds import photo
from wetink.render import chromium as browsers
from wetink.render import renderer

if TYPE_CHECKING:
    from tests.web.test_open import House

# Two busy cores: how long an example takes says nothing about whether it is right.
# The same examples each time where a change is judged; new ones wherever somebody works.
settings.register_profile(
    "wetink",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    max_examples=examples(100),
)
settings.load_profile("wetink")
renderer.FILL_SECONDS = renderer.DRAW_SECONDS = renderer.LONG_SECONDS = photo.SECONDS = 60.0
browsers.START_SECONDS = browsers.DRAW_SECONDS = 60.0

LONGEST = (
    "tests/web/dashboard/test_every_page.py",
    "tests/stream/test_opens.py",
    "tests/cli/test_move.py",
    "tests/contracts/test_crowd.py",
    "tests/contracts/test_store.py",
    "tests/scenarios/test_roles.py",
    "tests/stream/test_stream.py",
    "tests/contracts/test_extremes.py",
    "tests/faults/test_end.py",
    "tests/attacks/test_stored_scripts.py",
)
"""Files that take minutes, the longest first: at the end, the other processes would wait for the one that has them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for a module: its driver holds an event loop, which other tests start for themselves."""
    with start() as browser:
        yield browser


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A wetink with three blocks, and its opens' door."""
    from tests.web.test_open import House

    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())
