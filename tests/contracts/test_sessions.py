"""The contract of sessions: shared by all processes, ended for good, and tries that cost more and more time."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.loop import run
from wetink.ports import Storage
from wetink.ports.keys import FORGOTTEN_MS, FREE_TRIES, IDLE_MS, LONGEST_MS, LONGEST_WAIT_MS, Sessions

NOW, DOOR = 20_000 * 86_400_000, "a secret of the door"


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], Sessions]:
    """Makes what another process would hold of the same folder."""
    return lambda: another().sessions


def test_a_session_holds_in_every_process_until_it_is_ended_in_one(make: Callable[[], Sessions]) -> None:
    one, other = make(), make()
    session = run(one.begin(DOOR, NOW))
    assert run(other.find(session, DOOR, NOW + 1)) is not None
    run(other.end(session))
    assert run(one.find(session, DOOR, NOW + 2)) is None
    assert run(one.find("", DOOR, NOW)) is None
    assert run(one.find("\udc80", DOOR, NOW)) is None


def test_a_session_ends_when_it_is_idle_and_at_the_latest_after_two_weeks(make: Callable[[], Sessions]) -> None:
    kept = make()
    session = run(kept.begin(DOOR, NOW))
    assert run(kept.find(session, DOOR, NOW + IDLE_MS)) is None
    at = NOW
    while at + IDLE_MS // 2 < NOW + LONGEST_MS:
        at += IDLE_MS // 2
        assert run(kept.find(session, DOOR, at)) is not None
    assert run(kept.find(session, DOOR, NOW + LONGEST_MS)) is None


def test_every_session_is_another_and_none_outlives_its_token(make: Callable[[], Sessions]) -> None:
    kept = make()
    assert len({run(kept.begin(DOOR, NOW)) for _ in range(20)}) == 20
    session = run(kept.begin(DOOR, NOW))
    assert run(kept.find(session, "a new token", NOW)) is None


def test_session_files_hold_no_usable_token_and_only_the_owner_reads_them(
    make: Callable[[], Sessions], tmp_path: Path
) -> None:
    session = run(make().begin(DOOR, NOW))
    for path in tmp_path.iterdir():
        assert session.encode() not in path.read_bytes()
        assert DOOR.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_tries_cost_more_and_more_time_whichever_process_is_asked(make: Callable[[], Sessions]) -> None:
    kept = [make(), make()]
    now, waits = NOW, []
    for number in range(20):
        wait = run(kept[number % 2].try_from("192.0.2.1", now))
        waits.append(wait)
        assert wait == 0 or run(kept[number % 2].try_from("192.0.2.1", now + wait)) == 0
        now += wait
    assert waits[:FREE_TRIES] == [0] * FREE_TRIES
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS
    assert run(kept[0].try_from("192.0.2.2", now)) == 0, "others do not wait"
    assert run(kept[0].tried("192.0.2.1"))
    run(kept[1].forgive("192.0.2.1"))
    assert not run(kept[0].tried("192.0.2.1"))
    assert run(kept[0].try_from("192.0.2.1", now)) == 0


def test_tries_are_forgotten_in_time_and_a_clock_set_back_locks_nobody_out(make: Callable[[], Sessions]) -> None:
    kept = make()
    for _ in range(FREE_TRIES + 1):
        assert run(kept.try_from("192.0.2.1", NOW)) == 0
    assert run(kept.try_from("192.0.2.1", NOW)) > 0
    assert run(kept.try_from("192.0.2.1", NOW - 86_400_000)) == 0
    assert run(kept.try_from("192.0.2.1", NOW + FORGOTTEN_MS + 1)) == 0


def test_tries_at_the_same_moment_are_all_counted(make: Callable[[], Sessions]) -> None:
    kept = [make(), make()]

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(kept[n % 2].try_from("192.0.2.1", NOW) for n in range(40)))

    assert sum(wait == 0 for wait in run(all_at_once())) == FREE_TRIES + 1


def test_a_session_knows_whose_it_is_and_where_it_began(make: Callable[[], Sessions]) -> None:
    one, other = make(), make()
    began = {"account": "ida", "address": "192.0.2.1", "device": "Firefox on Linux"}
    session = run(one.begin(DOOR, NOW, **began))
    found = run(other.find(session, DOOR, NOW + 1))
    assert found is not None
    assert {name: getattr(found, name) for name in began} == began
    assert (found.began, found.used, found.proved) == (NOW, NOW, NOW)
    run(other.prove(session, NOW + 5))
    proved = run(one.find(session, DOOR, NOW + 6))
    assert proved is not None
    assert proved.proved == NOW + 5
    assert session not in repr(found), "the stored form opens nothing"
    assert run(one.find(found.id, DOOR, NOW)) is None


def test_sessions_of_an_account_are_listed_and_ended_one_or_all_but_one(make: Callable[[], Sessions]) -> None:
    one, other = make(), make()
    mine = [run(one.begin(DOOR, NOW + n, account="ida")) for n in range(3)]
    hers = run(one.begin(DOOR, NOW, account="bob"))
    listed = run(other.of("ida", NOW + 5))
    assert [each.began for each in listed] == [NOW + 2, NOW + 1, NOW], "the last used first"
    run(other.end_of("ida", only=listed[0].id))
    assert [run(one.find(each, DOOR, NOW + 5)) is not None for each in mine] == [True, True, False]
    run(one.end_of("bob", only=listed[1].id))
    assert run(one.find(mine[1], DOOR, NOW + 5)) is not None, "nobody ends the session of another account"
    run(one.end_of("ida", but=listed[2].id))
    assert [run(one.find(each, DOOR, NOW + 5)) is not None for each in mine] == [True, False, False]
    run(one.end_of("ida"))
    assert run(one.of("ida", NOW + 5)) == []
    assert run(one.find(hers, DOOR, NOW + 5)) is not None
