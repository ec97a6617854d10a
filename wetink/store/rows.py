"""Rows: the columns of claims and holdings that engines share, and the identifiers that servers have sent."""

from collections.abc import Iterable
from typing import Any

from wetink.core.identity.holding import Holding
from wetink.core.identity.identifier import Claim
from wetink.ports import Record
from wetink.store.codec import identifier, who


def server_sent_in(records: Iterable[Record]) -> set[str]:
    """Return the column values of all identifiers in these records from servers, or from pages with a proof."""
    found: set[str] = set()
    for record in records:
        event = record.event
        if event is None or event.level == "browser":
            continue
        if record.filed is not None:
            found.add(who(record.filed))
        if record.claims:
            found.update(who(each.weaker) for each in record.claims if not each.alias)
        if record.joins is not None:
            found.update(map(who, record.joins))
    return found


def claim_row(claim: Claim) -> tuple[Any, ...]:
    """Return a claim's columns: weaker, at, source, message_id, stronger, level, alias."""
    weaker, stronger = who(claim.weaker), who(claim.stronger)
    return (weaker, claim.at, claim.source, claim.message_id, stronger, claim.level, claim.alias)


def uncounted_row(claim: Claim) -> tuple[Any, ...]:
    """Return the same columns of a claim that does not count. Only an alias's has its time and message."""
    weaker, *place, stronger, level, alias = claim_row(claim)
    return (weaker, *(place if alias else (0, "", "")), stronger, level, alias)


def holding_row(column: str, held: Holding) -> tuple[Any, ...]:
    """Return a holding's columns: identifier, since, until, owner, level, moves, followed."""
    return (column, held.since, held.until, who(held.owner), held.level, held.moves, held.followed)


def claim_of(row: Iterable[Any]) -> Claim:
    """Return the claim of its columns."""
    weaker, at, source, message_id, stronger, level, alias = row
    return Claim(at, source, message_id, identifier(weaker), identifier(stronger), level, bool(alias))


def holding_of(row: Iterable[Any]) -> Holding:
    """Return the holding of its columns, without the identifier."""
    since, until, owner, level, moves, followed = row
    return Holding(since, until, identifier(owner), level, moves, bool(followed))
