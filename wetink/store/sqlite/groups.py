"""Groups: users that aliases have made one person. Runs inside a transaction that the writer opened."""

import apsw

from wetink.core.identity.holding import root_of
from wetink.core.identity.identifier import Identifier
from wetink.store.sqlite import people
from wetink.store.sqlite.codec import identifier, who
from wetink.store.sqlite.connection import fetch, first, read

SQL = read("queries.sql")


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
    people.drop_summaries_about(db, members)


def rebuild(db: apsw.Connection) -> None:
    """Work out all groups anew from the aliases."""
    db.execute("DELETE FROM joined")
    for previous, current in fetch(db, SQL.all_aliases):
        _join(db, previous, current)


def _join(db: apsw.Connection, one: str, other: str) -> None:
    """Make the groups of two users one, named by its smallest member."""
    members = {one, other}
    for root in {_root(db, one), _root(db, other)}:
        members.update(member for (member,) in fetch(db, SQL.members_of, (root,)))
    name = who(root_of(map(identifier, members)))
    db.executemany(SQL.upsert_joined, [(member, name) for member in members])
    people.drop_summaries_about(db, members)


def _root(db: apsw.Connection, user: str) -> str:
    row = first(db, SQL.root_of, (user,))
    return row[0] if row else user
