"""Ownership: claims as they are made, and the holdings and groups of users that follow from them.

Nearly every message repeats what is known: this visitor is that user. Such a claim is not written, as the event that
made it tells of it; when somebody else comes to claim the same identifier, those that were left out are read back from
the holder's events. So all claims on an identifier are rows, but for its holder's while it has only one.

Runs inside a transaction that the writer opened, after its events were written.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw

from wetink.core.identifier import Identifier
from wetink.core.identity import (
    MOST_A_DAY,
    Claim,
    Holding,
    changes_nothing,
    claims_of,
    contested,
    holdings,
    root_of,
)
from wetink.store.sqlite import summaries
from wetink.store.sqlite.codec import events, identifier, who
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

REMEMBERED = 50_000
"""Identifiers of which a process remembers who alone holds them."""


class Claims:
    """Takes claims in one process.

    Remembers who alone holds an identifier, for as long as nobody's holdings have changed: most claims repeat that, and
    are then done with at once.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._sole: dict[Identifier, Holding] = {}
        self._generation = -1

    def make(self, db: apsw.Connection, claims: Sequence[Claim]) -> None:
        """Keep claims, and let them change who holds what. Known ones change nothing."""
        if self._generation != (generation := _generation(db)) or len(self._sole) > REMEMBERED:
            self._generation, self._sole = generation, {}
        of: dict[Identifier, list[Claim]] = {}
        for each in claims:
            sole = self._sole.get(each.weaker)
            if sole is None or each.alias or not changes_nothing(each, sole):
                of.setdefault(each.weaker, []).append(each)
        if not of:
            return
        for weaker, held in _claimed(db, of).items():
            if len(held) == 1:
                self._sole[weaker] = held[0]
            else:
                self._sole.pop(weaker, None)
        self._generation = _generation(db)

    def forget(self) -> None:
        """Remember nothing: what was written was undone, or others' claims were taken back."""
        self._sole.clear()


def _generation(db: apsw.Connection) -> int:
    number: int = db.execute(SQL.holding_generation).get
    return number


def _claimed(db: apsw.Connection, of: Mapping[Identifier, Sequence[Claim]]) -> dict[Identifier, Sequence[Holding]]:
    """Keep the claims on each identifier; return who holds it then."""
    kept: list[Claim] = []
    first_held: list[tuple[Any, ...]] = []
    changed: list[Identifier] = []
    after: dict[Identifier, Sequence[Holding]] = {}
    for weaker, made in of.items():
        column = who(weaker)
        held = after[weaker] = _held(db, column)
        if not held:  # so these are all the claims there are
            kept += made
            after[weaker] = holdings(weaker, made)
            first_held += [_holding_row(column, each) for each in after[weaker]]
            continue
        news = [each for each in made if not any(changes_nothing(each, stretch) for stretch in held)]
        if news:
            changed.append(weaker)
        kept += made if len(held) > 1 else [each for each in made if each.alias or each in news]
    db.executemany(SQL.insert_claim, [_row(each) for each in kept])
    if first_held:
        db.executemany(SQL.insert_holding, first_held)
    for weaker in changed:
        _recall(db, weaker, after[weaker])
        after[weaker] = hold_again(db, weaker)
    return after


def unclaim(db: apsw.Connection, claims: Iterable[Claim], at: int) -> None:
    """Take back claims that were made with another time, `at`."""
    for each in claims:
        column = who(each.weaker)
        _recall(db, each.weaker, _held(db, column))
        db.execute(SQL.delete_claims_of_message, (column, at, each.source, each.message_id))
        hold_again(db, each.weaker)


def hold_again(db: apsw.Connection, of: Identifier) -> Sequence[Holding]:
    """Work out an identifier's holdings anew from its claims."""
    column = who(of)
    made = [
        Claim(at, source, message_id, identifier(weak), identifier(strong), level, bool(alias))
        for at, source, message_id, weak, strong, level, alias in fetch(db, SQL.claims_on, (column,))
    ]
    db.execute(SQL.next_holding_generation)
    summaries.drop(db, [column])
    db.execute(SQL.delete_holdings, (column,))
    held = holdings(of, made)
    db.executemany(SQL.insert_holding, [_holding_row(column, each) for each in held])
    summaries.drop(db, [column])
    if len(made) > MOST_A_DAY and (odd := contested(of, made)) is not None:
        db.execute(SQL.contest, (column, odd.claimers, odd.at))
    return held


def _recall(db: apsw.Connection, weaker: Identifier, held: Sequence[Holding]) -> None:
    """Write down the claims that were left out while an identifier had but one holder, before that changes."""
    if len(held) == 1:
        _remember(db, weaker, who(held[0].owner))


def _remember(db: apsw.Connection, weaker: Identifier, stronger: str) -> None:
    """Write down every claim on `weaker` that the events filed under `stronger` make."""
    found = events([body for (body,) in fetch(db, SQL.events_filed_under, (stronger,))])
    made = [each for event in found for each in claims_of(event) if each.weaker == weaker]
    db.executemany(SQL.insert_claim, [_row(each) for each in made])


def join(db: apsw.Connection, previous: Identifier, current: Identifier) -> None:
    """Make two users one person, as an alias says. A known alias changes nothing."""
    db.execute(SQL.insert_alias, (who(previous), who(current)))
    if db.changes():
        _join(db, who(previous), who(current))


def part(db: apsw.Connection, user: Identifier) -> None:
    """Take back all that aliases have joined by a user who turned out to be nobody; what others say of each stays."""
    column = who(user)
    root = _root(db, column)
    members = [member for (member,) in fetch(db, SQL.members_of, (root,))]
    made = [alias for member in members for alias in fetch(db, SQL.aliases_of, (member,))]
    gone = [alias for alias in made if column in alias]
    if not gone:
        return
    db.executemany(SQL.delete_alias, gone)
    db.execute(SQL.delete_joined, (root,))
    for previous, current in made:
        if column not in (previous, current):
            _join(db, previous, current)
    summaries.drop(db, members)


def rebuild(db: apsw.Connection) -> None:
    """Work out every holding and every group of users anew from the events, claims and aliases alone."""
    db.execute("DELETE FROM holding; DELETE FROM joined")
    summaries.drop_all(db)
    db.execute(SQL.next_holding_generation)
    for (weaker,) in fetch(db, SQL.claimed_identifiers):
        for (stronger,) in fetch(db, SQL.claimers, (weaker,)):
            _remember(db, identifier(weaker), stronger)
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
    summaries.drop(db, members)


def _root(db: apsw.Connection, user: str) -> str:
    row = first(db, SQL.root_of, (user,))
    return row[0] if row else user


def _held(db: apsw.Connection, column: str) -> list[Holding]:
    return [
        Holding(since, until, identifier(owner), level) for since, until, owner, level in fetch(db, SQL.held, (column,))
    ]


def _row(claim: Claim) -> tuple[Any, ...]:
    weaker, stronger = who(claim.weaker), who(claim.stronger)
    return (weaker, claim.at, claim.source, claim.message_id, stronger, claim.level, claim.alias)


def _holding_row(column: str, held: Holding) -> tuple[Any, ...]:
    return (column, held.since, held.until, who(held.owner), held.level)
