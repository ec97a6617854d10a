"""Move: copies a storage to another engine while servers use it, compares both, and hands over.

1. Copy all tables, and append all messages again in their order: the other engine derives the rest.
2. Copy what was written meanwhile, until little is left. Compare everything.
3. To finish, seal the source: its servers answer 503 to writers, who try again. Copy the rest and compare it.

A move that ends early goes on where it was. Source and target are equal at the end, row by row.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from secrets import token_hex
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from wetink.core.errors import Conflict
from wetink.core.identity.holding import Claim, claims
from wetink.core.identity.identifier import Identifier
from wetink.ports import Cursor, Received, Record, Storage
from wetink.ports.moving import MESSAGE, REPLAYED, TABLES, Import, Moving, Row, Stored

SLICE, NOTED = 1_000, 10_000
"""Messages copied together, and noted rows."""
ALL, ALL_ROWS = 1 << 40, "all"

Told: TypeAlias = Callable[[str, int, int], object]
"""Gets the name of a step, how much of it is done, and of how much."""


class Moved(msgspec.Struct):
    """The result of a move: messages and rows that are equal in both, and messages that the target knows as one.

    `finished` means that the source is sealed and the target has all of it.
    """

    messages: int = 0
    rows: int = 0
    merged: int = 0
    finished: bool = False


class Move:
    """One move. `into` is the storage that `target` belongs to."""

    def __init__(self, source: Moving, target: Moving, into: Storage, told: Told = lambda step, done, of: None) -> None:
        """Copy from `source` to `target`, and report progress to `told`."""
        self._source, self._target, self._into, self._told = source, target, into, told
        self._notes: dict[str, str] = {}
        self._done = self._size = 0
        self._rows: dict[str, set[Row]] = {}  # that were written meanwhile or differed: they are compared at the end
        self._messages: list[tuple[Row, Row]] = []  # that differed, in both
        self._ours = deque[Stored]()  # not compared yet
        self._compared: Cursor = ""  # in the source
        self._reached: Cursor = ""  # in the target
        self._moved = Moved()

    async def run(self, *, finish: bool) -> Moved:
        """Copy and compare everything; with `finish`, hand over.

        Raises Conflict if the target has other data, if messages were replayed meanwhile, or if both differ at the end.
        Raises StoreUnavailable.
        """
        await self._begin()
        for table in TABLES:
            await self._copy_table(table)
        await self._catch_up()
        for table in TABLES:
            await self._compare_table(table)
        await self._compare_log()
        await self._catch_up()
        if finish:
            await self._source.seal("moved")
        await self._copy_log("last messages")
        await self._copy_changes(ALL)
        await self._compare_log(whole=finish)
        await self._compare_again(frozenset() if finish else await self._noted())
        await self._target.complete()
        while await self._into.projections.settle():
            pass
        if finish:
            await self._compare_counts()
            self._moved.finished = True
        await self._note(state="complete" if finish else "copied")
        return self._moved

    async def _begin(self) -> None:
        for table in TABLES:
            mine, theirs = await self._source.columns(table), await self._target.columns(table)
            if tuple(mine) != tuple(theirs):
                odd = ", ".join(sorted(set(mine) ^ set(theirs)))
                raise Conflict(f"the tables {table} differ: {odd}", hint="run the same version of wetink on both")
        known = dict(await self._source.notes())
        self._notes = dict(await self._target.notes())
        if "id" not in known:
            known["id"] = token_hex(8)
            await self._source.note({"id": known["id"]})
        ours, theirs_ = await self._source.counts(), await self._target.counts()
        if self._notes.get("from", known["id"]) != known["id"] or ("from" not in self._notes and any(theirs_.values())):
            raise Conflict("the target has other data", hint="move to an empty store")
        if self._notes.get("state") == "complete":
            raise Conflict("this move is complete", hint="set WETINK_STORE to the target and start the servers")
        self._size, self._done = 2 * sum(ours.values()), sum(theirs_.values())
        await self._source.begin()
        await self._note(**{"from": known["id"]})

    async def _note(self, **notes: str) -> None:
        self._notes |= notes
        await self._target.note(notes)

    def _count(self, step: str, count: int) -> None:
        self._done += count
        self._size = max(self._size, self._done)
        self._told(step, self._done, self._size)

    async def _copy_table(self, table: str) -> None:
        """Copy the rows of a table that are not copied yet. Those that are written meanwhile are noted."""
        name, page = f"table {table}", TABLES[table].page
        while (place := self._notes.get(name)) != ALL_ROWS:
            rows = await self._source.page(table, _decoded(place) if place else None, page)
            if rows:
                await self._target.put(table, _keys(table, rows), rows)
                self._count(f"copying {table}", len(rows))
            place = ALL_ROWS if len(rows) < page else msgspec.msgpack.encode(_keys(table, rows)[-1]).hex()
            await self._note(**{name: place})

    async def _copy_log(self, step: str = "copying messages") -> int:
        """Append the messages that are not copied yet. Returns their number."""
        count, more = 0, True
        while more:
            cursor, items = await self._source.log(self._notes.get("log", ""), SLICE)
            await self._append(items)
            if items:
                await self._note(log=cursor)
                self._count(step, len(items))
            await self._into.projections.settle()
            count, more = count + len(items), len(items) >= SLICE
        return count

    async def _append(self, items: Iterable[Stored | Import]) -> None:
        for _, some in groupby(items, key=type):
            same = list(some)
            await self._into.log.append([record_of(each) for each in same if isinstance(each, Stored)])
            for each in same:
                if isinstance(each, Import):
                    await self._into.catalog.learn(each.products, each.at)

    async def _catch_up(self) -> None:
        """Copy what is new until little is left, or until it does not get less."""
        before = ALL
        while True:
            messages, changes = await self._copy_log(), await self._copy_changes(NOTED)
            if (messages < SLICE and changes < NOTED) or messages + changes >= before:
                return
            before = messages + changes

    async def _copy_changes(self, limit: int) -> int:
        """Copy noted rows, the oldest first. Returns their number."""
        changes = await self._source.changes(limit)
        keys: dict[str, dict[Row, None]] = {}
        for each in changes:
            keys.setdefault(each.table, {})[each.key] = None
        if REPLAYED in keys:
            raise Conflict(
                "messages were replayed during the move", hint="move to an empty store, and replay before or after that"
            )
        for table, some in keys.items():
            if table == MESSAGE:
                await self._append(await self._source.messages(list(some)))
                continue
            for page in _pages(list(some), TABLES[table].page):
                await self._target.put(table, page, await self._source.rows(table, page))
            self._rows.setdefault(table, set()).update(some)
        if limit != ALL:
            await self._source.forget(changes)
        return len(changes)

    async def _noted(self) -> frozenset[tuple[str, Row]]:
        return frozenset((each.table, each.key) for each in await self._source.changes(ALL))

    async def _compare_table(self, table: str) -> None:
        """Compare all rows of a table. Those that differ may be written meanwhile: they are compared at the end."""
        after: Row | None = None
        page, more = TABLES[table].page, True
        while more:
            rows = await self._source.page(table, after, page)
            keys = _keys(table, rows)
            if odd := await self._different(table, keys, rows):
                self._rows.setdefault(table, set()).update(odd)
            self._moved.rows += len(rows)
            self._count(f"comparing {table}", len(rows))
            after, more = keys[-1] if keys else None, len(rows) >= page

    async def _different(self, table: str, keys: Sequence[Row], rows: Sequence[Row]) -> set[Row]:
        """Return the keys whose rows differ."""
        ours, theirs = Counter(map(_comparable, rows)), Counter(map(_comparable, await self._target.rows(table, keys)))
        odd = [*(ours - theirs), *(theirs - ours)]
        places = {_comparable(key): key for key in keys}
        return {places[row[: len(TABLES[table].key)]] for row in odd}

    async def _compare_log(self, *, whole: bool = False) -> None:
        """Compare the messages that are copied and not compared yet. With `whole`, the source has no others."""
        while True:
            self._reached, items = await self._target.log(self._reached, SLICE)
            if not items:
                break
            for each in items:
                if isinstance(each, Stored):
                    await self._compare_message(each)
            self._count("comparing messages", len(items))
        while whole and (ours := await self._next_message()) is not None:
            await self._merge(ours)

    async def _compare_message(self, theirs: Stored) -> None:
        while (ours := await self._next_message()) is not None:
            if _id(ours) == _id(theirs):
                self._moved.messages += 1
                if _known(ours) != _known(theirs):
                    self._messages.append(((ours.received.seq,), (theirs.received.seq,)))
                return
            await self._merge(ours)
        raise _wrong(f"message {theirs.received.message_id!r} is not in the source")

    async def _next_message(self) -> Stored | None:
        """Return the next message of the source that is not compared yet."""
        while not self._ours:
            self._compared, items = await self._source.log(self._compared, SLICE)
            self._ours.extend(each for each in items if isinstance(each, Stored))
            if not items:
                return None
        return self._ours.popleft()

    async def _merge(self, ours: Stored) -> None:
        """Check that the target knows a message as a repetition: engines remember message IDs for different times."""
        [receipt] = await self._into.log.append([record_of(ours)])
        if not receipt.duplicate:
            raise _wrong(f"message {ours.received.message_id!r} was missing in the target")
        self._moved.merged += 1

    async def _compare_again(self, noted: Collection[tuple[str, Row]]) -> None:
        """Compare what was written meanwhile, except for rows that were noted after they were copied."""
        for table, keys in self._rows.items():
            for page in _pages([key for key in keys if (table, key) not in noted], TABLES[table].page):
                if odd := await self._different(table, page, await self._source.rows(table, page)):
                    raise _wrong(f"{len(odd)} rows of {table} differ, such as {min(odd)!r:.100}")
        for ours, theirs in self._messages:
            mine, other = await self._source.messages([ours]), await self._target.messages([theirs])
            if (MESSAGE, ours) not in noted and [*map(_known, mine)] != [*map(_known, other)]:
                raise _wrong(f"message {ours[0]!r} differs")

    async def _compare_counts(self) -> None:
        """Compare the numbers of rows. Raises Conflict."""
        ours, theirs = dict(await self._source.counts()), await self._target.counts()
        ours[MESSAGE] -= self._moved.merged
        for table, count in ours.items():
            if count != theirs[table]:
                raise _wrong(f"{table} has {count:,} rows in the source and {theirs[table]:,} in the target")


def record_of(stored: Stored) -> Record:
    """Return the record that a message was stored with."""
    message, event = stored.received, stored.event
    made: tuple[Claim, ...] = ()
    joins = None
    if event is not None:
        user = Identifier("user", event.user) if event.user else None
        email = Identifier("email", event.email) if event.email else None
        anonymous = Identifier("anonymous", event.anonymous) if event.anonymous else None
        previous = _previous(message) if event.type == "alias" else None
        ours = event.at, event.source, event.message_id, event.level
        made, joins = claims(event.type, user, email, anonymous, previous, *ours)
    kept = message.source, message.message_id, message.received, stored.sent_at_key, message.raw
    return Record(*kept, message.verdict, message.problems, message.filed, event, made, joins)


def _wrong(what: str) -> Conflict:
    return Conflict(what, hint="this is an error in wetink: please report it, and move to another empty store")


def _previous(message: Received) -> Any:
    """Return an alias's previousId as received; None if it was a placeholder."""
    if any(each.code == "placeholder" and each.property == "previousId" for each in message.problems):
        return None
    said = msgspec.json.decode(message.raw)
    return said["previousId"] if said.get("previousId") is not None else said.get("previous_id")


def _keys(table: str, rows: Iterable[Row]) -> list[Row]:
    count = len(TABLES[table].key)
    return list(dict.fromkeys(row[:count] for row in rows))


def _pages(keys: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _comparable(row: Row) -> Row:
    """Return a row with the texts that every engine stores."""
    return tuple(value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row)


def _id(stored: Stored) -> tuple[str, str]:
    return stored.received.source, stored.received.message_id


def _known(stored: Stored) -> Stored:
    """Return a message without its position, which differs."""
    return replace(stored, received=replace(stored.received, seq=0))


def _decoded(place: str) -> Row:
    return tuple(msgspec.msgpack.decode(bytes.fromhex(place)))
