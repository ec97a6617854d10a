"""Simulation: made-up messages as events, by the same steps as real ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.errors import BadContent, BadRequest
from wetink.core.events.clock import parse as time_of
from wetink.core.events.event import Event
from wetink.core.events.message import Endpoint, pieces
from wetink.core.messages.mapping import Mappings
from wetink.core.messages.normalize import normalize
from wetink.core.units.duration import parse as span_of

MOST, MOST_BYTES = 100, 64 * 1024
"""Limits of one simulation: messages, and bytes of all of them."""

LONGEST_AGO = 40
"""Longest duration, in characters."""

SOMEBODY = "what if"
"""The user of a message without an identifier."""

_ENDPOINT = Endpoint(body_bytes=1 << 20, message_bytes=MOST_BYTES)


def event_of(
    given: Mapping[str, Any], number: int, now: int, *, ago: str = "0", mappings: Mappings | None = None
) -> Event:
    """Return the event of a Segment message as if received at `now` (Unix ms).

    It happened at its `timestamp`, else its `ago` (such as `2h`) before `now`. Without a type, it is a track if it has
    an event name, else an identify. `mappings` are those of its `source`. Raises BadContent for an unusable message,
    with the remedy.
    """
    fields = {name: value for name, value in given.items() if name not in ("ago", "source")}
    if "timestamp" not in fields:
        fields["timestamp"] = now - _before(str(given.get("ago", ago)), number)
    elif time_of(fields["timestamp"]) is None:
        raise BadContent(f"events[{number}].timestamp is not a time", hint="write 2026-11-20T09:00:00Z")
    message = {"type": "track" if "event" in fields else "identify", "messageId": f"s{number}", **fields}
    if not {"userId", "anonymousId"} & message.keys():
        message["userId"] = SOMEBODY
    try:
        body = msgspec.json.encode(message)
        piece = pieces(body, _ENDPOINT)[0][0]
        if mappings is not None:
            piece = mappings.applied(piece, str(given.get("source", SOMEBODY)), now)
        normal = normalize(piece, source=SOMEBODY, level="server", received=now)
    except BadRequest as error:
        raise BadContent(f"events[{number}]: {error}", hint=error.hint) from error
    if normal.event is None or normal.verdict != "usable":
        hints = "; ".join(problem.hint for problem in normal.problems)
        raise BadContent(f"events[{number}] is {normal.verdict}: {hints}")
    return normal.event


def _before(ago: str, number: int) -> int:
    try:
        return span_of(ago[:LONGEST_AGO]) if ago != "0" else 0
    except BadContent as error:
        raise BadContent(f"events[{number}].ago: {error}", hint=error.hint) from error


def read(text: str | bytes) -> list[dict[str, Any]]:
    r"""Return the messages of a text: one as JSON, a list of them, `{"batch": […]}`, or one on each line.

    Raises BadContent for anything else.

    >>> read('{"event": "A"}'), read('[]'), read('{"event": "A"}\n{"event": "B"}')
    ([{'event': 'A'}], [], [{'event': 'A'}, {'event': 'B'}])
    """
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(raw) > MOST_BYTES:
        raise BadContent(f"more than {MOST_BYTES // 1024} KB of messages")
    if not raw.strip():
        return []
    try:
        decoded = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        lines = [line for line in raw.splitlines() if line.strip()]
        if len(lines) < 2:
            raise BadContent(f"this is not JSON: {error}", hint='write {"event": "Product Viewed", …}') from error
        decoded = [_line(line, number) for number, line in enumerate(lines, 1)]
    if isinstance(decoded, dict):
        decoded = decoded["batch"] if isinstance(decoded.get("batch"), list) else [decoded]
    if not isinstance(decoded, list) or not all(isinstance(each, dict) for each in decoded):
        raise BadContent("this is not a message", hint='write {"event": "Product Viewed", …}')
    if len(decoded) > MOST:
        raise BadContent(f"more than {MOST} messages")
    return decoded


def events_of(messages: Sequence[Mapping[str, Any]], now: int) -> tuple[Event, ...]:
    """Return the events of messages as if received at `now` (Unix ms). Raises BadContent with the message's number."""
    return tuple(event_of(each, number, now) for number, each in enumerate(messages))


def _line(line: bytes, number: int) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadContent(f"line {number} is not JSON: {error}") from error
