"""T7: whatever somebody writes into any field, the dashboard shows it as text: nothing of it runs, loads or stands out.

A real Chromium opens every page of the dashboard over one store in which each text of `injections` is in each field.
"""

import asyncio
import csv
import io
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.routing import Route

from tests.asgi import ask
from tests.attacks.hostile import Names, filled
from tests.attacks.injections import INJECTIONS
from tests.feeds.outside import refreshed
from tests.web.test_open import House
from wetink.core.identity.identifier import Identifier
from wetink.web import app as app_module
from wetink.web.app import ROUTES, create
from wetink.web.dashboard.page import render
from wetink.web.protocol import HttpProtocol
from wetink.web.request import now_ms

ADDRESS = "http://127.0.0.1"
PATIENCE_MS = 15_000
SETTLED_MS = 100
"""How long a page is watched after it has loaded and htmx has asked for what belongs to it."""

FILES = (".img", ".csv", "/logout", "/photo")
PRODUCT = ("name", "brand", "category", "variant", "coupon", "currency", "url", "image_url", "availability")
CONTEXT = ("page.url", "page.title", "page.referrer", "page.path", "userAgent", "locale", "timezone", "ip")


def text_of(number: int) -> str:
    """Return one of the texts; those with NUL cannot be written into a header or a file of YAML as they are."""
    return INJECTIONS[number % len(INJECTIONS)]


def plain(number: int) -> str:
    return "".join(each for each in text_of(number) if each.isprintable())


class Hostile(House):
    """A shop in which every text is in every field that somebody can write."""

    async def _start(self) -> None:
        await super()._start()
        for number in range(12):
            await self.wetink.store.sources.create_key(plain(number * 5)[:64], "server", (), 1)

    def fill(self) -> None:
        self.now = now_ms() - 900_000
        content = self.wetink.settings.content
        names = [msgspec.json.encode(f"{plain(number)} {number}").decode() for number in range(len(INJECTIONS))]
        for number in range(4):
            mine = names[number * 20 :]
            (content / "blocks" / f"evil-{number}.yaml").write_text(
                f"title: {mine[0]}\nvariants:\n"
                + "".join(
                    f"  - {{name: {each}, app: last-viewed, when: [{{trait: {mine[1]}, equals: {each}}}]}}\n"
                    for each in mine[:20]
                )
                + f'alt: {mine[3]}\nfallback: {{title: {mine[2]}, button: {mine[4]}, link: "https://shop.example/"}}\n'
                "recipients: [user, email]\nwidth: 200\nheight: 100\n"
            )
            (content / "audiences").mkdir(exist_ok=True)
            (content / "audiences" / f"evil-{number}.yaml").write_text(
                f"title: {mine[5]}\nrule:\n  any:\n"
                + "".join(f"    - {{trait: {each}, equals: {each}}}\n" for each in mine[:20])
                + f"    - {{done: {mine[6]}}}\n"
            )
        for number in range(0, len(INJECTIONS), 4):  # content that is wrong is told of with its name and its words
            name = plain(number).replace("/", "\u2215")[:60]
            for folder in ("blocks", "audiences", "feeds"):
                (content / folder).mkdir(exist_ok=True)
                (content / folder / f"{name}.yaml").write_text(f"{names[number]}: {names[number]}\n")
        (content / "feeds" / "gone.yaml").write_text(
            f"url: {msgspec.json.encode('http://127.0.0.1:1/' + quote(plain(0))).decode()}\nformat: json\n"
        )
        asyncio.run(self.wetink.look_again())
        assert {"evil-0", "evil-3"} <= set(self.wetink.content.blocks), [
            p for p in self.wetink.content.problems if "evil-" in p
        ]
        assert {"evil-0", "evil-3"} <= set(self.wetink.content.audiences), [
            p for p in self.wetink.content.problems if "evil-" in p
        ]
        asyncio.run(self._happens())
        self._opened()

    async def _happens(self) -> None:
        from wetink.ingest.receive import BATCH

        senders = await self.wetink.store.sources.all()
        for number, text in enumerate(INJECTIONS):
            sender = senders[number % len(senders)]
            body = msgspec.json.encode({"batch": self.messages(number, text)})
            await self.wetink.ingest.receive(body, sender, BATCH, self.now + 10_000 * number)
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerow(["name", *(plain(number) for number in range(0, 28, 4))])
        rows.writerows([plain(number + column) for column in range(8)] for number in range(len(INJECTIONS)))
        got = await ask(
            create(self.wetink),
            "PUT",
            "/api/feeds/stores?format=csv",
            table.getvalue().encode(),
            {"authorization": f"Bearer {self.wetink.dashboard_token}"},
        )
        assert got.status == 200, got.body
        await self.wetink.look_again()
        await refreshed(self.wetink.feeds)

    def messages(self, number: int, text: str) -> list[dict[str, Any]]:
        """Return messages of one person, and of one of their own, with a text in every field."""
        at = self.now + 10_000 * number
        product = {**dict.fromkeys(PRODUCT, text), "sku": f"{text}", "product_id": text, "price": 9, "quantity": 1}
        context: dict[str, Any] = {"campaign": dict.fromkeys(("name", "source", "medium", "term", "content"), text)}
        context["page"] = {name.partition(".")[2]: text for name in CONTEXT if "." in name}
        context |= {name: text for name in CONTEXT if "." not in name}
        order = {"order_id": text, "total": 20, "currency": "USD", "coupon": text, "products": [product]}
        traits: dict[str, Any] = {name: text for name in ("name", "first_name", "city", "plan", "title", text)}
        traits["address"] = {"city": text, text: text}
        everybody: list[dict[str, Any]] = [
            {"type": "track", "event": "Product Viewed", "properties": {**product, text: text}},
            {"type": "track", "event": text, "properties": {text: text, "list": [text, {text: text}]}},
            {"type": "track", "event": "Products Searched", "properties": {"query": text}},
            {"type": "track", "event": "Order Completed", "properties": order},
            {"type": "page", "name": text, "category": text, "properties": {"url": text, "title": text}},
            {"type": "track", "event": "Product Added", "properties": {text: text, "sku": 0}},
            {"type": text, "event": text},
            {"type": "track", "event": "Nobody", "userId": None, "anonymousId": None, "properties": {text: text}},
        ]
        people: list[dict[str, Any]] = [
            {"type": "identify", "userId": "victim", "anonymousId": text, "traits": {**traits, text: text}},
            {
                "type": "identify",
                "userId": text,
                "anonymousId": f"a{text}",
                "traits": {**traits, "email": f"e{number}@x.example"},
            },
            {"type": "identify", "userId": f"u{number}", "traits": {"email": f'"{text}"@x.example'}},
            {"type": "alias", "userId": f"u{number}", "previousId": text},
            {"type": "group", "userId": "victim", "groupId": text, "traits": traits},
        ]
        made = [{"userId": "victim", **each} for each in everybody] + people
        return [
            {"messageId": f"{text}-{place}", "timestamp": at + place, "context": context, **each}
            for place, each in enumerate(made)
        ]

    def _opened(self) -> None:
        self.now = now_ms() - 1_000
        for number in range(0, len(INJECTIONS), 3):
            text = plain(number).encode("latin-1", "replace").decode("latin-1")
            who = Identifier("user", "victim" if number % 2 else text_of(number))
            for purpose in ("picture", "click"):
                address = self.url(purpose, f"evil-{number % 4}", who=who)
                self.get(f"{address}?c={quote(text)}&{urlencode({text: text})}", agent=text)
        self.wetink.store.ledger.flush()


class Seen(NamedTuple):
    """What a browser saw that should not have been."""

    where: str
    what: str


class Walker:
    """Somebody who is signed in and opens pages."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address, self.where = address, ""
        self.seen: list[Seen] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("dialog", self._dialog)
        self.page.on("console", lambda said: self._note(said.text) if "Content Security" in said.text else None)
        self.page.on("request", lambda asked: None if self._ours(asked.url) else self._note(f"asks {asked.url}"))

    def _note(self, what: str) -> None:
        self.seen.append(Seen(self.where, what[:300]))

    def _dialog(self, dialog: Any) -> None:
        self._note(f"dialog {dialog.message}")
        dialog.dismiss()

    def _ours(self, url: str) -> bool:
        return url.startswith((f"{self.address}/", "data:image/svg+xml", "about:blank"))

    def open(self, path: str) -> int:
        """Open a page and wait until it has all of its parts; return its status."""
        self.where = path[:200]
        got = self.page.goto(f"{self.address}{path}", wait_until="load")
        self.page.wait_for_timeout(SETTLED_MS)
        until = time.monotonic() + PATIENCE_MS / 1000
        while self.page.locator(".htmx-request").count() and time.monotonic() < until:
            self.page.wait_for_timeout(SETTLED_MS)
        for what in self.page.evaluate(LOOK):
            self._note(what)
        return got.status if got is not None else 0


LOOK = """() => {
  const found = [];
  const address = /^(href|src|action|formaction|data)$/i, script = /^[\\0-\\x20]*(java\\s*script|vbscript|data:text)/i;
  if (typeof struck === 'number') found.push('struck');
  if (document.getElementById('struck')) found.push('an element called struck');
  for (const each of document.querySelectorAll('*')) {
    const name = each.outerHTML.slice(0, 200), ours = location.origin + '/static/';
    for (const one of each.attributes) {
      if (/^on/i.test(one.name)) found.push('an event: ' + name);
      if (address.test(one.name) && script.test(one.value)) found.push('an address: ' + name);
      if (/^(data-)?hx-(on|vals|vars)/.test(one.name)) found.push('htmx: ' + name);
    }
    if (/^(iframe|object|embed|base)$/i.test(each.tagName)) found.push('an element: ' + name);
    if (each.tagName === 'SCRIPT' && !each.src.startsWith(ours)) found.push('a script: ' + name);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    made = Hostile(tmp_path_factory.mktemp("scripts") / "data")
    made.fill()
    yield made
    asyncio.run(made.wetink.close())


@pytest.fixture(scope="module")
def address(house: Hostile) -> Iterator[str]:
    """A server of that shop, in a thread, so that a defence can be taken out of it."""
    config = uvicorn.Config(
        create(house.wetink), port=0, http=HttpProtocol, lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"{ADDRESS}:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


class Plan(NamedTuple):
    """Where to go: addresses of what is kept, and addresses that are made of texts."""

    kept: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def plan(house: Hostile) -> Plan:
    """Made before there is a browser, which holds an event loop."""
    known, kept = sights(house), []
    for path in listed():
        kept += known.get(path, [] if "{" in path else [path])
    return Plan(kept, [with_texts(house, path, 11 * number) for number, path in enumerate(listed())])


@pytest.fixture
def walker(house: Hostile, plan: Plan, address: str, chromium: Browser) -> Iterator[Walker]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    made = Walker(context, address)
    assert made.open(f"/dashboard/login?token={house.wetink.dashboard_token}") == 200
    yield made
    context.close()


def listed() -> list[str]:
    """Return the path of every page of the dashboard."""
    return [
        route.path
        for route in ROUTES
        if isinstance(route, Route)
        and route.path.startswith("/dashboard")
        and "GET" in (route.methods or {"GET"})
        and not route.path.endswith(FILES)
    ]


OTHERWISE = (
    *("/dashboard/join", "/dashboard/login/back", "/dashboard/settings/security/app"),
    *("/dashboard/settings/security/confirm", "/dashboard/start/opened", "/dashboard/opens/shown"),
)
"""Pages that need a link, a provider, an account or an open: whoever only has the token does not see them."""


def sights(house: Hostile) -> dict[str, list[str]]:
    """Return the addresses of what is in the store, for each route that names something."""

    async def find() -> tuple[list[str], list[str]]:
        opens = await house.wetink.store.archive.newest(now_ms(), 500)
        batches = house.wetink.reports.attributions(house.wetink.content, now_ms() - 86_400_000, now_ms())
        found = [each async for batch in batches for each in batch]
        return [each.decision.id for each in opens], [each.conversion.id for each in found[::30]]

    opens, orders = asyncio.run(find())
    assert opens
    assert orders
    people = ["user:victim", f"user:{INJECTIONS[0]}", f"anonymous:a{INJECTIONS[36]}", f"user:{INJECTIONS[20]}"]
    return {
        **{path: [] for path in OTHERWISE},
        "/dashboard/people/{who:path}": [f"/dashboard/people/{quote(who, safe='')}?block=evil-1" for who in people],
        "/dashboard/blocks/{name}": [f"/dashboard/blocks/evil-{n}?who=user:victim" for n in range(4)],
        "/dashboard/audiences/{name}": [f"/dashboard/audiences/evil-{n}?who=user:victim" for n in range(4)],
        "/dashboard/catalog/product": [f"/dashboard/catalog/product?key={quote(INJECTIONS[n])}" for n in (0, 20, 46)],
        "/dashboard/opens/{id}": [f"/dashboard/opens/{each}" for each in opens[:3]],
        "/dashboard/feeds/{name}": ["/dashboard/feeds/stores", "/dashboard/feeds/gone"],
        "/dashboard/conversions/{id:path}": [f"/dashboard/conversions/{quote(each, safe='')}" for each in orders],
        "/dashboard/reports": ["/dashboard/reports?days=7&by=campaign", "/dashboard/reports?days=7&by=block,variant"],
    }


def with_texts(house: Hostile, path: str, first: int) -> str:
    """Return the address of a page with a text in each parameter that it reads and in its path."""

    async def read() -> set[str]:
        with Names() as names:
            app = create(house.wetink)
            got = await ask(app, "GET", f"/dashboard/login?token={house.wetink.dashboard_token}")
            await ask(app, "GET", filled(path), headers={"cookie": got.headers["set-cookie"].partition(";")[0]})
        return names.read

    names = sorted(asyncio.run(read()) - {"token"})
    for number, hole in enumerate(("{name}", "{block}", "{who:path}", "{id:path}", "{id}")):
        path = path.replace(hole, quote(plain(first + number), safe=""))
    path = path.replace("{slot:slot}", "1")
    return f"{path}?{urlencode({name: plain(first + 7 * number) for number, name in enumerate(names)})}"


def test_the_test_covers_enough_texts_and_pages() -> None:
    assert len(set(INJECTIONS)) == len(INJECTIONS) >= 60
    assert len(listed()) >= 30


def test_nothing_that_is_kept_runs_loads_or_stands_out_on_any_page(plan: Plan, walker: Walker) -> None:
    assert [path for path in plan.kept if walker.open(path) != 200] == []
    assert walker.seen == []


def test_nothing_that_an_address_says_runs_loads_or_stands_out_on_any_page(plan: Plan, walker: Walker) -> None:
    assert [path for path in plan.asked if walker.open(path) >= 500] == []
    assert walker.seen == []


@pytest.mark.parametrize("defended", ["by its header", "by nothing"])
def test_without_escaping_the_stored_scripts_run(
    walker: Walker, monkeypatch: pytest.MonkeyPatch, defended: str
) -> None:
    monkeypatch.setattr(render, "TEMPLATES", render.TEMPLATES.overlay(autoescape=False))
    if defended == "by nothing":
        policy = b"content-security-policy"
        monkeypatch.setattr(app_module, "HEADERS", {k: v for k, v in app_module.HEADERS.items() if k != policy})
    walker.open("/dashboard/live")
    said = {each.what for each in walker.seen}
    assert ("struck" in said) is (defended == "by nothing")
    assert any("Content Security" in each for each in said) is (defended == "by its header")
