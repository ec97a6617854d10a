"""Walk: the files of wetink that one open and one track pass through, in the order in which they are first entered.

Each request is one of a server that has answered such requests before: the JSON and the picture of a block without
feeds, experiments or other blocks in its email, for somebody it has not been asked about yet, and a track of somebody
new. A file counts when one of its functions is called on any thread of the process, except by a thread that does the
same when nothing is asked; a move is a call from one file into another. Run it with `python -m bench walk`: the files
are printed.
"""

import asyncio
import base64
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

import wetink
from bench.figure import Figure
from wetink import settings as setting
from wetink.core.identity.identifier import user
from wetink.web.app import create
from wetink.wiring import Wetink

ROOT = f"{Path(wetink.__file__).parent}/"
OPEN_FILES, TRACK_FILES = 25, 14
"""The most files that an open and a track may pass through."""
REST_SECONDS = 0.8
"""How long threads may take that write behind an answer."""
BLOCK = """
title: Last viewed
fallback: {link: "https://shop.example/"}
variants: [{name: viewed, app: last-viewed}]
"""


def measure() -> list[Figure]:
    """Return how many files each request passes through, and print them."""
    with tempfile.TemporaryDirectory() as folder:
        walks = asyncio.run(_walks(Path(folder)))
    for name, walk in walks.items():
        print(f"{name}: {len(walk.files)} files, {walk.moves} moves", *walk.files, sep="\n    ")
    most = {"track": TRACK_FILES}
    return [
        Figure(
            f"walk: files that a {name} may pass through to those it does",
            most.get(name, OPEN_FILES) / len(walk.files),
            1.0,
            f"{len(walk.files)} files, {walk.moves} moves between them",
        )
        for name, walk in walks.items()
    ]


class Walk:
    """Notes what is called."""

    def __init__(self, idle: frozenset[str] = frozenset()) -> None:
        """Begin with nothing. Other threads enter the `idle` files without any request."""
        self.files: dict[str, None] = {}
        self.moves = 0
        self._idle = idle

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """Note a call, as `sys.setprofile` tells of it."""
        path, caller = frame.f_code.co_filename, frame.f_back
        if event == "call" and path.startswith(ROOT):
            if path.removeprefix(ROOT) in self._idle and threading.current_thread() is not threading.main_thread():
                return
            self.files.setdefault(path.removeprefix(ROOT))
            if caller is not None and caller.f_code.co_filename.startswith(ROOT):
                self.moves += caller.f_code.co_filename != path


async def _walks(data: Path) -> dict[str, Walk]:
    walk = Walk()
    threading.setprofile(lambda *event: walk.note(*event))  # for threads that begin from now on
    settings = setting.read({}, data=data)
    (blocks := settings.content / "blocks").mkdir(parents=True)
    (blocks / "viewed.yaml").write_text(BLOCK)
    async with Wetink(settings) as server:
        await server.ready()
        walk = Walk()
        app, walks = create(server), dict[str, Walk]()
        await asyncio.sleep(REST_SECONDS)
        idle = frozenset(walk.files)
        key = await server.store.sources.create_key("bench", "server", (), 1)
        basic = b"Basic " + base64.b64encode(f"{key.write_key}:".encode())
        for person in ("first", "second"):
            who = user(person)
            assert who is not None
            mug = {"sku": "A", "name": "Mug", "url": "https://shop.example/mug"}
            track = {"event": "Product Viewed", "userId": person, "properties": mug}
            requests = {
                "track": ("POST", "/v1/track", msgspec.json.encode(track)),
                "JSON open": ("GET", f"/d/viewed/{server.seals.seal(who, 'viewed', 'data')}.json", b""),
                "picture open": ("GET", f"/o/viewed/1/{server.seals.seal(who, 'viewed', 'picture')}.jpg", b""),
            }
            for name, (method, path, body) in requests.items():
                if method == "POST":  # its key is known for a second
                    await _ask(app, method, path, body.replace(b'"userId":"', b'"userId":"before '), basic)
                walks[name] = walk = Walk(idle)
                sys.setprofile(walk.note)
                try:
                    status = await _ask(app, method, path, body, basic)
                finally:
                    sys.setprofile(None)
                assert status == 200, (name, status)
                await asyncio.sleep(REST_SECONDS)
                walk = Walk()
        threading.setprofile(None)
    return walks


async def _ask(app: Any, method: str, path: str, body: bytes, basic: bytes) -> int:
    """Send an ASGI application one request; return the answer's status."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": [(b"authorization", basic)], "client": ("127.0.0.1", 1), "http_version": "1.1"}
    await app(scope, receive, send)
    return statuses[0]
