"""Earlier: files of versions that kept claims and holdings otherwise, made what they are now when they are opened."""

import apsw

from wetink.store.sqlite import groups, identity, summaries
from wetink.store.sqlite.codec import identifier
from wetink.store.sqlite.connection import fetch
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")


def set_aside(db: apsw.Connection) -> bool:
    """Make room for the holdings of now before the schema is made; return whether its claims are no runs yet."""
    columns = {name for _, name, *_ in fetch(db, "PRAGMA table_info(holding)")}
    if columns and "moves" not in columns:
        db.execute("DROP INDEX IF EXISTS holding_by_owner; ALTER TABLE holding RENAME TO holding_before")
    return bool(columns) and not fetch(db, "PRAGMA table_info(uncounted_claim)")


def take_over(db: apsw.Connection, *, whole: bool) -> None:
    """Make holdings of those that were set aside: what pages claimed no longer counts for more than it does now.

    Where the claims are `whole`, those of a holder that were left out after others had claimed are found again.
    """
    before = bool(fetch(db, "PRAGMA table_info(holding_before)"))
    if before:
        db.execute(
            "INSERT INTO holding SELECT identifier, since, until, owner, level, 'all', 1 FROM holding_before;"
            " DROP TABLE holding_before"
        )
        for previous, current in fetch(db, SQL.aliases_of_pages):
            db.execute(SQL.delete_alias, (previous, current))
        groups.rebuild(db)
        for (weaker,) in fetch(db, "SELECT DISTINCT weaker FROM claim WHERE level = 'browser'"):
            identity.derive(db, identifier(weaker))
        summaries.drop_all(db)
    if whole:
        for (weaker,) in fetch(db, SQL.claimed_by_several):
            identity.derive(db, identifier(weaker))
