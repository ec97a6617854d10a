"""Told: which identifiers of pages' claims a server has told of.

What pages claim depends on that: `page_claimed` keeps it of the identifiers on either side of such a claim alone, so
what only servers tell of costs nothing. Runs in a transaction that the writer opened, after its events were written.
"""

import json
from collections.abc import Collection, Iterable

import apsw

from wetink.core.identity.holding import Claim
from wetink.core.identity.identifier import Identifier
from wetink.ports import Record
from wetink.store.sqlite.codec import identifier, level_of, who
from wetink.store.sqlite.connection import fetch, first, read

SQL = read("queries.sql")


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


def now_told(db: apsw.Connection, told: Collection[str]) -> set[str]:
    """Note that a server told of these; return the column values of those whose holdings that may change."""
    return _noted(db, [column for (column,) in fetch(db, SQL.untold, (json.dumps(list(told)),))], told=True)


def no_longer_told(db: apsw.Connection, columns: Collection[str]) -> set[str]:
    """Look again whether a server tells of these, since some event that did is no more; return what `now_told` does."""
    listed = json.dumps(list(columns))
    known = [column for column, told in fetch(db, SQL.page_claimed, (listed,)) if told]
    return _noted(db, [column for column in known if not _tells(db, column)], told=False)


def _noted(db: apsw.Connection, columns: Iterable[str], *, told: bool) -> set[str]:
    moved: set[str] = set()
    for column in columns:
        db.execute(SQL.put_page_claimed, (column, told))
        moved |= {column} if column[0] != "u" else set()
        moved.update(weaker for (weaker,) in fetch(db, SQL.page_claims_for, (column,)))
    return moved


def told_among(db: apsw.Connection, made: Collection[Claim], told: Collection[str]) -> set[Identifier]:
    """Return which identifiers of these claims a server has told of, as far as it matters; `told` has some of them."""
    pages = [each for each in made if each.level == "browser"]
    if len(pages) < len(made) or not pages:
        return set()
    columns = {who(pages[0].weaker), *(who(each.stronger) for each in pages)}
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
