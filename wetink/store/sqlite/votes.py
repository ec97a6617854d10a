"""Votes: one of each person in each poll, and the sums of them. Runs inside a transaction that the writer opened."""

import apsw

from wetink.core.app.poll import Tally
from wetink.core.identity.identifier import Identifier
from wetink.store.sqlite.codec import who
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")


def vote(db: apsw.Connection, poll: str, voter: Identifier, option: int, at: int) -> None:
    """Keep somebody's vote in place of the one they gave before."""
    before = first(db, SQL.vote_of, (poll, who(voter)))
    if before is not None:
        if before[0] == option:
            return
        db.execute(SQL.add_votes, (poll, before[0], -1))
    db.execute(SQL.vote, (poll, who(voter), option, at))
    db.execute(SQL.add_votes, (poll, option, 1))


def tally(db: apsw.Connection, poll: str, voter: Identifier | None) -> Tally:
    """Return how a poll stands, for this voter."""
    own = first(db, SQL.vote_of, (poll, who(voter))) if voter is not None else None
    return Tally(dict(fetch(db, SQL.votes, (poll,))), own[0] if own is not None else 0)
