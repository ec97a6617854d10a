"""What one transaction writes: messages, events, claims with their holdings, purchases, and the catalog.

Runs inside a transaction that the writer opened; knows nothing of threads, locks or files.
"""

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from wetink.core.catalog import learn
from wetink.core.event import Event
from wetink.core.identifier import Identifier
from wetink.core.identity import Claim, Holding, changes_nothing, holdings, root_of
from wetink.ports import Record
from wetink.store.sqlite.codec import (
    VERDICTS,
    decode_event,
    decode_facts,
    encode,
    fingerprint,
    identifier,
    who,
)
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")


class Row(msgspec.Struct, frozen=True):
    """A record made ready to write, outside of the lock."""

    record: Record
    who: str
    key_time: int
    fingerprint: int
    at: int
    body: bytes


def prepare(record: Record) -> Row:
    """Encode a record's event and find its place in the cluster."""
    event = record.event
    return Row(
        record,
        who(record.filed),
        record.sent_at_key,
        fingerprint(record.source, record.message_id),
        event.at if event is not None else record.received,
        encode(event) if event is not None else b"",
    )


def write(db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
    """Write the rows and all that follows from them; return for each whether it was a duplicate."""
    seq: int = db.execute(SQL.last_seq).get
    duplicates: list[bool] = []
    messages: list[tuple[Any, ...]] = []
    products: list[Event] = []
    for row in rows:
        record, event = row.record, row.record.event
        db.execute(SQL.insert_event, (row.who, row.key_time, row.fingerprint, row.at, seq + 1, row.body))
        if not db.changes():
            duplicates.append(True)
            _keep_the_earlier(db, row)
            continue
        duplicates.append(False)
        seq += 1
        messages.append(_message(seq, row))
        if record.claims:
            _claim(db, record.claims)
        if record.joins is not None:
            _join(db, *record.joins)
        if event is not None and event.products:
            if event.level == "server":
                products.append(event)
            if event.name == "Order Completed" and event.usable:
                db.execute(SQL.insert_purchase, (row.at, row.who, row.key_time, row.fingerprint))
    if messages:
        db.executemany(SQL.insert_message, messages)
    if products:
        _teach_the_catalog(db, products)
    return duplicates


def _message(seq: int, row: Row) -> tuple[Any, ...]:
    record, event = row.record, row.record.event
    return (
        seq,
        record.received,
        record.source,
        record.message_id,
        VERDICTS.index(record.verdict),
        encode(record.problems) if record.problems else None,
        event.type if event is not None else "",
        event.name if event is not None else "",
        row.who,
        record.raw,
    )


def _claim(db: apsw.Connection, claims: Sequence[Claim]) -> None:
    for claim in claims:
        weaker = who(claim.weaker)
        db.execute(
            SQL.insert_claim,
            (weaker, claim.at, claim.source, claim.message_id, who(claim.stronger), claim.level, claim.alias),
        )
        if not db.changes():
            continue
        held = first(db, SQL.holding_at, (weaker, claim.at))
        if held is None or not changes_nothing(claim, _holding(*held)):
            hold_again(db, claim.weaker)


def _holding(since: int, until: int, owner: str, level: Any) -> Holding:
    return Holding(since, until, identifier(owner), level)


def claims_on(db: apsw.Connection, weaker: Identifier) -> list[Claim]:
    """Return every claim on an identifier."""
    return [
        Claim(at, source, message_id, identifier(weak), identifier(strong), level, bool(alias))
        for at, source, message_id, weak, strong, level, alias in fetch(db, SQL.claims_on, (who(weaker),))
    ]


def hold_again(db: apsw.Connection, of: Identifier) -> None:
    """Work out an identifier's holdings anew from its claims."""
    column = who(of)
    db.execute(SQL.delete_holdings, (column,))
    for held in holdings(of, claims_on(db, of)):
        db.execute(SQL.insert_holding, (column, held.since, held.until, who(held.owner), held.level))


def _join(db: apsw.Connection, previous: Identifier, current: Identifier) -> None:
    db.execute(SQL.insert_alias, (who(previous), who(current)))
    if db.changes():
        join_users(db, who(previous), who(current))


def join_users(db: apsw.Connection, first: str, second: str) -> None:
    """Make the groups of two users one, named by its smallest member."""
    roots = {_root(db, first), _root(db, second)}
    members = {first, second}
    for root in roots:
        members.update(member for (member,) in fetch(db, SQL.members_of, (root,)))
    name = who(root_of(map(identifier, members)))
    db.executemany(SQL.upsert_joined, [(member, name) for member in members])


def _root(db: apsw.Connection, user: str) -> str:
    row = first(db, SQL.root_of, (user,))
    return row[0] if row else user


def _keep_the_earlier(db: apsw.Connection, row: Row) -> None:
    """Let the smallest corrected time of a message count, whichever of its copies came first."""
    event = row.record.event
    if event is None:
        return
    at, body = first(db, SQL.stored_event, (row.who, row.key_time, row.fingerprint))
    if row.at >= at:
        return
    stored = decode_event(body)
    moved = msgspec.structs.replace(stored, at=row.at)
    key = (row.who, row.key_time, row.fingerprint)
    db.execute(SQL.move_event, (row.at, encode(moved), *key))
    for claim in row.record.claims:
        db.execute(SQL.delete_claims_of_message, (who(claim.weaker), at, claim.source, claim.message_id))
        hold_again(db, claim.weaker)
    _claim(db, row.record.claims)
    db.execute(SQL.delete_purchase, (at, *key))
    if db.changes():
        db.execute(SQL.insert_purchase, (row.at, *key))


def _teach_the_catalog(db: apsw.Connection, events: Sequence[Event]) -> None:
    known: dict[str, dict[str, tuple[int, Any]]] = {}
    changed: set[str] = set()
    for event in events:
        for product in event.products:
            for key in {product.sku, product.product_id} - {""}:
                if key not in known:
                    row = first(db, SQL.product, (key,))
                    known[key] = decode_facts(row[0]) if row else {}
                if learn(known[key], product, event.at):
                    changed.add(key)
    if changed:
        db.executemany(SQL.upsert_product, [(key, encode(known[key])) for key in changed])


def rebuild(db: apsw.Connection) -> None:
    """Work out every holding and every group of users anew from the claims and aliases alone."""
    db.execute("DELETE FROM holding; DELETE FROM joined")
    for (weaker,) in fetch(db, SQL.claimed_identifiers):
        hold_again(db, identifier(weaker))
    for previous, current in fetch(db, SQL.all_aliases):
        join_users(db, previous, current)
