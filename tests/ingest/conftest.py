"""The ingest doors over a real store."""

import asyncio
import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.asgi import Answer, ask
from tests.storage import opened
from wetink.core.events.clock import parse
from wetink.ingest.receive import Ingest
from wetink.ports import NewKey, Received
from wetink.telemetry.metrics import route_of
from wetink.telemetry.request import measured
from wetink.web.ingest import IngestEndpoints

NOW = parse("2026-11-23T18:00:00Z") or 0


class Desk:
    """The doors, with one source of each level, and what lies behind them."""

    def __init__(self, folder: Path) -> None:
        self.store = opened(folder)
        self.now = NOW
        self.doors = IngestEndpoints(self.store.sources, Ingest(self.store.log), clock=lambda: self.now)
        self.key: NewKey = asyncio.run(self.store.sources.create_key("shop", "server", (), NOW))
        self.page_key: NewKey = asyncio.run(self.store.sources.create_key("page", "browser", (), NOW))

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Answer:
        """Post a body, JSON unless it is bytes already, with the server's key."""
        raw = body if isinstance(body, (bytes, list)) else msgspec.json.encode(body)
        basic = base64.b64encode(f"{key or self.key.write_key}:".encode()).decode()
        sent = {"authorization": f"Basic {basic}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.ask("POST", path, raw, sent)

    def behave(self, body: Any) -> Answer:
        """Post to Movable Ink's door."""
        basic = base64.b64encode(f"{self.key.access_key}:{self.key.secret}".encode()).decode()
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.ask("POST", self.key.path, raw, {"authorization": f"Basic {basic}"})

    def ask(self, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send any request, and wait for all that it left running."""

        async def story() -> Answer:
            answer = await ask(partial(measured, self.doors, route_of(path)), method, path, body, headers)
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
            return answer

        return asyncio.run(story())

    def messages(self) -> list[Received]:
        """Everything that was stored, oldest first."""
        return list(asyncio.run(self.store.log.messages(limit=10_000)))[::-1]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Doors over an empty store."""
    made = Desk(tmp_path)
    yield made
    asyncio.run(made.store.close())
