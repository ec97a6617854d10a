"""Memory of pages: a page leaves nothing behind, neither for good nor for a garbage collection."""

import gc
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from starlette.testclient import TestClient

PAGES = ("", "/live", "/people", "/reports?days=7", "/catalog", "/audiences", "/blocks", "/blocks/hero", "/status")
REQUESTS = 5


@pytest.fixture(autouse=True)
def _without_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_leaves_no_cycles(dashboard: TestClient, path: str) -> None:
    def view() -> None:
        assert dashboard.get(f"/dashboard{path}").status_code == 200

    view()
    view()
    gc.collect()
    for _ in range(REQUESTS):
        view()
    assert gc.collect() / REQUESTS < 120  # the test client leaves some 60


def test_hundreds_of_pages_leave_the_heap_as_it_was_after_the_first(dashboard: TestClient) -> None:
    def view() -> int:
        for path in PAGES * 10:
            assert dashboard.get(f"/dashboard{path}").status_code == 200
        gc.collect()
        return sys.getallocatedblocks()

    grown = [after - before for before, after in pairwise([view() for _ in range(6)])]
    assert min(grown) < 10 * len(PAGES)  # less than one object a page; a leak is in each stretch, a burst in one
