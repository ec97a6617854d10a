"""Sites: a wetink over real sockets, by our connection and by uvicorn's own, which knows no short way."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from bench.load import request
from wetink.settings import read
from wetink.web.app import App, create
from wetink.web.protocol import Header, Respond, Take
from wetink.wiring import Wetink


class Site:
    """One wetink at two addresses: by our connection, and by uvicorn's own, which knows no short way."""

    def __init__(self, wetink: Wetink, key: str) -> None:
        self.wetink = wetink
        self.key = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        self.app: App = create(wetink)
        self.short: list[bytes] = []
        self._find, self.app.fast_path.find = self.app.fast_path.find, self._short

    def _short(self, method: bytes, target: bytes, headers: Sequence[Header], client: str) -> Take | None:
        take = self._find(method, target, headers, client)

        def noted(body: bytes, respond: Respond) -> None:
            assert take is not None
            self.short.append(target)
            take(body, respond)

        return None if take is None else noted

    @asynccontextmanager
    async def connected(
        self, http: Any, keep_alive: int = 5
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        config = uvicorn.Config(
            self.app, port=0, http=http, lifespan="off", log_config=None, server_header=False,
            timeout_keep_alive=keep_alive,
        )  # fmt: skip
        server = self.server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            await server.shutdown()

    def track(self, number: int, **headers: str) -> bytes:
        body = {"event": "Product Viewed", "messageId": f"m{number}", "userId": "42"}
        return request("POST", "/v1/track", msgspec.json.encode(body), authorization=self.key, **headers)

    async def stored(self) -> list[str]:
        return sorted(each.message_id for each in await self.wetink.store.log.messages(limit=1_000))


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One answer, without its date and its request's ID."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return b"\r\n".join(sorted(re.sub(rb"(date|x-request-id): [^\r]*\r\n", b"", head).split(b"\r\n"))) + body


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """A wetink with a key that has been seen just now."""
    async with Wetink(read({}, data=folder)) as wetink:
        made = Site(wetink, (await wetink.store.sources.create_key("shop", "server", (), 1)).write_key)
        async with made.connected("httptools") as (reader, writer):
            writer.write(made.track(0))
            assert (await answer(reader)).endswith(b'{"success":true}')
        yield made
