"""Shares of a poll: whole, never more or less than a hundred in all, and in the order of the votes."""

from hypothesis import given
from hypothesis import strategies as st

from wetink.core.app.app import shares


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=5))
def test_shares_add_up_and_keep_the_order(votes: list[int]) -> None:
    found = shares(votes)
    assert sum(found) == (100 if any(votes) else 0)
    for one, share in zip(votes, found, strict=True):
        for other, less in zip(votes, found, strict=True):
            assert one <= other or share >= less
