"""Metrics: each process adds to its own row, and a scrape adds up the rows."""

import multiprocessing
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.insights.status import Status
from wetink.ports.inspection import Replica
from wetink.telemetry import metrics
from wetink.telemetry.memory import Memory
from wetink.telemetry.metrics import BOUNDS, DRAW, DRAWERS, MESSAGES, RESTARTS, ROUTES
from wetink.web.scrape import state


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Rows for a server of two processes."""
    made = Memory(3)
    metrics.use(made, 1)
    yield made
    metrics.use(Memory(1), 0)


def test_counters_of_all_processes_are_added_up(memory: Memory) -> None:
    MESSAGES["usable"].add(3)
    metrics.use(memory, 2)
    MESSAGES["usable"].add()
    assert metrics.total(MESSAGES["usable"]) == 4


def test_a_process_that_replaces_another_continues_its_counters_and_resets_its_gauges(memory: Memory) -> None:
    MESSAGES["usable"].add(3)
    DRAWERS.set(2)
    metrics.use(memory, 1)
    assert metrics.total(MESSAGES["usable"]) == 3
    assert metrics.total(DRAWERS) == 0


def _adds(memory: Memory) -> None:
    metrics.use(memory, 2)
    RESTARTS.add(5)


def test_a_child_process_adds_to_the_memory_of_its_parent(memory: Memory) -> None:
    child = multiprocessing.get_context("fork").Process(target=_adds, args=(memory,))
    child.start()
    child.join(60)
    assert metrics.total(RESTARTS) == 5


def test_a_total_that_is_reported_again_is_not_added_twice(memory: Memory) -> None:
    for total in (2, 2, 5):
        metrics.LOST.reach(total)
    assert metrics.total(metrics.LOST) == 5


@pytest.mark.parametrize(
    ("status", "shown"), [(200, "2xx"), (204, "2xx"), (302, "3xx"), (404, "4xx"), (503, "5xx"), (101, "2xx")]
)
def test_answers_are_counted_by_class_of_status(memory: Memory, status: int, shown: str) -> None:
    route = ROUTES["api"]
    route.ended(status, 0.0)
    counted = {each.labels["status"]: metrics.total(each) for each in route.answers}
    assert counted == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0} | {shown: 1}


@given(st.lists(st.floats(0, 100), max_size=30))
def test_each_duration_is_in_the_first_bucket_that_has_room_for_it(durations: list[float]) -> None:
    metrics.use(Memory(1), 0)
    for each in durations:
        DRAW.observe(each)
    counts = [metrics.total(DRAW, offset) for offset in range(len(BOUNDS) + 1)]
    assert sum(counts) == len(durations)
    for index, bound in enumerate(BOUNDS):
        assert sum(counts[: index + 1]) == sum(each <= bound for each in durations)
    assert metrics.total(DRAW, len(BOUNDS) + 1) == pytest.approx(sum(durations))


def test_series_of_one_name_have_the_same_kind_meaning_and_label_names() -> None:
    shapes = {each.name: (each.kind, each.meaning, tuple(each.labels)) for each in metrics.ALL}
    for each in metrics.ALL:
        assert shapes[each.name] == (each.kind, each.meaning, tuple(each.labels))


def test_no_two_series_have_the_same_name_and_labels() -> None:
    keys = [(each.name, *each.labels.items()) for each in metrics.ALL]
    assert len(set(keys)) == len(keys)


def test_reads_of_replicas_have_the_names_of_their_places_in_the_address(memory: Memory) -> None:
    metrics.REPLICA_READS[2].add(7)
    replicas = Replica("b:5432", 0.0), Replica("c:5432", None, "it does not answer", place=2)
    status = Status({}, (), {}, (), 1, 1, {}, replicas=replicas)
    [found] = [each for each in state(status, "postgresql://db/wetink") if each.name == "wetink_replica_reads"]
    values = {sample.labels["replica"]: sample.value for sample in found.samples}
    assert values == {"b:5432": 0, "c:5432": 7}
