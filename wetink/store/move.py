"""Move: copies a storage to another engine while servers use it, compares both, and hands over.

1. Copy all tables, and append all messages again in their order: the other engine derives the rest.
2. Compare everything, in both directions. Copy what is written meanwhile in rounds: each has what came during the last.
3. To finish, wait for a short round, and seal the source: its servers answer 503 to writers, who try again. One more
   round has the rest, so the seal lasts about as long as a round, whatever the size of the store.

A row that was written meanwhile is compared as soon as it is copied. A move that ends early goes on where it was.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from secrets import token_hex
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from wetink.core.errors import BadSettings, Conflict, StoreUnavailable
from wetink.core.identity.identifier import Claim, Identifier, claims
from wetink.ports import Cursor, Received, Record, Storage
from wetink.ports.moving import COMPLETE, MESSAGE, REPLAYED, TABLES, Change, Import, Moving, Row, Stored

SLICE, SLOW, NOTED = 1_000, 30, 10_000
"""Messages copied together, those that even a slow target stores together, and noted rows."""
ALL, ALL_ROWS = 1 << 40, "all"
FEW, SHORT_SECONDS, PATIENCE = 1_000, 2.0, 8
"""A round is short with so many messages and rows, or if it takes so long; rounds in a row that may be no shorter."""

T = TypeVar("T")
Progress: TypeAlias = Callable[[str, int, int], object]
"""Gets the name of a step, how much of it is done, and of how much."""


class Moved(msgspec.Struct):
    """The result of a move: messages and rows that are equal in both, and messages that the target knows as one.

    `finished` means that the source is sealed and the target has all of it. From the seal to the end, `seconds` went
    by and `last` messages and rows were copied.
    """

    messages: int = 0
    rows: int = 0
    merged: int = 0
    finished: bool = False
    seconds: float = 0.0
    last: int = 0


class Move:
    """One move. `into` is the storage that `target` belongs to."""

    def __init__(
        self,
        source: Moving,
        target: Moving,
        into: Storage,
        progress: Progress = lambda step, done, of: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Copy from `source` to `target`, and report progress to `progress`. `clock` returns seconds."""
        self._source, self._target, self._into, self._progress, self._clock = source, target, into, progress, clock
        self._notes: dict[str, str] = {}
        self._done = self._size = 0
        self._odd = set[tuple[str, Row]]()  # rows that differed: they may have been written meanwhile
        self._odd_messages: dict[Row, Row] = {}  # the same for messages: keys in source and target
        self._ours = deque[Stored]()  # not compared yet
        self._compared: Cursor = ""  # in the source
        self._reached: Cursor = ""  # in the target
        self._moved = Moved()

    async def run(self, *, finish: bool) -> Moved:
        """Copy and compare everything; with `finish`, hand over.

        Raises Conflict if the target has other data, if messages were replayed meanwhile, or if both differ at the end.
        Raises StoreUnavailable, also if servers write faster than their rows are copied.
        """
        await self._begin()
        for table in TABLES:
            await self._copy_table(table)
        await self._round()
        for table in TABLES:
            await self._compare_table(table)
        await self._target.complete()
        if not finish:
            await self._round()
            await self._note(state="copied")
            return self._moved
        await self._catch_up()
        begun = self._clock()
        await self._source.seal("moved")
        self._moved.last = await self._round(last=True)
        await self._target.complete()
        await self._note(state=COMPLETE)
        self._moved.seconds, self._moved.finished = self._clock() - begun, True
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
        if "sealed" in known and "from" not in self._notes:
            raise Conflict(
                "the store has moved elsewhere", hint="move from there; `--cancel` lets this one go on instead"
            )
        if self._notes.get("state") == COMPLETE:
            raise Conflict("this move is complete", hint="set WETINK_STORE to the target and start the servers")
        self._size, self._done = 3 * sum(ours.values()) - ours[MESSAGE], sum(theirs_.values())
        await self._source.begin()
        await self._note(**{"from": known["id"]})

    async def _note(self, **notes: str) -> None:
        self._notes |= notes
        await self._target.note(notes)

    def _count(self, step: str, count: int) -> None:
        self._done += count
        self._size = max(self._size, self._done)
        self._progress(step, self._done, self._size)

    async def _copy_table(self, table: str) -> None:
        """Copy the rows of a table that are not copied yet. Those that are written meanwhile are noted."""
        name = f"table {table}"
        while (place := self._notes.get(name)) != ALL_ROWS:
            keys, rows, more = await _page(self._source, table, _decoded(place) if place else None)
            if rows:
                await self._target.put(table, keys, rows)
                self._count(f"copying {table}", len(rows))
            await self._note(**{name: msgspec.msgpack.encode(keys[-1]).hex() if more else ALL_ROWS})

    async def _catch_up(self) -> None:
        """Copy what is new until a round is short. Raises StoreUnavailable if rounds do not get shorter."""
        best, tries = float("inf"), 0
        while True:
            begun = self._clock()
            count = await self._round()
            seconds = self._clock() - begun
            if count <= FEW or seconds <= SHORT_SECONDS:
                return
            best, tries = (seconds, 0) if seconds < best else (best, tries + 1)
            if tries == PATIENCE:
                what = f"servers write as fast as wetink copies: the last round had {count:,} messages and rows"
                raise StoreUnavailable(what, hint="nothing has changed; try again when there are fewer requests")

    async def _round(self, *, last: bool = False) -> int:
        """Copy and compare all that is not copied yet, but for what is written meanwhile. Returns how much there was.

        The `last` round is that of a sealed source.
        """
        messages, noted = await self._source.left(self._log)
        await self._copy_log(ALL if last else messages)
        if last:
            await self._copy_changes(ALL)
        for _ in range(0, 0 if last else noted, NOTED):
            await self._source.forget(await self._copy_changes(NOTED))
        while await self._into.projections.settle():
            pass
        await self._compare_log(whole=last)
        await self._compare_again(last=last)
        return messages + noted

    @property
    def _log(self) -> Cursor:
        """The place in the source's log up to which messages are copied."""
        return self._notes.get("log", "")

    async def _copy_log(self, most: int) -> None:
        """Append about as many of the messages that are not copied yet, if there are so many."""
        while most > 0:
            cursor, items = await self._source.log(self._log, SLICE)
            if not items:
                return
            await self._append(items)
            await self._note(log=cursor)
            self._count("copying messages", len(items))
            await self._into.projections.settle()
            most -= len(items)

    async def _append(self, items: Iterable[Stored | Import]) -> None:
        for _, some in groupby(items, key=type):
            same = list(some)
            await self._store([record_of(each) for each in same if isinstance(each, Stored)])
            for each in same:
                if isinstance(each, Import):
                    await self._into.catalog.learn(each.products, each.at)

    async def _store(self, records: Sequence[Record]) -> None:
        """Append messages, fewer at a time if the target is slow: an append waits no longer than a request does."""
        try:
            await self._into.log.append(records)
        except StoreUnavailable:
            if len(records) < SLOW:
                raise
            for some in _pages(records, len(records) // 2 + 1):
                await self._store(some)

    async def _copy_changes(self, limit: int) -> Sequence[Change]:
        """Copy noted rows, the oldest first, and compare them. Returns the notes."""
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
                await self._append(await self._source.messages(list(some), self._log))
                continue
            for page in _pages(list(some), TABLES[table].page):
                rows = await self._source.rows(table, page)
                await self._target.put(table, page, rows)
                _agree((table, key) for key in await self._different(self._target, table, page, rows))
        return changes

    async def _compare_table(self, table: str) -> None:
        """Compare all rows of a table, those of each store with those of the other."""
        for one, other in ((self._source, self._target), (self._target, self._source)):
            after: Row | None = None
            more = True
            while more:
                keys, rows, more = await _page(one, table, after)
                after = keys[-1] if keys else None
                if one is self._target:  # a replaced character may be another one in the source
                    keys = [key for key in keys if "\ufffd" not in repr(key)]
                    rows = [row for row in rows if row[: len(TABLES[table].key)] in set(keys)]
                else:
                    self._moved.rows += len(rows)
                self._odd.update((table, key) for key in await self._different(other, table, keys, rows))
                self._count(f"comparing {table}", len(rows))

    async def _different(self, other: Moving, table: str, keys: Sequence[Row], rows: Sequence[Row]) -> set[Row]:
        """Return the keys whose rows differ in the other storage."""
        ours, theirs = Counter(map(_comparable, rows)), Counter(map(_comparable, await other.rows(table, keys)))
        odd = [*(ours - theirs), *(theirs - ours)]
        places = {_comparable(key): key for key in keys}
        return {places[row[: len(TABLES[table].key)]] for row in odd}

    async def _compare_log(self, *, whole: bool) -> None:
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
                    self._odd_messages[ours.received.seq,] = (theirs.received.seq,)
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
        [duplicate] = await self._into.log.append([record_of(ours)])
        if not duplicate:
            raise _wrong(f"message {ours.received.message_id!r} was missing in the target")
        self._moved.merged += 1

    async def _compare_again(self, *, last: bool) -> None:
        """Compare what differed once more. Before the `last` round, it may have been written since it was copied."""
        odd = set[tuple[str, Row]]()
        for table in {table for table, _ in self._odd}:
            for page in _pages([key for name, key in self._odd if name == table], TABLES[table].page):
                rows = await self._source.rows(table, page)
                odd |= {(table, key) for key in await self._different(self._target, table, page, rows)}
        for ours, theirs in self._odd_messages.items():
            mine, other = (
                await self._source.messages([ours], self._compared),
                await self._target.messages([theirs], self._reached),
            )
            if [*map(_known, mine)] != [*map(_known, other)]:
                odd.add((MESSAGE, ours))
        _agree(odd if last or not odd else odd - {(each.table, each.key) for each in await self._source.changes(ALL)})
        self._odd.clear()  # they are compared again when they are copied
        self._odd_messages = {ours: theirs for ours, theirs in self._odd_messages.items() if (MESSAGE, ours) in odd}


def check_complete(notes: Mapping[str, str]) -> None:
    """Raise BadSettings if a storage with these notes is the target of a move that is not complete."""
    if "from" in notes and notes.get("state") != COMPLETE:
        raise BadSettings(
            "WETINK_STORE: a move to this store is not complete, so it lacks data",
            hint="run `wetink move FROM TO --finish`, or go on with FROM until then",
            where="WETINK_STORE",
        )


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


def _agree(odd: Iterable[tuple[str, Row]]) -> None:
    """Raise Conflict if any rows differ."""
    if differing := sorted(odd, key=repr):
        raise _wrong(f"{len(differing)} rows differ, such as that of {differing[0]!r:.100}")


def _wrong(what: str) -> Conflict:
    return Conflict(what, hint="this is an error in wetink: please report it, and move to another empty store")


def _previous(message: Received) -> Any:
    """Return an alias's previousId as received; None if it was a placeholder."""
    if any(each.code == "placeholder" and each.property == "previousId" for each in message.problems):
        return None
    said = msgspec.json.decode(message.raw)
    return said["previousId"] if said.get("previousId") is not None else said.get("previous_id")


async def _page(of: Moving, table: str, after: Row | None) -> tuple[Sequence[Row], Sequence[Row], bool]:
    """Return the next keys of a table, all of their rows, and whether there may be more."""
    count, limit = len(TABLES[table].key), TABLES[table].page
    rows = await of.page(table, after, limit)
    keys = list(dict.fromkeys(row[:count] for row in rows))
    if len(rows) < limit:
        return keys, rows, False
    return keys, [*(row for row in rows if row[:count] != keys[-1]), *await of.rows(table, keys[-1:])], True


def _pages(some: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (some[start : start + size] for start in range(0, len(some), size))


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
