"""Replay: replaces the stored results of messages with their current ones.

Their time, position in the log and identity stay. The catalog keeps their data, and aliases stay, except for
placeholders: products with a placeholder as key are deleted and learned again, and an alias of one is taken back. It
runs inside a transaction.
"""

from collections.abc import Sequence
from typing import Any

from wetink.core.events.event import Event
from wetink.core.identity.identifier import claims_of
from wetink.ports import Received, Record
from wetink.store.codec import VERDICTS, decode_event, encode, who
from wetink.store.postgresql import catalog, conversions
from wetink.store.postgresql.database import Connection
from wetink.store.postgresql.identity import Identities
from wetink.store.queries import queries
from wetink.store.renewal import at_its_time, differs, named_placeholder, nobodies, product_keys

SQL = queries(__package__, "log_queries.sql")

Pair = tuple[Received, Record]
Place = tuple[int, str, int]
"""A message's fingerprint, and the identifier and time that its event is filed under."""


async def renewed(connection: Connection, pairs: Sequence[Pair]) -> list[bool]:
    """Return for each message whether its result differs from the stored one."""
    stored = await _stored(connection, [received.seq for received, _ in pairs])
    return [_differs(pair, stored.get(pair[0].seq)) for pair in pairs]


async def renew(connection: Connection, pairs: Sequence[Pair]) -> list[bool]:
    """Renew messages. Returns for each whether its result differed."""
    changed = await renewed(connection, pairs)
    seqs = [received.seq for (received, _), differs in zip(pairs, changed, strict=True) if differs]
    if not seqs:
        return changed
    await connection.execute(SQL.lock_stored, seqs)
    stored = await _stored(connection, seqs)  # a statement of its own sees what the lock waited for
    identities = Identities(connection)
    prints: list[int] = []
    mixed: set[str] = set()
    for received, record in pairs:
        if received.seq not in stored:
            continue
        place, old = stored.pop(received.seq)
        record = at_its_time(record, old)
        await _put(connection, identities, record, place, old)
        if named_placeholder(record):
            mixed |= product_keys(old) - product_keys(record.event)
            for nobody in nobodies(old, record):
                await identities.part(nobody)
        prints.append(place[0])
    if mixed:
        await catalog.forget(connection, mixed)
    await catalog.take(connection, prints)
    await conversions.take(connection, prints)
    await connection.execute(SQL.count_replay)
    return changed


def _differs(pair: Pair, stored: tuple[Place, Event | None] | None) -> bool:
    if stored is None:
        return False
    received, record = pair
    return differs(received, stored[1], at_its_time(record, stored[1]))


async def _stored(connection: Connection, seqs: Sequence[int]) -> dict[int, tuple[Place, Event | None]]:
    """Return the places of messages and their events, by their position in the log."""
    rows: list[Any] = await connection.fetch(SQL.stored, seqs)
    return {
        seq: ((print_, column, at), decode_event(body) if body is not None else None)
        for seq, print_, column, at, body in rows
    }


async def _put(connection: Connection, identities: Identities, record: Record, place: Place, old: Event | None) -> None:
    print_, column, at = place
    event, now = record.event, who(record.filed)
    before = claims_of(old) if old is not None else ()
    sides = [side for claim in (*before, *record.claims) for side in (claim.weaker, claim.stronger)]
    await identities.lock({column, now, *map(who, sides)})
    await connection.execute(SQL.delete_event, column, at, print_)
    if event is not None and record.filed is not None:
        at = event.at
        await connection.execute(SQL.insert_event, now, at, print_, event.level == "browser", encode(event))
    problems = encode(record.problems) if record.problems else None
    name = (event.type, event.name) if event is not None else ("", "")
    verdict = VERDICTS.index(record.verdict)
    await connection.execute(SQL.renew_message, print_, verdict, problems, *name, now, at)
    if old is not None and before != tuple(claim for claim in record.claims if not claim.alias):
        await identities.unclaim(before, old.at)
    await identities.make([record])
    if old is not None and old.level != "browser":
        await identities.recheck_server_sent({column, *(who(claim.weaker) for claim in before)})
    await identities.drop_summaries_about({column, now})
