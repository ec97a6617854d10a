"""Crowd: all profiles in one state of the log, and those that have changed after a cursor.

The port blocks, and it is used in threads and processes of its own. So a snapshot has its own connection, and its own
thread with an event loop that runs during a call.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.ports.audiences import Changes, ProfileEvents
from wetink.store.codec import PARKED, events, identifier, who
from wetink.store.postgresql.address import Address
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.errors import translated
from wetink.store.postgresql.replicas import caught_up
from wetink.store.queries import queries

SQL = queries(__package__, "crowd_queries.sql")
T = TypeVar("T")
Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]
"""Returns the result of a coroutine."""

EVER = FOREVER - 1
AT_ONCE = 5_000
"""Events decoded at once, and identifiers looked up at once."""
ROOTS = 200
"""Profiles read at once."""
COUNTED = 20_000
"""Messages up to which the size of the log is counted. Beyond, the statistics of the table are near enough."""


@contextmanager
def open_crowd_log(address: str) -> Iterator["PostgresCrowdLog"]:
    """Open a snapshot of a database as a `ports.audiences.CrowdLog`: of a replica, if one has caught up.

    Raises StoreUnavailable.
    """
    with ThreadPoolExecutor(1, "wetink-crowd") as thread:
        runner = asyncio.Runner()

        def run(work: Coroutine[Any, Any, T]) -> T:
            with translated("following the log"):
                return thread.submit(runner.run, work).result()

        copy = run(caught_up(Address(address))) if Address(address).replicas else None
        database, opened = Database(copy or address, copy=copy is not None), AsyncExitStack()
        try:
            yield PostgresCrowdLog(run(opened.enter_async_context(database.snapshot("following the log"))), run)
        finally:
            run(opened.aclose())
            run(database.close())
            thread.submit(runner.close).result()


class PostgresCrowdLog:
    """`ports.audiences.CrowdLog` over the transaction of a connection. A cursor has the log's id and a position."""

    def __init__(self, connection: Connection, run: Run) -> None:
        """Read from `connection` by calls that `run` waits for."""
        self._db, self._run = connection, run
        self._end, log, self._about = self._fetch(SQL.state)[0]
        self._log = log.hex

    def _fetch(self, query: str, *given: object) -> list[Any]:
        found: list[Any] = self._run(self._db.fetch(query, *given))
        return found

    @property
    def cursor(self) -> str:
        return f"{self._log}-{self._end}"

    @property
    def size(self) -> int:
        [[counted]] = self._fetch(SQL.count, COUNTED)
        return int(counted) if counted < COUNTED else max(COUNTED, int(self._about))

    def changes(self, after: str, limit: int) -> Changes | None:
        log, _, place = after.rpartition("-")
        if log != self._log or self._fetch(SQL.news, int(place), limit + 1)[0][0] > limit:
            return None
        changed = self._fetch(SQL.changed, int(place))
        moved = {column for column, *_ in changed} | self._identifiers([row[1:] for row in changed])
        return Changes(self._with_claimed_by_pages(self._carried(int(place))), self._with_claimed_by_pages(moved))

    def _carried(self, place: int) -> set[str]:
        """Return the identifiers of the messages from a position on."""
        found: set[str] = set()
        while rows := self._fetch(SQL.events_from, place, AT_ONCE):
            found |= self._identifiers([row[1:] for row in rows])
            place = rows[-1][0] + 1
        return found

    def _identifiers(self, rows: Iterable[tuple[str, bytes | None]]) -> set[str]:
        """Return the identifiers that these events are filed under and carry, and the users that their aliases join."""
        rows = list(rows)
        found = {column for column, _ in rows}
        aliased: set[str] = set()
        for event in events([body for _, body in rows if body is not None]):
            carried = (("u", event.user), ("e", event.email), ("a", event.anonymous))
            found.update(kind + value for kind, value in carried if value)
            if event.type == "alias" and event.user:
                aliased.add(f"u{event.user}")
        for (member,) in self._fetch(SQL.groups_of, list(aliased)) if aliased else ():
            found |= {member, f"a{member[1:]}"}
        return found - {PARKED}

    def _with_claimed_by_pages(self, columns: set[str]) -> frozenset[Identifier]:
        """Add the identifiers that pages claimed for these: a server's message about them weakens such claims."""
        weaker = {column for some in _slices(columns) for (column,) in self._fetch(SQL.claimed_by_pages, some)}
        return frozenset(map(identifier, columns | weaker))

    def owners(self, identifiers: Iterable[Identifier]) -> set[Identifier]:
        columns = map(who, identifiers)
        return {identifier(root) for some in _slices(columns) for (root,) in self._fetch(SQL.owners, some, EVER)}

    def profiles(self, roots: Iterable[Identifier] | None = None) -> Iterator[ProfileEvents]:
        for some in _slices(self._everyone() if roots is None else map(who, roots), ROOTS):
            found: dict[str, tuple[dict[str, None], list[bytes]]] = {}
            for root, column, body in self._fetch(SQL.profiles, some, EVER):
                columns, bodies = found.setdefault(root, ({}, []))
                columns[column] = None
                if body is not None:
                    bodies.append(body)
            for root, (columns, bodies) in found.items():
                if bodies:
                    yield ProfileEvents(identifier(root), [*map(identifier, columns)], events(bodies))

    def _everyone(self) -> Iterator[str]:
        """Yield the root of every profile with events."""
        joined: set[str] = set()
        for column, root, shared in self._pages(SQL.filed):
            if column == PARKED or (column[0] != "u" and root != column) or root in joined:
                continue
            joined |= {root} if shared else set()
            yield root
        for column, root, shared, filed in self._pages(SQL.owning):
            if filed or (column[0] != "u" and root != column) or root in joined:
                continue
            joined |= {root} if shared else set()
            yield root

    def _pages(self, query: str) -> Iterator[Any]:
        last = ""
        while rows := self._fetch(query, last, EVER, AT_ONCE):
            yield from rows
            last = rows[-1][0]


def _slices(columns: Iterable[str], size: int = AT_ONCE) -> Iterator[list[str]]:
    left = iter(columns)
    while some := list(islice(left, size)):
        yield some
