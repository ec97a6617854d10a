"""A key's life: rotated, disabled, deleted, bounded; and old files, which know nothing of that."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.conftest import Desk
from tests.storage import opened
from wetink.core.errors import BadSettings, NotFound, WetinkError
from wetink.core.identity.user_hash import hash_of
from wetink.ports import Source
from wetink.web.rates import Rates

TRACK = {"type": "track", "userId": "u", "event": "X"}
SECOND = 1_000


def status(desk: Desk, key: str, **message: Any) -> int:
    return desk.post("/v1/track", {**TRACK, **message}, key=key).status


def change(desk: Desk, name: str = "shop", **changes: Any) -> Source:
    return asyncio.run(desk.store.sources.set_source(name, **changes))


def source(desk: Desk, name: str = "shop") -> Source:
    return next(each for each in asyncio.run(desk.store.sources.all()) if each.name == name)


def test_after_a_rotation_both_keys_are_valid_and_the_olds_last_use_is_shown(desk: Desk) -> None:
    old = desk.key
    new = asyncio.run(desk.store.sources.rotate_key("shop", desk.now))
    assert new.path == old.path
    assert source(desk).old_used == 0
    assert status(desk, new.write_key) == 200
    assert source(desk).old_used == 0
    desk.now += SECOND
    assert status(desk, old.write_key) == 200
    assert source(desk).old_used == desk.now
    asyncio.run(desk.store.sources.retire_key("shop"))
    desk.now += 2 * SECOND
    assert status(desk, old.write_key) == 401
    assert status(desk, new.write_key) == 200
    assert source(desk).rotated == 0
    with pytest.raises(BadSettings, match="no old key"):
        asyncio.run(desk.store.sources.retire_key("shop"))


def test_the_pair_of_the_behavioral_endpoint_is_rotated_with_it(desk: Desk) -> None:
    new = asyncio.run(desk.store.sources.rotate_key("shop", desk.now))
    desk.now += SECOND
    assert desk.behave({**TRACK, "messageId": "m1"}).status == 200
    assert source(desk).old_used == desk.now
    path, old = new.path.rpartition("/")[2], desk.key
    for pair, right in (((new.access_key, new.secret), True), ((new.access_key, old.secret), False)):
        found = asyncio.run(desk.store.sources.source_of_access_key(path, *pair))
        assert (found is not None) is right
    asyncio.run(desk.store.sources.retire_key("shop"))
    assert desk.behave({**TRACK, "messageId": "m2"}).status == 401


def test_a_second_rotation_ends_the_keys_before_the_last(desk: Desk) -> None:
    first, second = desk.key, asyncio.run(desk.store.sources.rotate_key("shop", desk.now))
    third = asyncio.run(desk.store.sources.rotate_key("shop", desk.now))
    assert [status(desk, key.write_key) for key in (first, second, third)] == [401, 200, 200]


def test_a_disabled_key_is_401_in_every_process_within_a_second_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    assert status(desk, desk.key.write_key) == 200
    other = opened(tmp_path)  # as another process has it
    asyncio.run(other.sources.set_source("shop", disabled=True))
    desk.now += SECOND
    assert status(desk, desk.key.write_key) == 401
    assert desk.behave({**TRACK, "messageId": "m"}).status == 401
    assert desk.ask("GET", f"/v1/projects/{desk.key.write_key}/settings").status == 401
    asyncio.run(other.sources.set_source("shop", disabled=False))
    assert status(desk, desk.key.write_key) == 200
    asyncio.run(other.sources.delete_source("shop"))
    desk.now += SECOND
    assert status(desk, desk.key.write_key) == 401
    assert len(desk.messages()) == 2, "what it sent stays"
    asyncio.run(other.close())


@pytest.mark.parametrize("work", ["rotate_key", "retire_key", "renew_secret", "set_source", "delete_source"])
def test_an_unknown_source_is_reported(desk: Desk, work: str) -> None:
    more = (desk.now,) if work == "rotate_key" else ()
    with pytest.raises(NotFound, match="absent"):
        asyncio.run(getattr(desk.store.sources, work)("absent", *more))


def test_a_new_identity_secret_stands_beside_the_one_before_until_the_next(desk: Desk) -> None:
    first = source(desk, "page").secrets[0]
    assert first == desk.page_key.identity_secret
    for secrets, valid in ((1, True), (2, False)):
        asyncio.run(desk.store.sources.renew_secret("page"))
        desk.now += 2 * SECOND
        message = {"type": "identify", "userId": "42", "anonymousId": "a", "messageId": f"i{secrets}"}
        sent = {**message, "context": {"userHash": hash_of("42", first)}}
        assert desk.post("/v1/identify", sent, key=desk.page_key.write_key).status == 200
        assert (not desk.messages()[-1].problems) is valid
    assert "secret" not in repr(source(desk, "page"))
    assert first not in repr(source(desk, "page")) + repr(source(desk, "page").without_secrets())


def test_a_source_over_its_rate_gets_429_and_others_are_unaffected(desk: Desk) -> None:
    change(desk, per_second=2, burst=3)
    answers = [desk.post("/v1/track", {**TRACK, "messageId": f"m{n}"}) for n in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert "2 events a second" in answers[-1].json["message"]
    assert status(desk, desk.page_key.write_key) == 200
    desk.now += SECOND // 2
    assert status(desk, desk.key.write_key) == 200
    assert status(desk, desk.key.write_key) == 429
    desk.now += 10 * SECOND
    assert [status(desk, desk.key.write_key) for _ in range(4)] == [200, 200, 200, 429]
    change(desk, per_second=0)
    desk.now += SECOND
    assert [status(desk, desk.key.write_key) for _ in range(9)] == [200] * 9


def test_a_batch_is_never_taken_in_part_and_is_paid_off_before_the_next(desk: Desk) -> None:
    change(desk, per_second=10, burst=10)
    batch = {"batch": [{**TRACK, "messageId": f"b{n}"} for n in range(100)]}
    assert desk.post("/v1/batch", batch).status == 200
    refused = desk.post("/v1/batch", batch)
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    assert len(desk.messages()) == 100
    desk.now += 9 * SECOND
    assert status(desk, desk.key.write_key) == 429
    desk.now += SECOND
    assert status(desk, desk.key.write_key) == 200


def test_processes_share_one_limit_and_its_count_of_refusals(tmp_path: Path) -> None:
    here, there = Rates(tmp_path / "rates"), Rates(tmp_path / "rates")
    limited = [Source("a", "browser", per_second=5, burst=5), Source("b", "browser", per_second=5, burst=5)]
    taken = []
    for number in range(20):
        try:
            (here, there)[number % 2].admit(limited[0], 1_000_000_000)
            taken.append(number)
        except WetinkError:
            pass
    assert len(taken) == 5
    assert there.refused(limited) == {"a": (15, 1_000_000_000)}
    here.admit(limited[1], 1_000_000_000)
    there.admit(limited[0], 0)  # a clock that was set back a long way
    assert (tmp_path / "rates").stat().st_mode & 0o777 == 0o600
    here.close()
    there.close()


@pytest.mark.parametrize("number", [1.0, 7.5, 1000.0, 0.1])
def test_over_a_long_time_a_source_gets_its_rate(number: float) -> None:
    rates, limited, taken = Rates(), Source("a", "server", per_second=number), 0
    for at in range(0, 100_000, 5):
        try:
            rates.admit(limited, at)
            taken += 1
        except WetinkError:
            pass
    burst = max(1, 2 * number)
    assert 100 * number - 1 <= min(taken, 20_000) or taken == 20_000
    assert taken <= 100 * number + burst + 1


@pytest.mark.parametrize(
    "changes", [{"per_second": -1}, {"per_second": 1e9}, {"burst": -1}, {"per_second": float("nan")}]
)
def test_a_limit_that_is_none_is_refused(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match="limit"):
        change(desk, **changes)
