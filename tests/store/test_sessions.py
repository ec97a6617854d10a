"""Sessions in SQLite: a file of an older format costs a sign-in, and nothing else."""

from pathlib import Path

import apsw

from tests.contracts.loop import run
from wetink.store.sqlite.sessions import SQLiteSessions


def test_sessions_of_an_older_format_end_and_new_ones_begin(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "sessions.db"))
    old.execute("CREATE TABLE session (id BLOB PRIMARY KEY, token BLOB, began INTEGER, used INTEGER) WITHOUT ROWID")
    old.execute("INSERT INTO session VALUES (x'00', x'00', 1, 1)")
    old.close()
    sessions = SQLiteSessions(tmp_path)
    begun = run(sessions.begin("token", 5, account="ida"))
    found = run(sessions.find(begun, "token", 6))
    assert found is not None
    assert found.account == "ida"
    run(sessions.close())
    again = SQLiteSessions(tmp_path)
    assert run(again.find(begun, "token", 7)) is not None, "a file of this format stays"
    run(again.close())
