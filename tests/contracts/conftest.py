"""A storage of each engine, and what another process would hold of the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.engines import ENGINES, forget
from tests.contracts.loop import run
from wetink.ports import Storage


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def another(engine: str, tmp_path: Path) -> Iterator[Callable[[], Storage]]:
    """Opens the storage in the test's folder once more, as another process has it."""
    made: list[Storage] = []

    def one() -> Storage:
        made.append(ENGINES[engine](tmp_path))
        return made[-1]

    yield one
    for each in made:
        run(each.close())
    forget(engine, tmp_path)


@pytest.fixture
def store(another: Callable[[], Storage]) -> Storage:
    return another()
