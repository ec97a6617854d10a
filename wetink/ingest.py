"""Ingest: from the bytes of a request to messages on the disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from wetink.core.clock import parse
from wetink.core.errors import BadRequest
from wetink.core.event import Level
from wetink.core.message import BATCH, BEHAVIORAL, Door, Piece, pieces, write_key
from wetink.core.normalize import normalize
from wetink.ports import Log, Receipt, Record, Source

__all__ = ["BATCH", "BEHAVIORAL", "Door", "Ingest", "check_line", "record", "write_key"]

logger = logging.getLogger(__name__)

SLICE = 100
"""Messages normalized before an open gets its turn: about a millisecond."""

LARGE = 64 * 1024
"""Bytes from which on a body is read in slices."""

ONE_LINE = Door(body_bytes=1 << 20, message_bytes=64 * 1024)


class Ingest:
    """Takes requests in. Nothing is acknowledged that is not on the disk."""

    def __init__(self, log: Log) -> None:
        """Write to `log`."""
        self._log = log
        self._turn = asyncio.Lock()  # one large body is read at a time
        self.on_appended: list[Callable[[Sequence[Record]], None]] = []

    async def receive(self, body: bytes, source: Source, door: Door, now: int) -> Sequence[Receipt]:
        """Take a request's body; return what became of each of its messages once they are on the disk.

        `now` is Unix ms. Raises BadRequest and TooLarge for a body that is not what this door takes, StoreUnavailable
        when nothing was written.
        """
        if len(body) < LARGE:
            records = [self._record(piece, source, door, now) for piece in pieces(body, door)[0]]
        else:
            async with self._turn:
                records = await self._records(body, source, door, now)
        receipts = await self._log.append(records)
        for told in self.on_appended:
            told(records)
        return receipts

    async def _records(self, body: bytes, source: Source, door: Door, now: int) -> list[Record]:
        """Read a large body a slice at a time, so that opens get their turn."""
        found, _ = pieces(body, door)
        records: list[Record] = []
        for start in range(0, len(found), SLICE):
            await asyncio.sleep(0)
            records += [self._record(piece, source, door, now) for piece in found[start : start + SLICE]]
        return records

    @staticmethod
    def _record(piece: Piece, source: Source, door: Door, now: int) -> Record:
        return record(piece, source.name, source.level, now, relayed=door.relayed)


def record(piece: Piece, source: str, level: Level, now: int, *, relayed: bool = False) -> Record:
    """Return the record of one message received at `now` (Unix ms)."""
    normal = normalize(piece, source=source, level=level, received=now, relayed=relayed)
    return Record(
        source,
        normal.message_id,
        now,
        normal.own_time,
        piece.raw,
        normal.verdict,
        normal.problems,
        normal.filed,
        normal.event,
        normal.claims,
        normal.joins,
    )


def check_line(line: bytes, now: int) -> dict[str, Any]:
    """Return the verdict on one JSON message, as if it came now (Unix ms), or when its `receivedAt` says."""
    try:
        found, _ = pieces(line.strip(), ONE_LINE)
    except BadRequest as error:
        hint = f"{error} ({error.where})" if error.where else str(error)
        problem = {"code": "unreadable", "property": "", "hint": hint}
        return {"messageId": None, "event": None, "verdict": "parked", "problems": [problem]}
    piece = found[0]
    received = parse(piece.message.receivedAt) if piece.message is not None else None
    normal = normalize(piece, source="check", level="server", received=received or now)
    message = piece.message
    name = normal.event.name if normal.event is not None else ""
    if not name and message is not None:
        name = message.event if isinstance(message.event, str) else ""
    given = message is not None and (message.messageId is not None or message.message_id is not None)
    return {
        "messageId": normal.message_id if given else None,
        "event": name or (normal.event.type if normal.event is not None else None),
        "verdict": normal.verdict,
        "problems": msgspec.to_builtins(normal.problems),
    }
