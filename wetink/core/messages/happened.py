"""Happened: when a message happened, by all the times it carries, and what could not be made of them."""

from typing import Any

from wetink.core.events.clock import YEAR_2000, believed, corrected, parse
from wetink.core.events.message import Message
from wetink.core.events.verdict import Problem, problem

RECEIPT_COUNTS, NOT_CORRECTED = ", so the time of receipt counts", ", so the sender's clock is not corrected"


def happened(message: Message, received: int, noted: list[Problem], relayed: bool = False) -> tuple[int, int | None]:
    """Return when a message happened by our clock, and its own time by the client's, if it has one (Unix ms).

    `timestamp` beside `originalTimestamp` was corrected by a relay, and so was that of a `relayed` message; alone,
    either is the client's own. What cannot be read or believed is added to `noted`.
    """
    timestamp = _read(noted, "timestamp", message.timestamp) if message.timestamp is not None else None
    original = (
        _read(noted, "originalTimestamp", message.originalTimestamp) if message.originalTimestamp is not None else None
    )
    said = timestamp if timestamp is not None else original
    if timestamp is not None and (original is not None or relayed):
        at = corrected(timestamp, None, received)
    else:
        told = message.sentAt if message.sentAt is not None else message.sent_at
        sent = _read(noted, "sentAt", told) if told is not None else None
        before = parse(message.receivedAt) if message.receivedAt is not None else None
        at = corrected(said, sent, received, before)
        if sent is not None and said is not None and sent < YEAR_2000 <= said:
            noted.append(problem("unlikely_time", "sentAt", NOT_CORRECTED))
    if said is not None and at == received != said and not believed(said, received):
        place = "timestamp" if timestamp is not None else "originalTimestamp"
        noted.append(problem("unlikely_time", place, RECEIPT_COUNTS))
    return at, original if original is not None else timestamp


def _read(noted: list[Problem], place: str, value: Any) -> int | None:
    """Return a time of the message; one that cannot be read is told of."""
    at = parse(value)
    if at is None and value != "":
        noted.append(problem("unreadable_time", place, NOT_CORRECTED if place == "sentAt" else RECEIPT_COUNTS))
    return at
