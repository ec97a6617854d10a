"""A shop for the field cases: a real wetink in a folder of its own, asked through its doors by a clock that we move."""

import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.asgi import Answer, ask
from wetink.core.blocks.block import Decision
from wetink.core.events.clock import parse as time_of
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.recipient import parse
from wetink.ports import Received
from wetink.settings import read
from wetink.web.app import App
from wetink.web.ingest import IngestEndpoints
from wetink.web.open import OpenEndpoints
from wetink.wiring import Wetink

NOW = time_of("2026-11-20T09:00:00Z") or 0
"""When things happen unless a case says otherwise (Unix ms)."""

HOUR = 3_600_000
HOSTS = ("shop.example", "cdn.example")
READER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


class Shop:
    """One wetink with a server's key, and its doors."""

    def __init__(self, wetink: Wetink, data: Path) -> None:
        self.wetink, self.data, self.now = wetink, data, NOW
        self.ingest = IngestEndpoints(wetink.store.sources, wetink.ingest, clock=lambda: self.now)
        self.opens = OpenEndpoints(wetink, clock=lambda: self.now)
        self.key = self.access = ""

    async def post(self, message: Mapping[str, Any]) -> Answer:
        """Send one message as a server does, a second after the one before."""
        self.now += 1000
        kind = str(message.get("type", "track"))
        secret = base64.b64encode(f"{self.key}:".encode()).decode()
        body = json.dumps(message).encode()
        return await ask(self.ingest, "POST", f"/v1/{kind}", body, {"authorization": f"Basic {secret}"})

    async def post_all(self, messages: Iterable[Mapping[str, Any]]) -> None:
        for message in messages:
            answer = await self.post(message)
            assert answer.status == 200, answer.body

    async def relay(self, body: Any) -> Answer:
        """Send a body to Movable Ink's door, as a relay does."""
        self.now += 1000
        headers = {"authorization": f"Basic {self.access}"}
        return await ask(self.ingest, "POST", self.path, json.dumps(body).encode(), headers)

    async def get(self, target: str, agent: str = READER) -> Answer:
        """Ask a door of opens, or one of ingest, or a page."""
        headers = {"user-agent": agent}
        if target.startswith(self.opens.PATHS):
            return await ask(self.opens, "GET", target, headers=headers)
        if target.startswith(self.ingest.PATHS):
            return await ask(self.ingest, "GET", target, headers=headers)
        return await ask(App(self.wetink), "GET", target, headers=headers)

    async def put(self, path: str, content: str | Mapping[str, Any]) -> None:
        """Write a file of the content folder; a mapping is written as YAML can read it."""
        file = self.data / "content" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        await self.wetink.look_again()

    async def block(self, given: str | Mapping[str, Any]) -> str:
        """Return the name of a block: one of the starter's, or one that is put there."""
        if isinstance(given, str):
            return given
        await self.put("blocks/case.yaml", given)
        assert "case" in self.wetink.content.blocks, self.wetink.content.problems
        return "case"

    async def decided(self, block: str, who: Identifier | None, at: int | None = None) -> Decision:
        """Return what an open would get, an hour after the last message unless told otherwise."""
        self.now = at if at is not None else self.now + HOUR
        return await self.wetink.opens.preview(
            self.wetink.content, self.wetink.content.block(block), who, Moment(self.now)
        )

    async def history(self, who: Identifier) -> list[Event]:
        return list(await self.wetink.store.profiles.history(who, 1 << 61))

    async def received(self) -> list[Received]:
        """Return the messages that came, the oldest first."""
        return list(reversed(await self.wetink.store.log.messages(limit=1000)))


def named(who: str) -> Identifier | None:
    """Return whom a case is about; without a kind it is a user."""
    return parse(who if who.partition(":")[0] in ("user", "email", "anonymous") else f"user:{who}")


def moment_of(case: Mapping[str, Any], otherwise: int) -> int:
    at = time_of(case["at"]) if "at" in case else None
    return otherwise if at is None else at


@asynccontextmanager
async def shop(folder: Path, *, draws: bool = False, source: str = "shop", **settings: str) -> AsyncIterator[Shop]:
    """A shop that sells at shop.example, with a new key for `source`."""
    data = folder / "data"
    async with Wetink(read({}, data=data, deadline=20_000, **settings), draws=draws) as wetink:
        made = await wetink.store.sources.create_key(source, "server", HOSTS, 1)
        await wetink.look_again()
        there = Shop(wetink, data)
        there.key, there.path = made.write_key, made.path
        there.access = base64.b64encode(f"{made.access_key}:{made.secret}".encode()).decode()
        yield there


def plain(value: Any) -> Any:
    """Return anything as plain JSON has it."""
    return json.loads(msgspec.json.encode(value))
