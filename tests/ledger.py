"""Clients who note which messages were acknowledged, and what a store must have afterwards."""

import asyncio
import io
import json
import random
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpcore
from PIL import Image

from tests.contracts.profiles import ONE, received
from tests.storage import opened
from tests.web.scraped import BLOCK
from wetink.core.events.message import pieces
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.ports import Record, Storage
from wetink.settings import read
from wetink.web.request import now_ms
from wetink.wiring import Wetink

PEOPLE = 60
CLIENT_SECONDS, AGAIN_SECONDS, PATIENCE_SECONDS = 30.0, 0.2, 60.0
NO_ANSWER = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


def message(number: int, chance: random.Random, key: str) -> tuple[str, dict[str, Any]]:
    """Return the path and body of a message of a shopper who browses, is recognized, and sometimes changes device."""
    person = chance.randrange(PEOPLE)
    device = f"device-{person}-{chance.randrange(3)}-{number // 2_000}"
    common: dict[str, Any] = {"messageId": f"m{number}", "writeKey": key, "anonymousId": device}
    common["timestamp"] = now_ms()
    if chance.random() < 0.15:
        traits = {"email": f"person{person}@shop.example"}
        return "/v1/identify", {**common, "userId": f"u{person}", "traits": traits}
    if chance.random() < 0.4:
        common["userId"] = f"u{person}"
    sku = f"S-{chance.randrange(40)}"
    viewed = {"sku": sku, "url": f"https://shop.example/{sku}", "name": f"Thing {sku}", "price": 5}
    return "/v1/track", {**common, "event": "Product Viewed", "properties": viewed}


class Pictures:
    """Tells whether bytes are a picture that can be decoded; decodes each once."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def __contains__(self, body: bytes) -> bool:
        if body not in self._known:
            try:
                with Image.open(io.BytesIO(body)) as image:
                    image.load()
            except Exception:
                return False
            self._known.add(body)
        return True


class Open(NamedTuple):
    """When an open began (monotonic seconds), and how long its answer took."""

    at: float
    seconds: float


class Clients:
    """Send messages to `address` until they are acknowledged, and open pictures; note everything.

    A server at another address may take over: `address` is then set to it.
    """

    def __init__(self, address: str, key: str, *, senders: int = 3, openers: int = 2, pause: float = 0.02) -> None:
        self.address, self._key, self._pause = address, key, pause
        self._senders, self._openers = senders, openers
        self._http = httpcore.AsyncConnectionPool(max_connections=32)
        self._chance, self._pictures, self._stopping = random.Random(7), Pictures(), False
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.opens: list[Open] = []
        self.wrong: list[str] = []

    async def __aenter__(self) -> "Clients":
        senders = (self._send(turn) for turn in range(self._senders))
        self._tasks = [asyncio.create_task(each) for each in (*senders, *(self._open() for _ in range(self._openers)))]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._http.aclose()

    async def more(self, count: int) -> None:
        """Wait until so many more messages are acknowledged and pictures opened."""
        until, messages, opens = time.monotonic() + PATIENCE_SECONDS, len(self.acknowledged), len(self.opens)
        while len(self.acknowledged) < messages + count or len(self.opens) < opens + count:
            assert time.monotonic() < until, (self.refused, self.wrong[:3])
            for each in self._tasks:
                if each.done():
                    each.result()
            await asyncio.sleep(0.01)

    async def refusals(self) -> None:
        """Wait until the server refuses messages, and answers opens meanwhile."""
        until, refused, opens = time.monotonic() + PATIENCE_SECONDS, self.refused.total(), len(self.opens)
        while self.refused.total() <= refused or len(self.opens) < opens + 20:
            assert time.monotonic() < until, (self.refused, self.wrong[:3])
            await asyncio.sleep(0.01)

    def p99(self, since: float = 0, until: float = float("inf")) -> float:
        """Return the 99th percentile of the opens that began in a time, in ms; 0 without any."""
        took = sorted(each.seconds * 1000 for each in self.opens if since <= each.at < until)
        return took[int(len(took) * 0.99)] if took else 0.0

    def slowest(self, since: float, until: float) -> str:
        """Return how long the opens of a time took, as text."""
        took = [each.seconds * 1000 for each in self.opens if since <= each.at < until]
        return f"{len(took):,} opens, p99 {self.p99(since, until):.0f} ms, slowest {max(took, default=0):.0f} ms"

    async def _send(self, turn: int) -> None:
        number = turn
        while not self._stopping:
            path, body = message(number, self._chance, self._key)
            self.sent.add(body["messageId"])
            while not await self._taken(path, json.dumps(body).encode()):  # noqa: ASYNC110 (a client tries again)
                await asyncio.sleep(AGAIN_SECONDS)
            self.acknowledged.add(body["messageId"])
            number += self._senders
            await asyncio.sleep(self._pause)

    async def _taken(self, path: str, body: bytes) -> bool:
        answer = await self._ask("POST", path, body)
        if answer is None or answer.status != 200:
            self.refused[str(answer.status) if answer else "no answer"] += 1
            if answer and (answer.status != 503 or b"retry-after" not in {name.lower() for name, _ in answer.headers}):
                self.wrong.append(f"{path}: {answer.status} without Retry-After")
        return answer is not None and answer.status == 200

    async def _open(self) -> None:
        while not self._stopping:
            begun, address = time.monotonic(), self.address
            answer = await self._ask("GET", f"/o/hero/1.jpg?user=u{self._chance.randrange(PEOPLE)}")
            if answer is None and address != self.address:
                continue  # it went to the server that has just ended
            self.opens.append(Open(begun, time.monotonic() - begun))
            if answer is None or answer.status != 200 or answer.content not in self._pictures:
                self.wrong.append(f"an open: {f'{answer.status} {answer.content[:60]!r}' if answer else 'no answer'}")
            await asyncio.sleep(self._pause)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> httpcore.Response | None:
        limits = {"timeout": {"connect": CLIENT_SECONDS, "read": CLIENT_SECONDS, "write": CLIENT_SECONDS, "pool": 60.0}}
        try:
            return await self._http.request(method, self.address + path, content=body, extensions=limits)
        except NO_ANSWER:
            return None


async def prepared(data: Path, store: str, count: int) -> tuple[str, list[str]]:
    """Make a store with a block and messages. Returns the write key, and the IDs of the messages."""
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "hero.yaml").write_text(BLOCK)
    chance = random.Random(1)
    async with Wetink(read({}, data=data, store=store), draws=False) as wetink:
        key = (await wetink.store.sources.create_key("shop", "server", ("shop.example",), 1)).write_key
        ids = []
        for start in range(0, count, 500):
            some = []
            for number in range(start, min(start + 500, count)):
                path, body = message(number, chance, "")
                body |= {"messageId": f"before{number}", "type": path.rpartition("/")[2]}
                some.append(received({name: value for name, value in body.items() if name != "writeKey"}))
                ids.append(body["messageId"])
            await wetink.store.log.append(some)
    return key, ids


async def wrong_in(store: Storage, folder: Path, *, sent: Collection[str], acknowledged: Collection[str]) -> list[str]:
    """Return what a store lacks, has twice or made up, and who differs from the same messages in a fresh SQLite store.

    Waits a while for messages that are under way to it.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    stored = await _stored(store)
    while {*acknowledged} - {id_ for id_, _ in stored} and time.monotonic() < end:
        await asyncio.sleep(1.0)
        stored = await _stored(store)
    counts = Counter(id_ for id_, _ in stored)
    lost = {*acknowledged} - counts.keys()
    wrong = [f"{len(lost)} acknowledged messages are lost: {sorted(lost)[:5]}"] if lost else []
    twice = [id_ for id_, count in counts.items() if count > 1]
    wrong += [f"{len(twice)} messages are stored twice: {twice[:5]}"] if twice else []
    strange = counts.keys() - {*sent}
    wrong += [f"{len(strange)} messages were never sent: {sorted(strange)[:5]}"] if strange else []
    plain = opened(folder, now_ms)
    try:
        await plain.log.append([each for _, each in stored])
        who = sorted({each.filed for _, each in stored if each.filed is not None})
        ours, theirs = await _profiles(store, who), await _profiles(plain, who)
    finally:
        await plain.close()
    differ = [name for name in theirs if ours.get(name) != theirs[name]]
    wrong += [f"{len(differ)} of {len(who)} profiles differ: {differ[:5]}"] if differ else []
    return wrong


async def _stored(store: Storage) -> list[tuple[str, Record]]:
    """Return all stored messages as records made anew from their bytes."""
    found: list[tuple[str, Record]] = []
    cursor = await store.log.cursor(0)
    while True:
        cursor, some = await store.log.read(cursor, 1_000)
        if not some:
            return found
        for each in some:
            (piece,), _ = pieces(each.raw, ONE)
            found.append((each.message_id, normalize(piece, each.source, "server", each.received)))


async def _profiles(store: Storage, who: Sequence[Identifier]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in who:
        root = await store.profiles.resolve(each, FOREVER - 1)
        events = await store.profiles.history(root, FOREVER - 1, 10_000)
        found[f"{each} -> {root}"] = sorted(event.message_id for event in events)
    return found
