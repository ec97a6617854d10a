"""T19: who has an account on the machine reads no secret and no data; a secret that others can read is refused."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wetink.core.errors import BadSettings
from wetink.opens import secrets
from wetink.settings import read
from wetink.wiring import Wetink
from wetink.worker import Worker

SECRETS = ("dashboard.token", "seal.keys", "hooks.key")


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A process that was started with everything open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def run(data: Path) -> None:
    async def story() -> None:
        wetink = Wetink(read({}, data=data))
        async with wetink, Worker(wetink):
            if not await wetink.store.sources.all():
                await wetink.store.sources.create_key("shop", "server", ["shop.example"], 1)
            await wetink.crowd.close()

    asyncio.run(story())


def open_to_others(data: Path) -> list[str]:
    return sorted(
        f"{path.relative_to(data)} {stat.S_IMODE(path.stat().st_mode):04o}"
        for path in data.rglob("*")
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    )


def test_every_file_of_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data)
    made = {path.name for path in data.iterdir()}
    assert {"wetink.db", "wetink.lock", "leases.db", "opens.db", "sessions.db", *SECRETS} <= made
    assert open_to_others(data) == []
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o601])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, name: str, mode: int) -> None:
    data = tmp_path / "data"
    (data).mkdir()
    path = data / name
    secrets.kept_secret(path, lambda: "x" * 32)
    path.chmod(mode)
    with pytest.raises(BadSettings, match=f"{mode:04o}") as told:
        secrets.kept_secret(path, lambda: "x" * 32)
    assert "chmod 600" in told.value.hint
    path.chmod(0o600)
    assert secrets.kept_secret(path, lambda: "") == "x" * 32


def test_without_the_check_an_open_secret_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "OTHERS", 0)
    path = tmp_path / "dashboard.token"
    path.write_text("everybody-knows")
    path.chmod(0o644)
    assert secrets.kept_secret(path, lambda: "") == "everybody-knows"


def test_the_server_does_not_start_with_an_open_secret_and_says_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data)
    (data / "seal.keys").chmod(0o644)
    command = [sys.executable, "-m", "wetink", "serve", "--data", str(data), "--port", "0", "--workers", "1"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode != 0
    assert "seal.keys can be read by others" in told.stderr
    assert "chmod 600" in told.stderr


def test_locks_and_stores_of_an_earlier_version_are_closed_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data)
    for name in ("wetink.lock", "leases.db", "wetink.db"):
        (data / name).chmod(0o644)
    run(data)
    assert open_to_others(data) == []
