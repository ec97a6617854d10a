"""A storage of each engine, and what another process would hold of the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.contracts.engines import ENGINES
from tests.contracts.houses import House
from tests.contracts.loop import run
from wetink.ports import Storage


@pytest.fixture(autouse=True)
def databases() -> Iterator[None]:
    """Drop what a test made in PostgreSQL, once everything else of the test is closed."""
    before = set(postgresql.MADE)
    yield
    postgresql.drop(postgresql.MADE - before)


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


@pytest.fixture
def store(another: Callable[[], Storage]) -> Storage:
    return another()


@pytest.fixture(params=[(one, other) for one in ENGINES for other in ENGINES], ids="-to-".join)
def houses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, House]]:
    """Where everything is, and an empty one."""
    made = House(request.param[0], tmp_path / "from"), House(request.param[1], tmp_path / "to")
    yield made
    for each in made:
        each.close()
