"""Tail: the part of the log that the catalog does not contain yet, as one process has read it.

The products that a turn of the event loop asks for are read in one statement, since a trip costs the most.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from wetink.core.catalog.catalog import (
    MOST_BEHIND,
    Change,
    Current,
    Facts,
    Held,
    Pending,
    Placed,
    Statement,
    statements,
    unnamed,
)
from wetink.store.codec import decode_event, decode_facts, unpack
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

SQL = queries(__package__, "catalog_queries.sql")

PAUSE_SECONDS = 1.0
"""How long reads leave the log out after it was found to be further ahead than `MOST_BEHIND`, in seconds."""
PLACE, END, ALIAS, FACTS, CHANGE, EVENT, IMPORT = range(7)
"""Kinds of rows of `SQL.read`."""
_SEQ = itemgetter(0)


class Answer(NamedTuple):
    """What one read found: the catalog's place and its data of some products, and new statements beyond the place.

    `skus` are those of the new statements' product ids.
    """

    seq: int
    state: tuple[int, int]
    end: int
    messages: int
    stored: Held
    changes: Mapping[str, Sequence[Change]]
    new: Sequence[Placed]
    skus: Mapping[str, str]


class View(NamedTuple):
    """The data of some products. `whole` means that it includes the whole log."""

    now: Current
    stored: Mapping[str, Sequence[Change]]
    whole: bool

    def changes_of(self, key: str) -> Sequence[Change]:
        """Return the newest changes of a product, oldest first."""
        sku = self.now.skus.get(key, key)
        return self.now.changes(sku, self.stored.get(sku, ()))


class _Turn(NamedTuple):
    """The products that the calls of one turn ask for, and the view that they share."""

    names: set[str]
    view: asyncio.Task[View]


class Tail:
    """The log's statements beyond the catalog. Each is read once.

    Those below `_end` are complete. Beyond it, transactions become visible in any order: `_known` are the positions
    read there. Only reads at `_from` or later find all that they need.
    """

    def __init__(self, database: Database) -> None:
        """Start without statements."""
        self._database = database
        self._turns: dict[int, _Turn] = {}  # by the number of changes
        self._paused_until = 0.0
        self._epoch = 0
        self._reset((0, 0))

    def _reset(self, state: tuple[int, int]) -> None:
        """Start over, in a state of the catalog: its build, and the number of writes out of turn."""
        self._epoch += 1
        self._state = state
        self._end = self._from = 0
        self._known: set[int] = set()
        self._skus: dict[str, str] = {}
        self._put([])

    def _put(self, said: list[Placed]) -> None:
        self._said, self._pending = said, Pending()
        self._pending.add(said, self._skus)

    async def current(self, keys: Collection[str], changes: int = 0) -> View:
        """Return the data of these products, perhaps of others as well, and so many of their changes.

        Every acknowledged message is included.
        """
        turn, loop = self._turns.get(changes), asyncio.get_running_loop()
        if turn is None or turn.view.get_loop() is not loop:  # that of an earlier loop ended with it
            names = set[str]()
            turn = self._turns[changes] = _Turn(names, loop.create_task(self._current(names, changes)))
        turn.names.update(key for key in keys if is_text(key))
        try:
            return await asyncio.shield(turn.view)
        finally:
            del turn  # its error keeps this frame: a cycle

    async def _current(self, names: set[str], changes: int) -> View:
        del self._turns[changes]  # later calls may need a later read
        loop = asyncio.get_running_loop()
        while True:
            epoch, limit = self._epoch, MOST_BEHIND + 1 if loop.time() >= self._paused_until else 0
            answer = await self._read(names, changes, limit)
            if not limit or answer.messages > MOST_BEHIND:
                self._paused_until = loop.time() + PAUSE_SECONDS if limit else self._paused_until
                return View(Current(answer.stored.facts, answer.stored.skus), answer.changes, whole=False)
            if epoch == self._epoch and (answer.state != self._state or answer.seq < self._from):
                self._reset(answer.state)
            if epoch != self._epoch:
                continue
            self._add(answer)
            if (wanted := self._pending.names(names)) != names:
                names = wanted
                continue
            return View(self._pending.current(names, answer.stored, answer.seq), answer.changes, whole=True)

    def _add(self, answer: Answer) -> None:
        """Add the new statements of an answer, and drop those that the catalog contains."""
        self._skus.update(answer.skus)
        new = [each for each in answer.new if each[0] >= self._end and each[0] not in self._known]
        self._end = max(self._end, answer.end)
        self._known = {seq for seq in self._known.union(seq for seq, _ in new) if seq >= self._end}
        if self._said and (answer.seq >= self._said[-1][0] or len(self._said) > 2 * MOST_BEHIND):
            self._put([each for each in self._said if each[0] > answer.seq])
            self._from = answer.seq
        if new and self._said and new[0][0] < self._said[-1][0]:
            self._put(sorted([*self._said, *new], key=_SEQ))
        else:
            self._said += new
            self._pending.add(new, self._skus)

    async def _read(self, names: Collection[str], changes: int, limit: int) -> Answer:
        async def work(db: Connection) -> Answer:
            rows = await db.fetch(SQL.read, list(names), changes, self._end - 1, list(self._known), limit)
            new = _said(rows)
            lacking = [key for key in dict.fromkeys(unnamed(new)) if is_text(key) and key not in self._skus]
            skus = dict(await db.fetch(SQL.skus, lacking, rows[0]["at"])) if lacking else {}
            return _answer(rows, new, skus)

        return await self._database.read("reading the catalog", work)


def _said(rows: Sequence[Any]) -> list[Placed]:
    """Return the statements of messages and imports, in the order of the log."""
    found: list[tuple[int, list[Statement]]] = []
    for row in rows:
        if row["kind"] == EVENT:
            found.append((row["seq"], statements((decode_event(row["body"]),))))
        elif row["kind"] == IMPORT:
            found.append((row["seq"], [(row["at"], each) for each in unpack(row["body"])]))
    return [(seq, each) for seq, some in sorted(found, key=_SEQ) for each in some]


def _answer(rows: Sequence[Any], new: Sequence[Placed], aliases: Mapping[str, str]) -> Answer:
    skus: dict[str, str] = {}
    facts: dict[str, Facts] = {}
    changes: dict[str, list[Change]] = {}
    place = end = rows[0]
    for row in rows:
        kind = row["kind"]
        if kind == PLACE:
            place = row
        elif kind == END:
            end = row
        elif kind == ALIAS:
            skus[row["key"]] = row["word"]
        elif kind == FACTS:
            facts[row["key"]] = decode_facts(row["body"])
        elif kind == CHANGE:
            changes.setdefault(row["key"], []).append(Change(row["at"], row["price"], row["word"], row["stock"]))
    state = place["at"], place["stock"]
    return Answer(place["seq"], state, end["seq"], end["stock"], Held(facts, skus), changes, new, aliases)


def is_text(value: str) -> bool:
    """Return whether PostgreSQL stores a text: it has no NUL and no lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
