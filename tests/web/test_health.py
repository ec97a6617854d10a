"""Readiness: each role is asked what it needs, a check that hangs holds nobody up, and many askers cost one round."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from wetink.core.errors import StoreUnavailable
from wetink.settings import ROLES, Role, read
from wetink.web import health
from wetink.web.health import CHECKS, SHARED, Readiness
from wetink.wiring import Wetink


@asynccontextmanager
async def process(data: Path, role: str) -> AsyncIterator[Wetink]:
    async with Wetink(read({}, data=data, role=role), draws=False) as wetink:
        await wetink.ready()
        wetink.health.undrawable = ""
        yield wetink


@pytest.mark.parametrize("role", [*ROLES, "all"])
def test_a_whole_process_misses_nothing(tmp_path: Path, role: str) -> None:
    async def story() -> None:
        async with process(tmp_path, role) as wetink:
            assert await Readiness(wetink).missing() == {}
            wetink.health.draining = True
            assert (await Readiness(wetink).missing()).keys() == {"draining"}

    asyncio.run(story())


@pytest.mark.parametrize("role", ROLES)
def test_only_roles_that_draw_miss_a_drawer(tmp_path: Path, role: Role) -> None:
    async def story() -> None:
        async with process(tmp_path, role) as wetink:
            wetink.health.undrawable = "no worker can be started"
            missing = await Readiness(wetink).missing()
            assert missing == ({"drawing": "no worker can be started"} if role in ("open", "dashboard") else {})

    asyncio.run(story())


@pytest.mark.parametrize("role", ROLES)
def test_only_ingest_misses_a_store_that_another_process_holds(
    tmp_path: Path, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)

    async def story() -> None:
        async with process(tmp_path, role) as wetink:
            ready = Readiness(wetink)
            with (tmp_path / "wetink.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                for _ in range(3):
                    missing = await ready.missing()
                    assert missing == ({"writing": "no answer within 0.3 s"} if role == "ingest" else {})
            async with asyncio.timeout(20):
                while await ready.missing():  # noqa: ASYNC110 (nobody tells)
                    await asyncio.sleep(0.01)

    asyncio.run(story())


@pytest.mark.parametrize("role", [*ROLES, "all", "open,worker"])
def test_a_store_that_goes_away_keeps_no_opens_away(tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    away = True

    async def gone(wetink: Wetink) -> None:
        if away:
            raise StoreUnavailable("gone", hint="wait")

    for name in SHARED:
        monkeypatch.setitem(CHECKS, name, (CHECKS[name][0], gone))  # type: ignore[index]
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)

    async def story() -> None:
        nonlocal away
        async with process(tmp_path, role) as wetink:
            ready = Readiness(wetink)
            assert (await ready.missing())["store"] == "gone", "it was never ready: others have the content, it may not"
            away = False
            assert (await ready.missing(), ready.without) == ({}, {})
            away = True
            missing = await ready.missing()
            if role in ("open", "all", "open,worker"):
                assert (missing, ready.without["store"]) == ({}, "gone")
                wetink.health.undrawable = "no worker can be started"
                assert (await ready.missing()).keys() == {"drawing"}, "another process may draw"
            else:
                assert (missing["store"], ready.without) == ("gone", {})

    asyncio.run(story())


def test_a_process_without_content_is_not_ready(tmp_path: Path) -> None:
    async def story() -> None:
        wetink = Wetink(read({}, data=tmp_path, role="ingest"), draws=False)
        assert await Readiness(wetink).missing() == {"content": "the content is not loaded yet"}
        await wetink.look_again()
        assert await Readiness(wetink).missing() == {}
        await wetink.close()

    asyncio.run(story())


def test_many_askers_at_once_cost_one_round_of_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0

    async def counted(wetink: Wetink) -> None:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0.01)

    monkeypatch.setitem(CHECKS, "store", (ROLES, counted))  # type: ignore[arg-type]

    async def story() -> None:
        async with process(tmp_path, "all") as wetink:
            ready = Readiness(wetink)
            for _ in range(3):
                await asyncio.gather(*(ready.missing() for _ in range(100)))
            assert rounds == 1, "its result stands for a second"

    asyncio.run(story())


def test_each_role_has_a_check_and_each_check_a_role() -> None:
    assert all(set(roles) <= set(ROLES) and roles for roles, _ in CHECKS.values())
    assert {role for roles, _ in CHECKS.values() for role in roles} == set(ROLES)
