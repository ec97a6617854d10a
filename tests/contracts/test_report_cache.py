"""The contract of the report cache: what one process stores, others find, until it is old."""

from collections.abc import Callable

import pytest

from tests.contracts.loop import run
from wetink.ports import CACHED_MS, DAY, ReportCache, Storage

NOW = 20_000 * DAY
KEY, OTHER = b"k" * 16, b"o" * 16


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], ReportCache]:
    """Makes what another process would hold of the same store."""
    return lambda: another().report_cache


def test_sums_are_found_in_every_process_by_key_and_start(make: Callable[[], ReportCache]) -> None:
    one, other = make(), make()
    run(one.put(KEY, NOW, b"\0sums", NOW))
    run(one.put(KEY, NOW - DAY, b"before", NOW))
    run(one.put(OTHER, NOW, b"others", NOW))
    assert run(other.get(KEY, [NOW, NOW - DAY, NOW - 2 * DAY])) == {NOW: b"\0sums", NOW - DAY: b"before"}
    assert run(other.get(OTHER, [NOW])) == {NOW: b"others"}
    assert run(other.get(KEY, [])) == {}


def test_sums_take_the_place_of_earlier_ones(make: Callable[[], ReportCache]) -> None:
    cache = make()
    run(cache.put(KEY, NOW, b"first", NOW))
    run(cache.put(KEY, NOW, b"second", NOW))
    assert run(cache.get(KEY, [NOW])) == {NOW: b"second"}


def test_old_sums_are_deleted_with_the_next_ones(make: Callable[[], ReportCache]) -> None:
    cache = make()
    run(cache.put(KEY, NOW, b"old", NOW))
    run(cache.put(KEY, NOW + DAY, b"new", NOW + CACHED_MS + 1))
    assert run(cache.get(KEY, [NOW, NOW + DAY])) == {NOW + DAY: b"new"}
