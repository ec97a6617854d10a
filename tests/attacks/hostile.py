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
from tests.web.pages.shopper import BLOCKS, past
from wetink.ports import NewKey
from wetink.settings import read
from wetink.web.app import App, create
from wetink.web.clock import now_ms
from wetink.wiring import Wetink

LOOP_SECONDS = 0.25
"""What a request may take of the loop at a time, of the processor's time: everything else waits meanwhile."""

MEGABYTE = 1024 * 1024
MOST_BYTES = 100 * MEGABYTE

TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "blank": " \t\n",
    "NUL": "\0",
    "NUL inside": "user:4\x002",
    "half a character": b"%ED%A0%80",
    "half a person": b"user%3A%ED%B0%80",
    "bad UTF-8": b"%FF%FE%80",
    "bad escapes": b"%zz%1",
    "control characters": "\x01\x1b[31m\r\nX: y\x7f",
    "bidi": "\u202e\u2066abc\u2069",
    "combining": "e" + "\u0301" * 3_000,
    "astral": "\U0010ffff\U0001f469\u200d\U0001f469",
    "long": "a" * 20_000,
    "many digits": "9" * 4_400,
    "ten thousand digits": "1" * 10_000,
    "negative": "-1",
    "very negative": "-" + "9" * 40,
    "zero": "0",
    "2^63": str(2**63),
    "18 digits": "9" * 18,
    "10^26": str(10**26),
    "a fraction": "1.5",
    "1e400": "1e400",
    "nan": "nan",
    "infinity": "-Infinity",
    "hexadecimal": "0x" + "f" * 300,
    "other digits": "\u0663\u0664\u00b2\u2460",
    "digits that are none": "\u00b9\u00b2\u00b3",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
    "the last second": "9999-12-31T23:59:59.999999-23:59",
    "the first second": "0001-01-01T00:00:00+23:59",
    "no day": "2026-02-30",
    "a week": "2026-W01-1",
    "year 0": "0000-00-00",
    "year 10000": "10000-01-01",
    "a long time": "2026-01-01T00:00:00." + "0" * 5_000,
    "a path": "../../../../etc/passwd",
    "a path, escaped": b"..%2f..%2f..%2fetc%2fpasswd",
    "backslashes": "..\\..\\windows",
    "a template": "{{ 7 * 7 }}{% for x in (1..1000000000) %}x{% endfor %}",
    "SQL": "' OR '1'='1'; DROP TABLE message; --",
    "wildcards": "%_%" * 100,
    "a pattern": "(" * 200 + "a+" * 200,
    "a script": "<script>alert(1)</script>",
    "brackets": "[" * 5_000,
    "braces": '{"a":' * 3_000,
    "JSON, deep": "[" * 990 + "]" * 990,
    "JSON, a number": '{"event": "Product Viewed", "properties": {"price": 1' + "0" * 400 + "}}",
    "JSON, half a character": '{"event": "\\ud800", "userId": "\\ud800"}',
    "JSON, NUL": '{"event": "\\u0000", "properties": {"sku": "\\u0000"}}',
    "JSON, infinite": '{"event": "Product Viewed", "timestamp": 1e400}',
    "JSON, year 1": '{"event": "Product Viewed", "timestamp": "0001-01-01T00:00:00Z"}',
    "JSON, a day ahead": '{"event": "Product Viewed", "timestamp": "9999-12-31T23:59:59Z"}',
    "JSON, ago": '{"event": "Product Viewed", "ago": "' + "9" * 500 + 'd"}',
    "a list": ",".join(map(str, range(5_000))),
    "a person": "user:42",
    "nobody": "user:",
    "a person of many letters": "email:" + "x" * 10_000 + "@example.com",
    "a zone": "Europe/../../../etc/passwd",
    "YAML aliases": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
    "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nrule: [*g,*g,*g,*g,*g,*g,*g,*g,*g]",
    "YAML cycle": "rule: &a {not: *a}",
    "YAML cycle of lists": "rule: &a [*a, *a]",
    "YAML, deep": "rule:\n" + "".join("  " * n + "- not:\n" for n in range(1, 100)),
    "YAML, deep in flow": "rule: " + "{not: " * 400 + "x" + "}" * 400,
    "YAML, many rules": "rule: [" + "{done: Product Viewed}, " * 2_500 + "]",
    "YAML, many kinds": "rule:\n- any:\n"
    + "  - {done: Product Viewed, where: {price: {above: 1}}, within: 7d}\n" * 480,
    "YAML, a number": "rule: {done: Product Viewed, at_least: 1" + "0" * 26 + "}",
    "YAML, half a character": 'rule: {trait: "\\ud800", equals: x}',
    "YAML, a pattern": "rule: {trait: plan, matches: '" + "(a+)+" * 500 + "'}",
    "YAML, a list of values": "rule: {trait: plan, one_of: [" + "x, " * 15_000 + "]}",
}
"""Name -> a value; bytes are escaped already."""

FIELDS: dict[str, tuple[str, ...]] = {
    "/dashboard/login": ("token", "next"),
    "/dashboard/keys": ("name", "hosts", "level"),
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
    "/dashboard/apps/{name}": (
        *(
            "name",
            "title",
            "width",
            "height",
            "link",
            "fallback",
            "block_title",
            "email",
            "recipients",
            "to",
            "at",
            "ends",
        ),
        *("sent", "who", "suppose", "only.days", "only.at_most", "only.from", "only.until"),
    ),
    "/v/{block}/{slot:slot}/{token}": ("option",),
}
"""The fields of each form."""

CATALOGS = 12
"""One body in so many is sent as a catalog: a process of its own reads each, which takes seconds to begin."""

FORMATS = ("json", "jsonl", "csv", "rss", "atom", "merchant")
APP_FIELDS = FIELDS["/dashboard/apps/{name}"]


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
            self.read.update(APP_FIELDS)
            return self._iter(query)

        vars_ = {"get": get, "__contains__": has, "keys": keys}
        self._before = {name: getattr(QueryParams, name) for name in vars_}
        for name, make in vars_.items():
            setattr(QueryParams, name, make)
        return self

    def __exit__(self, *_: object) -> None:
        for name, make in self._before.items():
            setattr(QueryParams, name, make)


BODIES: dict[str, tuple[str, bytes]] = {
    "nothing": ("application/json", b""),
    "no JSON": ("application/json", b"{nonsense"),
    "null": ("application/json", b"null"),
    "a list": ("application/json", b"[]"),
    "deep lists": ("application/json", b"[" * 100_000),
    "deep mappings": ("application/json", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    "500 levels": ("application/json", b"[" * 500 + b"]" * 500),
    "500 levels of an item": ("application/json", b"[" + b'{"a":' * 500 + b"1" + b"}" * 500 + b"]"),
    "many digits": ("application/json", b'{"version": ' + b"9" * 10_000 + b', "base": ' + b"9" * 10_000 + b"}"),
    "large numbers": (
        "application/json",
        b'{"version": 1' + b"0" * 26 + b', "files": {}, "base": 1' + b"0" * 26 + b"}",
    ),
    "negative numbers": (
        "application/json",
        b'{"version": -1, "files": {}, "base": -1, "block": "hero", "who": "user:1"}',
    ),
    "half a character": (
        "application/json",
        b'{"files": {"blocks/\\ud800.yaml": ""}, "by": "\\ud800", "block": "\\ud800"}',
    ),
    "NUL": (
        "application/json",
        b'{"files": {"blocks/a\\u0000.yaml": ""}, "by": "\\u0000", "block": "\\u0000", "version": 1}',
    ),
    "bad UTF-8": ("application/json", b'{"block": "\xff\xfe", "by": "\xed\xa0\x80", "files": {}}'),
    "another encoding": ("application/json", '{"block": "hero"}'.encode("utf-16")),
    "infinite": ("application/json", b'{"block": "hero", "moment": {"now": 1e400}}'),
    "a moment far away": ("application/json", b'{"block": "hero", "moment": {"now": 99999999999999999999}}'),
    "a moment long ago": ("application/json", b'{"block": "hero", "moment": {"now": -99999999999999999}}'),
    "a moment in 10^18": ("application/json", b'{"block": "hero", "moment": {"now": 1000000000000000000}}'),
    "an odd moment": (
        "application/json",
        b'{"block": "hero", "who": "user:42", "moment": {"time_zone": "../../etc/passwd", "latitude": 1e308, '
        b'"longitude": -1e308, "ratio": 100000, "language": "\\u0000", "campaign": "\\u0000", "currency": "\\u0000"}}',
    ),
    "a large picture": ("application/json", b'{"block": "hero", "moment": {"ratio": 1000000000}}'),
    "odd events": (
        "application/json",
        b'{"block": "hero", "who": "user:42", "events": [{"event": "Product Viewed", "timestamp": '
        b'"0001-01-01T00:00:00Z"}, {"event": "Order Completed", "properties": {"total": 1e308, "products": '
        b'[{"price": 1e308, "quantity": 1e308, "sku": "a"}]}}]}',
    ),
    "many events": (
        "application/json",
        b'{"block": "hero", "events": [' + b",".join([b'{"event": "Product Viewed"}'] * 5_000) + b"]}",
    ),
    "an event of 10^26": (
        "application/json",
        b'{"block": "hero", "events": [{"event": "Product Viewed", "properties": {"sku": "a", "price": 1'
        + b"0" * 26
        + b', "quantity": 1'
        + b"0" * 26
        + b"}}]}",
    ),
    "CSV": ("text/csv", b"name,city\n" + b"a,b\n" * 20_000),
    "CSV of commas": ("text/csv", b"a" + b"," * 500_000 + b"\n" + b"," * 500_000),
    "CSV of quotes": ("text/csv", b'a,b\n"' + b'""' * 300_000),
    "CSV of NULs": ("text/csv", b"a,b\n\0,\0\n" + b"\0" * 300_000),
    "XML, deep": ("application/xml", b"<rss><channel><item>" + b"<a>" * 50_000),
    "XML, 500 levels": (
        "application/xml",
        b"<rss><channel><item>" + b"<a>" * 500 + b"</a>" * 500 + b"</item></channel></rss>",
    ),
    "XML entities": (
        "application/xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
        + b"]><rss><channel><item><title>&j;</title></item></channel></rss>",
    ),
    "XML from a file": (
        "application/xml",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&a;</title></item></channel></rss>',
    ),
    "XML attributes": ("application/xml", b"<rss " + b" ".join(b'a%d="x"' % n for n in range(50_000)) + b"/>"),
    "a gzip bomb": ("application/json", b""),
    "a form of many fields": ("application/x-www-form-urlencoded", b"&".join(b"a%d=b" % n for n in range(7_000))),
    "a form of one name": ("application/x-www-form-urlencoded", b"yaml=x&" * 9_000),
    "a form of equals": ("application/x-www-form-urlencoded", b"=" * 60_000),
    "a form of escapes": ("application/x-www-form-urlencoded", b"yaml=" + b"%00" * 20_000),
    "a form of deep names": (
        "application/x-www-form-urlencoded",
        b"&".join(b"rule" + b".of.0" * n + b".kind=all" for n in range(1, 60)),
    ),
    "a form of places": (
        "application/x-www-form-urlencoded",
        b"rule.kind=all&" + b"&".join(b"rule.of.%d.kind=done" % n for n in range(2_500)),
    ),
    "a form of long places": (
        "application/x-www-form-urlencoded",
        b"rule.kind=all&rule.of." + b"9" * 10_000 + b".kind=done&rule.of.\xc2\xb2.kind=done",
    ),
    "a form too large": ("application/x-www-form-urlencoded", b"yaml=" + b"a" * 200_000),
    "a form as text": ("text/plain", b"csrf=x&yaml=rule"),
    "parts": ("multipart/form-data; boundary=x", b"--x\r\n" * 10_000),
}


def _bomb() -> bytes:
    import zlib

    packing = zlib.compressobj(9, wbits=31)
    return b"".join([*(packing.compress(bytes(MEGABYTE)) for _ in range(200)), packing.flush()])


BODIES["a gzip bomb"] = ("application/json", _bomb())


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
        await self.wetink.store.append(past(now_ms()))
        self.key = await self.wetink.store.create_key("shop", "server", ["shop.example"], now_ms())
        got = await ask(self.app, "GET", f"/dashboard/login?token={self.wetink.dashboard_token}")
        self.cookie = got.headers["set-cookie"].partition(";")[0]
        page = await ask(self.app, "GET", "/dashboard/keys", headers=self.headers)
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
        """Send it while the loop's longest turn is measured."""
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
