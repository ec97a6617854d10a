"""Codec: the stored form of identifiers, events, keys, sources and versions."""

import json
import zlib
from collections.abc import Sequence
from hashlib import blake2b, sha256
from struct import Struct
from typing import Any

import msgspec

from wetink.core.events.event import Entry, Event, Problem, Product, Verdict
from wetink.core.identity.identifier import Carrier, Identifier, Kind
from wetink.ports import Received
from wetink.ports.content import Version
from wetink.ports.keys import Session, Source

PARKED = "p"
VERDICTS: tuple[Verdict, ...] = ("usable", "unusable", "parked")


class _Leveled(msgspec.Struct, gc=False):
    """The part of an event that has its level."""

    level: str = "server"


_NUMBER = Struct(">q")
_KINDS: dict[str, Kind] = {"u": "user", "e": "email", "a": "anonymous"}

encode = msgspec.msgpack.Encoder().encode
decode_event = msgspec.msgpack.Decoder(Event).decode
decode_events = msgspec.msgpack.Decoder(list[Event]).decode
decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode
decode_carrier = msgspec.msgpack.Decoder(Carrier).decode
decode_problems = msgspec.msgpack.Decoder(tuple[Problem, ...]).decode
_products = msgspec.msgpack.Decoder(tuple[Product, ...]).decode
_leveled = msgspec.msgpack.Decoder(_Leveled).decode
decode_facts = msgspec.msgpack.Decoder(dict[str, tuple[int, Any]]).decode


def who(identifier: Identifier | None) -> str:
    """Return the column value of an identifier: the kind's first letter and the value; `p` for a parked message."""
    return PARKED if identifier is None else identifier.kind[0] + identifier.value


def identifier(column: str) -> Identifier:
    """Return the identifier of a column value."""
    return Identifier(_KINDS[column[0]], column[1:])


def recipient_of(text: str) -> Identifier | None:
    """Return the identifier of `kind:value`; None if it is none."""
    kind, _, value = text.partition(":")
    known: Kind | None = _KINDS.get(kind[:1])
    return Identifier(known, value) if known == kind else None


def fingerprint(source: str, message_id: str) -> int:
    """Return the 64 bits that identify a message id within its source."""
    digest = blake2b(f"{source}\0{message_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number: int = _NUMBER.unpack(digest)[0]
    return number


def events(bodies: list[bytes]) -> list[Event]:
    """Decode many events at once: with an array header, their bodies form one msgpack document."""
    return decode_events(array(bodies))


def entries(bodies: list[bytes]) -> list[Entry]:
    """Decode many events as entries, without their packed parts."""
    return decode_entries(array(bodies))


def level_of(body: bytes) -> str:
    """Return the level of an event's key."""
    return _leveled(body).level if body else "browser"


def received(*row: Any) -> Received:
    """Return the message of a row of the log."""
    seq, source, message_id, at, verdict, problems, type_, name, column, raw = row
    return Received(
        seq,
        source,
        message_id,
        at,
        VERDICTS[verdict],
        decode_problems(problems) if problems else (),
        type_,
        name,
        None if column == PARKED else identifier(column),
        raw,
    )


def pack(products: Sequence[Product]) -> bytes:
    """Return the stored form of imported products."""
    return zlib.compress(encode(tuple(products)), level=1)


def unpack(packed: bytes) -> tuple[Product, ...]:
    """Return the products of their stored form."""
    return _products(zlib.decompress(packed))


def array(bodies: list[bytes]) -> bytes:
    """Return one msgpack document with an array of many."""
    return b"".join((b"\xdd", len(bodies).to_bytes(4, "big"), *bodies))


def hashed(key: str) -> bytes:
    """Return the SHA-256 of a key or a token, which is all that a store has of it."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def source_of(row: Sequence[Any]) -> Source:
    """Return the source of a row with its fields in order. Hosts and secrets are JSON."""
    name, level, hosts, known, verify, orders, per_second, burst, disabled, *times = row
    return Source(
        *(name, level, tuple(json.loads(hosts)), tuple(json.loads(known)), bool(verify), orders, per_second, burst),
        *(bool(disabled), *times),
    )


def session_of(row: Sequence[Any]) -> Session:
    """Return the session of a row with its fields in order."""
    id_, account, began, used, address, device, proved = row
    return Session(bytes(id_).hex(), account, began, used, address, device, proved)


def version_of(row: Sequence[Any]) -> Version:
    """Return the version of a row with its fields in order. Its files are JSON."""
    number, at, by, message, files = row
    return Version(number, at, by, message, msgspec.json.decode(files, type=dict[str, str]))
