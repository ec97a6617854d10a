"""The contract of last pictures: what a place showed last is found again, by every process, the newest alone."""

from collections.abc import Callable

from tests.contracts.loop import run
from wetink.ports import Picture, Storage

PLACE = ("hero", 1, "user:jane", "")
OLD, NEW = Picture(b"old", "image/png"), Picture(b"new", "image/gif")


def test_what_was_shown_is_found_at_once_and_nowhere_else(store: Storage) -> None:
    async def story() -> None:
        assert await store.pictures.get(PLACE) is None
        store.pictures.put(PLACE, 1, OLD)
        assert await store.pictures.get(PLACE) == (1, OLD)
        for other in (("foot", *PLACE[1:]), ("hero", 2, *PLACE[2:]), (*PLACE[:2], "user:bob", ""), (*PLACE[:3], "2x")):
            assert await store.pictures.get(other) is None

    run(story())


def test_the_newest_counts_whichever_process_showed_it(another: Callable[[], Storage]) -> None:
    async def story() -> list[tuple[int, Picture] | None]:
        found = []
        for at, picture in ((1, OLD), (2, NEW), (1, OLD)):
            store = another()
            store.pictures.put(PLACE, at, picture)
            await store.close()
            found.append(await another().pictures.get(PLACE))
        return found

    assert run(story()) == [(1, OLD), (2, NEW), (2, NEW)]
