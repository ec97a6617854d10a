"""T19: who has an account on the machine reads no secret and no data; a secret that others can read is refused."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from wetink.core.errors import BadSettings
from wetink.opens import secrets
from wetink.opens.secrets import MAKE
from wetink.settings import read
from wetink.wiring import Wetink
from wetink.worker import Worker


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A process that was started with everything open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def run(data: Path) -> Mapping[str, str]:
    """Begin on a data folder; return its secrets."""

    async def story() -> Mapping[str, str]:
        wetink = Wetink(read({}, data=data))
        async with wetink, Worker(wetink):
            if not await wetink.store.sources.all():
                await wetink.store.sources.create_key("shop", "server", ["shop.example"], 1)
            await wetink.crowd.close()
            return await wetink.store.secrets.all()

    return asyncio.run(story())


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
    assert {
        "wetink.db",
        "wetink.lock",
        "leases.db",
        "opens.db",
        "accounts.db",
        "sessions.db",
        "secrets.db",
        "content.db",
        "drafts.db",
        "dashboard.token",
    } <= made
    assert open_to_others(data) == []
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def given(data: Path, name: str, mode: int) -> str:
    """Put a secret's file into a new data folder; return what it holds."""
    data.mkdir()
    (data / name).write_text(text := MAKE[name]())
    (data / name).chmod(mode)
    return text


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o601])
@pytest.mark.parametrize("name", MAKE)
def test_a_secret_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, name: str, mode: int) -> None:
    data = tmp_path / "data"
    text = given(data, name, mode)
    with pytest.raises(BadSettings, match=f"{mode:04o}") as told:
        run(data)
    assert "chmod 600" in told.value.hint
    (data / name).chmod(0o600)
    assert run(data)[name] == text


def test_without_the_check_an_open_secret_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "OTHERS", 0)
    text = given(tmp_path / "data", "dashboard.token", 0o644)
    assert run(tmp_path / "data")["dashboard.token"] == text


def test_the_server_does_not_start_with_an_open_secret_and_says_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    given(data, "seal.keys", 0o644)
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
