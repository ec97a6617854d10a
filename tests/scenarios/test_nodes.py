"""Several nodes: each has a data folder of its own, all share a store, and none depends on another's disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from wetink.content.tree import read_tree
from wetink.settings import read
from wetink.wiring import Wetink
from wetink.worker import TASKS, Worker

SOON = 20.0
FOLLOWING = [task for task in TASKS if task.name in ("content", "folder")]
FALLBACK = 'fallback: {link: "https://shop.example/"}\n'


@asynccontextmanager
async def nodes(place: Path) -> AsyncIterator[tuple[Wetink, Wetink]]:
    async with AsyncExitStack() as stack:
        made = []
        for number in range(2):
            settings = read({}, data=place / f"node{number}", store=f"sqlite:///{place / 'store'}")
            made.append(await stack.enter_async_context(Wetink(settings, draws=False)))
            await stack.enter_async_context(Worker(made[-1], FOLLOWING))
        yield made[0], made[1]


async def soon(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 (nobody tells when another process follows)
            await asyncio.sleep(0.02)


def test_a_block_made_on_one_node_is_served_by_the_other_and_is_in_its_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with nodes(tmp_path) as (one, other):
            await one.author.save("blocks/fresh.yaml", FALLBACK.encode(), by="me")
            await soon(lambda: "fresh" in other.content.blocks)
            await soon(lambda: (other.settings.content / "blocks" / "fresh.yaml").exists())
            assert read_tree(one.settings.content) == read_tree(other.settings.content)

    asyncio.run(story())


def test_an_edit_in_any_nodes_folder_reaches_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        async with nodes(tmp_path) as (one, other):
            for number, (mine, theirs) in enumerate([(one, other), (other, one)]):
                (mine.settings.content / "blocks" / f"b{number}.yaml").write_text(FALLBACK)
                await soon(lambda name=f"b{number}", theirs=theirs: name in theirs.content.blocks)  # type: ignore[misc]
            assert {"b0", "b1"} <= one.content.blocks.keys()

    asyncio.run(story())


def test_a_new_node_starts_with_the_content_of_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        store = f"sqlite:///{tmp_path / 'store'}"
        async with Wetink(read({}, data=tmp_path / "one", store=store), draws=False) as one:
            done = await one.versions.push({"blocks/b.yaml": FALLBACK.encode()}, None, by="", message="", now=1)
            assert not done.problems
        async with Wetink(read({}, data=tmp_path / "other", store=store), draws=False) as other:
            assert set(other.content.blocks) == {"b"}
            assert set(read_tree(other.settings.content)) == {"blocks/b.yaml"}
            assert await other.store.content.revision() == done.version

    asyncio.run(story())
