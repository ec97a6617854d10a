"""What tests of PostgreSQL share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.contracts.loop import run
from wetink.ports import Storage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    """A store in a database of its own."""
    made = postgresql.opened(tmp_path)
    run(made.start())
    yield made
    run(made.close())
    postgresql.drop({postgresql.database_of(tmp_path)})
