"""Claims: what a message that carries several identifiers says of them."""

from typing import Any

import msgspec

from wetink.core.events.event import Event, Level
from wetink.core.identity.identifier import Identifier
from wetink.core.identity.name import address, user
from wetink.core.text.placeholder import USUAL, Placeholders

RANK: dict[Level, int] = {"browser": 0, "verified": 1, "server": 2}
"""How far a claim is believed."""


class Claim(msgspec.Struct, frozen=True, order=True, gc=False):
    """From `at` (Unix ms) on, `weaker` belongs to `stronger`. The fields' order is the claims' order.

    `alias` marks the claim of an alias on its previousId, which nobody has carried as such.
    """

    at: int
    source: str
    message_id: str
    weaker: Identifier
    stronger: Identifier
    level: Level = "server"
    alias: bool = False


class Carrier(msgspec.Struct, frozen=True, gc=False):
    """As much of an event as its claims follow from."""

    type: str
    at: int
    message_id: str
    source: str
    level: Level = "server"
    user: str = ""
    email: str = ""
    anonymous: str = ""


def strongest(user: Identifier | None, email: Identifier | None, anonymous: Identifier | None) -> Identifier | None:
    """Return the identifier an event that carries these is filed under; None when it carries none."""
    return user or email or anonymous


def claims(
    message_type: str,
    user_: Identifier | None,
    email_: Identifier | None,
    anonymous_: Identifier | None,
    previous: Any,
    at: int,
    source: str,
    message_id: str,
    level: Level,
    known: Placeholders = USUAL,
) -> tuple[tuple[Claim, ...], tuple[Identifier, Identifier] | None]:
    """Return the claims a message makes, each weaker identifier's to the strongest, and the users an alias joins.

    `previous` is an alias's previousId as it came: it claims as an anonymous id and, told by a server, joins as a user.
    """
    owner = strongest(user_, email_, anonymous_)
    if owner is None or (owner is anonymous_ and message_type != "alias"):
        return (), None
    made = []
    if owner is user_:
        own_address = address(owner.value, known) if "@" in owner.value else None
        if own_address is not None:
            made.append(Claim(at, source, message_id, own_address, owner, level))
        if email_ is not None and email_ != own_address:
            made.append(Claim(at, source, message_id, email_, owner, level))
    if anonymous_ is not None and owner is not anonymous_:
        made.append(Claim(at, source, message_id, anonymous_, owner, level))
    if message_type != "alias" or owner is not user_:
        return tuple(made), None
    joins, before = None, user(previous, known)
    if before is not None and before != owner:
        device = Identifier("anonymous", before.value)
        if device != anonymous_:
            made.append(Claim(at, source, message_id, device, owner, level, alias=True))
        joins = (before, owner) if level == "server" else None
    return tuple(made), joins


def claims_of(event: Event | Carrier) -> tuple[Claim, ...]:
    """Return the claims the message of this event made, but for what an alias says of its previousId."""
    carried = (
        Identifier("user", event.user) if event.user else None,
        Identifier("email", event.email) if event.email else None,
        Identifier("anonymous", event.anonymous) if event.anonymous else None,
    )
    kept: dict[str, Any] = {"at": event.at, "source": event.source, "message_id": event.message_id}
    return claims(event.type, *carried, None, **kept, level=event.level)[0]


def tells_of(event: Carrier, weaker: Identifier) -> bool:
    """Whether the message of this event, which is filed under somebody else, claimed `weaker`."""
    if weaker.kind == "anonymous":
        return event.anonymous == weaker.value
    return any(claim.weaker == weaker for claim in claims_of(event))
