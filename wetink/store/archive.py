"""Archive: past opens as rows, and the keys that begin with their time."""

import logging
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import TIME_DIGITS, Block, Decision, memoize
from wetink.core.profile.person import Moment
from wetink.ports.ledger import Opened
from wetink.store.codec import fingerprint

logger = logging.getLogger(__name__)
DAY_MS = 86_400_000
MOST_WAITING = 20_000
"""Opens that wait to be written. Further ones are dropped."""
SPREAD_BITS = 21
"""Bits of a key that separate opens of the same millisecond."""
LAST = (1 << 63 - SPREAD_BITS) - 1
"""The last millisecond (Unix ms) that a key can hold, in the year 2109."""

_json = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Decision, Moment]).decode
_block = msgspec.json.Decoder(Block).decode


class ArchiveRow(NamedTuple):
    """A past open, with the block and the template themselves instead of their names."""

    key: int
    recipient: int
    name: str
    block: Block
    template: str
    body: bytes


def row_of(opened: Opened) -> ArchiveRow | None:
    """Return the row of an open, without the coordinates; None if its decision cannot be written."""
    decision, moment = opened.decision, opened.moment
    if moment.latitude is not None or moment.longitude is not None:
        moment = replace(moment, latitude=None, longitude=None)
    try:
        key, body = key_of(decision.id), _encode((decision, moment))
    except (TypeError, ValueError, OverflowError):  # a custom app's facts may have any value
        logger.exception("an open of %s was not kept", decision.block)
        return None
    recipient = recipient_of(decision.recipient)
    return ArchiveRow(key, recipient, decision.block, opened.block, opened.template, body)


def opened_of(body: bytes, block: str | bytes, template: str) -> Opened:
    """Return the open of a row and its texts."""
    return Opened(*_decode(body), _block(block), template)


def recipient_of(recipient: str) -> int:
    """Return the fingerprint that stands for a recipient."""
    return fingerprint("opened", recipient)


def key_of(decision_id: str) -> int:
    """Return the key of a decision, which begins with its time, so that the newest are neighbors. Raises ValueError."""
    at, rest = int(decision_id[:TIME_DIGITS], 16), int(decision_id[TIME_DIGITS:], 16)
    return first_key(at) | rest & (1 << SPREAD_BITS) - 1


def first_key(at: int) -> int:
    """Return the first key of a time (Unix ms). Times outside the range get the first or the last one."""
    return max(0, min(at, LAST)) << SPREAD_BITS


@memoize
def text_of(block: Block) -> str:
    """Return a block as JSON."""
    return _json(block).decode()


@lru_cache(maxsize=1_000)
def name_of(text: str) -> int:
    """Return the fingerprint that stands for a text."""
    return fingerprint("text", text)
