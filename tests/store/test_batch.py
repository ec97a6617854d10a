"""A writer of batches: bounded, many rows in one transaction, and none that harms another."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from wetink.store.sqlite.batch import BatchWriter, Queue
from wetink.store.sqlite.connection import connect

LONG = 3600.0


class Shelf:
    """A file of rows, its writer, and another process that may hold it."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.other, db = connect(folder / "rows.db"), connect(folder / "rows.db", busy_ms=1)
        self.other.execute("CREATE TABLE row (kind, value CHECK (value != 'odd'))")
        self.db = db

        def writes(kind: str) -> Any:
            def write(rows: Sequence[Any]) -> None:
                db.executemany("INSERT INTO row VALUES (?, ?)", [(kind, row) for row in rows])

            return write

        queues = {
            "first": Queue(writes("first"), 5),
            "sums": Queue(writes("sums"), 3, lambda old, new: old + new),
            "many": Queue(writes("many"), 10_000),
        }
        self.writer = BatchWriter("rows", db, queues, **{"seconds": LONG, **more})

    def rows(self) -> list[tuple[Any, ...]]:
        return [*self.other.execute("SELECT kind, value FROM row ORDER BY rowid")]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.writer.close()


def test_rows_are_written_kind_after_kind_and_those_of_one_key_joined(shelf: Shelf) -> None:
    for key, number in (("a", 1), ("b", 5), ("a", 2)):
        assert shelf.writer.put("sums", number, key)
    shelf.writer.put("first", "x")
    assert shelf.writer.pending("sums") == [3, 5]
    assert shelf.writer.find("sums", "a") == 3
    assert shelf.writer.flush()
    assert shelf.rows() == [("first", "x"), ("sums", 3), ("sums", 5)]
    assert shelf.writer.pending("sums") == []
    assert shelf.writer.find("sums", "a") is None


def test_rows_that_failed_are_written_before_newer_ones(shelf: Shelf) -> None:
    shelf.writer.put("first", "x")
    shelf.writer.put("sums", 1, "a")
    shelf.other.execute("BEGIN IMMEDIATE")
    assert not shelf.writer.flush()
    shelf.writer.put("first", "y")
    shelf.writer.put("sums", 2, "a")
    assert not shelf.writer.flush()
    assert shelf.writer.pending("first") == ["x", "y"]
    shelf.other.execute("COMMIT")
    assert shelf.writer.flush()
    assert shelf.rows() == [("first", "x"), ("first", "y"), ("sums", 3)]
    assert shelf.writer.lost == 0


def test_memory_is_bounded_by_kind_and_what_is_lost_is_counted_and_told(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.other.execute("BEGIN IMMEDIATE")
    kept = [shelf.writer.put("first", number) for number in range(8)]
    assert kept == [True] * 5 + [False] * 3
    assert not shelf.writer.flush()
    assert not shelf.writer.put("first", 9), "what is put back counts as well"
    assert shelf.writer.put("sums", 9, "a"), "each kind has room of its own"
    shelf.other.execute("COMMIT")
    assert shelf.writer.flush()
    assert [value for kind, value in shelf.rows() if kind == "first"] == [0, 1, 2, 3, 4]
    assert shelf.writer.lost == 4
    assert "3 rows are lost: they could not be written for too long" in caplog.text


@pytest.mark.parametrize("place", [0, 37, 99])
def test_an_odd_row_among_a_hundred_harms_only_itself(
    shelf: Shelf, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        shelf.writer.put("many", "odd" if number == place else number)
    assert shelf.writer.flush()
    assert [value for _, value in shelf.rows()] == [number for number in range(100) if number != place]
    assert shelf.writer.lost == 1
    assert "1 rows are lost: they cannot be written" in caplog.text


def test_a_full_batch_is_written_without_waiting(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    try:
        for number in range(5_000):
            shelf.writer.put("many", number)
        until = time.monotonic() + 60
        while len(shelf.rows()) < 5_000 and time.monotonic() < until:
            time.sleep(0.01)
        assert len(shelf.rows()) == 5_000
    finally:
        shelf.writer.close()


@pytest.mark.parametrize("held", [False, True])
def test_the_end_writes_what_waits_or_says_that_it_is_lost(
    tmp_path: Path, held: bool, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(tmp_path)
    if held:
        shelf.other.execute("BEGIN IMMEDIATE")
    shelf.writer.put("first", "x")
    shelf.writer.put("sums", 2, "a")
    shelf.writer.close()
    shelf.writer.close()
    assert (len(shelf.rows()), shelf.writer.lost) == ((0, 2) if held else (2, 0))
    assert ("2 rows are lost: this process ends" in caplog.text) is held


class Stumble(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("error", [apsw.FullError, SystemExit, Stumble])
def test_rows_whose_write_is_broken_off_wait_on(tmp_path: Path, error: type[BaseException]) -> None:
    def write(rows: Sequence[Any]) -> None:
        db.executemany("INSERT INTO row VALUES (?)", [(row,) for row in rows])
        if broken:
            raise error

    broken, db = True, connect(tmp_path / "rows.db")
    db.execute("CREATE TABLE row (value)")
    writer = BatchWriter("rows", db, {"rows": Queue(write, 9)}, seconds=LONG)
    writer.put("rows", 1)
    assert not writer.flush()
    assert [*db.execute("SELECT * FROM row")] == []
    broken = False
    assert writer.pending("rows") == [1]
    assert writer.flush()
    assert [*db.execute("SELECT * FROM row")] == [(1,)]
    writer.close()
