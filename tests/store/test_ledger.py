"""Ledgers of earlier versions."""

import asyncio
from pathlib import Path

import apsw

from tests.contracts.test_implied_opens import HOUR, figures, touch
from tests.contracts.test_ledger import Desk
from tests.storage import opened


def test_a_ledger_of_an_earlier_version_is_summed_up_when_it_is_opened(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "opens.db"))
    old.execute(
        "CREATE TABLE contact (recipient TEXT NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL, block TEXT NOT"
        " NULL, campaign TEXT NOT NULL, variant TEXT NOT NULL, taken_for TEXT NOT NULL, facts TEXT NOT NULL,"
        " version INTEGER NOT NULL)"
    )
    for taken_for in ("person", "prefetch", "person"):
        old.execute("INSERT INTO contact VALUES ('user:jane', 5, 0, 'hero', '', 'v', ?, '{}', 1)", (taken_for,))
    old.close()
    for _ in range(2):
        store = opened(tmp_path)
        desk = Desk(store)
        assert desk.days() == {(0, "hero", "v", ""): (0, 2, 1, 1, 1, 0, 0, 0)}
        [first, *_] = desk.run(desk.ledger.touches(["user:jane"], 0, 10))
        assert first.arms == {}
        asyncio.run(store.close())


def test_clicks_of_the_past_prove_opens_when_they_are_classed_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    desk = Desk(store)
    desk.touched(touch("open", "prefetch"), touch("click", after=HOUR))
    db = apsw.Connection(str(tmp_path / "opens.db"))  # as an earlier version wrote it
    db.execute("DELETE FROM contact WHERE implied")
    db.execute("UPDATE daily SET opens = 0, unique_opens = 0, implied_opens = 0")
    db.close()
    assert figures(desk) == {"hero": (0, 0, 1, 1, 0)}
    asyncio.run(desk.ledger.reclassify(lambda _, kind: kind == "person"))
    assert figures(desk) == {"hero": (1, 1, 1, 1, 1)}
    asyncio.run(desk.ledger.reclassify(lambda _, __: False))
    assert figures(desk) == {"hero": (0, 0, 1, 0, 0)}, "nor does a click that counts no more prove anything"
    asyncio.run(store.close())
