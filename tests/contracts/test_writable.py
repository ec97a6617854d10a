"""The contract of the check for writing: it passes for a whole store, and no reader notices it."""

from tests.contracts.loop import run
from wetink.core.identity.identifier import Identifier
from wetink.ports import Record, Storage

ANN = Identifier("user", "ann")


def test_a_store_can_be_written_to_and_the_check_leaves_no_trace(store: Storage) -> None:
    async def story() -> None:
        await store.log.append([Record("shop", "m-1", 1, 0, b"{}", "parked")])
        before = await store.log.cursor(), await store.profiles.load({ANN: ""}, 2)
        for _ in range(3):
            await store.writable()
        assert (await store.log.cursor(), await store.profiles.load({ANN: ""}, 2)) == before
        assert len(await store.log.messages()) == 1

    run(story())
