"""Commit: writes one transaction: messages, events, claims and holdings.

Nothing here knows of groups, retries or connections.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from wetink.ports import Record
from wetink.store.codec import VERDICTS, encode, fingerprint, who
from wetink.store.postgresql.database import Connection
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
    for place in await _append(connection, rows):
        duplicates[place] = False
    return duplicates


async def _append(connection: Connection, rows: Sequence[Row]) -> list[int]:
    """Write the messages that are not in the log, and their events. Returns their positions in `rows`, in order.

    Two messages may have the same fingerprint. The later one then takes the next free number.
    """
    seen: set[tuple[str, str]] = set()
    left: list[tuple[int, int]] = []  # a fingerprint, and the place of the row
    for place, row in enumerate(rows):
        if (name := (row.record.source, row.record.message_id)) not in seen:
            seen.add(name)
            left.append((row.print, place))
    new: list[int] = []
    for _ in range(PROBES):
        if not left:
            break
        now = {print_: place for print_, place in reversed(left)}
        later = [(print_ + 1, place) for print_, place in left if now[print_] != place]
        columns = list(zip(*(rows[place].values for place in now.values()), strict=True))
        found = {each for (each,) in await connection.fetch(SQL.append, list(now), list(now.values()), *columns)}
        new += [now[print_] for print_ in found]
        if known := [print_ for print_ in now if print_ not in found]:
            for print_, source, message_id, *_ in await connection.fetch(SQL.stored, known):
                record = rows[now[print_]].record
                if (source, message_id) != (record.source, record.message_id):
                    later.append((print_ + 1, now[print_]))
        left = later
    return sorted(new)
