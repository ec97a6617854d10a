"""A wetink server in a process of its own for the length of a `with`, and the references beside it."""

import asyncio
import base64
import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from wetink import settings as setting
from wetink.core.events.message import BATCH, Endpoint, pieces
from wetink.ports import NewKey
from wetink.settings import Settings
from wetink.web import server
from wetink.web.request import read_body
from wetink.wiring import Wetink

PICTURE_BYTES = 54_000
"""About what a picture of 600 by 300 at 2x has."""

CORES = sorted(os.sched_getaffinity(0))


@contextlib.contextmanager
def one_core(core: int = CORES[-1]) -> Iterator[None]:
    """Work on one core alone inside, as does whatever is started there."""
    os.sched_setaffinity(0, [core])
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


@contextlib.contextmanager
def serving(
    data: Path,
    *,
    app: str = "wetink.web.app:create",
    workers: int = 1,
    cores: Sequence[int] = (CORES[0],),
    given: Mapping[str, str] | None = None,
) -> Iterator[Settings]:
    """Serve a data folder on a free port, pinned to some cores, with the settings that are `given`."""
    spawn = multiprocessing.get_context("spawn")
    heard, said = spawn.Pipe(duplex=False)
    settings = setting.read({}, data=data, port=0, workers=workers, **(given or {}))
    child = spawn.Process(target=_serve, args=(settings, app, said, tuple(cores)))
    child.start()
    said.close()
    try:
        address: str = heard.recv()
        yield setting.read({}, data=data, port=int(address.rpartition(":")[2]), workers=workers)
    finally:
        child.terminate()
        child.join(20)
        if child.is_alive():
            child.kill()
            child.join()


def _serve(settings: Settings, app: str, said: Connection, cores: Sequence[int]) -> None:
    os.sched_setaffinity(0, cores)
    server.run(settings, app=app, ready=said.send)


def key_of(data: Path) -> str:
    """Make a source in a data folder; return the header that authorizes its messages."""

    async def make() -> NewKey:
        async with Wetink(setting.read({}, data=data)) as wetink:
            return await wetink.store.sources.create_key("bench", "server", (), 1)

    return "Basic " + base64.b64encode(f"{asyncio.run(make()).write_key}:".encode()).decode()


def constant(wetink: Wetink) -> Any:
    """The least a request can cost in this server: the same bytes whatever is asked."""
    body = b"0" * 400

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"400")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def picture(wetink: Wetink) -> Any:
    """The same with as many bytes as a picture has."""
    body = b"0" * PICTURE_BYTES

    async def app(scope: Any, receive: Any, send: Any) -> None:
        length = (b"content-length", str(PICTURE_BYTES).encode())
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/jpeg"), length]}
        )
        await send({"type": "http.response.body", "body": body})

    return app


def decoding(wetink: Wetink) -> Any:
    """A handler that reads a body and decodes it, and does nothing else."""
    one = Endpoint(type="track")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        body = await read_body(headers, receive, BATCH.body_bytes)
        pieces(body, one)
        answer = [(b"content-type", b"application/json"), (b"content-length", b"16")]
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        await send({"type": "http.response.body", "body": b'{"success":true}'})

    return app
