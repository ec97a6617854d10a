"""Imports of files: every process of the store can tell how far each one is, and that its process has ended."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.contracts.loop import run
from wetink.core.errors import NotFound
from wetink.ingest.catalog_feeds import Catalogs
from wetink.ingest.catalog_imports import LOST_MS, CatalogImports, Progress
from wetink.ports import Storage
from wetink.ports.storage import KEPT_IMPORTS

NOW = 1_795_000_000_000
GOODS = "id,title,link\n" + "".join(f"N-{n},Mug {n},https://shop.example/{n}\n" for n in range(1_200))


def node(store: Storage, folder: Path, clock: Callable[[], int] = lambda: NOW) -> CatalogImports:
    catalogs = Catalogs(store.catalog, Mock(), lambda: NOW)
    return CatalogImports(folder, catalogs, store.catalog, clock)


async def parts(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def done(imports: CatalogImports, made: str) -> Progress:
    for _ in range(6_000):
        if (found := await imports.state(made)).done:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{found} after a minute")


def test_the_newest_states_stay_whoever_stores_them(store: Storage, another: Callable[[], Storage]) -> None:
    for number in range(KEPT_IMPORTS + 2):
        run(store.catalog.keep_progress(f"import-{number:02}", b"%d" % number, NOW + number))
    run(store.catalog.keep_progress("import-05", b"\0later", NOW + 99))
    found = list(run(another().catalog.progress()))
    assert [id_ for id_, _, _ in found] == [f"import-{number:02}" for number in range(KEPT_IMPORTS + 1, 1, -1)]
    assert found[KEPT_IMPORTS - 4] == ("import-05", NOW + 99, b"\0later")


def test_another_node_sees_an_import_while_it_runs_and_its_result(
    store: Storage, another: Callable[[], Storage], tmp_path: Path
) -> None:
    async def story() -> None:
        one, other = node(store, tmp_path / "one"), node(another(), tmp_path / "other")
        made = await one.take("goods.csv", parts(GOODS.encode()), complete=False)
        running = await other.running()
        assert running is not None
        assert running == (made, Progress("goods.csv", size=len(GOODS)))
        assert await done(other, made) == Progress("goods.csv", len(GOODS), len(GOODS), done=True, products=1_200)
        assert await other.running() is None
        with pytest.raises(NotFound):
            await other.state("absent")
        await one.close()
        assert not list((tmp_path / "one").iterdir()), "the file is deleted"

    run(story())


def test_an_import_whose_process_was_killed_says_so(
    store: Storage, another: Callable[[], Storage], tmp_path: Path
) -> None:
    clock = itertools.count(NOW, LOST_MS)

    async def story() -> None:
        await store.catalog.keep_progress("killed", b'{"name":"goods.csv","read":5,"size":9}', NOW)
        other = node(another(), tmp_path, lambda: next(clock))
        assert not (await other.state("killed")).done
        assert "drop the file again" in (await other.state("killed")).error

    run(story())
