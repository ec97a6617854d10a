"""Once: the demo without a browser. It uses real HTTP and saves the pictures in a folder."""

import html
import io
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpcore
import msgspec
from PIL import Image
from rich.console import Console

from wetink.core.errors import Unavailable
from wetink.demo import keys
from wetink.demo.life import CAST, Message
from wetink.demo.run import fill, prepare, serving
from wetink.demo.seed import seed
from wetink.demo.shop import BY_SKU, account, product

NEWCOMER, ADDRESS = "visitor-of-this-very-minute", "nora@newcomer.example"


class Opened(msgspec.Struct, frozen=True):
    """One opened email: the content of its hero, the reason, and how long its pictures took."""

    title: str
    recipient: str
    shown: tuple[str, ...]
    why: str
    milliseconds: float
    pictures: tuple[str, ...]
    clicks: tuple[str, ...]


class Reader:
    """Reads emails as a mail client would, and saves the pictures."""

    def __init__(self, address: str, folder: Path) -> None:
        """Open emails of the server at `address`; pictures go to `folder`."""
        self._address, self._folder, self._http = address, folder, httpcore.ConnectionPool()
        self.opened: list[Opened] = []

    def open(self, title: str, recipient: str, expected: Sequence[str]) -> Opened:
        """Open the email to a recipient; raise Unavailable unless the hero shows the expected skus."""
        page = self._get(f"/demo/email?to={quote(recipient)}").content.decode()
        sources = [html.unescape(src) for src in re.findall(r'src="(/o/[^"]+)"', page)]
        clicks = [html.unescape(href) for href in re.findall(r'href="(/c/[^"]+)"', page)]
        if len(sources) != 5 or len(clicks) != 5:
            raise Unavailable(f"the email to {recipient} has {len(sources)} pictures and {len(clicks)} links, not 5")
        begun = time.perf_counter()
        bodies = [self._picture(src) for src in sources]
        took = (time.perf_counter() - begun) * 1000
        names = []
        for src, body in zip(sources, bodies, strict=True):
            _, _, block, slot, token = src.split("/")
            name = f"{title.lower().replace(' ', '-')}-{block}-{slot}.{token.rpartition('.')[2]}"
            (self._folder / name).write_bytes(body)
            names.append(name)
        reason = msgspec.json.decode(self._get(f"/demo/why?to={quote(recipient)}").content)
        wanted = tuple(BY_SKU[sku].name for sku in expected)
        if tuple(reason["shown"]) != wanted:
            raise Unavailable(f"the email to {recipient} shows {reason['shown']}, not {list(wanted)}: {reason['why']}")
        opened = Opened(title, recipient, wanted, reason["why"], took, tuple(names), tuple(clicks))
        self.opened.append(opened)
        return opened

    def click(self, opened: Opened, slot: int) -> str:
        """Click the picture in a place of the email (0: greeting, 1: hero, 2-4: picks); return the destination."""
        answer = self._http.request("GET", self._address + opened.clicks[slot])
        target = dict(answer.headers).get(b"location", b"").decode()
        if answer.status not in (302, 303, 307) or not target:
            raise Unavailable(f"a click on {opened.clicks[slot]} answered {answer.status} and led nowhere")
        self._get(target.removeprefix(self._address))
        return target

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _picture(self, path: str) -> bytes:
        answer = self._get(path)
        kind = dict(answer.headers).get(b"content-type", b"").decode()
        if b"no-store" not in dict(answer.headers).get(b"cache-control", b""):
            raise Unavailable(f"{path} may be cached")
        with Image.open(io.BytesIO(answer.content)) as image:
            image.load()
            if kind != {"JPEG": "image/jpeg", "PNG": "image/png"}.get(image.format or ""):
                raise Unavailable(f"{path} says {kind} and is {image.format}")
        return answer.content

    def _get(self, path: str) -> httpcore.Response:
        answer = self._http.request("GET", self._address + path)
        if answer.status != 200:
            raise Unavailable(f"GET {path} answered {answer.status}")
        return answer


def once(folder: Path) -> None:
    """Start, seed, open, click, browse, log in, open again; save pictures and `report.md` in `folder`.

    Raises a WetinkError with the problem at the first unexpected result.
    """
    console = Console(stderr=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wetink-once-") as place:
        settings = prepare(Path(place) / "demo-once", "127.0.0.1", 0)
        with serving(settings):
            begun = time.perf_counter()
            count = fill(settings, console)
            took = time.perf_counter() - begun
            with closing(Reader(settings.address, folder)) as reader:
                for role in CAST:
                    reader.open(role.name, role.recipient, role.hero)
                landed = reader.click(reader.opened[0], 1)
                wanted = settings.address + BY_SKU[CAST[0].hero[0]].path
                if landed != wanted:
                    raise Unavailable(f"a click on Jane's hero led to {landed}, not to {wanted}")
                _newcomer(reader, keys.read(settings.data).server, settings.address)
    report = folder / "report.md"
    report.write_text(_report(reader.opened, count, took, landed.removeprefix(settings.address)), encoding="utf-8")
    console.print(f"{len(reader.opened)} emails were opened; see {report}", highlight=False, soft_wrap=True)


def _newcomer(reader: Reader, key: str, address: str) -> None:
    """Browse anonymously, open; identify, open; go on, open: the example flow of Segment's identity."""

    def send(kind: Any, user: str, name: str, properties: dict[str, Any], anonymous: str = NEWCOMER) -> None:
        at = time.time_ns() // 1_000_000
        message = Message(kind, at, at, f"once-{at}-{kind}", anonymous, user, name, properties, {})
        seed(key, address, [message])

    user = account(ADDRESS)
    reader.open("Newcomer at first", f"anonymous:{NEWCOMER}", [])
    send("track", "", "Product Viewed", product(BY_SKU["TW-606"], address))
    reader.open("Newcomer after a look", f"anonymous:{NEWCOMER}", ["TW-606"])
    send("identify", user, "", {"email": ADDRESS, "firstName": "Nora"})
    reader.open("Nora after logging in", f"email:{ADDRESS}", ["TW-606"])
    send("track", user, "Product Viewed", product(BY_SKU["TW-104"], address))
    opened = reader.open("Nora after another look", f"user:{user}", ["TW-104"])
    landed = reader.click(opened, 3)
    if not landed.endswith(BY_SKU["TW-606"].path):
        raise Unavailable(f"a click on Nora's second card led to {landed}, not to the tent she saw first")


def _report(opened: Sequence[Opened], count: int, took: float, landed: str) -> str:
    lines = [
        "# What the demo showed, and why",
        "",
        f"{count} messages of two weeks went through the Segment SDK over HTTP in {took:.1f} s, all acknowledged.",
        f"A click on {opened[0].title}'s hero led to `{landed}`.",
        "",
        "| opened | for | the hero shows | why | five pictures in |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in opened:
        shown = ", ".join(each.shown) or "the fallback"
        lines.append(f"| {each.title} | `{each.recipient}` | {shown} | {each.why} | {each.milliseconds:.0f} ms |")
    lines.append("")
    for each in opened:
        pictures = " ".join(f"![{name}]({name})" for name in each.pictures)
        lines += [f"## {each.title}", "", pictures, ""]
    return "\n".join(lines)
