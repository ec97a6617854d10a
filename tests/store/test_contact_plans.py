"""Plans of queries for opens and clicks in SQLite: a list of a person is read from the person's own newest rows."""

from pathlib import Path

import apsw

from tests.contracts.loop import run
from tests.storage import opened
from wetink.ports.ledger import TouchQuery
from wetink.store.interactions import asked_of
from wetink.store.sqlite import interactions, rollups


def test_a_list_of_people_reads_the_newest_rows_of_each(tmp_path: Path) -> None:
    store = opened(tmp_path)
    run(store.ledger.touches((), 0, 0))  # the file is there
    run(store.close())
    db = apsw.Connection(str(tmp_path / "opens.db"))
    interactions.prepare(db)
    given = rollups.as_json(asked_of(TouchQuery(0, 1 << 60, recipients=["user:1", "user:2"]), 50, None))
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {interactions.SQL.listed_of}", given)]
    db.close()
    assert any(
        each.startswith("SEARCH own USING INDEX contact_by_recipient (recipient=? AND at>? AND at<?)") for each in plan
    )
    assert any(each.startswith("SEARCH contact USING INTEGER PRIMARY KEY") for each in plan)
    assert len([each for each in plan if "ORDER BY" in each]) == 1, "only the rows that were found are sorted"
