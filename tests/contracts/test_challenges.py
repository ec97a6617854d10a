"""The contract of challenges: one caller gets each, before it is over, in whichever process."""

import asyncio
from collections.abc import Callable

import pytest

from tests.contracts.loop import run
from wetink.ports import Storage
from wetink.ports import challenges as port
from wetink.ports.challenges import Challenge, Challenges

NOW = 20_000 * 86_400_000
SOON = NOW + 60_000


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], Challenges]:
    """Makes what another process would hold of the same store."""
    return lambda: another().challenges


def test_a_challenge_is_known_in_every_process_until_one_takes_it(make: Callable[[], Challenges]) -> None:
    one, other = make(), make()
    id_ = run(one.begin("passkey", "ida", "é", NOW, SOON))
    known = Challenge(id_, "passkey", "ida", "é")
    assert run(other.look(id_, "passkey", NOW)) == known == run(one.look(id_, "passkey", NOW))
    assert run(other.take(id_, "passkey", NOW)) == known
    for each in (one, other):
        assert run(each.take(id_, "passkey", NOW)) is None
        assert run(each.look(id_, "passkey", NOW)) is None


def test_of_many_that_take_a_challenge_at_once_one_gets_it(make: Callable[[], Challenges]) -> None:
    several = [make() for _ in range(4)]

    async def story() -> list[Challenge | None]:
        id_ = await several[0].begin("second", "ida", "", NOW, SOON)
        return list(await asyncio.gather(*(each.take(id_, "second", NOW) for each in several * 4)))

    assert sum(found is not None for found in run(story())) == 1


@pytest.mark.parametrize(("kind", "at"), [("other", NOW), ("second", SOON), ("second", SOON + 1)])
def test_another_kind_and_a_late_answer_get_nothing(make: Callable[[], Challenges], kind: str, at: int) -> None:
    kept = make()
    id_ = run(kept.begin("second", "ida", "", NOW, SOON))
    assert run(kept.look(id_, kind, at)) is None
    assert run(kept.take(id_, kind, at)) is None
    assert run(kept.take(id_, "second", SOON - 1)) is not None  # it was not used up


@pytest.mark.parametrize("odd", ["", "absent", "\udc80", "a\0b", "é" * 5_000])
def test_an_odd_id_names_no_challenge(make: Callable[[], Challenges], odd: str) -> None:
    assert run(make().look(odd, "second", NOW)) is None
    assert run(make().take(odd, "second", NOW)) is None


def test_an_account_can_end_its_own_challenges(make: Callable[[], Challenges]) -> None:
    kept = make()
    mine, other = run(kept.begin("second", "ida", "", NOW, SOON)), run(kept.begin("second", "bob", "", NOW, SOON))
    run(kept.forget("ida"))
    assert run(kept.take(mine, "second", NOW)) is None
    assert run(kept.take(other, "second", NOW)) is not None


def test_only_so_many_are_kept_those_that_end_last(
    make: Callable[[], Challenges], monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(f"wetink.store.{engine}.challenges.MOST_CHALLENGES", 3)
    assert port.MOST_CHALLENGES > 3
    kept = make()
    ids = [run(kept.begin("passkey", "", "", NOW, SOON + number)) for number in range(5)]
    there = [run(kept.look(each, "passkey", NOW)) is not None for each in ids]
    assert there == [False, False, True, True, True]
