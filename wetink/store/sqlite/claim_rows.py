"""Claim rows: claims and holdings as they stand in the file."""

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from wetink.core.identity import plan
from wetink.core.identity.holding import Claim, Holding, claims_of, makes_claim_on
from wetink.core.identity.identifier import Identifier
from wetink.core.identity.plan import Changes, Span
from wetink.store.sqlite.codec import decode_carrier, identifier, who
from wetink.store.sqlite.connection import fetch, read

SQL = read("queries.sql")


def looked_up(
    db: apsw.Connection, of: Identifier, claimer: Identifier, span: Span, cuts: Sequence[int] | None
) -> list[Claim]:
    """Return the claims on `of` that somebody's events tell of, and those of their aliases that did not count."""
    told = "" if of.kind == "email" and "@" in claimer.value else of.value  # a user id may be spelled otherwise
    rows = db.execute(SQL.carriers, (who(claimer), *span, told.encode()))
    carriers = (each for (body,) in rows if makes_claim_on(each := decode_carrier(body), of))
    telling = carriers if cuts is None else plan.firsts(carriers, cuts)
    found = [each for event in telling for each in claims_of(event) if each.weaker == of]
    aliases = fetch(db, SQL.uncounted_aliases, (who(of), who(claimer)))
    return found + [Claim(at, source, id_, of, claimer, level, alias=True) for at, source, id_, level in aliases]


def put(db: apsw.Connection, changed: Mapping[Identifier, Changes]) -> None:
    """Write what changes about each of these identifiers."""
    named = [(who(of), changes) for of, changes in changed.items()]
    rows: dict[str, list[tuple[Any, ...]]] = {
        SQL.delete_claim: [_claim_row(each) for _, changes in named for each in changes.claims_removed],
        SQL.insert_claim: [_claim_row(each) for _, changes in named for each in changes.claims_added],
        SQL.delete_uncounted: [(column, who(each)) for column, changes in named for each in changes.counted],
        SQL.insert_uncounted: [_uncounted_row(each) for _, changes in named for each in changes.uncounted],
        SQL.delete_holding: [
            (column, each.moves, each.since) for column, changes in named for each in changes.holdings_removed
        ],
        SQL.insert_holding: [
            _holding_row(column, each) for column, changes in named for each in changes.holdings_added
        ],
        SQL.contest: [
            (column, odd.claimers, odd.at) for column, changes in named if (odd := changes.contested) is not None
        ],
    }
    for query, values in rows.items():
        if values:
            db.executemany(query, values)


def uncounted_claimers(db: apsw.Connection, column: str) -> set[Identifier]:
    """Return who claims an identifier and does not count."""
    return {identifier(claimer) for (claimer,) in fetch(db, SQL.uncounted, (column,))}


def claims_on(db: apsw.Connection, column: str) -> list[Claim]:
    """Return the claims on an identifier that are rows."""
    return [
        Claim(at, source, message_id, identifier(weaker), identifier(stronger), level, bool(alias))
        for at, source, message_id, weaker, stronger, level, alias in fetch(db, SQL.claims_on, (column,))
    ]


def holdings_of(db: apsw.Connection, column: str) -> list[Holding]:
    """Return who holds an identifier when."""
    return [
        Holding(since, until, identifier(owner), level, moves, bool(followed))
        for since, until, owner, level, moves, followed in fetch(db, SQL.held, (column,))
    ]


def _claim_row(claim: Claim) -> tuple[Any, ...]:
    weaker, stronger = who(claim.weaker), who(claim.stronger)
    return (weaker, claim.at, claim.source, claim.message_id, stronger, claim.level, claim.alias)


def _uncounted_row(claim: Claim) -> tuple[Any, ...]:
    weaker, *place, stronger, level, alias = _claim_row(claim)
    return (weaker, *(place if alias else (0, "", "")), stronger, level, alias)


def _holding_row(column: str, held: Holding) -> tuple[Any, ...]:
    return (column, held.since, held.until, who(held.owner), held.level, held.moves, held.followed)
