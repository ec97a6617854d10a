"""Opens as data by a real server of two processes: one recipient's are counted once, whichever process answers."""

import asyncio
import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.days import today
from tests.serving import Server
from wetink.store.sqlite.ledger import SQLiteLedger

BLOCK = """
variants:
  - {name: by name, app: custom, template: hello.liquid}
fallback: {link: "https://shop.example/", title: Hello}
recipients: [user]
"""
ASKED = 60


def _read(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/d/hero.json?user=jane", headers={"User-Agent": "Mozilla/5.0 (X11) Firefox/145.0"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


async def _opens(data: Path) -> int:
    ledger = SQLiteLedger(data)
    try:
        return sum(each.opens for each in await today(ledger))
    finally:
        await ledger.close()


def test_two_processes_count_a_recipients_opens_as_data_once(tmp_path: Path) -> None:
    for name, text in {"blocks/hero.yaml": BLOCK, "templates/hello.liquid": "<b>Hello</b>"}.items():
        path = tmp_path / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    began = time.monotonic()
    with Server(tmp_path, workers=2) as server, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(_read, [server.port] * ASKED)) == [200] * ASKED
    minutes = int((time.monotonic() - began) // 60)
    assert 1 <= asyncio.run(_opens(tmp_path)) <= 1 + minutes
