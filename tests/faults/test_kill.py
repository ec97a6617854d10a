"""kill -9 in the middle of everything: what was acknowledged is there, exactly once."""

import asyncio
import contextlib
import json
import random
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path

import pytest

from tests.serving import Server
from tests.storage import opened
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.wiring import Wetink

SENDERS, SECONDS, ROUNDS = 8, 1.2, 3


async def send(port: int, basic: str, name: str, until: float, acked: list[str], tried: list[str]) -> None:
    """Send batches and single messages one after the other, and write down what was acknowledged."""
    chance = random.Random(name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    with contextlib.closing(writer):
        while time.monotonic() < until:
            many = chance.random() < 0.3
            ids = [f"m{name}-{number + n}" for n in range(40 if many else 1)]
            number += len(ids)
            common = {"type": "track", "event": "X", "userId": f"u{number % 7}", "anonymousId": f"a{name}"}
            messages = [{**common, "messageId": each} for each in ids]
            body = json.dumps({"batch": messages} if many else messages[0]).encode()
            path = "/v1/batch" if many else "/v1/track"
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {basic}\r\ncontent-length: {len(body)}\r\n\r\n"
            tried += ids
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if b" 200 " in answer[:16]:
                acked += ids


async def load(port: int, key: str, turn: int, acked: list[str], tried: list[str]) -> None:
    basic = "Basic " + b64encode(f"{key}:".encode()).decode()
    until = time.monotonic() + SECONDS + 20
    senders = [send(port, basic, f"{turn}-{number}", until, acked, tried) for number in range(SENDERS)]
    await asyncio.gather(*senders, return_exceptions=True)


async def stored(data: Path) -> list[str]:
    store = opened(data)
    try:
        messages = [message.message_id for message in await store.log.messages(limit=10_000_000)]
        owned = [
            event.message_id
            for number in range(7)
            for event in await store.profiles.history(Identifier("user", f"u{number}"), FOREVER - 1, limit=10_000_000)
        ]
    finally:
        await store.close()
    assert Counter(messages) == Counter(owned), "every message is in the log once and in one profile once"
    return messages


@pytest.mark.parametrize("workers", [1, 2])
def test_after_kill_9_under_load_every_acked_message_is_there_exactly_once(tmp_path: Path, workers: int) -> None:
    async def make_key() -> str:
        async with Wetink(read({}, data=tmp_path)) as wetink:
            return (await wetink.store.sources.create_key("shop", "server", (), 1)).write_key

    key = asyncio.run(make_key())
    acked: list[str] = []
    tried: list[str] = []
    for turn in range(ROUNDS):
        with Server(tmp_path, workers=workers) as server:

            async def load_and_kill(server: Server = server, turn: int = turn) -> None:
                loading = asyncio.create_task(load(server.port, key, turn, acked, tried))
                await asyncio.sleep(SECONDS * random.Random(turn).uniform(0.6, 1.0))
                await asyncio.to_thread(server.kill)
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    await loading

            asyncio.run(load_and_kill())
    kept = Counter(asyncio.run(stored(tmp_path)))
    assert len(acked) > 200, "the load was real"
    assert not [each for each in acked if kept[each] != 1]
    assert set(kept) <= set(tried)
