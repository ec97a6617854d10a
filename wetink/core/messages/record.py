"""Record: a message with all data derived from it, as it goes into the log."""

import msgspec

from wetink.core.events.event import Event, Problem, Verdict
from wetink.core.identity.identifier import Claim, Identifier


class Record(msgspec.Struct, frozen=True, gc=False):
    """One message and the result of its normalization.

    `sent_at_key` is the client's own timestamp, 0 without one. A retry carries the same one, which identifies a
    duplicate. `filed` and `event` are None for a parked message.
    """

    source: str
    message_id: str
    received: int
    sent_at_key: int
    raw: bytes
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    filed: Identifier | None = None
    event: Event | None = None
    claims: tuple[Claim, ...] = ()
    joins: tuple[Identifier, Identifier] | None = None
