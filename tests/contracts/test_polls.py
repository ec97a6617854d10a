"""The contract of polls: of each voter the last vote counts, in every process."""

import asyncio
from collections.abc import Callable

from tests.contracts.loop import run
from wetink.core.app.app import Tally
from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage

JANE, BOB = Identifier("user", "jane"), Identifier("email", "bob@x.example")


def test_the_last_vote_of_each_counts_in_every_process(store: Storage, another: Callable[[], Storage]) -> None:
    async def story() -> None:
        other = another()
        assert await store.polls.tally("tea", JANE) == Tally({}, 0)
        await store.polls.vote("tea", JANE, 1, 5)
        await other.polls.vote("tea", BOB, 1, 6)
        await other.polls.vote("coffee", BOB, 3, 6)
        assert await store.polls.tally("tea", JANE) == Tally({1: 2}, 1)
        await other.polls.vote("tea", JANE, 2, 7)
        await store.polls.vote("tea", JANE, 2, 8)
        found = await store.polls.tally("tea", BOB)
        assert {option: votes for option, votes in found.votes.items() if votes} == {1: 1, 2: 1}
        assert found.own == 1
        assert (await store.polls.tally("tea", None)).own == 0

    run(story())


def test_votes_at_the_same_moment_are_all_counted(store: Storage, another: Callable[[], Storage]) -> None:
    async def story() -> Tally:
        stores = [store, another()]
        voters = [Identifier("user", f"u{number}") for number in range(20)]
        votes = [stores[n % 2].polls.vote("tea", who, 1 + n % 4 // 2, n) for n, who in enumerate(voters)]
        await asyncio.gather(*votes)
        return await store.polls.tally("tea", None)

    assert run(story()) == Tally({1: 10, 2: 10}, 0)
