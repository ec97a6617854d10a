"""The file of columns: the next one is what laying everything out anew would make, and counts go on meanwhile."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.contracts.columns import columns_of, laid_out
from tests.contracts.profiles import LATE, received
from tests.storage import opened
from wetink.audiences import segment_query
from wetink.audiences.segment_query import ColumnCrowd
from wetink.columns import DuckDBColumns, engine, layout
from wetink.columns.tables import ORDERED, TABLES
from wetink.core.errors import StoreUnavailable
from wetink.core.profile.person import Moment
from wetink.core.rules.parse import parse
from wetink.ports.audiences import Count

VIEWED = parse({"done": "Product Viewed", "where": {"category": "Shoes"}})


class Shop:
    """A store of some people with columns that follow it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, folder / "columns"
        self.store = opened(folder)
        self.columns = columns_of(self.store, folder)
        self.crowd = ColumnCrowd(self.store, lambda: self.columns)
        self._sent = 0

    def send(self, *said: dict[str, Any]) -> None:
        full = [
            {"messageId": f"m{number}", "timestamp": LATE - 60_000 + number, "type": "track", **each}
            for number, each in enumerate(said, self._sent)
        ]
        self._sent += len(said)
        asyncio.run(self.store.log.append([received(each) for each in full]))

    def view(self, *people: str) -> None:
        properties = {"sku": "a", "category": "Shoes", "price": 5, "url": "https://shop.example/a"}
        self.send(*({"userId": who, "event": "Product Viewed", "properties": properties} for who in people))

    def count(self) -> Count:
        return asyncio.run(self.crowd.count(VIEWED, Moment(LATE), {}))

    def changed(self) -> int:
        return len(asyncio.run(self.columns.narrow(VIEWED, Moment(LATE), {})).changed)

    def close(self) -> None:
        asyncio.run(self.crowd.close())
        asyncio.run(self.store.close())


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    made = Shop(tmp_path)
    made.view(*(f"p{number}" for number in range(20)))
    yield made
    made.close()


def test_columns_of_many_messages_are_there_before_the_first_query(shop: Any, monkeypatch: Any) -> None:
    asyncio.run(shop.crowd.prepare())
    assert layout.newest(shop.files) is None, "a query builds those of few"
    monkeypatch.setattr(segment_query, "FEW", 10)
    asyncio.run(shop.crowd.prepare())
    built = layout.newest(shop.files)
    assert built is not None
    assert shop.count() == Count(20, 20)
    assert layout.newest(shop.files) == built
    shop.view("p20")
    asyncio.run(shop.crowd.prepare())
    assert shop.changed() == 1


def _content(folder: Path) -> dict[str, list[Any]]:
    """Every table of the newest file, each profile by its root instead of its number."""
    path = layout.newest(folder)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as db:
        return {
            table: sorted(
                db.execute(
                    f"SELECT p.root, t.* EXCLUDE pid FROM {table} AS t JOIN profile AS p USING (pid)"
                ).fetchall(),
                key=repr,
            )
            for table in TABLES
        }


def _in_order(folder: Path) -> bool:
    path = layout.newest(folder)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as db:
        keys = [db.execute(f"SELECT {order} FROM {table}").fetchall() for table, order in ORDERED.items()]
    return all(each == sorted(each) for each in keys)


def test_the_next_file_is_what_laying_everything_out_anew_makes(shop: Shop, tmp_path: Path) -> None:
    laid_out(shop.store, tmp_path)
    shop.view("p3", "new", "p3")
    shop.send(
        {"type": "identify", "userId": "p4", "anonymousId": "d1", "traits": {"plan": "gold", "tags": ["a", "b"]}},
        {"type": "alias", "userId": "p5", "previousId": "p6"},
        {"anonymousId": "d1", "event": "Order Completed", "properties": {"total": 7, "order_id": "o"}},
    )
    laid_out(shop.store, tmp_path)
    shop.view("p7")
    laid_out(shop.store, tmp_path)
    layout.lay_out(shop.store.crowd, tmp_path / "anew")
    content = _content(shop.files)
    assert content == _content(tmp_path / "anew")
    assert len(content["profile"]) == 20
    assert _in_order(shop.files)
    assert [path.name for path in shop.files.glob("*.duckdb")] == [f"columns-{layout.LAYOUT}-00000003.duckdb"]


def test_counts_go_on_while_the_next_file_is_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_CHANGED", 2)
    monkeypatch.setattr(engine, "CHANGED_SHARE", 0)
    assert shop.count() == Count(20, 20)
    first = layout.newest(shop.files)
    shop.view("new1", "new2", "new3")
    with layout.alone(shop.files) as lock:
        assert lock is not None
        assert shop.count() == Count(23, 23), "another process is at it: that is not waited for"
        assert layout.newest(shop.files) == first
    until = time.monotonic() + 60
    while layout.newest(shop.files) == first:
        assert shop.count() == Count(23, 23)
        assert time.monotonic() < until, "the next file is never written"
        time.sleep(0.05)
    assert shop.count() == Count(23, 23)
    assert shop.changed() == 0


def test_few_changes_are_asked_in_memory_alone(shop: Shop) -> None:
    assert shop.count() == Count(20, 20)
    first = layout.newest(shop.files)
    shop.view("new1", "new2", "new3")
    assert shop.count() == Count(23, 23)
    assert shop.changed() == 3
    assert layout.newest(shop.files) == first


def test_a_count_waits_for_the_next_file_when_it_is_far_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_BEHIND", 2)
    monkeypatch.setattr(engine, "BEHIND_SHARE", 0)
    assert shop.count() == Count(20, 20)
    shop.view("new1", "new2", "new3")
    assert shop.count() == Count(23, 23)
    assert shop.changed() == 0


def test_a_count_that_waits_for_another_process_ends_with_its_own(shop: Shop) -> None:
    with layout.alone(shop.files) as lock, ThreadPoolExecutor(1) as threads:
        assert lock is not None
        counting = threads.submit(shop.count)
        assert not wait([counting], timeout=0.5).done
        asyncio.run(shop.columns.close())
        with pytest.raises(StoreUnavailable, match="this process ends"):
            counting.result(30)


def test_leftovers_of_a_killed_process_or_an_older_version_are_removed(shop: Shop, tmp_path: Path) -> None:
    shop.files.mkdir()
    left = ["manifest.json", "12-0-all.duckdb", "13-1.draft", f"columns-{layout.LAYOUT}-00000001.draft.wal",
            f"columns-{layout.LAYOUT}-00000001.draft"]  # fmt: skip
    for name in left:
        (shop.files / name).write_bytes(b"left")
    (shop.files / f"columns-{layout.LAYOUT}-00000001.draft.tmp" / "deeper").mkdir(parents=True)
    assert shop.count() == Count(20, 20)
    assert {path.name for path in shop.files.iterdir()} == {"lock", f"columns-{layout.LAYOUT}-00000001.duckdb"}


@pytest.mark.parametrize("damage", ["gone", "another file", "damaged inside"])
def test_a_file_that_cannot_be_read_is_made_again(shop: Shop, damage: str) -> None:
    before = shop.count()
    path = layout.newest(shop.files)
    assert path is not None
    asyncio.run(shop.columns.close())
    if damage == "gone":
        path.unlink()
    elif damage == "another file":
        path.write_bytes(b"this is no database")
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[:12_288] + b"\xff" * (len(whole) - 12_288))
    columns = columns_of(shop.store, shop.folder)
    assert asyncio.run(ColumnCrowd(shop.store, lambda: columns).count(VIEWED, Moment(LATE), {})) == before
    asyncio.run(columns.close())


def test_progress_only_grows_and_stays_below_100_percent(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "SAY_SECONDS", 0)
    heard: list[int] = []
    layout.lay_out(shop.store.crowd, shop.files, heard.append)
    assert heard == sorted(heard)
    assert 0 < heard[0] < layout.READ_PERCENT < heard[-1] < 100


def test_another_process_lays_out_a_large_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HERE", 0)
    monkeypatch.setattr(layout, "lay_out", None)
    shop = Shop(tmp_path)
    shop.view("ann", "bob")
    assert shop.count() == Count(2, 2)
    shop.close()


def test_processes_that_share_a_folder_read_the_file_that_one_has_written(shop: Shop, tmp_path: Path) -> None:
    shop.count()
    first = layout.newest(shop.files)
    other = DuckDBColumns(opened(tmp_path).crowd, shop.files)
    try:
        found = asyncio.run(other.narrow(VIEWED, Moment(LATE), {}))
        assert (found.matches, found.of) == (20, 20)
        assert layout.newest(shop.files) == first, "it is not written again"
    finally:
        asyncio.run(other.close())
