"""What becomes of a message to the outside: taken, tried again later, or given up; never forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.outbound.webhook import HOUR, LONGEST_WISH, PAUSES, Answer, after

NOW = 10**12
ANSWERS = st.builds(Answer, st.integers(0, 599), retry_after=st.integers(0, 10**12))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_status_counts_as_delivered(status: int) -> None:
    assert after(1, Answer(status), NOW, "a").state == "delivered"


@pytest.mark.parametrize("status", [0, 301, 400, 401, 404, 408, 422, 429, 500, 502, 503])
def test_all_else_is_tried_again_since_todays_mistake_is_mended_tomorrow(status: int) -> None:
    outcome = after(1, Answer(status, "no way" if not status else ""), NOW, "a")
    assert outcome.state == "waiting"
    assert outcome.at >= NOW + PAUSES[0]
    assert outcome.why == ("no way" if not status else f"it answered {status}")


def test_a_410_answer_gives_up_at_once() -> None:
    assert after(1, Answer(410), NOW, "a").state == "dead"


def test_pauses_grow_and_the_last_failure_gives_up_after_more_than_a_day() -> None:
    at, waited = NOW, []
    for tries in range(1, len(PAUSES) + 1):
        outcome = after(tries, Answer(503), at, "a")
        assert outcome.state == "waiting"
        waited.append(outcome.at - at)
        at = outcome.at
    assert waited[:6] == sorted(waited[:6])
    assert at - NOW > 24 * HOUR
    assert after(len(PAUSES) + 1, Answer(503), at, "a").state == "dead"


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    assert after(1, Answer(429, retry_after=HOUR), NOW, "a").at == NOW + HOUR
    assert after(1, Answer(429, retry_after=900 * HOUR), NOW, "a").at == NOW + LONGEST_WISH


def test_messages_that_failed_together_come_back_apart() -> None:
    assert len({after(3, Answer(503), NOW, f"m{number}").at for number in range(50)}) > 40


@given(st.integers(1, 40), ANSWERS)
def test_every_answer_has_an_outcome_and_none_is_in_the_past(tries: int, answer: Answer) -> None:
    outcome = after(tries, answer, NOW, "a")
    assert outcome.at >= NOW
    assert (outcome.state == "delivered") is (200 <= answer.status < 300)
    assert outcome == after(tries, answer, NOW, "a")
