"""`wetink` as the next version might be: its tables have another column, an index, and rows to fill in.

    python -m tests.next_version serve --data FOLDER

The process that is started has it, and those that it forks.
"""

import apsw

from wetink.store.postgresql import migrate
from wetink.store.postgresql.migrate import Migration
from wetink.store.sqlite import conversions

KNOWN = migrate.migrations()
SOME = "SELECT fingerprint FROM message WHERE next IS NULL LIMIT 1000"
NEXT = (
    Migration(KNOWN[-1].number + 1, "column", "ALTER TABLE message ADD next text; ALTER TABLE contact ADD next text"),
    Migration(
        KNOWN[-1].number + 2,
        "index",
        "-- concurrently\nDROP INDEX CONCURRENTLY IF EXISTS message_by_next;\n"
        "CREATE INDEX CONCURRENTLY message_by_next ON message (name, seq)",
        concurrently=True,
    ),
    Migration(
        KNOWN[-1].number + 3,
        "rows",
        f"-- concurrently\nUPDATE message SET next = name WHERE fingerprint IN ({SOME})",
        concurrently=True,
    ),
)


def upgrade(db: apsw.Connection) -> None:
    """Change the tables of a SQLite store."""
    if ("next",) not in db.execute("SELECT name FROM pragma_table_info('message')").fetchall():
        db.execute("ALTER TABLE message ADD next TEXT; UPDATE message SET next = name")
    db.execute("CREATE INDEX IF NOT EXISTS message_by_next ON message (name, seq)")


if __name__ == "__main__":
    prepare = conversions.prepare

    def prepared(db: apsw.Connection) -> None:
        prepare(db)
        upgrade(db)

    conversions.prepare = prepared
    migrate.migrations = lambda: [*KNOWN, *NEXT]

    from wetink.cli import main

    main()
