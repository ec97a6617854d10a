"""Files of earlier versions."""

import threading
from pathlib import Path

import apsw
import pytest

from tests.contracts.loop import run
from tests.contracts.test_implied_opens import HOUR, START, figures, touch
from tests.contracts.test_ledger import Desk
from tests.storage import opened
from wetink.core.errors import BadSettings
from wetink.core.signals.report import DAY_MS
from wetink.store.sqlite.connection import refuse_older


@pytest.mark.parametrize(("file", "table"), [("wetink.db", "message"), ("opens.db", "contact")])
def test_a_file_of_an_unreleased_version_is_refused_unchanged(tmp_path: Path, file: str, table: str) -> None:
    old = apsw.Connection(str(tmp_path / file))
    old.execute(f"CREATE TABLE {table} (at INTEGER NOT NULL)")

    async def start() -> None:
        await opened(tmp_path).start()

    with pytest.raises(BadSettings, match=f"{file} has the format of an unreleased version"):
        run(start())
    assert [name for (name,) in old.execute("SELECT name FROM sqlite_master")] == [table]
    old.close()


def test_a_file_that_another_process_is_creating_is_awaited(tmp_path: Path) -> None:
    new = apsw.Connection(str(tmp_path / "opens.db"))
    new.execute("CREATE TABLE contact (fetch_class TEXT)")
    rest = threading.Timer(0.1, lambda: new.execute("CREATE TABLE daily (implied_opens INTEGER)"))
    rest.start()
    other = apsw.Connection(str(tmp_path / "opens.db"))
    refuse_older(other, "contact", {"contact.fetch_class", "daily.implied_opens"})
    rest.join()
    other.close()
    new.close()


def test_clicks_of_the_past_prove_opens_when_they_are_classed_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    desk = Desk(store)
    desk.touched(touch("open", "prefetch"), touch("click", after=HOUR))
    db = apsw.Connection(str(tmp_path / "opens.db"))  # as an earlier version wrote it
    db.execute("DELETE FROM contact WHERE implied")
    for table in ("daily", "part_daily"):
        db.execute(f"UPDATE {table} SET opens = 0, unique_opens = 0, implied_opens = 0")
    db.close()
    assert figures(desk) == {"hero": (0, 0, 1, 1, 0)}
    run(desk.ledger.reclassify(lambda _, kind: kind == "person"))
    assert figures(desk) == {"hero": (1, 1, 1, 1, 1)}
    run(desk.ledger.reclassify(lambda _, __: False))
    assert figures(desk) == {"hero": (0, 0, 1, 0, 0)}, "nor does a click that counts no more prove anything"
    run(store.close())


def test_a_file_of_before_there_were_sums_by_part_gets_them(tmp_path: Path) -> None:
    store = opened(tmp_path)
    Desk(store).touched(*(touch("open", who, after=hour * HOUR) for who in ("person", "scanner") for hour in range(40)))
    days = [(START // DAY_MS * DAY_MS, START // DAY_MS * DAY_MS + 3 * DAY_MS)]
    expected = [run(store.ledger.sums(days, by)) for by in ((), ("campaign",), ("block", "part"))]
    assert [each.opens for each in expected[0]] == [40]
    run(store.close())
    db = apsw.Connection(str(tmp_path / "opens.db"))
    db.create_scalar_function("parts_in", lambda *given: "[]", 3)
    db.execute("DELETE FROM part_daily; DELETE FROM rollup; ALTER TABLE contact DROP COLUMN audiences")
    db.close()
    again = opened(tmp_path)
    assert [run(again.ledger.sums(days, by)) for by in ((), ("campaign",), ("block", "part"))] == expected
    run(again.close())
