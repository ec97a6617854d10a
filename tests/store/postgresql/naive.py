"""A naive model of identity: all profiles from all messages at once, by the pure functions alone."""

from collections.abc import Iterable

from wetink.core.identity.holding import Holding, holdings
from wetink.core.identity.identifier import Claim, Identifier
from wetink.ports import Record
from wetink.store.codec import identifier
from wetink.store.rows import server_sent_in


def profiles_of(records: Iterable[Record]) -> dict[Identifier, list[str]]:
    """Return the ids of the messages of each profile by its root. Of copies, the one with the smallest time counts."""
    messages: dict[str, Record] = {}
    for record in records:
        known = messages.setdefault(record.message_id, record)
        assert known.event is not None
        assert record.event is not None
        if record.event.at < known.event.at:
            messages[record.message_id] = record
    sent = set(map(identifier, server_sent_in(messages.values())))
    claims: dict[Identifier, list[Claim]] = {}
    groups: dict[Identifier, set[Identifier]] = {}
    for record in messages.values():
        for claim in record.claims:
            claims.setdefault(claim.weaker, []).append(claim)
        if record.joins is not None:
            both = set().union(*(groups.get(each, {each}) for each in record.joins))
            groups |= dict.fromkeys(both, both)
    held = {weaker: holdings(weaker, made, sent) for weaker, made in claims.items()}
    found: dict[Identifier, list[str]] = {}
    for record in messages.values():
        assert record.event is not None
        assert record.filed is not None
        owner = owner_of(record.filed, record.event.at, record.event.level == "browser", held)
        found.setdefault(min(groups.get(owner, {owner})), []).append(record.message_id)
    return {root: sorted(ids) for root, ids in found.items()}


def owner_of(filed: Identifier, at: int, page: bool, held: dict[Identifier, tuple[Holding, ...]]) -> Identifier:
    moved = ("all", "browser" if page else "server")
    while filed.kind != "user":
        holders = [each.owner for each in held.get(filed, ()) if each.since <= at < each.until and each.moves in moved]
        if not holders:
            break
        [filed] = holders
    return filed
