"""Moving: reads all tables of a database while servers write to them, and writes those of one that is not used yet.

Triggers note the keys of rows that are written meanwhile. A sealed database starts every transaction read-only.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from wetink.core.blocks.block import Decision
from wetink.core.errors import StoreUnavailable
from wetink.ports import Cursor
from wetink.ports.moving import MESSAGE, REPLAYED, TABLES, Change, Import, Row, Stored, Value
from wetink.store.codec import decode_event, received, unpack
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.decisions import hash_of
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "moving_queries.sql")
_decision = msgspec.msgpack.Decoder(Decision).decode

HIDDEN = {"contact": ("id",), "decision": ("says", "previous"), "source_text": ("used",)}
"""Columns that no other engine has."""
DERIVED: Mapping[str, Callable[[Row], Value]] = {
    "decision": lambda row: hash_of(_decision(cast(bytes, row[4]))),  # after the key and `at`
    "source_text": lambda row: 1 << 62,  # kept for good: its records may follow much later
}
"""The value of the first of them, where it needs one."""
ENCODED = {("source_text", "body")}
"""Texts that are stored as bytes here."""
SEQUENCES = {"delivery": "seq", "audit_entry": "seq"}
"""Columns that are counted."""
ORDER = {"exposure": (1, 0)}
"""The order of the key's columns in the index, where it is another."""
TRIGGERS = {
    MESSAGE: ("UPDATE OF at", ("seq",)),
    REPLAYED: ("UPDATE OF verdict, problems, type, name, who", ("seq",)),
}
"""Changes to rows of `message` that are noted under another name -> when, and the key."""
END_TRIES, END_SECONDS = 100, 0.05
LONG_SECONDS = 3600.0
"""How long a statement about all rows of a table may take, in seconds."""


class _Columns(msgspec.Struct, frozen=True):
    """The names and types of a table's columns, those of the key first."""

    table: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    key: int

    @property
    def keys(self) -> tuple[str, ...]:
        return self.names[: self.key]

    def given(self, rows: Sequence[Row], count: int) -> tuple[str, list[list[Any]]]:
        """Return the SQL of rows with the first `count` columns, and its parameters."""
        types = self.types[:count]
        arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, 1))
        values = [[_given(type_, row[place]) for row in rows] for place, type_ in enumerate(types)]
        return f"unnest({arrays}) AS g ({', '.join(self.names[:count])})", values

    def row(self, found: Sequence[Any]) -> Row:
        """Return a row as other engines have it."""
        return tuple(
            int(value) if isinstance(value, bool) else value.decode() if (self.table, name) in ENCODED else value
            for name, value in zip(self.names, found, strict=True)
        )


class PostgresMoving:
    """`ports.Moving` over a database."""

    def __init__(self, address: str) -> None:
        """Connect on first use. Raises BadSettings for an address that cannot be read."""
        self._database = Database(address, incomplete=True)
        self._known: dict[tuple[str, bool], _Columns] = {}

    async def columns(self, table: str) -> Sequence[str]:
        return (await self._columns(table)).names

    async def notes(self) -> Mapping[str, str]:
        async with self._database.reading("reading notes") as db:
            return dict(await db.fetch(SQL.notes))

    async def note(self, notes: Mapping[str, str]) -> None:
        await self._write("writing notes", SQL.put_note, list(notes), list(notes.values()))

    async def begin(self) -> None:
        await self._write("beginning to move", SQL.unseal)
        for name, (event, table, key) in self._triggers().items():
            arguments = ", ".join(f"'{each}'" for each in key)
            statement = f"CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table}"
            await self._write(
                "beginning to move", f"{statement} FOR EACH ROW EXECUTE FUNCTION moving_changed({arguments})"
            )

    async def end(self) -> None:
        await self._write("ending a move", SQL.unseal)
        for name, (_, table, _) in self._triggers().items():
            await self._write("ending a move", f"DROP TRIGGER IF EXISTS {name} ON {table}")
        await self._write("ending a move", SQL.end)

    async def left(self, after: Cursor) -> tuple[int, int]:
        async with self._database.reading("counting changes") as db:
            messages, noted = await db.fetchrow(SQL.left, int(after or 0), timeout=LONG_SECONDS)
        return messages, noted

    async def changes(self, limit: int) -> Sequence[Change]:
        async with self._database.reading("reading changes") as db:
            rows = await db.fetch(SQL.changes, limit)
        return [Change(id_, name, await self._typed(name, key)) for id_, name, key in rows]

    async def forget(self, changes: Sequence[Change]) -> None:
        await self._write("forgetting changes", SQL.forget, [each.id for each in changes])

    async def page(self, table: str, after: Row | None, limit: int) -> Sequence[Row]:
        columns = await self._columns(table)
        order = ORDER.get(table, range(columns.key))
        key = ", ".join(columns.names[place] for place in order)
        marks = ", ".join(f"${place + 2}" for place in order)
        where = f"WHERE ({key}) > ({marks})" if after is not None else ""
        query = f"SELECT {', '.join(columns.names)} FROM {table} {where} ORDER BY {key} LIMIT $1"
        async with self._database.reading(f"reading {table}") as db:
            return [columns.row(row) for row in await db.fetch(query, limit, *(after or ()))]

    async def rows(self, table: str, keys: Sequence[Row]) -> Sequence[Row]:
        columns = await self._columns(table)
        given, values = columns.given(keys, columns.key)
        some = ", ".join(f"t.{name}" for name in columns.names)
        query = f"SELECT {some} FROM {given} JOIN {table} t USING ({', '.join(columns.keys)})"
        async with self._database.reading(f"reading {table}") as db:
            return [columns.row(row) for row in await db.fetch(query, *values)]

    async def put(self, table: str, keys: Sequence[Row], rows: Sequence[Row]) -> None:
        if table in DERIVED:
            rows = [(*row, DERIVED[table](row)) for row in rows]
        columns = await self._columns(table, whole=True)
        same = " AND ".join(f"t.{name} = g.{name}" for name in columns.keys)
        old, gone = columns.given(keys, columns.key)
        new, values = columns.given(rows, len(columns.names))
        names = ", ".join(columns.names)

        async def work(db: Connection) -> None:
            await db.execute(f"DELETE FROM {table} t USING {old} WHERE {same}", *gone)
            await db.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM {new}", *values)

        await self._database.transact(f"writing {table}", work)

    async def complete(self) -> None:
        async def work(db: Connection) -> None:
            await db.execute(SQL.complete_archive, timeout=LONG_SECONDS)
            for table, column in SEQUENCES.items():
                last = f"greatest(1, (SELECT max({column}) FROM {table}))"
                await db.execute(f"SELECT setval(pg_get_serial_sequence($1, $2), {last})", table, column)

        await self._database.transact("completing a move", work)

    async def counts(self) -> Mapping[str, int]:
        async with self._database.reading("counting rows") as db:
            counted = "SELECT count(*) FROM"
            return {name: await db.fetchval(f"{counted} {name}", timeout=LONG_SECONDS) for name in (*TABLES, MESSAGE)}

    async def log(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Stored | Import]]:
        seq = int(after or 0)
        async with self._database.reading("reading messages") as db:
            end = await db.fetchval(SQL.log_end)
            rows = await db.fetch(SQL.messages, seq, end, limit)
            imports = await db.fetch(SQL.imports, seq, end, limit)
        last = min([found[-1][0] for found in (rows, imports) if len(found) == limit], default=end)
        items: list[tuple[int, Stored | Import]] = [(row[0], _stored(row)) for row in rows if row[0] <= last]
        items += [(place, Import(at, unpack(products))) for place, at, products in imports if place <= last]
        items.sort(key=lambda each: each[0])
        return str(items[-1][0] if items else seq), [each for _, each in items]

    async def messages(self, keys: Sequence[Row], until: Cursor) -> Sequence[Stored]:
        async with self._database.reading("reading messages") as db:
            return [_stored(row) for row in await db.fetch(SQL.messages_at, [key[0] for key in keys], int(until or 0))]

    async def seal(self, reason: str) -> None:
        async with self._database.reading("looking for the sessions of others") as db:
            if users := await db.fetchval(SQL.strange_sessions):
                raise StoreUnavailable(
                    f"this user may not end the sessions of {users}", hint="end them, or move as a superuser"
                )
        await self._wait_for_log()
        await self.note({"sealed": reason})
        await self._write("sealing the database", SQL.seal)
        async with self._database.reading("ending the sessions of others") as db:
            since = await db.fetchval("SELECT clock_timestamp()")
            for _ in range(END_TRIES):
                if not await db.fetchval(SQL.end_sessions, since):
                    break
                await asyncio.sleep(END_SECONDS)
            else:
                raise StoreUnavailable(
                    "some sessions of the database do not end", hint="stop the servers, then try again"
                )
        await self._wait_for_log()

    async def _wait_for_log(self) -> None:
        """Wait until the log can be read up to now. Raises StoreUnavailable if a transaction keeps it from that."""
        async with self._database.reading("reading the end of the log") as db:
            now = await db.fetchval(SQL.log_next)
            for _ in range(END_TRIES):
                if await db.fetchval(SQL.log_end) >= now:
                    return
                await asyncio.sleep(END_SECONDS)
        raise StoreUnavailable(
            "a long transaction on the database server hides the last messages", hint="end it: see pg_stat_activity"
        )

    async def close(self) -> None:
        await self._database.close()

    async def _write(self, doing: str, statement: str, *values: object) -> None:
        """Run a statement in a transaction of its own, in a sealed database as well."""

        async def work(db: Connection) -> None:
            await db.execute("SET TRANSACTION READ WRITE")
            await db.execute(statement, *values)

        await self._database.transact(doing, work)

    async def _columns(self, table: str, *, whole: bool = False) -> _Columns:
        """Return the columns that other engines have as well; the `whole` row has the derived ones at its end."""
        if (table, whole) not in self._known:
            async with self._database.reading("reading columns") as db:
                types = dict(await db.fetch(SQL.columns, table))
            key, hidden = TABLES[table].key, HIDDEN.get(table, ())
            names = (*key, *sorted(types.keys() - {*key, *hidden}), *(hidden[:1] if whole and table in DERIVED else ()))
            self._known[table, whole] = _Columns(table, names, tuple(types[name] for name in names), len(key))
        return self._known[table, whole]

    async def _typed(self, name: str, key: Sequence[str]) -> Row:
        """Return the values of a noted key."""
        if name not in TABLES:
            return (int(key[0]),)
        types = (await self._columns(name)).types
        return tuple(_value(type_, text) for type_, text in zip(types, key, strict=False))

    def _triggers(self) -> dict[str, tuple[str, str, tuple[str, ...]]]:
        """Return when each trigger runs, the table, and its arguments."""
        found = {
            f"moving_{table}": ("INSERT OR UPDATE OR DELETE", table, (table, *each.key))
            for table, each in TABLES.items()
        }
        return found | {f"moving_{name}": (event, MESSAGE, (name, *key)) for name, (event, key) in TRIGGERS.items()}


def _value(type_: str, text: str) -> Value:
    if type_ == "bytea":
        return bytes.fromhex(text.removeprefix("\\x"))
    return text if type_ == "text" else int(text)


def _given(type_: str, value: Value) -> Value:
    if isinstance(value, str):
        return value.encode() if type_ == "bytea" else storable(value)
    return bool(value) if type_ == "boolean" and value is not None else value


def _stored(row: Sequence[Any]) -> Stored:
    *message, key_time, body = row
    return Stored(received(*message), key_time, decode_event(body) if body is not None else None)
