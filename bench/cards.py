"""Cards: a row of three products with photos nobody drew before, beside satori with resvg, which most Node shops use.

Both get the products with their photos' bytes and return a finished picture of 600 by 300 CSS pixels at 2x, turn by
turn on the same core. satori's is a PNG; wetink's is what an email gets, a JPEG of the same size.
"""

import base64
import contextlib
import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from bench.figure import Figure
from bench.peers.unleash import MODULES, NODE
from bench.pictures import HEIGHT, SCALE, WIDTH, Album, product, scene
from bench.server import one_core
from wetink.render import Renderer

TURNS, WARMING = 30, 5
FONTS = Path("node_modules/@fontsource/inter/files")


def measure() -> list[Figure]:
    """Return the figure: satori's time for a new picture to wetink's."""
    with one_core(), _satori() as satori:
        ours, theirs = _measured(satori)
    mine, other = median(ours) * 1000, median(theirs)
    told = f"{mine:.1f} ms to {other:.1f} ms"
    cells = {
        "measured": "a new picture of three products, 1200 x 600 pixels",
        "wetink": f"p50 {mine:.1f} ms, slowest {max(ours) * 1000:.1f} ms",
        "satori with resvg": f"p50 {other:.1f} ms, slowest {max(theirs):.1f} ms",
        "ratio": f"{other / mine:.1f}",
    }
    name = "peer: a new picture of three products, satori's with resvg to wetink's"
    return [Figure(name, other / mine, 1.0, told, cells)]


def _measured(satori: "subprocess.Popen[str]") -> tuple[list[float], list[float]]:
    album, chance = Album(), random.Random(9)
    ours, theirs = [], []
    renderer, loop = Renderer(album), uvloop.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        for turn in range(TURNS + WARMING):
            items = [product(f"{turn}-{number}", album, chance) for number in range(3)]
            asked = scene(f"Jane {turn}", items, accent=f"#3451{turn:02x}")
            begun = time.perf_counter()
            thread.submit(loop.run_until_complete, renderer.render(asked)).result()
            ours.append(time.perf_counter() - begun)
            theirs.append(_drawn(satori, f"Picked for you, Jane {turn}", items, album))
    loop.close()
    renderer.close()
    return ours[WARMING:], theirs[WARMING:]


def _drawn(satori: "subprocess.Popen[str]", title: str, items: list[dict[str, Any]], album: Album) -> float:
    """Return the milliseconds that satori took, without those of passing the photos on."""
    assert satori.stdin is not None
    assert satori.stdout is not None
    told = [
        {
            "name": item["name"],
            "price": f"${item['price']:.2f}",
            "photo": f"data:image/jpeg;base64,{base64.b64encode(album.photos[item['photo']]).decode()}",
        }
        for item in items
    ]
    asked = {"width": WIDTH, "height": HEIGHT, "scale": SCALE, "title": title, "items": told}
    satori.stdin.write(json.dumps(asked) + "\n")
    satori.stdin.flush()
    milliseconds: float = json.loads(satori.stdout.readline())["milliseconds"]
    return milliseconds


@contextlib.contextmanager
def _satori() -> "Iterator[subprocess.Popen[str]]":
    if not (MODULES / "satori").exists():
        raise RuntimeError("satori is not installed: run `make .build/peers`")
    script = MODULES.parent / "cards.mjs"
    command = [str(NODE), str(script), str(FONTS.resolve()), os.environ.get("WETINK_BENCH_CARD", "")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
