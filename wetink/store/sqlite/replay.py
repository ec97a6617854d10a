"""Replay: replaces the stored results of messages with their current ones.

Their time, position in the log and identity stay. The catalog keeps their data, and aliases stay, except for
placeholders: products with a placeholder as key are deleted and learned again, and an alias of one is taken back. It
runs inside the writer's transaction.
"""

from collections.abc import Sequence
from typing import Any

import apsw

from wetink.core.events.event import Event
from wetink.core.identity.identifier import claims_of
from wetink.ports import Received, Record
from wetink.store.codec import PARKED, VERDICTS, decode_event, encode, fingerprint, who
from wetink.store.queries import queries
from wetink.store.renewal import at_its_time, differs, named_placeholder, nobodies, product_keys
from wetink.store.sqlite import catalog, conversions, identity, summaries
from wetink.store.sqlite.connection import first

SQL = queries(__package__, "queries.sql")

Key = tuple[str, int, int]


def renew(db: apsw.Connection, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> list[bool]:
    """Renew messages. Returns for each whether its result differs. With `dry`, nothing is written."""
    changed = []
    claims = identity.Claims()
    renewed: list[int] = []
    mixed: set[str] = set()
    for received, record in pairs:
        key, stored = _stored(db, received, record)
        old = decode_event(stored[2]) if stored is not None and stored[2] else None
        record = at_its_time(record, old)
        changed.append(stored is not None and differs(received, old, record))
        if dry or not changed[-1]:
            continue
        _put(db, received.seq, key, old, record, claims)
        if named_placeholder(record):
            mixed |= product_keys(old) - product_keys(record.event)
            for nobody in nobodies(old, record):
                identity.part_users(db, nobody)
        renewed.append(received.seq)
    if mixed:
        catalog.forget(db, mixed)
    if renewed:
        catalog.take(db, renewed)
        conversions.take(db, renewed)
    return changed


def _stored(db: apsw.Connection, received: Received, record: Record) -> tuple[Key, Any]:
    """Return the key of a message's event, and the event. A new reading of its time never moves it."""
    column, print_ = who(received.filed), fingerprint(record.source, record.message_id)
    for key_time in (record.sent_at_key, 0):
        if (stored := first(db, SQL.stored_event, (column, key_time, print_))) is not None:
            return (column, key_time, print_), stored
    if column != PARKED:  # there are too many parked ones to scan
        row = first(db, SQL.stored_event_of_message, (column, print_, received.seq))
        if row is not None:
            return (column, row[0], print_), row[1:]
    return (column, record.sent_at_key, print_), None


def _put(db: apsw.Connection, seq: int, key: Key, old: Event | None, record: Record, claims: identity.Claims) -> None:
    event, column = record.event, who(record.filed)
    before = claims_of(old) if old is not None else ()
    after = tuple(claim for claim in record.claims if not claim.alias)
    db.execute(SQL.delete_event, key)
    at = event.at if event is not None else record.received
    db.execute(SQL.insert_event, (column, *key[1:], seq, at, encode(event) if event is not None else b""))
    if old is not None and before != after:
        identity.unclaim(db, before, old.at)
        claims.forget()
    again = record.claims if before != after or len(after) < len(record.claims) else ()
    claims.make(db, again, (record,))
    if old is not None and old.level != "browser":
        identity.forget_server_sent(db, {key[0], *(who(claim.weaker) for claim in before)})
    if record.joins is not None:
        identity.join_users(db, *record.joins)
    problems = encode(record.problems) if record.problems else None
    name = (event.type, event.name) if event is not None else ("", "")
    summaries.drop_summaries_about(db, {key[0], column})
    db.execute(SQL.renew_message, (VERDICTS.index(record.verdict), problems, *name, column, seq))
