"""The status page: one glance tells whether all is well, and each trouble has its remedy beside it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cli.run import wetink as run
from tests.web.dashboard.conftest import client_of
from wetink.insights.health import counted
from wetink.ports import Record
from wetink.ports.stream import Backlog, StreamState
from wetink.settings import read
from wetink.web.request import now_ms
from wetink.wiring import Wetink

BLOCK = "variants: [{name: seen, app: last-viewed}]\nfallback: {link: 'https://shop.example/', title: Hi}\n"


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[Wetink]:
    """A wetink without any trouble."""
    data = tmp_path / "data"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "hero.yaml").write_text(BLOCK)
    made = Wetink(read({}, data=data, workers=1), draws=False)
    asyncio.run(made.look_again())
    made.health.undrawable = ""
    counted().by_place.clear()  # errors of other tests of this process
    run("backup", tmp_path / "backup", "--data", data)
    yield made
    asyncio.run(made.close())


def shown(wetink: Wetink) -> str:
    with client_of(wetink) as client:
        answer = client.get("/dashboard/status")
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def test_a_sound_server_is_said_to_be_well(sound: Wetink) -> None:
    text = shown(sound)
    assert "All is well" in text
    for word in ("Opens", "Messages", "Behind the log", "Disk free", "Roles all", "Store SQLite", "Last backup"):
        assert word in text, word


def test_each_trouble_has_its_remedy_beside_it(sound: Wetink) -> None:
    (sound.settings.data / "content" / "blocks" / "bad.yaml").write_text("variants: 3\n")
    (sound.settings.data / "content" / "feeds").mkdir()
    (sound.settings.data / "content" / "feeds" / "more.yaml").write_text("file: more.csv\nformat: csv\n")
    (sound.settings.data / "last-backup.json").unlink()
    asyncio.run(sound.look_again())
    sound.health.struggling["audiences"] = "failed 3 times in a row: StoreUnavailable"
    text = shown(sound)
    assert "2 problems and 2 warnings" in text
    for trouble, remedy in (
        ("blocks/bad.yaml", "Fix the file, or run wetink rollback"),
        ("feeds more:", "Check its address"),
        ("No backup yet", "Run wetink backup every night"),
        ("Failed 3 times in a row", "wetink keeps trying"),
    ):
        assert text.index(trouble) < text.index(remedy), trouble


def test_what_waits_in_the_stream_is_shown_and_what_was_set_aside(sound: Wetink) -> None:
    class Waiting:
        """A stream whose worker is late."""

        async def state(self) -> StreamState:
            backlogs = [Backlog("messages", number, 20, 0) for number in range(2)]
            return StreamState((*backlogs, Backlog("opens", 0, 0, 0)), {"messages": now_ms() - 60_000}, 3)

        def warnings(self) -> list[str]:
            return ["it has 1 replica"]

    late: Any = Waiting()
    sound.stream = late
    text = shown(sound)
    sound.stream = None
    assert re.search(r"40 stream messages wait to be stored, the oldest for \d+ s Check that the store can", text)
    assert "3 stream messages of the last 30 days were set aside Read the header Wetink-Reason" in text
    assert "It has 1 replica" in text
    assert re.search(r"messages since \S.* 40 waiting opens, clicks and decisions 0 waiting set aside 3", text)


def test_a_server_that_cannot_draw_has_a_problem(sound: Wetink) -> None:
    sound.health.undrawable = "no worker can be started"
    text = shown(sound)
    assert "1 problem " in text
    assert "No worker can be started Emails show fallbacks until it works" in text


def test_a_server_with_a_warning_still_works(sound: Wetink) -> None:
    (sound.settings.data / "last-backup.json").unlink()
    assert "It works, with 1 warning" in shown(sound)


def test_followers_that_lag_are_shown(sound: Wetink) -> None:
    asyncio.run(sound.store.log.append([Record("shop", f"m-{n}", 1, 0, b"{}", "parked") for n in range(7)]))
    text = shown(sound)
    assert "Behind the log 7 messages" in text
    assert "catalog 7 behind" in text


def test_the_address_of_the_store_is_not_shown(sound: Wetink) -> None:
    assert str(sound.settings.data) not in shown(sound)


def test_a_stranger_does_not_see_the_status(sound: Wetink) -> None:
    from wetink.web.app import create

    with TestClient(create(sound)) as client:
        answer = client.get("/dashboard/status", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/dashboard/login")
