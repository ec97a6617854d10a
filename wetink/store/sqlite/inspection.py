"""Inspection: sizes and damage of the files, and derived rows compared with rows that are derived again.

A sample is derived again under the write lock in a savepoint, with a session that records which rows change. Then the
savepoint is rolled back, unless the sample is to be repaired.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import apsw

from wetink.ports.inspection import Checked, Part, Replica
from wetink.store.codec import identifier
from wetink.store.queries import queries
from wetink.store.sqlite import catalog, conversions, identity
from wetink.store.sqlite.connection import BUSY_MS, fetch, first, in_thread, translated
from wetink.store.sqlite.database import Database

SQL = queries(__package__, "inspection_queries.sql")

AT_ONCE = 50
"""Identifiers that are derived, or messages that are applied again, before other writers get their turn."""

TABLES: dict[Part, tuple[str, ...]] = {
    "identities": ("holding",),
    "catalog": ("product", "product_alias"),
    "conversions": ("outcome",),
}
"""Tables whose rows follow from the log alone. Others may lawfully differ: one claim may stand for another, and old
changes of a price are forgotten."""

FIRST_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class SQLiteInspection:
    """`ports.inspection.Inspection` over the files of a folder."""

    def __init__(self, folder: Path, database: Database) -> None:
        """Report on the files in `folder`. `database` is the main one."""
        self._folder, self._database = folder, database

    @in_thread
    def sizes(self) -> dict[str, int]:
        with translated("measuring the files"):
            found: dict[str, int] = {}
            for path in sorted(self._folder.glob("*.db*")):
                name = path.name.partition(".")[0]
                found[name] = found.get(name, 0) + _size(path)
            return found

    async def replicas(self) -> Sequence[Replica]:
        return ()

    @in_thread
    def faults(self) -> list[str]:
        found = []
        for path in sorted(self._folder.glob("*.db")):
            try:
                db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
                try:
                    db.set_busy_timeout(BUSY_MS)
                    found += [f"{path.name}: {text}" for (text,) in fetch(db, "PRAGMA quick_check(3)") if text != "ok"]
                finally:
                    db.close()
            except (apsw.CorruptError, apsw.NotADBError) as error:
                found.append(f"{path.name}: {error}")
            except apsw.Error as error:
                with translated(f"checking {path.name}"):
                    raise error
        return found

    async def sample(self, part: Part, limit: int | None, *, repair: bool = False) -> Checked:
        if part == "identities":
            return await self._identities(limit, repair=repair)
        take = catalog.take if part == "catalog" else conversions.take
        start, last = await self._database.in_reader(lambda db: _stretch(db, part, limit))
        count = wrong = 0
        for at in range(start, last, AT_ONCE):
            seqs = range(at + 1, min(at + AT_ONCE, last) + 1)
            rows = await self._database.write(lambda db, seqs=seqs: _changed(db, part, lambda: take(db, seqs), repair))  # type: ignore[misc]
            count, wrong = count + len(seqs), wrong + len(rows)
        return Checked(count, wrong)

    async def _identities(self, limit: int | None, *, repair: bool) -> Checked:
        begun = after = "" if limit is None else _somewhere()
        count = wrong = 0
        wrapped = limit is None
        while limit is None or count < limit:
            some = min(AT_ONCE, limit - count) if limit is not None else AT_ONCE
            names = await self._database.in_reader(
                lambda db, after=after, some=some: [name for (name,) in fetch(db, SQL.identifiers, (after, some))]  # type: ignore[misc]
            )
            if wrapped and begun:
                names = [name for name in names if name <= begun]
            if names:
                wrong += len(await self._database.write(lambda db, names=names: _derived(db, names, repair)))  # type: ignore[misc]
                count, after = count + len(names), names[-1]
            if len(names) < some:
                if wrapped:
                    break
                wrapped, after = True, ""
        return Checked(count, wrong)


def _derived(db: apsw.Connection, names: Collection[str], repair: bool) -> set[Any]:
    def derive() -> None:
        for name in names:
            identity.derive(db, identifier(name))

    return _changed(db, "identities", derive, repair)


def _changed(db: apsw.Connection, part: Part, work: Callable[[], object], repair: bool) -> set[Any]:
    """Return the keys of the rows that `work` changes. Without `repair`, it changes nothing."""
    session = apsw.Session(db, "main")
    try:
        for table in TABLES[part]:
            session.attach(table)
        db.execute("SAVEPOINT checked")
        work()
        changes = apsw.Changeset.iter(session.changeset())
        found = {(each.name, _key(each)) for each in changes}
        if not (repair and found):
            db.execute("ROLLBACK TO checked")
        db.execute("RELEASE checked")
    finally:
        session.close()
    return found


def _key(change: "apsw.TableChange") -> Any:
    """Return the first column of a changed row, which names its item."""
    row: Sequence[Any] = change.old or change.new or ()
    return row[0]


def _stretch(db: apsw.Connection, part: Part, limit: int | None) -> tuple[int, int]:
    """Return the places (excluded, included) of messages that a projection has followed: random ones, or all."""
    followed = [catalog.cursor(db).seq] if part == "catalog" else [seq for _, seq in fetch(db, SQL.followed)]
    last = min(followed, default=0)
    low = first(db, SQL.first_message)[0] or 0
    if limit is None or last - low <= limit:
        return max(low - 1, 0), last
    start = low + secrets.randbelow(last - low - limit + 1)
    return start, start + limit


def _somewhere() -> str:
    """Return a random place among identifiers."""
    return secrets.choice("aeu") + secrets.choice(FIRST_LETTERS) + secrets.choice(FIRST_LETTERS)


def _size(path: Path) -> int:
    """Return a file's size in bytes; 0 if another process has just removed it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
