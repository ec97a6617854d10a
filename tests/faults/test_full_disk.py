"""A full disk: opens and the dashboard go on, senders are asked to come again, and it heals alone."""

import asyncio
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.asgi import ask, asked
from tests.cli.run import keys, wetink
from tests.days import days
from tests.scenarios.test_who_fetched import CHROME
from tests.web.test_open import NOW, House
from wetink.web.app import create

SIZE = 24 << 20
PAGES = ("/dashboard", "/dashboard/live", "/dashboard/people", "/dashboard/blocks", "/dashboard/reports", "/healthz")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    there = tmp_path / "disk"
    there.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(there)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a disk can only be mounted by root")
    yield there
    subprocess.run(["umount", "-l", str(there)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is, to the last byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


@pytest.mark.parametrize("name", ["backup", "backup.tar.gz"])
@pytest.mark.parametrize("room", [SIZE, 1 << 20], ids=["filled while it copies", "too small from the start"])
def test_a_backup_that_does_not_fit_says_so_and_leaves_nothing(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, room: int
) -> None:
    keys(tmp_path / "data")
    fill(disk)
    told = "MB free"
    if room == SIZE:  # somebody else fills the disk after the check
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=room))
        told = "No space left on device"
    said = wetink("backup", disk / "backups" / name, "--data", tmp_path / "data", status=1)
    assert told in said
    assert "make room" in said
    assert [*disk.rglob("*backup*")] == [disk / "backups"]


def test_a_restore_that_does_not_fit_says_so_and_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    keys(tmp_path / "data")
    wetink("backup", tmp_path / "backup", "--data", tmp_path / "data")
    fill(disk)
    (disk / "restored").mkdir()
    assert "No space left on device" in wetink("restore", tmp_path / "backup", "--data", disk / "restored", status=1)
    assert [*(disk / "restored").iterdir()] == []


def test_a_backup_is_restored_into_a_mounted_folder(disk: Path, tmp_path: Path) -> None:
    keys(tmp_path / "data")
    wetink("backup", tmp_path / "backup.tar.gz", "--data", tmp_path / "data")
    (disk / "lost+found").mkdir()
    wetink("restore", tmp_path / "backup.tar.gz", "--data", disk)
    assert {path.name for path in disk.iterdir() if path.name.startswith(".")} == set()
    assert "shop" in wetink("keys", "list", "--data", disk)


def test_opens_and_pages_go_on_and_it_heals_alone(disk: Path) -> None:
    house = House(disk / "data")
    app = create(house.wetink)
    key = asyncio.run(house.wetink.store.sources.create_key("another", "server", (), 1)).write_key
    house.saw("mug")
    number = 0

    def sent() -> int:
        nonlocal number
        number += 1
        body = msgspec.json.encode({"type": "track", "event": "X", "userId": f"u{number}", "messageId": f"n{number}",
                                    "properties": {"words": "x" * 30_000}, "writeKey": key})  # fmt: skip
        answer = asked(app, "POST", "/v1/track", body)
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) > 0
            refused.append(number)
        return answer.status

    def opened(count: int) -> None:
        nonlocal number

        async def all_of_them() -> list[bytes]:
            paths = [f"/o/hero/1.jpg?user=r{number + each}" for each in range(count)] + [
                "/o/hero/1.jpg?user=jane&campaign=other"
            ]
            return [(await ask(house.door, "GET", path, headers={"user-agent": CHROME})).body for path in paths]

        for body in asyncio.run(all_of_them()):
            assert Image.open(io.BytesIO(body)).size == (600, 300)
        number += count
        assert [item["key"] for item in house.data()["items"]] == ["mug"]

    refused: list[int] = []
    with TestClient(app.pages, base_url="http://127.0.0.1:8000") as browser:
        browser.post("/dashboard/login", data={"token": house.wetink.dashboard_token})
        assert [browser.get(page).status_code for page in PAGES] == [200] * len(PAGES)
        opened(3)
        ballast = fill(disk)
        answers = [sent() for _ in range(400)]
        assert answers[-1] == 503, "it is full by now"
        opened(10)
        assert [browser.get(page).status_code for page in PAGES] == [200] * len(PAGES)
        assert sent() == 503
        ballast.unlink()
        assert sent() == 200, "nobody has to start it anew"
        opened(3)
        assert [browser.get(page).status_code for page in PAGES] == [200] * len(PAGES)
    house.wetink.store.ledger.flush()
    sums = asyncio.run(days(house.wetink.store.ledger, NOW, house.now))
    assert sum(each.opens for each in sums) == 3 + 10 + 3 + 1 + 1, "each recipient's, jane's picture and her data"
    assert house.wetink.store.lost() == {}
    stored = {each.message_id for each in asyncio.run(house.wetink.store.log.messages(limit=1000))}
    assert not stored & {f"n{each}" for each in refused}
    asyncio.run(house.wetink.close())
