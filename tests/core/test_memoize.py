"""Memo: told apart by identity, and never mistaken for what had the same place before."""

from wetink.core.blocks.block import REMEMBERED, memoize


def test_each_object_is_worked_on_once_and_equal_ones_apart() -> None:
    seen: list[object] = []

    @memoize
    def noted(one: list[int], other: str) -> int:
        seen.append(one)
        return len(one)

    first, equal = [1], [1]
    assert [noted(first, "a"), noted(first, "a"), noted(equal, "a"), noted(first, "b")] == [1, 1, 1, 1]
    assert len(seen) == 3
    assert noted.__name__ == "noted"


def test_an_object_in_the_place_of_one_that_is_gone_is_not_taken_for_it() -> None:
    size = memoize(lambda one: len(one))
    for number in range(3 * REMEMBERED):
        assert size([0] * (number % 7)) == number % 7
