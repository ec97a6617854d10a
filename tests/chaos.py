"""`make chaos`: opens while everything around them fails; every answer must be a picture that can be decoded.

    python -m tests.chaos [OPENS]

A real server of two processes, over HTTP. In turns of half a second its store is down or slow. Its photos are at a host
that hangs, drips, redirects to a private address, sends garbage or is gone. Two of its templates loop for ever, one is
broken, and five make the engine hang, crash or eat memory. One in ten tokens is forged. It stops by itself, and touches
nothing but loopback.
"""

import asyncio
import io
import logging
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from bench.server import serving
from tests.contracts.profiles import received
from tests.storage import part_with
from wetink import settings as setting
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.identifier import user
from wetink.render.renderer import WORKERS
from wetink.sandbox import Pool
from wetink.web.app import create
from wetink.web.request import now_ms
from wetink.wiring import Wetink

PEOPLE, CONNECTIONS = 200, 24
TURN_SECONDS, SLOW_SECONDS, PATIENCE_SECONDS = 0.5, 0.3, 30.0
SHOP = "https://shop.example"
LOOP = "{% for a in (1..9999999) %}{% for b in (1..9999999) %}{{ a | times: b }}{% endfor %}{% endfor %}"
GROW = '{% assign x = "ha" %}{% for a in (1..9999) %}{% assign x = x | append: x %}{% endfor %}{{ x }}'
WILD = {word: f"<b>{word.upper()} {{{{ items[0].name }}}}</b>" for word in ("hang", "spin", "crash", "abort", "eat")}
"""Each makes the engine of tests.render.wild do what it says."""
TEMPLATES = {**WILD, "loop": LOOP, "grow": GROW, "broken": "{% for %}{{ }", "fine": "<b>Hello {{ items[0].name }}</b>"}
BLOCKS = {
    "seen": "variants: [{name: seen, app: last-viewed}]",
    "clear": "transparent: true\nvariants: [{name: fine, app: custom, template: fine.liquid}]",
    **{
        name: f"variants: [{{name: x, app: custom, template: {name}.liquid}}]"
        for name in ("loop", "grow", "broken", *WILD)
    },
}


class Host(BaseHTTPRequestHandler):
    """A photo host that does everything but send photos."""

    def do_GET(self) -> None:
        kind = int(self.path.strip("/.jpg").partition("-")[0] or 0) % 5
        try:
            if kind == 0:
                time.sleep(5)
            elif kind == 1:
                self.send_response(200)
                self.end_headers()
                for _ in range(40):
                    self.wfile.write(b"\xff")
                    self.wfile.flush()
                    time.sleep(0.1)
            elif kind == 2:
                self.send_response(302)
                self.send_header("location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
            elif kind == 3:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(random.randbytes(20_000))
            else:
                self.send_error(500)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def failing(wetink: Wetink) -> Any:
    """Return the application over a store that is well, down and slow in turns."""
    logging.disable(logging.ERROR)  # a line for each of them would be all there is to see
    store = wetink.store
    wetink.renderer.pool.close()
    wetink.renderer._pool = Pool("tests.render.wild", WORKERS)

    def faulty(real: Any) -> Any:
        async def asked(*given: Any, **named: Any) -> Any:
            turn = int(time.monotonic() / TURN_SECONDS) % 4
            if turn == 1:
                raise StoreUnavailable("the store is down")
            if turn == 2:
                await asyncio.sleep(SLOW_SECONDS)
            return await real(*given, **named)

        return asked

    for name in ("load", "products", "profile"):
        part = part_with(store, name)
        setattr(part, name, faulty(getattr(part, name)))
    return create(wetink)


async def fill(folder: Path, host: str) -> list[str]:
    """Make a shop, and return the paths of its opens."""
    for name, text in BLOCKS.items():
        path = folder / "content" / "blocks" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\nwidth: 160\nheight: 80\nfallback: {{link: {SHOP}/, title: Hello}}\n")
    for name, text in TEMPLATES.items():
        path = folder / "content" / "templates" / f"{name}.liquid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    async with Wetink(setting.read({}, data=folder, private_hosts=host, link_hosts=f"{host},shop.example")) as wetink:
        views = []
        for number in range(PEOPLE):
            seen = {"sku": f"s{number}", "name": f"Thing {number}", "url": f"{SHOP}/{number}", "price": 5}
            seen["image_url"] = f"http://{host}/{number}-{number % 7}.jpg"
            message = {"type": "track", "event": "Product Viewed", "userId": f"u{number}", "messageId": f"m{number}"}
            views.append(
                received({**message, "timestamp": now_ms() - 1_000, "receivedAt": now_ms(), "properties": seen})
            )
        await wetink.store.log.append(views)
        tokens = [
            (block, wetink.seals.seal(user(f"u{number}"), block, "picture"))  # type: ignore[arg-type]
            for block in BLOCKS
            for number in range(PEOPLE)
        ]
    # Loops take a second of a core each, and hangs a worker: they are asked for often, but not mostly.
    heavy = ("loop", "grow", *WILD)
    return [
        f"/o/{block}/1/{token if number % 10 else 'A' + token[1:][::-1]}.jpg?r=1&c={number % 3}"
        for number, (block, token) in enumerate(tokens)
        if block not in heavy or number % 40 == 0
    ]


async def press(port: int, paths: list[str], opens: int) -> tuple[int, list[str]]:
    """Open, and return how many answers there were and what was wrong with those that were no picture."""
    wrong: list[str] = []
    seen: dict[bytes, None] = {}
    left = opens

    async def one() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            path = random.choice(paths)
            writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(size)
            if not head.startswith(b"HTTP/1.1 200 "):
                wrong.append(f"{path}: {head[:20]!r}")
            elif body not in seen:
                seen[body] = None
                try:
                    with Image.open(io.BytesIO(body)) as image:
                        image.load()
                except Exception as error:
                    wrong.append(f"{path}: {error}")
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return opens, wrong


def run(opens: int) -> tuple[int, list[str], float]:
    """Return how many answers there were, what was wrong, and how long it took (s)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            paths = asyncio.run(fill(folder, host))
            given = {"private_hosts": host, "link_hosts": f"{host},shop.example"}
            cores = range(multiprocessing.cpu_count())
            with serving(folder, app="tests.chaos:failing", workers=2, cores=cores, given=given) as settings:
                begun = time.monotonic()
                answers, wrong = asyncio.run(press(settings.port, paths, opens))
                return answers, wrong, time.monotonic() - begun
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    """Run as many opens as are asked for; end with 1 when any answer was no picture."""
    opens = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    answers, wrong, seconds = run(opens)
    sys.stdout.write(f"{answers:,} opens in {seconds:.0f} s: {len(wrong)} answers that were no picture\n")
    for each in wrong[:20]:
        sys.stdout.write(f"  {each}\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
