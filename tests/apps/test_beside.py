"""Every app looks as a real browser draws it. `make gallery` holds all of them in all scripts against it."""

from collections.abc import Iterator

import pytest

from tests.gallery import APPS, MOST, SCRIPTS, Beside, scene

PAIRS = [(name, list(SCRIPTS)[number % len(SCRIPTS)]) for number, name in enumerate(APPS)]


@pytest.fixture(scope="module")
def beside() -> Iterator[Beside]:
    with Beside() as made:
        yield made


@pytest.mark.parametrize(("name", "script"), PAIRS)
def test_each_app_looks_as_a_browser_draws_it(name: str, script: str, beside: Beside) -> None:
    """Of both, blurred as from arm's length, less than a twentieth is of another color."""
    assert beside.compare(scene(APPS[name], script=script, scale=1)).share < MOST
