"""The contract of inspection: an operator sees the sizes of a store."""

from tests.contracts.loop import run
from wetink.ports import Record, Storage


def messages(count: int) -> list[Record]:
    return [Record("shop", f"m-{number}", 1, 0, b"x" * 1_000, "parked") for number in range(count)]


def test_sizes_grow_with_the_stored_messages(store: Storage) -> None:
    async def story() -> None:
        before = sum((await store.inspection.sizes()).values())
        await store.log.append(messages(500))
        after = await store.inspection.sizes()
        assert sum(after.values()) >= before + 500 * 1_000 / 2, "an engine may compress them"
        assert all(name and size >= 0 for name, size in after.items())

    run(story())
