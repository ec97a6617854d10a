"""Caches: bounded, made once, and nothing of one thing for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.render.cache import Kept, key_of


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_a_cache_stays_within_its_bound_and_returns_the_last_value(puts: list[tuple[int, int]]) -> None:
    kept = Kept[bytes](100, len)
    last: dict[int, bytes] = {}
    for number, size in puts:
        last[number] = bytes(size)
        kept.put(key_of(number), last[number])
    found = [(number, kept.get(key_of(number))) for number in range(10)]
    assert sum(len(value) for _, value in found if value is not None) <= 100
    assert all(value is last[number] for number, value in found if value is not None)


def test_the_least_recently_used_value_is_evicted() -> None:
    kept = Kept[str](3, len)
    for name in "abc":
        kept.put(key_of(name), name)
    assert kept.get(key_of("a")) == "a"
    kept.put(key_of("d"), "d")
    assert [kept.get(key_of(name)) for name in "abcd"] == ["a", None, "c", "d"]


def test_a_value_over_the_bound_is_returned_but_not_kept() -> None:
    kept = Kept[str](3, len)
    assert kept.made(key_of("x"), lambda: "too long") == "too long"
    assert kept.get(key_of("x")) is None


def test_a_failure_is_not_kept() -> None:
    kept = Kept[str](9, len)

    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.made(key_of(1), fail)
    assert kept.made(key_of(1), lambda: "fresh") == "fresh"


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_equal_keys_are_of_equal_parts(one: list[str], other: list[str]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)
