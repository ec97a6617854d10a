"""First start: the workers of a new server make its data folder at the same time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from wetink.content.tree import STARTER
from wetink.settings import read
from wetink.wiring import Wetink

WORKERS = 6


def test_all_that_begin_on_a_new_folder_at_once_find_it_whole(tmp_path: Path) -> None:
    blocks = {path.stem for path in STARTER.glob("blocks/*.yaml")}
    for number in range(5):
        data, together = tmp_path / str(number), Barrier(WORKERS)

        async def begin(data: Path = data, together: Barrier = together) -> set[str]:
            together.wait(20)
            async with Wetink(read({}, data=data), draws=False) as wetink:
                await wetink.store.sources.all()
                return set(wetink.content.blocks)

        with ThreadPoolExecutor(WORKERS) as threads:
            begun = [threads.submit(asyncio.run, begin()) for _ in range(WORKERS)]
            assert [each.result() for each in begun] == [blocks] * WORKERS
        assert not list(data.glob(".starter-*"))
