"""Locked: another process holds a file or a lock of the data folder. Nobody waits for it who need not."""

import asyncio
import base64
import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from bench.load import request
from tests.days import days
from tests.scenarios.test_who_fetched import CHROME
from tests.serving import Server
from tests.web.test_open import BLOCKS
from wetink.core.client_classification import Kind
from wetink.core.signals.attribution import Touch
from wetink.settings import read
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.wiring import Wetink

PATIENCE = 6.0
"""Seconds that a sender or a mail client would wait at the most here: less than any lock is held."""
HOLD = {
    "file": "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN EXCLUSIVE')",
    "lock": "import fcntl, sys; lock = open(sys.argv[1], 'a'); fcntl.flock(lock, fcntl.LOCK_EX)",
}
AGENT = CHROME


@contextmanager
def held(path: Path, *, frozen: bool = False) -> Iterator[None]:
    """Have another process hold a file or a lock, and freeze it."""
    work = HOLD["file" if path.suffix == ".db" else "lock"]
    command = [sys.executable, "-c", f"{work}; print('held', flush=True); sys.stdin.read()", str(path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        if frozen:
            os.kill(holder.pid, signal.SIGSTOP)
        yield
    finally:
        os.kill(holder.pid, signal.SIGCONT)
        holder.stdin.close()
        holder.wait(20)
        holder.stdout.close()


async def ask(port: int, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send one request; return status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    return (
        int(first.split()[1]),
        {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)},
        body,
    )


class Shop:
    """A server in processes of its own, who sends it messages, and who opens emails of it."""

    def __init__(self, data: Path) -> None:
        self.data, self.number = data, 0
        for name, text in BLOCKS.items():
            path = data / "content" / "blocks" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (data / "content" / "templates").mkdir()
        (data / "content" / "templates" / "hello.liquid").write_text("<b>Hello</b>")
        self.key = asyncio.run(self._key())
        self.acked: list[str] = []
        self.refused: list[str] = []
        self.opened: list[str] = []

    async def _key(self) -> str:
        async with Wetink(read({}, data=self.data)) as wetink:
            return (await wetink.store.sources.create_key("shop", "server", (), 1)).write_key

    async def load(self, server: Server, count: int) -> list[tuple[int, bytes]]:
        """Send and open so often, all at once; return the answers of opens."""
        numbers = range(self.number, self.number + count)
        self.number += count
        sending = [asyncio.create_task(self.send(server.port, number)) for number in numbers]
        opens = await asyncio.gather(*(self._open(server.port, number) for number in numbers))
        await asyncio.gather(*sending)
        return opens

    async def send(self, port: int, number: int) -> None:
        message = {"type": "track", "event": "Product Viewed", "userId": f"s{number}", "messageId": f"m{number}",
                   "properties": {"sku": "mug", "name": "Mug", "price": 9}}  # fmt: skip
        key = base64.b64encode(f"{self.key}:".encode()).decode()
        body = msgspec.json.encode({"batch": [message]} if number % 2 else message)
        path = "/v1/batch" if number % 2 else "/v1/track"
        status, headers, _ = await ask(
            port, request("POST", path, body, authorization=f"Basic {key}", connection="close")
        )
        assert status in (200, 503)
        if status == 503:
            assert int(headers["retry-after"]) > 0
        (self.acked if status == 200 else self.refused).append(f"m{number}")

    async def _open(self, port: int, number: int) -> tuple[int, bytes]:
        who = f"o{number}"
        self.opened.append(f"user:{who}")
        raw = request("GET", f"/o/hero/1.jpg?user={who}", **{"user-agent": AGENT, "connection": "close"})
        status, _, body = await asyncio.wait_for(ask(port, raw), PATIENCE)
        return status, body

    def stored(self) -> list[str]:
        db = sqlite3.connect(self.data / "wetink.db")
        try:
            return sorted(row[0] for row in db.execute("SELECT message_id FROM message"))
        finally:
            db.close()

    def counted(self) -> list[str]:
        db = sqlite3.connect(self.data / "opens.db")
        try:
            return sorted(row[0] for row in db.execute("SELECT recipient FROM contact WHERE kind = 0"))
        finally:
            db.close()

    def settles(self) -> None:
        """Wait until everything that was acknowledged is stored, and every open is counted, each once."""
        until = time.monotonic() + 60
        while self.counted() != sorted(self.opened) and time.monotonic() < until:
            time.sleep(0.1)
        assert self.counted() == sorted(self.opened)
        assert self.stored() == sorted(self.acked), "what was acknowledged, and nothing that was refused"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[Server]:
    with Server(shop.data, workers=2, module="tests.impatient") as running:
        asyncio.run(shop.load(running, 4))
        yield running


def pictures(opens: Sequence[tuple[int, bytes]]) -> None:
    assert {status for status, _ in opens} == {200}
    for body in {body for _, body in opens}:
        assert Image.open(io.BytesIO(body)).size == (600, 300)


HELD = [
    "opens.db",
    "wetink.db",
    "archive.db",
    "pictures.db",
    "reports.db",
    "audiences.db",
    "sessions.db",
    "accounts.db",
    "leases.db",
    "content.db",
    "drafts.db",
    "secrets.db",
    "uploads.db",
    "wetink.lock",
]


@pytest.mark.parametrize(("name", "frozen"), [*((name, False) for name in HELD), ("wetink.lock", True)])
def test_a_file_held_by_another_process_keeps_no_open_waiting_and_loses_nothing(
    shop: Shop, server: Server, name: str, frozen: bool
) -> None:
    before, refused = len(shop.opened), len(shop.refused)
    assert (shop.data / name).exists()
    with held(shop.data / name, frozen=frozen):
        pictures(asyncio.run(shop.load(server, 12)))
    assert len(shop.opened) == before + 12
    if name not in ("wetink.db", "wetink.lock"):
        assert len(shop.refused) == refused, "only what ingest needs can keep it from taking messages in"
    asyncio.run(shop.load(server, 4))
    shop.settles()


def test_every_file_of_the_folder_is_tried(shop: Shop, server: Server) -> None:
    there = {path.name for path in shop.data.glob("*.db")} | {path.name for path in shop.data.glob("*.lock")}
    assert there == {*HELD}


def test_opens_are_classed_anew_while_others_write(tmp_path: Path) -> None:
    """In short transactions, with sums that are right in the end."""

    async def classed() -> None:
        one, other = SQLiteLedger(tmp_path), SQLiteLedger(tmp_path)
        for number in range(2_000):
            await one.record(Touch("open", "hero", f"user:u{number}", "", 1_000 + number))
        one.flush()
        written = 0

        def counts(block: str, kind: Kind) -> bool:
            return True

        at_work = asyncio.create_task(one.reclassify(counts))
        while not at_work.done():
            await other.record(Touch("open", "hero", f"user:late{written}", "", 500))
            assert await asyncio.to_thread(other.flush), "it was kept waiting"
            written += 1
        await at_work
        assert written > 1
        [day] = await days(other, 0, 0)
        assert (day.opens + day.machine_opens, day.unique_opens + day.unique_machine_opens) == (2_000 + written,) * 2
        await one.close()
        await other.close()

    asyncio.run(classed())


def test_decisions_promises_and_counts_made_under_a_lock_agree_and_are_written_later(tmp_path: Path) -> None:
    from tests.contracts.test_odd_rows import decision

    async def settled() -> None:
        ledger = SQLiteLedger(tmp_path)
        with held(tmp_path / "opens.db"):
            first, counted = await ledger.settle(decision(1), 1, 60_000, "person")
            again, counted_again = await ledger.settle(decision(1, variant="other"), 2, 60_000, "person")
            assert (first, counted) == (decision(1), True)
            assert (again, counted_again) == (decision(1), False), "all slots of an email agree"
            assert await ledger.promise("hero", "user:u1", {"ends": 5}) == {"ends": 5}
            assert await ledger.promise("hero", "user:u1", {"ends": 9}) == {"ends": 5}
            await ledger.record(Touch("open", "hero", "user:u1", "", 5))
            assert await ledger.contacts("hero", "user:u1") == (1, 0)
            assert (await ledger.current("hero", "user:u1", "")) == decision(1)
        assert await asyncio.to_thread(ledger.flush)
        await ledger.close()
        other = SQLiteLedger(tmp_path)
        assert await other.current("hero", "user:u1", "") == decision(1)
        assert await other.promised("hero", "user:u1") == {"ends": 5}
        assert await other.contacts("hero", "user:u1") == (1, 0)
        assert (await other.settle(decision(1), 2, 60_000, "person"))[1] is False, "which slots were served is known"
        assert other.lost == 0
        await other.close()

    asyncio.run(settled())


def test_opens_lost_at_shutdown_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.store.sqlite.ledger.THREAD_BUSY_MS", 50)

    async def ended() -> Mapping[str, Any]:
        ledger = SQLiteLedger(tmp_path)
        with held(tmp_path / "opens.db"):
            for number in range(7):
                await ledger.record(Touch("open", "hero", f"user:u{number}", "", 5))
            await ledger.close()
        return {"lost": ledger.lost}

    assert asyncio.run(ended()) == {"lost": 7}
    assert "7 opens, clicks or decisions are lost" in caplog.text


def test_an_ingest_under_way_when_a_worker_ends_is_told_to_come_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    with Server(shop.data, workers=1, module="tests.impatient") as server:
        asyncio.run(shop.load(server, 1))
        with held(shop.data / "wetink.lock", frozen=True):

            async def sent() -> list[Any]:
                sending = [asyncio.create_task(shop.send(server.port, number)) for number in (101, 102)]
                await asyncio.sleep(1.0)
                server.process.terminate()
                return await asyncio.gather(*sending, return_exceptions=True)

            assert asyncio.run(sent()) == [None, None]
        assert sorted(shop.refused) == ["m101", "m102"]
