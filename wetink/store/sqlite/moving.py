"""Moving: reads all files of a folder while servers write to them, and writes those of a folder that is not used yet.

Triggers note the keys of rows that are written meanwhile. A sealed file has the format's write version 3, so SQLite
takes it for read-only in every process. Source: https://www.sqlite.org/fileformat2.html#file_format_version_numbers
"""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.ports import Cursor
from wetink.ports.moving import MESSAGE, TABLES, Change, Import, Row, Stored
from wetink.store.codec import decode_event, received, unpack
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import connect, fetch, first, in_thread, translated

SQL = queries(__package__, "moving_queries.sql")

MAIN = "wetink.db"
WRITE_VERSION, USUAL, SEALED = 18, 2, 3
"""The place of the write version in a file's header, its value in WAL mode, and the one that makes a file read-only."""
SEALS = 100
"""Tries to seal a file between the writes of others."""
MOST_KEYS = 4


class SQLiteMoving:
    """`ports.Moving` over the files of a folder."""

    def __init__(self, folder: Path) -> None:
        """Open files on first use."""
        self._folder = folder
        self._files: dict[str, apsw.Connection] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _file_of(self) -> dict[str, str]:
        """The file of each table that moves."""
        names = sorted(path.name for path in self._folder.glob("*.db"))
        return {table: name for name in names for (table,) in fetch(self._db(name), SQL.tables) if table in TABLES}

    @property
    def _all_files(self) -> list[str]:
        return [MAIN, *sorted({*self._file_of.values()} - {MAIN})]

    async def columns(self, table: str) -> Sequence[str]:
        with translated("reading columns"):
            return self._columns(table)

    @in_thread
    def notes(self) -> Mapping[str, str]:
        with translated("reading notes"):
            return notes_in(self._main)

    @in_thread
    def note(self, notes: Mapping[str, str]) -> None:
        with translated("writing notes"), transaction(self._main):
            self._main.execute(SQL.prepare)
            self._main.executemany(SQL.put_note, notes.items())

    @in_thread
    def begin(self) -> None:
        with translated("beginning to move"):
            for file in self._all_files:
                db = self._unsealed(file)
                with transaction(db):
                    db.execute(SQL.prepare)
                    db.execute(SQL.begin)
                    for name, statement in self._triggers(file).items():
                        db.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {statement}")

    @in_thread
    def end(self) -> None:
        with translated("ending a move"):
            for file in self._all_files:
                db = self._unsealed(file)
                with transaction(db):
                    for name in self._triggers(file):
                        db.execute(f"DROP TRIGGER IF EXISTS {name}")
                    db.execute(SQL.end)

    @in_thread
    def left(self, after: Cursor) -> tuple[int, int]:
        with translated("counting changes"):
            last = first(self._main, SQL.last)[0] or 0
            return max(0, last - _place(after)[0]), sum(first(self._db(file), SQL.noted)[0] for file in self._all_files)

    @in_thread
    def changes(self, limit: int) -> Sequence[Change]:
        found: list[Change] = []
        with translated("reading changes"):
            for file in self._all_files:
                rows = fetch(self._db(file), SQL.changes, (limit - len(found),))
                found += [
                    Change(id_, table, key[: self._key(table)]) for id_, table, *key_ in rows if (key := tuple(key_))
                ]
        return found

    @in_thread
    def forget(self, changes: Sequence[Change]) -> None:
        with translated("forgetting changes"):
            for file in self._all_files:
                mine = [(each.id,) for each in changes if self._file_of.get(each.table, MAIN) == file]
                if mine:
                    with transaction(self._db(file)):
                        self._db(file).executemany(SQL.forget, mine)

    @in_thread
    def page(self, table: str, after: Row | None, limit: int) -> Sequence[Row]:
        with translated(f"reading {table}"):
            db, columns, count = self._of(table), self._columns(table), len(TABLES[table].key)
            key, marks = ", ".join(columns[:count]), ", ".join("?" * count)
            where = f"WHERE ({key}) > ({marks})" if after is not None else ""
            query = f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {key} LIMIT ?"
            return fetch(db, query, (*(after or ()), limit))

    @in_thread
    def rows(self, table: str, keys: Sequence[Row]) -> Sequence[Row]:
        with translated(f"reading {table}"):
            db, columns = self._of(table), ", ".join(self._columns(table))
            query = f"SELECT {columns} FROM {table} WHERE {_equal(table)}"
            return [row for key in keys for row in fetch(db, query, key)]

    @in_thread
    def put(self, table: str, keys: Sequence[Row], rows: Sequence[Row]) -> None:
        with translated(f"writing {table}"):
            db, columns = self._of(table), self._columns(table)
            marks = ", ".join("?" * len(columns))
            with transaction(db):
                db.executemany(f"DELETE FROM {table} WHERE {_equal(table)}", keys)
                db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    async def complete(self) -> None:
        """Do nothing: all is there."""

    @in_thread
    def counts(self) -> Mapping[str, int]:
        with translated("counting rows"):
            tables = {table: first(self._of(table), f"SELECT count(*) FROM {table}")[0] for table in TABLES}
            return tables | {MESSAGE: first(self._main, SQL.count)[0]}

    @in_thread
    def log(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Stored | Import]]:
        seq, imported = _place(after)
        with translated("reading messages"):
            rows = fetch(self._main, SQL.messages, (seq, limit))
            last = rows[-1][0] if rows else seq
            imports = fetch(self._main, SQL.imports, (imported, last, limit))
        if len(imports) == limit:  # there may be more in between
            last = imports[-1][1]
            rows = [row for row in rows if row[0] <= last]
        found: list[tuple[tuple[int, int], Stored | Import]] = [((row[0], 0), _stored(row)) for row in rows]
        found += [((at_, id_), Import(at, unpack(products))) for id_, at_, at, products in imports]
        place = f"{last}-{imports[-1][0] if imports else imported}"
        return place, [each for _, each in sorted(found, key=lambda each: each[0])]

    @in_thread
    def messages(self, keys: Sequence[Row], until: Cursor) -> Sequence[Stored]:
        with translated("reading messages"):
            last = _place(until)[0]
            return [_stored(row) for key in keys for row in fetch(self._main, SQL.message, (*key, last))]

    @in_thread
    def seal(self, reason: str) -> None:
        with translated("sealing the store"):
            for file in self._all_files:  # the most of it, while others write
                self._db(file).execute("PRAGMA wal_checkpoint(PASSIVE)")
            for file in self._all_files:
                _seal(self._db(file), self._folder / file, reason)
                self._files.pop(file).close()  # it could still write

    @in_thread
    def close(self) -> None:
        for db in self._files.values():
            db.close()
        self._files.clear()

    @property
    def _main(self) -> apsw.Connection:
        return self._db(MAIN)

    def _db(self, file: str) -> apsw.Connection:
        if file not in self._files:
            self._files[file] = connect(self._folder / file)
        return self._files[file]

    def _unsealed(self, file: str) -> apsw.Connection:
        if file in self._files:
            self._files.pop(file).close()
        _unseal(self._folder / file)
        return self._db(file)

    def _of(self, table: str) -> apsw.Connection:
        return self._db(self._file_of[table])

    def _key(self, table: str) -> int:
        return len(TABLES[table].key) if table in TABLES else 1

    def _columns(self, table: str) -> tuple[str, ...]:
        if table not in self._known:
            key = TABLES[table].key
            names = {name for _, name, *_ in fetch(self._of(table), f"PRAGMA table_info({table})")}
            self._known[table] = *key, *sorted(names - {*key})
        return self._known[table]

    def _triggers(self, file: str) -> dict[str, str]:
        """Return the triggers of a file by name."""
        found = dict(MESSAGE_TRIGGERS) if file == MAIN else {}
        for table in (each for each, where in self._file_of.items() if where == file):
            for event, rows in (("insert", ["NEW"]), ("update", ["OLD", "NEW"]), ("delete", ["OLD"])):
                notes = [_note(table, [f"{row}.{name}" for name in TABLES[table].key]) for row in rows]
                found[f"moving_{table}_{event}"] = f"AFTER {event} ON {table} BEGIN {' '.join(notes)} END"
        return found


def notes_in(db: apsw.Connection) -> dict[str, str]:
    """Return the facts about a move from or to the main file."""
    return dict(fetch(db, SQL.notes)) if fetch(db, "PRAGMA table_info(moving_note)") else {}


def _note(table: str, key: Sequence[str]) -> str:
    values = ", ".join([*key, *["NULL"] * (MOST_KEYS - len(key))])
    return f"INSERT INTO moving_change (name, k1, k2, k3, k4) VALUES ('{table}', {values});"


MESSAGE_TRIGGERS = {
    "moving_message_corrected": f"AFTER UPDATE OF at ON event BEGIN {_note('message', ['NEW.seq'])} END",
    "moving_message_replayed": f"AFTER UPDATE ON message BEGIN {_note('replayed', ['NEW.seq'])} END",
}


def _equal(table: str) -> str:
    return " AND ".join(f"{name} = ?" for name in TABLES[table].key)


def _place(cursor: Cursor) -> tuple[int, int]:
    """Return the last message and the last import before a place in the log."""
    seq, _, imported = (cursor or "0-0").partition("-")
    return int(seq), int(imported)


def _stored(row: tuple[Any, ...]) -> Stored:
    *message, key_time, body = row
    return Stored(received(*message), key_time, decode_event(body) if body else None)


def _seal(db: apsw.Connection, path: Path, reason: str) -> None:
    """Make a file read-only for all connections but `db`.

    The header is changed in the file while nobody can write, and the log (WAL) has no page. The commit of a note makes
    every connection read the header again.
    """
    for _ in range(SEALS):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with transaction(db):
            wal = path.with_name(f"{path.name}-wal")
            if wal.exists() and wal.stat().st_size:
                continue  # somebody was faster
            _write_version(path, SEALED)
            db.execute(SQL.put_note, ("sealed", reason))
            return
    raise StoreUnavailable(f"{path.name} is too busy to be sealed", hint="try again when there are fewer requests")


def _unseal(path: Path) -> None:
    """Make a file writable for connections that are opened from now on."""
    if path.exists():
        with path.open("rb") as file:
            header = file.read(WRITE_VERSION + 1)
        if header[WRITE_VERSION:] == bytes([SEALED]):
            _write_version(path, USUAL)


def _write_version(path: Path, version: int) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.pwrite(file, bytes([version]), WRITE_VERSION)
        os.fsync(file)
    finally:
        os.close(file)
