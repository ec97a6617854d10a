"""The tables can be distributed over several servers: a rule that unique keys have to keep, and nothing else checks."""

from pathlib import Path
from typing import Any

import asyncpg

from tests import postgresql
from tests.contracts.loop import run
from wetink.ports import Storage

REFERENCE = {"migration", "replay", "profile_summary_place", "account"}
"""Small tables that every server would have a copy of: they may have any keys, or one row and no key."""

KEYS = """
SELECT coalesce(parent.relname, t.relname)::text, (
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
)
FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
LEFT JOIN pg_inherits h ON h.inhrelid = t.oid
LEFT JOIN pg_class parent ON parent.oid = h.inhparent
WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace
"""
TABLES = """
SELECT c.relname::text, (SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
    AND NOT attisdropped ORDER BY attnum LIMIT 1)
FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
"""
COLLATIONS = """
SELECT i.indexrelid::regclass::text, a.attname::text, l.collname::text
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid AND t.relnamespace = 'public'::regnamespace
CROSS JOIN unnest(i.indkey::int[], i.indcollation::oid[]) AS k (number, colls)
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
JOIN pg_collation l ON l.oid = k.colls
"""


def rows(folder: Path, query: str) -> list[Any]:
    async def read() -> list[Any]:
        address = postgresql.shared().address(postgresql.database_of(folder))
        connection = await asyncpg.connect(address)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    return run(read())


def test_each_table_leads_with_a_column_that_all_its_unique_keys_have(store: Storage, tmp_path: Path) -> None:
    first = dict(rows(tmp_path, TABLES))
    keys: dict[str, list[list[str]]] = {}
    for name, columns in rows(tmp_path, KEYS):
        keys.setdefault(name, []).append(columns)
    wrong = {
        name: keys[name]
        for name, column in first.items()
        if name in keys.keys() - REFERENCE and not all(column in columns for columns in keys[name])
    }
    assert not wrong, "by the first column, these keys break"
    assert first.keys() >= {"message", "event", "claim", "holding", "decision", "joined"} | REFERENCE


def test_events_are_partitioned_by_time(store: Storage, tmp_path: Path) -> None:
    [[how]] = rows(tmp_path, "SELECT pg_get_partkeydef('event'::regclass)")
    assert how == "RANGE (at)"
    [[count]] = rows(tmp_path, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass")
    assert count >= 6


def test_a_server_that_starts_makes_the_partitions_of_the_next_quarters(store: Storage, tmp_path: Path) -> None:
    last = "SELECT max(relname::text) FROM pg_class WHERE relname ~ '^event_[0-9]{4}q[1-4]$' AND relispartition"
    [[name]] = rows(tmp_path, last)
    rows(tmp_path, f"DROP TABLE {name}")
    assert rows(tmp_path, last) != [[name]]
    other = postgresql.opened(tmp_path)
    run(other.start())
    run(other.close())
    assert [list(row) for row in rows(tmp_path, last)] == [[name]]


def test_indexes_order_text_by_its_characters_as_the_core_does(store: Storage, tmp_path: Path) -> None:
    found = rows(tmp_path, COLLATIONS)
    assert len(found) > 20
    assert [tuple(row) for row in found if row[2] != "C"] == []
