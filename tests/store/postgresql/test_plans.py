"""Plans of queries: on a new table, of which the server knows nothing yet, they read no more than they need."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS, Touch
from wetink.ports import Storage
from wetink.ports.ledger import TouchQuery
from wetink.store.interactions import asked_of
from wetink.store.postgresql import interactions, ledger, log, summaries

WHO, BLOCK, CAMPAIGN, AT = ["user:1", "user:2"], ["hero"] * 2, ["may"] * 2, [1_795_000_000_000] * 2
QUERIES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "opens near a time": (interactions.SQL.near, (WHO, BLOCK, CAMPAIGN, [0, 1], [True] * 2, AT, AGAIN_MS)),
    "proven opens": (interactions.SQL.implied_near, (WHO, BLOCK, CAMPAIGN, AT, PROVED_MS)),
    "first opens": (interactions.SQL.known, (WHO, BLOCK, CAMPAIGN)),
    "spans of people": (ledger.SQL.touches_within, (WHO, AT, AT)),
}


FOLLOWERS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "columns": (log.SQL.messages_after, (1, 200)),
    "trends": (log.SQL.named_after, (1, 200, ["Order Completed"])),
    "summaries": (summaries.SQL.next_messages, (1, 200)),
}
JIT_ABOVE_COST = 100_000
"""A plan that seems to cost more is compiled by the server, which takes longer than these queries do."""


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", QUERIES)
def test_opens_of_a_person_are_found_by_the_person(store: Storage, tmp_path: Path, name: str, mode: str) -> None:
    """A campaign's opens come within minutes: by time, each would read all of the others."""
    query, given = QUERIES[name]

    found = plan(tmp_path, query, given, f"plan_cache_mode = {mode}; SET enable_seqscan = off")
    assert "contact_by_time" not in found
    assert "recipient = " in found


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_follower_reads_as_many_messages_as_it_asks_for(store: Storage, tmp_path: Path, name: str, mode: str) -> None:
    """However many there are beyond: sorting all of them for each slice would take longer with each message."""
    query, given = FOLLOWERS[name]
    body = {"type": "track", "event": "X", "timestamp": LATE - 1}
    told = [received({**body, "messageId": f"m{each}", "userId": f"u{each}"}) for each in range(3_000)]
    run(store.log.append(told))
    found = plan(tmp_path, query, given, f"plan_cache_mode = {mode}")
    assert "Index Scan using message_by_seq" in found
    assert float(found.partition("..")[2].split()[0]) < JIT_ABOVE_COST


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_list_of_people_reads_the_newest_rows_of_each(store: Storage, tmp_path: Path, mode: str) -> None:
    async def story() -> None:
        for number in range(3_000):
            await store.ledger.record(Touch("open", "hero", f"user:{number % 300}", "may", AT[0] + number))
        await store.ledger.touches((), 0, 0)  # writes what waits

    run(story())
    wanted = TouchQuery(0, AT[0] * 2, recipients=["user:1", "user:2"])
    given = tuple(asked_of(wanted, 50, None).values())
    found = plan(tmp_path, ledger.SQL.listed_of, given, f"plan_cache_mode = {mode}; ANALYZE contact")
    assert "contact_by_time" not in found
    assert "Index Cond: ((recipient = " in found
    assert "(at >= " in found


def plan(folder: Path, query: str, given: Sequence[object], settings: str) -> str:
    """Return the plan of a query in a session with these settings."""

    async def explained() -> str:
        connection = await asyncpg.connect(postgresql.shared().address(postgresql.database_of(folder)))
        try:
            await connection.execute(f"SET {settings}")
            return "\n".join(line for (line,) in await connection.fetch(f"EXPLAIN {query}", *given))
        finally:
            await connection.close()

    return run(explained())
