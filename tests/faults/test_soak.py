"""How a soak judges: it fails on each leak that it is meant to find, however fast the machine, and on nothing else."""

import random
from collections.abc import Callable

import pytest

from tests.soak import Load, Look, judged

MINUTES = 10.0
PACES = 800, 6_000
"""Requests a minute: of a machine that does much else, and of an idle one."""


def looks(pace: int, held: Callable[[float, float], float], *, threads: int = 40) -> list[Look]:
    """Looks at two workers that each hold `held(minute, requests)` MB more than at the start, and a bit of noise."""
    noise = random.Random(5)
    found = []
    for number in range(1, int(MINUTES * 4) + 1):
        minute, requests = number / 4, number / 4 * pace
        megabytes = {f"worker {n}": 85 + held(minute, requests) + noise.uniform(-0.2, 0.2) for n in (1, 2)}
        counts = 240, threads + number * (threads != 40), int(requests)
        found.append(Look(minute, {**megabytes, "drawers": 120 + noise.uniform(-20, 20)}, *counts))
    return found


def load(late_ms: float = 30.0) -> Load:
    made = Load("http://127.0.0.1", "key", "token")
    made.times["track"] = [(at, 20.0 if at < 420 else late_ms) for at in range(600)]
    return made


@pytest.mark.parametrize("pace", PACES)
def test_a_leak_of_a_megabyte_a_minute_fails_a_soak(pace: int) -> None:
    assert judged(looks(pace, lambda minute, _: minute), load(), MINUTES) >= 1


@pytest.mark.parametrize("pace", PACES)
def test_a_leak_of_a_kilobyte_a_request_fails_a_soak(pace: int) -> None:
    assert judged(looks(pace, lambda _, requests: requests / 2 / 1024), load(), MINUTES) >= 1


STEADY: dict[str, Callable[[float, float], float]] = {
    "flat": lambda minute, requests: 0.0,
    "caches that filled before": lambda minute, requests: 6 * min(1.0, minute / 3),
    "a cache that empties itself": lambda minute, requests: requests / 1024 % 1.5,
    "a peak": lambda minute, requests: 20.0 if 7 <= minute < 7.5 else 0.0,
}


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("kind", STEADY)
def test_memory_that_does_not_grow_on_passes_a_soak(kind: str, pace: int) -> None:
    assert judged(looks(pace, STEADY[kind]), load(), MINUTES) == 0


def test_a_soak_with_hardly_a_request_fails() -> None:
    assert judged(looks(20, STEADY["flat"]), load(), MINUTES) == 1


def test_threads_slower_answers_and_wrong_ones_fail_a_soak() -> None:
    assert judged(looks(800, STEADY["flat"], threads=20), load(), MINUTES) == 1
    assert judged(looks(800, STEADY["flat"]), load(late_ms=90), MINUTES) == 1
    refused = load()
    refused.wrong["track 503"] = 1
    assert judged(looks(800, STEADY["flat"]), refused, MINUTES) == 1
