"""Plans of queries: on a new table, of which the server knows nothing yet, they read one person's rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests import postgresql
from tests.contracts.loop import run
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS
from wetink.ports import Storage
from wetink.store.postgresql import interactions, ledger

WHO, BLOCK, CAMPAIGN, AT = ["user:1", "user:2"], ["hero"] * 2, ["may"] * 2, [1_795_000_000_000] * 2
QUERIES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "opens near a time": (interactions.SQL.near, (WHO, BLOCK, CAMPAIGN, [0, 1], [True] * 2, AT, AGAIN_MS)),
    "proven opens": (interactions.SQL.implied_near, (WHO, BLOCK, CAMPAIGN, AT, PROVED_MS)),
    "first opens": (interactions.SQL.known, (WHO, BLOCK, CAMPAIGN)),
    "spans of people": (ledger.SQL.touches_within, (WHO, AT, AT)),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    made = postgresql.opened(tmp_path)
    run(made.start())
    yield made
    run(made.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", QUERIES)
def test_opens_of_a_person_are_found_by_the_person(store: Storage, tmp_path: Path, name: str, mode: str) -> None:
    """A campaign's opens come within minutes: by time, each would read all of the others."""
    query, given = QUERIES[name]

    async def plan() -> str:
        connection = await asyncpg.connect(postgresql.shared().address(postgresql.database_of(tmp_path)))
        try:
            await connection.execute(f"SET plan_cache_mode = {mode}; SET enable_seqscan = off")
            return "\n".join(line for (line,) in await connection.fetch(f"EXPLAIN {query}", *given))
        finally:
            await connection.close()

    found = run(plan())
    assert "contact_by_time" not in found
    assert "recipient = " in found
