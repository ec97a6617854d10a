"""Each version of PostgreSQL that wetink supports keeps the contracts, and older ones are refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.loop import run
from tests.postgresql import SHARED, VERSION, Server
from wetink.core.errors import BadSettings
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.migrate import OLDEST_SERVER

ROOT = Path(__file__).parents[3]
OTHERS = [str(version) for version in range(OLDEST_SERVER, 19) if str(version) != VERSION]
SOME = {
    "schema": "tests/store/postgresql/test_schema.py",
    "migrations": "tests/store/postgresql/test_migrations.py",
    "late rows": "tests/store/postgresql/test_following.py",
    "identity": "tests/store/postgresql/test_writers.py",
    "copies": "tests/contracts/test_same_message.py::test_a_copy_of_a_message_changes_no_profile",
    "decisions": "tests/contracts/test_decisions.py::test_opens_at_the_same_moment_agree_and_one_of_each_kind_counts",
    "leases": "tests/contracts/test_leases.py::test_held_leases_are_listed_with_the_process_of_their_holder",
    "derived data": "tests/contracts/test_inspection.py::test_wrong_derived_data_is_found_and_repaired",
    "catalog": "tests/contracts/test_catalog.py::test_a_change_of_price_or_stock_is_noted_when_it_happens",
}
"""A part of the contracts that takes seconds. `make contracts POSTGRESQL=15` runs all on one version."""


@pytest.mark.parametrize("version", OTHERS)
def test_a_version_keeps_the_contracts(version: str) -> None:
    given = {name: text for name, text in os.environ.items() if name != SHARED and not name.startswith("PYTEST_")}
    given |= {"POSTGRESQL": version, "ENGINES": "postgresql", "WETINK_TEST_MESSAGES": "400"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *SOME.values()]
    done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr


def test_a_version_that_is_too_old_is_refused() -> None:
    server, old = Server(str(OLDEST_SERVER - 1)), OLDEST_SERVER - 1

    async def story() -> None:
        database = Database(server.address("postgres"))
        with pytest.raises(BadSettings, match=f"PostgreSQL {old} is too old"):
            await database.start()
        await database.close()

    try:
        run(story())
    finally:
        server.remove()
