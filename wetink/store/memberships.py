"""Memberships: the changes and deliveries of audiences, as all engines store them."""

import logging
from collections.abc import Iterable, Sequence

from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import MembershipChange, Move, State, change_id
from wetink.ports.audiences import Delivery, DeliveryFilter
from wetink.store.codec import identifier

logger = logging.getLogger(__name__)
STATES: tuple[State, ...] = ("waiting", "delivered", "dead")
"""The states of deliveries, stored as their index."""
DAY_MS = 86_400_000
KEPT_MS = 7 * DAY_MS
"""How long a delivered change is kept, in milliseconds."""
GONE_MS = 30 * DAY_MS
"""How long an audience without a computation is kept, in milliseconds: its file may be missing by mistake."""


def change_of(audience: str, move: Move, column: str, now: int) -> MembershipChange:
    """Return the change of a member, given as a column's value, at `now` (Unix ms)."""
    member: Identifier = identifier(column)
    return MembershipChange(change_id(audience, move, member, now), audience, move, member, now)


def audiences_by_member(rows: Iterable[tuple[str, str]]) -> dict[Identifier, Sequence[str]]:
    """Return the names of audiences by member, for rows of a member's column value and one name."""
    found: dict[Identifier, list[str]] = {}
    for column, name in rows:
        found.setdefault(identifier(column), []).append(name)
    return dict(found)


def is_wanted(wanted: DeliveryFilter, change: MembershipChange, new: bool) -> bool:
    """Return whether a change is to be delivered. An error of the filter leaves out this change alone."""
    try:
        return wanted(change, new)
    except Exception:
        logger.exception("a change of %s is not delivered", change.audience)
        return False


def delivery_of(
    audience: str, state: State, id_: str, move: Move, column: str, at: int, tries: int, due: int, why: str
) -> Delivery:
    """Return the delivery of a row."""
    return Delivery(MembershipChange(id_, audience, move, identifier(column), at), state, tries, due, why)
