"""Commit: writes one transaction: messages, events, claims and holdings.

Nothing here knows of groups, retries or connections.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.ports import Record
from wetink.store.codec import VERDICTS, decode_event, encode, fingerprint, who
from wetink.store.postgresql.database import Connection
from wetink.store.postgresql.identity import Identities
from wetink.store.queries import queries

SQL = queries(__package__, "log_queries.sql")

PROBES = 8
"""Fingerprints of a message that are tried if others have the same: 64 bits meet once in billions of messages."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record prepared for the database. `values` has its columns in the order of `append_messages`."""

    record: Record
    print: int
    values: tuple[Any, ...]

    @property
    def name(self) -> tuple[str, str]:
        """Its source and message id."""
        return (self.record.source, self.record.message_id)

    @property
    def who(self) -> str:
        """The column value of the identifier it is filed under."""
        column: str = self.values[7]
        return column

    @property
    def at(self) -> int:
        """Its time, in Unix ms."""
        at: int = self.values[8]
        return at


def prepare(record: Record) -> Row:
    """Encode a record's event."""
    event = record.event
    return Row(
        record,
        fingerprint(record.source, record.message_id),
        (
            record.received,
            record.source,
            record.message_id,
            VERDICTS.index(record.verdict),
            encode(record.problems) if record.problems else None,
            event.type if event is not None else "",
            event.name if event is not None else "",
            who(record.filed),
            event.at if event is not None else record.received,
            record.sent_at_key,
            record.raw,
            event is not None and event.level == "browser",
            encode(event) if event is not None and record.filed is not None else None,
        ),
    )


async def write(connection: Connection, rows: Sequence[Row]) -> list[bool]:
    """Write the rows and their claims. Returns for each whether it was a duplicate."""
    duplicates = [True] * len(rows)
    stored = await _append(connection, rows)
    for place in stored.new:
        duplicates[place] = False
    earlier = await _earlier_copies(connection, rows, stored) if len(stored.new) < len(rows) else []
    identities = Identities(connection)
    await identities.make([rows[place].record for place in stored.new])
    for print_, at, row in earlier:
        await _move(connection, identities, print_, at, row)
    return duplicates


class Stored(msgspec.Struct):
    """The positions of new messages, in order, and the fingerprint of each message by its source and id."""

    new: list[int] = []
    prints: dict[tuple[str, str], int] = {}


async def _append(connection: Connection, rows: Sequence[Row]) -> Stored:
    """Write the messages that are not in the log, and their events.

    Two messages may have the same fingerprint. The later one then takes the next free number.
    """
    stored = Stored()
    left: list[tuple[int, int]] = []  # a fingerprint, and the place of the row
    for place, row in enumerate(rows):
        if row.name not in stored.prints:
            stored.prints[row.name] = row.print
            left.append((row.print, place))
    for _ in range(PROBES):
        if not left:
            break
        now = {print_: place for print_, place in reversed(left)}
        later = [(print_, place) for print_, place in left if now[print_] != place]
        columns = list(zip(*(rows[place].values for place in now.values()), strict=True))
        new = {each for (each,) in await connection.fetch(SQL.append, list(now), list(now.values()), *columns)}
        stored.new += [now[print_] for print_ in new]
        if known := [print_ for print_ in now if print_ not in new]:
            for print_, *name in await connection.fetch(SQL.names_of, known):
                if tuple(name) != rows[now[print_]].name:
                    later.append((print_, now[print_]))
        left = [(_next(print_), place) for print_, place in later]
        stored.prints.update((rows[place].name, print_) for print_, place in left)
    stored.new.sort()
    return stored


def _next(print_: int) -> int:
    """Return the next fingerprint, of 64 bits with a sign."""
    return print_ + 1 if print_ < (1 << 63) - 1 else -(1 << 63)


async def _earlier_copies(connection: Connection, rows: Sequence[Row], stored: Stored) -> list[tuple[int, int, Row]]:
    """Return the copies that lower the time of their message: its fingerprint, its time before, and the copy.

    The smallest corrected time of a message counts, in whatever order its copies came. A copy with a different time of
    its own, or for somebody else, changes nothing: the first one stays. The messages are locked.
    """
    new = {*stored.new}
    copies: dict[int, Row] = {}
    for place, row in enumerate(rows):
        print_ = stored.prints[row.name]
        if place in new or row.record.event is None:
            continue
        if print_ not in copies or row.at < copies[print_].at:
            copies[print_] = row
    columns = [(print_, row.at, row.who, row.record.sent_at_key) for print_, row in copies.items()]
    if not columns:
        return []
    found = await connection.fetch(SQL.lock_later, *zip(*columns, strict=True))
    return [(print_, at, copies[print_]) for print_, at in found]


async def _move(connection: Connection, identities: Identities, print_: int, at: int, row: Row) -> None:
    """Give a message the time of a copy, in its event and its claims."""
    record = row.record
    await identities.lock(who(claim.weaker) for claim in record.claims)
    body = await connection.fetchval(SQL.event, row.who, at, print_)
    if body is None:
        return
    moved = encode(replace(decode_event(body), at=row.at))
    await connection.execute(SQL.move_event, row.who, at, print_, row.at, moved)
    await connection.execute(SQL.move_message, print_, row.at)
    await identities.unclaim(record.claims, at)
    await identities.make([record])
