"""Ownership: claims as they are made, and the holdings and groups of users that follow from them.

Nearly every message repeats what is known: this visitor is that user. Such a claim is not written, as the event that
made it tells of it; when somebody else comes to claim the same identifier, those that were left out are read back from
the holder's events. So all claims on an identifier are rows, but for its holder's while it has only one.

What pages claim depends on whether a server has told of either side: `page_claimed` keeps that of those identifiers
alone, so what only servers tell of costs nothing.

Runs inside a transaction that the writer opened, after its events were written.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from wetink.ports import Record
from wetink.store.sqlite import summaries
from wetink.store.sqlite.codec import events, identifier, level_of, who
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

    def make(self, db: apsw.Connection, claims: Sequence[Claim], records: Iterable[Record]) -> None:
        """Keep the claims of these records, and let them change who holds what. Known ones change nothing."""
        of_pages = any([each.level == "browser" for each in claims])
        told: Collection[str] = told_of(records) if of_pages or db.execute(SQL.pages_claim).get else ()
        moved = _now_told(db, told) if told else ()
        self._make(db, claims, told)
        for column in moved:
            hold_again(db, identifier(column), told)

    def _make(self, db: apsw.Connection, claims: Sequence[Claim], told: Collection[str]) -> None:
        if not claims:
            return
        if self._generation != (generation := _generation(db)) or len(self._sole) > REMEMBERED:
            self._generation, self._sole = generation, {}
        of: dict[Identifier, list[Claim]] = {}
        for each in claims:
            sole = self._sole.get(each.weaker)
            if sole is None or each.alias or not changes_nothing(each, (sole,)):
                of.setdefault(each.weaker, []).append(each)
        if not of:
            return
        for weaker, held in _claimed(db, of, told).items():
            if len(held) == 1:
                self._sole[weaker] = held[0]
            else:
                self._sole.pop(weaker, None)
        self._generation = _generation(db)

    def forget(self) -> None:
        """Remember nothing: what was written was undone, or others' claims were taken back."""
        self._sole.clear()


def told_of(records: Iterable[Record]) -> set[str]:
    """Return the column values of all identifiers that servers, and pages with a proof, tell of in these records."""
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


def _now_told(db: apsw.Connection, told: Collection[str]) -> set[str]:
    """Note that a server told of these; return the column values of those whose holdings that may change."""
    return _noted(db, [column for (column,) in fetch(db, SQL.untold, (json.dumps(list(told)),))], told=True)


def no_longer_told(db: apsw.Connection, columns: Collection[str]) -> None:
    """Look again whether a server tells of these, since some event that did is no more."""
    listed = json.dumps(list(columns))
    known = [column for column, told in fetch(db, SQL.page_claimed, (listed,)) if told]
    for column in _noted(db, [column for column in known if not _tells(db, column)], told=False):
        hold_again(db, identifier(column))


def _noted(db: apsw.Connection, columns: Iterable[str], *, told: bool) -> set[str]:
    moved: set[str] = set()
    for column in columns:
        db.execute(SQL.put_page_claimed, (column, told))
        moved |= {column} if column[0] != "u" else set()
        moved.update(weaker for (weaker,) in fetch(db, SQL.page_claims_for, (column,)))
    return moved


def _told_among(db: apsw.Connection, made: Sequence[Claim], told: Collection[str]) -> set[Identifier]:
    """Return which identifiers of these claims a server has told of, as far as it matters; `told` has some of them."""
    pages = [each for each in made if each.level == "browser"]
    if len(pages) < len(made) or not pages:
        return set()
    columns = {who(made[0].weaker), *(who(each.stronger) for each in pages)}
    known = dict(fetch(db, SQL.page_claimed, (json.dumps(list(columns)),)))
    for column in columns - known.keys():
        known[column] = column in told or _tells(db, column)
        db.execute(SQL.put_page_claimed, (column, known[column]))
    return {identifier(column) for column, yes in known.items() if yes}


def _tells(db: apsw.Connection, column: str) -> bool:
    """Whether what is written has a server tell of an identifier."""
    if first(db, SQL.told_by_claim, (column,)) is not None:
        return True
    bodies = db.execute(SQL.events_filed_under, (column,))
    return any(level_of(body) != "browser" for (body,) in bodies)


def _generation(db: apsw.Connection) -> int:
    number: int = db.execute(SQL.holding_generation).get
    return number


def _claimed(
    db: apsw.Connection, of: Mapping[Identifier, Sequence[Claim]], told: Collection[str]
) -> dict[Identifier, Sequence[Holding]]:
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
            after[weaker] = holdings(weaker, made, _told_among(db, made, told))
            first_held += [_holding_row(column, each) for each in after[weaker]]
            continue
        news = [each for each in made if not changes_nothing(each, held)]
        if news:
            changed.append(weaker)
        kept += made if len(held) > 1 else [each for each in made if each.alias or each in news]
    db.executemany(SQL.insert_claim, [_row(each) for each in kept])
    if first_held:
        db.executemany(SQL.insert_holding, first_held)
    for weaker in changed:
        _recall(db, weaker, after[weaker])
        after[weaker] = hold_again(db, weaker, told)
    return after


def unclaim(db: apsw.Connection, claims: Iterable[Claim], at: int) -> None:
    """Take back claims that were made with another time, `at`."""
    for each in claims:
        column = who(each.weaker)
        _recall(db, each.weaker, _held(db, column))
        db.execute(SQL.delete_claims_of_message, (column, at, each.source, each.message_id))
        hold_again(db, each.weaker)


def hold_again(db: apsw.Connection, of: Identifier, told: Collection[str] = ()) -> Sequence[Holding]:
    """Work out an identifier's holdings anew from its claims; servers tell of `told` in what is being written."""
    column = who(of)
    made = [
        Claim(at, source, message_id, identifier(weak), identifier(strong), level, bool(alias))
        for at, source, message_id, weak, strong, level, alias in fetch(db, SQL.claims_on, (column,))
    ]
    db.execute(SQL.next_holding_generation)
    summaries.drop(db, [column])
    db.execute(SQL.delete_holdings, (column,))
    held = holdings(of, made, _told_among(db, made, told))
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
    db.execute("DELETE FROM holding; DELETE FROM joined; DELETE FROM page_claimed")
    summaries.drop_all(db)
    db.execute(SQL.next_holding_generation)
    for previous, current in fetch(db, SQL.all_aliases):
        _join(db, previous, current)
    for (weaker,) in fetch(db, SQL.claimed_identifiers):
        for (stronger,) in fetch(db, SQL.claimers, (weaker,)):
            _remember(db, identifier(weaker), stronger)
        hold_again(db, identifier(weaker))


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
        Holding(since, until, identifier(owner), level, moves, bool(followed))
        for since, until, owner, level, moves, followed in fetch(db, SQL.held, (column,))
    ]


def _row(claim: Claim) -> tuple[Any, ...]:
    weaker, stronger = who(claim.weaker), who(claim.stronger)
    return (weaker, claim.at, claim.source, claim.message_id, stronger, claim.level, claim.alias)


def _holding_row(column: str, held: Holding) -> tuple[Any, ...]:
    return (column, held.since, held.until, who(held.owner), held.level, held.moves, held.followed)


def set_aside(db: apsw.Connection) -> None:
    """Make room for the holdings of now in a file of a version that kept others, before the schema is made."""
    columns = {name for _, name, *_ in fetch(db, "PRAGMA table_info(holding)")}
    if columns and "moves" not in columns:
        db.execute("DROP INDEX IF EXISTS holding_by_owner; ALTER TABLE holding RENAME TO holding_before")


def take_over(db: apsw.Connection) -> None:
    """Make holdings of those that were set aside: what pages claimed no longer counts for more than it does now."""
    if not fetch(db, "PRAGMA table_info(holding_before)"):
        return
    db.execute(
        "INSERT INTO holding SELECT identifier, since, until, owner, level, 'all', 1 FROM holding_before;"
        " DROP TABLE holding_before"
    )
    for previous, current in fetch(db, SQL.aliases_of_pages):
        db.execute(SQL.delete_alias, (previous, current))
    db.execute("DELETE FROM joined")
    for previous, current in fetch(db, SQL.all_aliases):
        _join(db, previous, current)
    for (weaker,) in fetch(db, "SELECT DISTINCT weaker FROM claim WHERE level = 'browser'"):
        _recall(db, identifier(weaker), _held(db, weaker))
        hold_again(db, identifier(weaker))
    summaries.drop_all(db)
