"""Secrets: taken over from an earlier release, renewed in all processes at once, and the token readable in its file."""

import asyncio
import base64
import json
import stat
from pathlib import Path

import pytest

from tests.cli.run import wetink as command
from wetink.core.errors import BadSettings
from wetink.core.identity.identifier import user
from wetink.settings import read
from wetink.wiring import Wetink

JANE = user("jane")
OLD_SEALS = json.dumps({"1": base64.b64encode(bytes(range(64))).decode()})


def earlier(data: Path, seals: str = OLD_SEALS) -> None:
    """Leave what the release before kept its secrets in."""
    data.mkdir()
    for name, text in {"dashboard.token": "the-token\n", "seal.keys": seals, "hooks.key": "ab" * 32}.items():
        (data / name).write_text(text)
        (data / name).chmod(0o600)


async def run(*words: str | Path) -> str:
    """Run a command beside this process; return its last line."""
    return (await asyncio.to_thread(command, *words)).strip()


def test_secrets_of_an_earlier_release_are_taken_over_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    earlier(data)

    async def story() -> tuple[str, str, bytes]:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            hook = wetink.audiences.hooks.secret_of("vip")
            return wetink.dashboard_token, wetink.seals.seal(JANE, "hero", "picture"), hook

    before = asyncio.run(story())
    assert before[0] == "the-token"
    for name in ("seal.keys", "hooks.key"):
        (data / name).write_text("changed")
    assert asyncio.run(story()) == before, "what is in the store counts"


def test_a_damaged_file_is_not_taken_over_and_can_be_restored(tmp_path: Path) -> None:
    data = tmp_path / "data"
    earlier(data, seals='{"1": "short"}')

    async def story() -> str:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            return wetink.seals.seal(JANE, "hero", "picture")

    with pytest.raises(BadSettings, match=r"seal\.keys is damaged"):
        asyncio.run(story())
    (data / "seal.keys").write_text(OLD_SEALS)
    assert asyncio.run(story())


def test_the_token_is_in_its_file_on_every_node_whatever_becomes_of_the_file(tmp_path: Path) -> None:
    async def story() -> None:
        store = f"sqlite:///{tmp_path / 'store'}"
        for number in range(2):
            data = tmp_path / f"node{number}"
            async with Wetink(read({}, data=data, store=store), draws=False) as wetink:
                assert (data / "dashboard.token").read_text() == wetink.dashboard_token
                assert stat.S_IMODE((data / "dashboard.token").stat().st_mode) == 0o600

    asyncio.run(story())
    assert len({path.read_text() for path in tmp_path.glob("node*/dashboard.token")}) == 1


def test_a_renewed_secret_holds_in_running_processes_and_old_links_stay_valid(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def story() -> None:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            token, sealed = wetink.dashboard_token, wetink.seals.seal(JANE, "hero", "picture")
            assert await run("keys", "dashboard", "--data", data) == token
            new = await run("keys", "dashboard", "--renew", "--data", data)
            seals = json.loads(await run("keys", "seals", "--renew", "--data", data))
            await wetink.follow()
            assert wetink.dashboard_token == new == (data / "dashboard.token").read_text() != token
            assert sorted(seals) == ["1", "2"]
            assert wetink.seals.seal(JANE, "hero", "picture") != sealed
            assert wetink.seals.unseal(sealed, "hero", "picture") == JANE
            assert json.loads(await run("keys", "seals", "--data", data)) == seals

    asyncio.run(story())
