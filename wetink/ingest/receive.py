"""Ingest: turns the bytes of a request into messages on disk."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from time import perf_counter
from typing import Any

import msgspec

from wetink.core.errors import BadRequest
from wetink.core.events.clock import parse
from wetink.core.events.event import Problem
from wetink.core.events.message import BATCH, BEHAVIORAL, Endpoint, Piece, pieces, write_key
from wetink.core.messages.mapping import Mappings
from wetink.core.messages.normalize import normalize
from wetink.core.text.placeholder import USUAL, Placeholders
from wetink.ports import Inbox, Record, Source
from wetink.telemetry.metrics import APPEND, MESSAGES
from wetink.telemetry.request import CURRENT, Request, step

__all__ = ["BATCH", "BEHAVIORAL", "Endpoint", "Ingest", "check_body", "write_key"]

logger = logging.getLogger(__name__)

SLICE = 100
"""Messages normalized before an open gets its turn, which takes about a millisecond."""

LARGE = 64 * 1024
"""Size of a body, in bytes, from which it is read in slices."""

ONE_LINE = Endpoint(body_bytes=1 << 20, message_bytes=64 * 1024)
ANY_BODY = Endpoint(several="events", alone=True, body_bytes=1 << 30, message_bytes=64 * 1024, count=1 << 20)
"""Limits for bodies that are checked and not stored."""


OnResult = Callable[[Sequence[bool] | Exception], object]
"""Receives for each message of a request whether it is a duplicate, or the error if nothing was written."""


class _Request(msgspec.Struct, frozen=True, eq=False):
    """A small request that waits to be read and written with others."""

    body: bytes
    source: Source
    endpoint: Endpoint
    now: int
    on_result: OnResult
    origin: Request

    def fail(self, error: Exception) -> None:
        """Answer with an error. A line that the answer logs has this request's ID."""
        CURRENT.set(self.origin)
        self.on_result(error)


class Ingest:
    """Turns requests into stored messages. Nothing is acknowledged before it is on disk.

    Small requests of the same turn of the event loop are read one after the other and written together. Running the
    same few functions in a row takes half the time.
    """

    def __init__(self, log: Inbox, known: Placeholders = USUAL) -> None:
        """Write to `log`. `known` are the placeholders, which identify nobody."""
        self.known = known
        self._log = log
        self._turn = asyncio.Lock()  # one large body is read at a time
        self._arrived: list[_Request] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self.on_appended: Callable[[], None] = lambda: None
        """Called after messages were stored."""
        self.mappings: Mappings | None = None

    async def receive(self, body: bytes, source: Source, endpoint: Endpoint, now: int) -> Sequence[bool]:
        """Store the messages of a request's body. Returns whether each is a duplicate, once they are on disk.

        `now` is Unix ms. Raises BadRequest and TooLarge for a body that this endpoint rejects, and StoreUnavailable if
        nothing was written.
        """
        if len(body) < LARGE:
            answer: asyncio.Future[Sequence[bool]] = asyncio.get_running_loop().create_future()
            self.take(body, source, endpoint, now, partial(_settle, answer))
            return await answer
        async with self._turn:
            begun = perf_counter()
            records = await self._records(body, source, endpoint, now)
            step("parse", begun)
        begun = perf_counter()
        duplicates = await self._append(records)
        step("append", begun)
        return duplicates

    async def _append(self, records: Sequence[Record]) -> Sequence[bool]:
        begun = perf_counter()
        try:
            duplicates = await self._log.append(records)
        except Exception:
            MESSAGES["failed"].add(len(records))
            raise
        APPEND.since(begun)
        outcomes = Counter[str]([record.verdict for record in records])
        if any(duplicates):
            outcomes = Counter(
                "duplicate" if again else each.verdict for each, again in zip(records, duplicates, strict=True)
            )
        for outcome, count in outcomes.items():
            MESSAGES[outcome].add(count)
        self.on_appended()
        return duplicates

    def take(self, body: bytes, source: Source, endpoint: Endpoint, now: int, on_result: OnResult) -> None:
        """Store a small body as `receive` does; `on_result` gets the result. Call it in the event loop."""
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._loop = asyncio.get_running_loop()  # costs a system call, so not for every request
            self._arrived = []  # requests of an earlier loop ended with it
        self._arrived.append(_Request(body, source, endpoint, now, on_result, CURRENT.get()))
        if len(self._arrived) == 1:
            loop.call_soon(self._take_in)

    def _take_in(self) -> None:
        """Read the requests of this turn and start writing them."""
        arrived, self._arrived = self._arrived, []
        group: list[tuple[_Request, list[Record]]] = []
        for request in arrived:
            try:
                CURRENT.set(request.origin)
                group.append((request, self._read(request)))
            except Exception as error:
                request.fail(error)
        if group:
            task = asyncio.get_running_loop().create_task(self._written(group))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    def _read(self, request: _Request) -> list[Record]:
        trace = request.origin.trace
        begun = perf_counter() if trace is not None else 0.0
        found, _ = pieces(request.body, request.endpoint)
        records = [self._record(each, request.source, request.endpoint, request.now) for each in found]
        if trace is not None:
            trace.step("parse", begun, perf_counter())
        return records

    async def _written(self, group: Sequence[tuple[_Request, list[Record]]]) -> None:
        """Write the messages of several requests. If that fails, write each alone, so that none stops the others."""
        begun = perf_counter()
        try:
            duplicates = await self._append([record for _, records in group for record in records])
        except Exception as error:
            if len(group) == 1:
                group[0][0].fail(error)
            else:
                await asyncio.gather(*(self._written([alone]) for alone in group))
            return
        start = 0
        for request, records in group:
            if request.origin.trace is not None:
                request.origin.trace.step("append", begun, perf_counter())
            request.on_result(duplicates[start : start + len(records)])
            start += len(records)

    async def _records(self, body: bytes, source: Source, endpoint: Endpoint, now: int) -> list[Record]:
        """Read a large body in slices, so that opens get their turn."""
        found, _ = pieces(body, endpoint)
        records: list[Record] = []
        for start in range(0, len(found), SLICE):
            await asyncio.sleep(0)
            records += [self._record(piece, source, endpoint, now) for piece in found[start : start + SLICE]]
        return records

    def _record(self, piece: Piece, source: Source, endpoint: Endpoint, now: int) -> Record:
        try:
            if self.mappings is not None:
                piece = self.mappings.applied(piece, source.name, now)
            verification = source.verification if source.level == "browser" else None
            return normalize(piece, source.name, source.level, now, endpoint.relayed, self.known, verification)
        except Exception:  # one message; the others of its request are stored
            return self._parked(piece, source, now)

    def _parked(self, piece: Piece, source: Source, now: int) -> Record:
        """Return the record of an unreadable message. It is stored, and a replay reads it again."""
        logger.exception("a message cannot be read")
        message_id = f"unread-{blake2b(piece.raw, digest_size=12).hexdigest()}"
        problem = Problem(
            "unreadable", "", "wetink could not read this message; it is kept: see the log, then replay it"
        )
        return Record(source.name, message_id, now, 0, piece.raw, "parked", (problem,))


def _settle(answer: asyncio.Future[Sequence[bool]], outcome: Sequence[bool] | Exception) -> None:
    """Pass a result to a sender that still waits."""
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def check_body(
    body: bytes,
    now: int,
    mappings: Mappings | None = None,
    source: str = "check",
    known: Placeholders = USUAL,
    *,
    endpoint: Endpoint = ANY_BODY,
) -> list[dict[str, Any]]:
    """Return the verdict on each message of a body: one message, a list of them, or a batch."""
    body = body.strip()
    if endpoint.several and body.startswith(b"["):
        body = b'{"batch":' + body + b"}"
    try:
        found, _ = pieces(body, endpoint)
    except BadRequest as error:
        hint = f"{error} ({error.where})" if error.where else str(error)
        problem = {"code": "unreadable", "property": "", "hint": hint}
        return [{"messageId": None, "event": None, "verdict": "parked", "problems": [problem]}]
    return [_checked(piece, now, mappings, source, known) for piece in found]


def _checked(piece: Piece, now: int, mappings: Mappings | None, source: str, known: Placeholders) -> dict[str, Any]:
    received = parse(piece.message.receivedAt) if piece.message is not None else None
    if mappings is not None:
        piece = mappings.applied(piece, source, received or now)
    normal = normalize(piece, source=source, level="server", received=received or now, known=known)
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
