"""Message: splits and decodes the posted bodies of senders, without trust in any part.

A body is first split into its messages, each still its own JSON, so that an unreadable one affects no other.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec

from wetink.core.errors import BadRequest, TooLarge
from wetink.core.events.event import MessageType, Problem, problem
from wetink.core.text.characters import repaired
from wetink.core.text.placeholder import USUAL
from wetink.core.units.quantity import plain

DEEPEST: Final = 64
"""Maximum levels of nesting in a message."""

REMEMBERED: Final = 8_192
LONGEST_REMEMBERED: Final = 1_024
"""Properties cached by their exact bytes, and the longest JSON that is cached, in bytes: about 15 MB in all."""

LONGEST_ID: Final = 100
"""Longest messageId, in characters."""
SHORT, MARKS = 12, "{[<(*%$#@&\"'`-~:_=0"
"""An id shorter than this, or that begins with one of these marks, may be a placeholder. Messages with the same one
would count as one."""


MOST_SHARED: Final = 8 << 20
"""Maximum bytes of a batch's own context and integrations, copied to all its messages."""


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint's format and limits: bytes of a body and of one message, and the number of messages.

    `several` is the key of the list of messages, empty if a body is one message. With `alone`, a body may also be one
    message. `type` is the default type of a message. For a `relayed` message, the first receiver has corrected the
    clock.
    """

    several: str = ""
    alone: bool = False
    type: MessageType | None = None
    body_bytes: int = 32 * 1024
    message_bytes: int = 32 * 1024
    count: int = 1
    relayed: bool = False


BATCH: Final = Endpoint(several="batch", body_bytes=500 * 1024, count=2500)
"""Segment's `POST /v1/batch` and its other names, with Segment's limits."""

BEHAVIORAL: Final = Endpoint(
    several="events", alone=True, body_bytes=1 << 20, message_bytes=64 * 1024, count=1000, relayed=True
)
"""Movable Ink's `POST /behavioral/{key}`. A relayed message has grown on its way, so it may be larger."""


class Context(msgspec.Struct, gc=False):
    """The parts of a message's context that are used."""

    traits: Any = None
    timezone: Any = None


class Message(msgspec.Struct, gc=False):
    """One message, decoded leniently: any field may have any type. A context that is no object is None.

    The snake_case names are those of Movable Ink's native body.
    """

    type: Any = None
    messageId: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    event: Any = None
    name: Any = None
    properties: Any = None
    traits: Any = None
    context: Context | None = None
    timestamp: Any = None
    originalTimestamp: Any = None
    sentAt: Any = None
    receivedAt: Any = None
    writeKey: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None
    group_id: Any = None
    sent_at: Any = None
    timezone: Any = None
    integrations: Any = None


class _Packed(Message, gc=False):
    """A message whose properties are still JSON."""

    properties: msgspec.Raw = msgspec.Raw()


class Piece(msgspec.Struct, gc=False):
    """One message of a body: its own JSON, complete enough for a replay, and its decoded form.

    `message` is None if it has a `fault`. `index` is its position in the body.
    """

    raw: bytes
    index: int = 0
    message: Message | None = None
    fault: Problem | None = None


class _Envelope(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()
    sentAt: Any = None
    writeKey: Any = None


_envelope = msgspec.json.Decoder(_Envelope).decode
_packed_message = msgspec.json.Decoder(_Packed).decode
_any = msgspec.json.Decoder().decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`| \(byte (?P<byte>\d+)\))$", re.DOTALL)
_SENT_AT_LIKE = (str, int, float)


def pieces(body: bytes, endpoint: Endpoint) -> tuple[list[Piece], str]:
    """Return the messages of a body, and its write key, empty without one.

    Raises TooLarge over the endpoint's limit of bytes, and BadRequest (`where`: the byte or path) for a body that is
    not the endpoint's JSON. A fault of one message is in its piece and raises nothing.
    """
    if len(body) > endpoint.body_bytes:
        raise TooLarge(
            f"the body has {len(body)} bytes, {endpoint.body_bytes} are allowed here",
            hint="send fewer or smaller messages in a request",
        )
    if b"\\" in body or not body.isascii():  # else nothing is to repair
        body = repaired(body)
    if not body.strip():
        raise BadRequest("the body is empty", hint="send a JSON object", where="byte 0")
    if not endpoint.several:
        return _single(body, endpoint)
    envelope: _Envelope = _read(_envelope, body)
    listed = envelope.events if endpoint.several == "events" and envelope.events is not None else envelope.batch
    if listed is None:
        if endpoint.alone:
            return _single(body, endpoint)
        raise BadRequest(
            f"`{endpoint.several}` is missing",
            hint=f'send {{"{endpoint.several}": […]}}',
            where=f"$.{endpoint.several}",
        )
    return _several(listed, envelope, endpoint), _key(envelope.writeKey)


def write_key(body: bytes) -> str:
    """Return the write key in any endpoint's body, empty without one. Raises BadRequest unless it is a JSON object."""
    return _key(_read(_envelope_key, repaired(body)).writeKey)


class _Key(msgspec.Struct):
    writeKey: Any = None


_envelope_key = msgspec.json.Decoder(_Key).decode


def _key(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _read(decode: Any, body: bytes) -> Any:
    """Decode a body. Raises BadRequest with the place of the error."""
    try:
        return decode(body)
    except RecursionError as error:
        raise BadRequest("the JSON is nested too deeply", hint=f"nest at most {DEEPEST} levels", where="$") from error
    except (msgspec.DecodeError, UnicodeError, OverflowError, ValueError) as error:
        what, where = _error_text(error)
        raise BadRequest(
            f"the body cannot be read: {what}", hint="send one JSON object in UTF-8", where=where
        ) from error


def _error_text(error: Exception) -> tuple[str, str]:
    found = _PLACE.match(str(error))
    if found is None:
        return str(error), "the end" if "truncated" in str(error) else "$"
    return found["what"], found["path"] or f"byte {found['byte']}"


def _single(body: bytes, endpoint: Endpoint) -> tuple[list[Piece], str]:
    if len(body) > endpoint.message_bytes:
        raise TooLarge(
            f"the message has {len(body)} bytes, {endpoint.message_bytes} are allowed", hint="send less in it"
        )
    if _too_deep(body):
        _read(_envelope_key, body)  # raises unless it is JSON
        return [Piece(body, fault=problem("too_deep", detail=str(DEEPEST)))], write_key(body)
    message: Message = _read(_message, body)
    key = _key(message.writeKey)
    if message.writeKey is not None or (message.type is None and endpoint.type is not None):
        fields = _fields(body)
        fields.pop("writeKey", None)
        if message.type is None and endpoint.type is not None:
            message.type = endpoint.type
            fields["type"] = msgspec.Raw(b'"%s"' % endpoint.type.encode())
        body = _encode(fields)
    return [Piece(body, 0, message)], key


def _plain_message(raw: bytes) -> Message:
    message: Message = _packed_message(raw)
    packed = bytes(message.properties)
    message.properties = (_members if len(packed) <= LONGEST_REMEMBERED else _any)(packed) if packed else None
    return message


@lru_cache(maxsize=REMEMBERED)
def _members(packed: bytes) -> Any:
    """Return the decoded properties. They are cached and shared, so callers must not change them."""
    return _any(packed)


def _message(raw: bytes) -> Message:
    """Decode a message. An unreadable context is dropped."""
    try:
        return _plain_message(raw)
    except (msgspec.DecodeError, ValueError):
        fields = _fields(raw)
        if "context" not in fields:
            raise
        del fields["context"]
        return _plain_message(_encode(fields))


def _several(listed: Sequence[msgspec.Raw], envelope: _Envelope, endpoint: Endpoint) -> list[Piece]:
    sent = envelope.sentAt if type(envelope.sentAt) in _SENT_AT_LIKE else None
    shared = b"" if sent is None else b'"sentAt":' + _encode(sent)
    common = _Shared(envelope, len(listed))
    made = []
    for index, each in enumerate(listed):
        raw = bytes(each)
        fault = _fault(raw, index, endpoint)
        if fault is not None:
            made.append(Piece(raw, index, fault=fault))
            continue
        try:
            message = _message(raw)
        except (msgspec.DecodeError, UnicodeError, OverflowError, ValueError, RecursionError) as error:
            made.append(Piece(raw, index, fault=problem("unreadable", detail=_error_text(error)[0])))
            continue
        if sent is not None and message.sentAt is None:
            message.sentAt = sent
            raw = _with(raw, shared)
        if common.there:
            if common.fault is not None:
                made.append(Piece(raw, index, fault=common.fault))
                continue
            raw, message = common.under(raw)
        if message.writeKey is not None:
            fields = _fields(raw)
            del fields["writeKey"]
            raw = _encode(fields)
        made.append(Piece(raw, index, message))
    return made


class _Shared:
    """The shared context and integrations of a batch, which apply under each message's own."""

    def __init__(self, envelope: _Envelope, count: int) -> None:
        self._context, self._traits = _object(envelope.context), {}
        if self._context:
            self._traits = _object(self._context.get("traits", b""))
        self._integrations = _object(envelope.integrations)
        self.there = bool(self._context or self._integrations)
        self.fault: Problem | None = None
        if self.there and (_too_deep(bytes(envelope.context)) or _too_deep(bytes(envelope.integrations))):
            self.fault = problem("too_deep", "context", str(DEEPEST))
        elif self.there and (len(envelope.context) + len(envelope.integrations)) * count > MOST_SHARED:
            self.fault = problem("shared_too_large", "context", str(MOST_SHARED))

    def under(self, raw: bytes) -> tuple[bytes, Message]:
        """Return a message with the shared values. Its own fields, traits and integrations win, one by one."""
        fields = _fields(raw)
        if self._context:
            own = _object(fields.get("context", b""))
            context = {**self._context, **own}
            if self._traits:
                traits = {**self._traits, **_object(own.get("traits", b""))}
                context["traits"] = msgspec.Raw(_encode(traits))
            fields["context"] = msgspec.Raw(_encode(context))
        if self._integrations:
            integrations = {**self._integrations, **_object(fields.get("integrations", b""))}
            fields["integrations"] = msgspec.Raw(_encode(integrations))
        raw = _encode(fields)
        return raw, _message(raw)


def _object(raw: Any) -> dict[str, msgspec.Raw]:
    """Return the members of a JSON object, each still its own JSON; empty for any other value."""
    try:
        return _fields(raw) if raw else {}
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
        return {}


def _fault(raw: bytes, index: int, endpoint: Endpoint) -> Problem | None:
    if not raw.startswith(b"{"):
        return problem("not_an_object")
    if index >= endpoint.count:
        return problem("too_many", detail=str(endpoint.count))
    if len(raw) > endpoint.message_bytes:
        return problem("too_large", detail=str(endpoint.message_bytes))
    if _too_deep(raw):
        return problem("too_deep", detail=str(DEEPEST))
    return None


def _too_deep(raw: bytes) -> bool:
    if (raw.count(b"[") if b"[" in raw else 0) + raw.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for found in _BRACKET.finditer(raw):
        if found[1] is not None:
            depth += 1
            if depth > DEEPEST:
                return True
        elif found[2] is not None:
            depth -= 1
    return False


def _with(raw: bytes, member: bytes) -> bytes:
    """Return a JSON object with one more member at its end."""
    head = raw.rstrip()[:-1].rstrip()
    return head + (b"" if head.endswith(b"{") else b",") + member + b"}"


def context_traits(message: Message) -> dict[str, Any]:
    """Return `context.traits` of a message; empty for missing or unreadable ones."""
    context = message.context
    return context.traits if context is not None and isinstance(context.traits, dict) else {}


def page_of(piece: Piece) -> str:
    """Return the URL of a message's page, `context.page.url`; empty without one."""
    page = _object(_object(_object(piece.raw).get("context")).get("page"))
    url = bytes(page.get("url", b""))
    return str(_any(url)) if url.startswith(b'"') else ""


def message_id(piece: Piece, message: Message, own_time: int | None, received: int) -> tuple[str, bool]:
    """Return the id of a message, and whether it replaces a sender's id that was too long.

    Without an id, it is made from the content, so that a retry gets the same one. If the client gave no time either,
    the time (Unix ms) and position of receipt are included, since the same event may happen twice.
    """
    given = message.messageId if message.messageId is not None else message.message_id
    if (
        isinstance(given, str)
        and (given := given.strip())
        and not ((len(given) < SHORT or given[0] in MARKS) and USUAL.nothing(given))
    ):
        return (given, False) if len(given) <= LONGEST_ID else (_digest([given]), True)
    if (type(given) is int or type(given) is float) and (digits := plain(given)):
        return digits, False
    content: list[Any] = [
        getattr(message, field) if field != "context" else _fields(piece.raw).get(field, msgspec.Raw())
        for field in Message.__struct_fields__
        if field not in ("sentAt", "sent_at", "receivedAt", "writeKey", "timezone", "integrations")
    ]
    if own_time is None:
        content += [received, piece.index]
    return _digest(content), False


def digest(raw: bytes) -> str:
    """Return the id of an unreadable message, made from its bytes."""
    return "wetink-" + blake2b(raw, digest_size=16).hexdigest()


def _digest(content: list[Any]) -> str:
    return digest(msgspec.json.encode(content, order="deterministic"))
