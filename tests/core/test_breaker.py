"""The breaker: a sick host rests, one call at a time looks after it, and it is never left for ever."""

from hypothesis import given
from hypothesis import strategies as st

from wetink.core.outbound.breaker import (
    LONGEST_MS,
    PROBE_MS,
    SHORTEST_MS,
    TRIES,
    Breaker,
    admits,
    begun,
    failed,
    pause,
    succeeded,
    withdrawn,
)

STEPS = st.lists(st.tuples(st.sampled_from(["call", "fail", "succeed", "withdraw"]), st.integers(0, 400_000)))
NOW = 10**12


def opened(now: int = NOW) -> Breaker:
    breaker = Breaker()
    for _ in range(TRIES):
        breaker = failed(begun(breaker, now), now)
    return breaker


def lived(steps: list[tuple[str, int]]) -> tuple[Breaker, int]:
    breaker, now = Breaker(), NOW
    for step, passed in steps:
        now += passed
        if step == "call" and admits(breaker, now):
            breaker = begun(breaker, now)
        elif step == "fail":
            breaker = failed(breaker, now)
        elif step == "succeed":
            breaker = succeeded()
        elif step == "withdraw":
            breaker = withdrawn(breaker)
    return breaker, now


def test_a_few_failures_are_borne() -> None:
    breaker = Breaker()
    for _ in range(TRIES - 1):
        breaker = failed(breaker, NOW)
    assert admits(breaker, NOW)
    assert not admits(failed(breaker, NOW), NOW)


def test_after_the_pause_one_call_probes_and_the_others_wait_for_it() -> None:
    breaker = opened()
    assert not admits(breaker, NOW + SHORTEST_MS - 1)
    assert admits(breaker, NOW + SHORTEST_MS)
    probing = begun(breaker, NOW + SHORTEST_MS)
    assert not admits(probing, NOW + SHORTEST_MS)
    assert admits(probing, NOW + SHORTEST_MS + PROBE_MS), "a probe that was never heard of is lost"
    assert admits(withdrawn(probing), NOW + SHORTEST_MS)


def test_a_probe_that_fails_doubles_the_pause_and_one_that_succeeds_ends_it() -> None:
    probing = begun(opened(), NOW + SHORTEST_MS)
    again = failed(probing, NOW + SHORTEST_MS)
    assert again.until == NOW + 3 * SHORTEST_MS
    assert succeeded() == Breaker()


def test_calls_that_fail_late_make_no_pause_longer() -> None:
    assert failed(opened(), NOW + 100) == opened()


@given(STEPS)
def test_calls_resume_within_the_longest_pause(steps: list[tuple[str, int]]) -> None:
    breaker, now = lived(steps)
    assert admits(breaker, now + LONGEST_MS + PROBE_MS)


@given(STEPS, st.integers(0, 400_000))
def test_while_it_is_open_no_two_calls_are_admitted_at_once(steps: list[tuple[str, int]], passed: int) -> None:
    breaker, now = lived(steps)
    if not breaker.closed and admits(breaker, now + passed):
        assert not admits(begun(breaker, now + passed), now + passed)


@given(STEPS, st.integers(0, 10**9))
def test_a_clock_that_was_set_back_keeps_no_host_shut(steps: list[tuple[str, int]], back: int) -> None:
    breaker, now = lived(steps)
    assert admits(breaker, now - back + LONGEST_MS + PROBE_MS)


@given(st.integers(TRIES, 10_000))
def test_pauses_grow_and_are_bounded(failures: int) -> None:
    assert SHORTEST_MS <= pause(failures) <= pause(failures + 1) <= LONGEST_MS
