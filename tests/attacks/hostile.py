"""Hostile requests: every route with every odd value, and what each costs the loop and the memory.

`python -m tests.attacks.hostile` sends each value in each place; the suite sends a part of them.
"""

import asyncio
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.routing import Route

from tests.asgi import Answer, ask
from tests.attacks.hostile_values import BODIES, MEGABYTE, TEXTS
from tests.web.dashboard.shopper import BLOCKS, past
from wetink.ports import NewKey
from wetink.settings import read
from wetink.web.app import App, create
from wetink.web.request import now_ms
from wetink.wiring import Wetink

LOOP_SECONDS = 0.25
"""What a request may take of the loop at a time, of the processor's time: everything else waits meanwhile."""

MOST_BYTES = 100 * MEGABYTE

FIELDS: dict[str, tuple[str, ...]] = {
    "/dashboard/login": ("token", "next"),
    "/dashboard/sources": ("name", "hosts", "level"),
    "/dashboard/blocks/new": ("title", "app"),
    "/dashboard/blocks/{name}/edit": (
        *("title", "width", "rest", "order", "do", "revision", "base", "was", "who", "at", "suppose", "if_product"),
        *("utm.0.name", "utm.0.value", "v.0.name", "v.0.app", "v.0.rest", "v.0.settings.title", "v.0.rule.of.0.event"),
    ),
    "/dashboard/blocks/{name}/edit/copy": ("title", "rest", "order", "v.0.rest"),
    "/dashboard/blocks/{name}/edit/discard": ("revision",),
    "/dashboard/audiences/edit": ("name", "was", "title", "yaml", "do", "hook.url", "rule.kind", "rule.of.0.kind"),
    "/dashboard/audiences/tried": ("name", "yaml"),
    "/dashboard/audiences/found": ("yaml", "who", "at"),
    "/dashboard/audiences/save": ("name", "was", "yaml"),
    "/dashboard/audiences/tried?from=form": (
        *(
            "title",
            "yaml",
            "hook.url",
            "hook.send",
            "rule.kind",
            "rule.of.0.kind",
            "rule.of.0.event",
            "rule.of.0.times",
        ),
        *("rule.of.0.where.0.value", "rule.of.0.where.0.name", "rule.of.0.span", "rule.of.0.when"),
    ),
    "/dashboard/media/{room}/{name}": ("change", "name"),
    "/dashboard/templates": ("name", "from"),
    "/dashboard/blocks/{name}/experiment": ("do", "title", "holdout", "worth", "name.1", "share.1", "winner"),
    "/dashboard/templates/{name}": ("do", "name", "template", "companion", "revision"),
    "/dashboard/templates/{name}/tried": ("template", "companion", "who", "width", "setting.items"),
    "/v/{block}/{slot:slot}/{token}": ("option",),
}
"""The fields of each form."""

CATALOGS = 12
"""One body in so many is sent as a catalog: a process of its own reads each, which takes seconds to begin."""

FORMATS = ("json", "jsonl", "csv", "rss", "atom", "merchant")
LOOKED = ("who", "at", "device", "client", "if_event", "if_product", "suppose")
"""Parameters of the pages that read a whole query."""


class Names:
    """Which parameters of the query a request is asked for."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self._get, self._iter = QueryParams.get, QueryParams.keys

    def __enter__(self) -> Self:
        def get(query: Any, name: Any, default: Any = None) -> Any:
            self.read.add(name)
            return self._get(query, name, default)

        def has(query: Any, name: Any) -> bool:
            self.read.add(name)
            return name in query._dict

        def keys(query: Any) -> Any:
            self.read.update(LOOKED)
            return self._iter(query)

        vars_ = {"get": get, "__contains__": has, "keys": keys}
        self._before = {name: getattr(QueryParams, name) for name in vars_}
        for name, make in vars_.items():
            setattr(QueryParams, name, make)
        return self

    def __exit__(self, *_: object) -> None:
        for name, make in self._before.items():
            setattr(QueryParams, name, make)


class Sent(NamedTuple):
    """A request."""

    method: str
    target: str
    body: bytes = b""
    kind: str = ""
    csrf: bool = True
    headers: Mapping[str, str] = {}

    def __str__(self) -> str:
        return f"{self.method} {self.target[:120]} {self.kind}{f' {self.body[:60]!r}' if self.body else ''}"


class Cost(NamedTuple):
    """What became of it. `loop` is the longest turn of the loop in seconds of processor time, `grown` bytes."""

    sent: Sent
    status: int
    loop: float
    grown: int
    told: str

    @property
    def bad(self) -> bool:
        return self.status >= 500 or self.loop > LOOP_SECONDS or self.grown > MOST_BYTES

    def __str__(self) -> str:
        return f"{self.status} loop {self.loop:.3f} s, +{self.grown // MEGABYTE} MB: {self.sent}"


class Target:
    """A wetink with a shopper, signed in to."""

    def __init__(self, folder: Path) -> None:
        settings = read({}, data=folder / "data", port=8000)
        for name, text in BLOCKS.items():
            path = settings.content / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.wetink = Wetink(settings)
        self.app: App = create(self.wetink)
        self.cookie = self.csrf = ""
        self.key: NewKey | None = None

    async def prepare(self) -> None:
        await self.wetink.look_again()
        await self.wetink.store.log.append(past(now_ms()))
        self.key = await self.wetink.store.sources.create_key("shop", "server", ["shop.example"], now_ms())
        await self.sign_in()

    async def sign_in(self) -> None:
        got = await ask(self.app, "GET", f"/dashboard/login?token={self.wetink.dashboard_token}")
        self.cookie = got.headers["set-cookie"].partition(";")[0]
        page = await ask(self.app, "GET", "/dashboard/sources", headers=self.headers)
        self.csrf = page.body.decode().partition('name="csrf" value="')[2].partition('"')[0]
        assert self.csrf

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": self.cookie, "authorization": f"Bearer {self.wetink.dashboard_token}", "accept": "text/html"}

    async def send(self, sent: Sent) -> Answer:
        headers = {**self.headers, **({"x-csrf": self.csrf} if sent.csrf else {}), **sent.headers}
        if sent.kind:
            headers |= {"content-type": sent.kind, "content-length": str(len(sent.body))}
        return await ask(self.app, sent.method, sent.target, sent.body, headers)

    async def cost(self, sent: Sent) -> Cost:
        """Send it while the longest turn of the loop is measured, twice if long: garbage collections do not count."""
        first = await self._measured(sent)
        if first.loop <= LOOP_SECONDS:
            return first
        return first._replace(loop=min(first.loop, (await self._measured(sent)).loop))

    async def _measured(self, sent: Sent) -> Cost:
        longest, done = 0.0, False

        async def watch() -> None:
            nonlocal longest
            last = time.thread_time()
            while not done:
                await asyncio.sleep(0)
                now = time.thread_time()
                longest, last = max(longest, now - last), now

        _forget_peak()
        before = _resident("VmRSS")
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        try:
            answer = await asyncio.wait_for(self.send(sent), 120)
            status, told = answer.status, answer.body[:200].decode("latin-1")
        except Exception as error:
            status, told = 599, repr(error)[:200]
        done = True
        await watching
        return Cost(sent, status, longest, _resident("VmHWM") - before, told)

    async def names(self, path: str) -> list[str]:
        """Return the parameters that a route reads."""
        with Names() as names:
            await self.send(Sent("GET", filled(path)))
        return sorted(names.read)

    async def attacks(self, method: str, path: str) -> list[Sent]:
        """Return every attack on a route."""
        if method == "GET":
            return [*in_path(path), *in_query(method, path, await self.names(path))]
        made = list(in_body(method, path))
        for form, fields in FIELDS.items():
            if form.partition("?")[0] == path:
                made += in_form(form, fields, self.csrf)
        for number, form in enumerate(FORMATS if "feeds" in path else ()):
            name = path.replace("{name}", f"f{number}")
            made += in_body(method, name, f"?format={form}&purpose=data")
            made += [*in_body(method, name, f"?format={form}&purpose=catalog")][number::CATALOGS]
        return made


def _resident(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def routes(app: App) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route that is no mount."""
    for route in app.pages.routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield method, route.path


REAL = {
    "{name}": "hero",
    "{block}": "hero",
    "{who:path}": "user:42",
    "{id:path}": "x",
    "{id}": "x",
    "{slot:slot}": "1",
    "{room}": "images",
    "{token}": "x",
}


def filled(path: str, hole: str = "", value: str = "") -> str:
    """Return a route's path with real values, and `value` in one hole."""
    for each, real in REAL.items():
        usual = {"/dashboard/apps/": "countdown", "/dashboard/feeds/": "stores", "/api/feeds/": "stores"}
        name = next((name for start, name in usual.items() if each == "{name}" and path.startswith(start)), real)
        path = path.replace(each, value if each == hole else name)
    return path


def escaped(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else quote(value, safe="", errors="surrogatepass")


def query(names: Iterable[str], value: str | bytes) -> str:
    return "&".join(f"{name}={escaped(value)}" for name in names)


def in_path(path: str) -> Iterator[Sent]:
    """Yield requests with each value in each hole of a path."""
    for hole in REAL:
        if hole in path:
            for value in TEXTS.values():
                yield Sent("GET", filled(path, hole, escaped(value) or "%20"))


def in_query(method: str, path: str, names: Iterable[str]) -> Iterator[Sent]:
    """Yield requests with each value in each parameter."""
    for name in names:
        for value in TEXTS.values():
            yield Sent(method, f"{filled(path)}?{query([name], value)}")


def in_form(path: str, names: Iterable[str], csrf: str) -> Iterator[Sent]:
    """Yield requests with each value in each field."""
    for name in names:
        for value in TEXTS.values():
            body = f"{urlencode({'csrf': csrf, 'name': 'made', 'was': ''})}&{query([name], value)}"
            yield Sent("POST", filled(path), body.encode(), "application/x-www-form-urlencoded")


def in_body(method: str, path: str, more: str = "") -> Iterator[Sent]:
    """Yield requests with each body."""
    for kind, body in BODIES.values():
        yield Sent(method, filled(path) + more, body, kind)


DOORS: tuple[tuple[str, str], ...] = (
    *(("GET", path) for path in ("/o/{block}/{slot:slot}.png", "/d/{block}", "/c/{block}/{slot:slot}", "/a/{block}")),
    *(("POST", path) for path in ("/v1/batch", "/v1/track", "/v1/identify", "/v1/import", "/behavioral/x")),
)
"""The doors of opens and messages, which are no routes."""

OPEN_PARAMETERS = ("user", "email", "c", "scheme", "r", "ext", "at", "x")


def at_doors(key: str) -> Iterator[tuple[str, str, list[Sent]]]:
    """Yield each door with every attack on it."""
    for method, path in DOORS:
        if method == "GET":
            yield method, path, [*in_path(path), *in_query(method, path, OPEN_PARAMETERS)]
        else:
            basic = {"authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
            yield method, path, [sent._replace(headers=basic) for sent in in_body(method, path)]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _all(folder: Path, only: str) -> list[Cost]:
    target, worst = Target(folder), []
    await target.prepare()
    count = 0
    every = [(method, path, None) for method, path in routes(target.app) if path != "/dashboard/logout"]
    for method, path, made in (*every, *at_doors(target.key.write_key if target.key else "")):
        if only not in path:
            continue
        sends = made if made is not None else await target.attacks(method, path)
        began = time.monotonic()
        found = [await target.cost(sent) for sent in sends]
        count += len(sends)
        bad = [each for each in found if each.bad]
        slow = max(found, key=lambda each: each.loop, default=None)
        say(f"{method} {path}: {len(sends)} in {time.monotonic() - began:.0f} s, {len(bad)} bad; slowest {slow}")
        for each in bad[:6]:
            say(f"   {each}\n      {each.told}")
        worst += bad
    await target.wetink.close()
    say(f"{count} requests, {len(worst)} bad")
    return worst


if __name__ == "__main__":
    import logging
    import tempfile

    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place:
        sys.exit(bool(asyncio.run(_all(Path(place), sys.argv[1] if len(sys.argv) > 1 else ""))))
