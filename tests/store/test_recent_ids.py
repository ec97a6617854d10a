"""Message ids that came last: in memory what the file says, also after an error."""

import asyncio
from pathlib import Path

import pytest

from tests.contracts.profiles import LATE
from tests.contracts.test_same_message import FIRST, append
from tests.storage import opened
from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite.connection import connect
from wetink.store.sqlite.recent import AT_LEAST, RecentIds


def test_a_group_that_the_file_refuses_may_come_again(tmp_path: Path) -> None:
    store, good = opened(tmp_path), {**FIRST, "messageId": "good", "timestamp": LATE}
    append(store, good)
    db = connect(tmp_path / "wetink.db")
    db.execute("CREATE TRIGGER refuse BEFORE INSERT ON message BEGIN SELECT raise(ABORT, 'refused'); END")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            append(store, {**FIRST, "messageId": "late"}, good)
    db.execute("DROP TRIGGER refuse")
    db.close()
    assert append(store, {**FIRST, "messageId": "late"}, good) == [False, True]
    asyncio.run(store.close())


def test_the_last_half_a_million_ids_are_known(tmp_path: Path) -> None:
    """However many came before them; what is kept in memory does not grow."""
    opened(tmp_path)
    db, recent = connect(tmp_path / "wetink.db"), RecentIds()
    numbers = [number * 0x9E3779B97F4A7C15 % 2**63 + 1 for number in range(AT_LEAST + 70_000)]
    for start in range(0, len(numbers), 50_000):
        recent.begin(db, start)
        assert not recent.known(numbers[start : start + 50_000])
        recent.written(db, start + 50_000, numbers[start : start + 50_000])
    recent.begin(db, start + 50_000)
    newest = numbers[-AT_LEAST:]
    assert recent.known(newest[::40]) == list(range(len(newest[::40])))
    later = RecentIds()
    later.begin(db, start + 50_000)
    assert later.known(newest[::40]) == list(range(len(newest[::40])))
    db.close()
