"""Outcomes: which events of the log say something of a conversion, and whose they are now.

What is told of orders is noted as it is committed. The events of other goals are found in the log when somebody asks
for them, each message once: a goal that is made today counts what came before it.
"""

import json
from collections.abc import Collection, Sequence

import apsw

from wetink.core.conversion import Outcome
from wetink.core.event import Event
from wetink.core.goal import ORDER_EVENTS
from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER
from wetink.ports import NAMES
from wetink.store.sqlite.codec import decode_event, identifier
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.people import People
from wetink.store.sqlite.queries import read, script

SQL = read("outcome_queries.sql")

SLICE = 20_000
"""Messages that are gone through in one go."""

Key = tuple[str, int, int]
"""An event's place in the cluster: who, the client's own time, fingerprint."""


def prepare(db: apsw.Connection) -> None:
    """Make what is missing in a file; take over what an earlier version noted of orders."""
    db.execute(script("outcomes.sql"))
    if first(db, SQL.had_purchases) is None:
        return
    for who, key_time, fingerprint, at, body in fetch(db, SQL.purchases):
        event = decode_event(body)
        db.execute(SQL.insert, (who, key_time, fingerprint, event.name, at, _id(event)))
    for name in ORDER_EVENTS - {"Order Completed"}:
        db.execute(SQL.scan_to, (name, 0))
    db.execute("DROP TABLE purchase")


def note(db: apsw.Connection, key: Key, event: Event | None) -> None:
    """Note an event that was written, if it says something of an order or of a goal the log was searched for."""
    if event is None or event.type != "track" or not event.usable:
        return
    if event.name in ORDER_EVENTS or any(event.name == name for name, _ in fetch(db, SQL.scanned)):
        db.execute(SQL.insert, (*key, event.name, event.at, _id(event)))


def moved(db: apsw.Connection, key: Key, at: int) -> None:
    """Note that an event turned out to have happened at another time."""
    db.execute(SQL.move, (at, *key))


def forget(db: apsw.Connection, key: Key) -> None:
    """Forget an event that is no more."""
    db.execute(SQL.delete, key)


def behind(db: apsw.Connection, names: Collection[str]) -> dict[str, int]:
    """Return the names for which messages have not been gone through, each with the last `seq` that has."""
    scanned, last = dict(fetch(db, SQL.scanned)), db.execute(SQL.last_seq).get
    orders = {name: scanned[name] for name in names if name in ORDER_EVENTS and name in scanned}
    others = {name: scanned.get(name, 0) for name in names if name not in ORDER_EVENTS}
    return {name: seq for name, seq in {**orders, **others}.items() if seq < last}


def found(db: apsw.Connection, names: Collection[str], seq: int) -> tuple[int, list[tuple[object, ...]]]:
    """Go through the next messages after `seq`; return the last one's `seq` and the rows to note."""
    last = min(seq + SLICE, db.execute(SQL.last_seq).get)
    rows = fetch(db, SQL.in_messages, (seq, last, json.dumps(list(names))))
    return last, [(*row[:5], _id(decode_event(row[5]))) for row in rows]


def noted(db: apsw.Connection, names: Collection[str], seq: int, rows: Sequence[tuple[object, ...]]) -> None:
    """Note what was found in the messages up to `seq`."""
    db.executemany(SQL.insert, rows)
    last = db.execute(SQL.last_seq).get
    for name in names:
        if name in ORDER_EVENTS and seq >= last:
            db.execute(SQL.scan_done, (name,))
        else:
            db.execute(SQL.scan_to, (name, seq))


def between(db: apsw.Connection, names: Collection[str], since: int, until: int) -> list[Outcome]:
    """Return what is told in [since, until), with whatever else is ever told of the same ids."""
    people, members = People(db), dict[Identifier, tuple[Identifier, ...]]()
    told = []
    for body, column in fetch(db, SQL.between, (json.dumps(list(names)), since, until)):
        event = decode_event(body)
        owner = people.root_of_event(identifier(column), event.at, event.level)
        if owner not in members:
            members[owner] = people.profile(owner, FOREVER - 1, NAMES).identifiers
        told.append(Outcome(event, owner, members[owner]))
    return told


def _id(event: Event) -> str:
    return event.order.order_id if event.order is not None else ""
