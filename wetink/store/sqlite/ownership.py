"""Ownership: claims as they are made, and the holdings and groups of users that follow from them.

Runs inside a transaction that the writer opened.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

from wetink.core.identifier import Identifier
from wetink.core.identity import Claim, Holding, changes_nothing, holdings, root_of
from wetink.store.sqlite.codec import identifier, who
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")


def claim(db: apsw.Connection, claims: Sequence[Claim]) -> None:
    """Keep claims, and let them change who holds what. Known ones change nothing."""
    db.executemany(SQL.insert_claim, [_row(each) for each in claims])
    of: dict[Identifier, list[Claim]] = {}
    for each in claims:
        of.setdefault(each.weaker, []).append(each)
    held_first: list[tuple[Any, ...]] = []
    for weaker, made in of.items():
        column = who(weaker)
        held = [Holding(*row) for row in _held(db, column)]
        if not held:  # so these are all the claims there are
            held_first += [_holding_row(column, each) for each in holdings(weaker, made)]
        elif not all(any(changes_nothing(each, stretch) for stretch in held) for each in made):
            hold_again(db, weaker)
    if held_first:
        db.executemany(SQL.insert_holding, held_first)


def unclaim(db: apsw.Connection, claims: Iterable[Claim], at: int) -> None:
    """Take back claims that were made with another time, `at`."""
    for each in claims:
        db.execute(SQL.delete_claims_of_message, (who(each.weaker), at, each.source, each.message_id))
        hold_again(db, each.weaker)


def hold_again(db: apsw.Connection, of: Identifier) -> None:
    """Work out an identifier's holdings anew from its claims."""
    column = who(of)
    made = [
        Claim(at, source, message_id, identifier(weak), identifier(strong), level, bool(alias))
        for at, source, message_id, weak, strong, level, alias in fetch(db, SQL.claims_on, (column,))
    ]
    db.execute(SQL.delete_holdings, (column,))
    db.executemany(SQL.insert_holding, [_holding_row(column, held) for held in holdings(of, made)])


def join(db: apsw.Connection, previous: Identifier, current: Identifier) -> None:
    """Make two users one person, as an alias says. A known alias changes nothing."""
    db.execute(SQL.insert_alias, (who(previous), who(current)))
    if db.changes():
        _join(db, who(previous), who(current))


def rebuild(db: apsw.Connection) -> None:
    """Work out every holding and every group of users anew from the claims and aliases alone."""
    db.execute("DELETE FROM holding; DELETE FROM joined")
    for (weaker,) in fetch(db, SQL.claimed_identifiers):
        hold_again(db, identifier(weaker))
    for previous, current in fetch(db, SQL.all_aliases):
        _join(db, previous, current)


def _join(db: apsw.Connection, one: str, other: str) -> None:
    """Make the groups of two users one, named by its smallest member."""
    members = {one, other}
    for root in {_root(db, one), _root(db, other)}:
        members.update(member for (member,) in fetch(db, SQL.members_of, (root,)))
    name = who(root_of(map(identifier, members)))
    db.executemany(SQL.upsert_joined, [(member, name) for member in members])


def _root(db: apsw.Connection, user: str) -> str:
    row = first(db, SQL.root_of, (user,))
    return row[0] if row else user


def _held(db: apsw.Connection, column: str) -> list[tuple[int, int, Identifier, Any]]:
    return [(since, until, identifier(owner), level) for since, until, owner, level in fetch(db, SQL.held, (column,))]


def _row(claim: Claim) -> tuple[Any, ...]:
    weaker, stronger = who(claim.weaker), who(claim.stronger)
    return (weaker, claim.at, claim.source, claim.message_id, stronger, claim.level, claim.alias)


def _holding_row(column: str, held: Holding) -> tuple[Any, ...]:
    return (column, held.since, held.until, who(held.owner), held.level)
