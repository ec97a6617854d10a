"""A desk: the demo's shop with one of everything, and the address of every page of its dashboard."""

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from msgspec.structs import replace
from PIL import Image
from playwright.sync_api import Browser, BrowserContext
from rich.console import Console
from starlette.routing import Route

from tests.gallery import program
from tests.web.people import PASSWORD, employ
from wetink.core.access.role import Role
from wetink.demo.run import fill, prepare, serving
from wetink.settings import Settings
from wetink.web.app import ROUTES
from wetink.wiring import Wetink

JANE = "email:jane@mercer.example"
FILES = re.compile(
    r"\.(img|csv|json|zip)$"
    r"|/(photo|picture|file|thumb|weight|beside|covered|snippet|tried|newer|waiting|opened|shown|words|estimate|imports/\{id\})$"
)
"""Routes of pictures, files and parts of pages: they are no pages."""

LINKED: Mapping[str, str] = {
    "/dashboard/opens/{id}": f"/dashboard/people/{JANE}?block=hero",
    "/dashboard/conversions/{id:path}": "/dashboard/conversions",
}
"""Pages whose address is the first link on another page that leads to one of them."""

EXAMPLES: Mapping[str, str] = {
    "/dashboard/apps/{name}": f"/dashboard/apps/trending?who={JANE}",
    "/dashboard/blocks": "/dashboard/blocks?who=email:bob@adeyemi.example",
    "/dashboard/blocks/{name}": f"/dashboard/blocks/hero?who={JANE}",
    "/dashboard/blocks/{name}/edit": f"/dashboard/blocks/hero/edit?who={JANE}",
    "/dashboard/blocks/{name}/manage": "/dashboard/blocks/hero/manage",
    "/dashboard/templates/{name}/words": "/dashboard/templates/cart/words",
    "/dashboard/timeline/{who:path}": f"/dashboard/timeline/{JANE}",
    "/dashboard/scenarios/{name}": "/dashboard/scenarios/new?block=hero",
    "/dashboard/audiences/{name}": f"/dashboard/audiences/good-customers?who={JANE}",
    "/dashboard/experiments/{name}": "/dashboard/experiments/cart-words",
    "/dashboard/people/{who:path}": f"/dashboard/people/{JANE}?block=hero",
    "/dashboard/catalog/product": "/dashboard/catalog/product?key=TW-201",
    "/dashboard/feeds/{name}": "/dashboard/feeds/stores",
    "/dashboard/sources/{name:path}": "/dashboard/sources/shop-page",
    "/dashboard/feeds/{name}/edit": "/dashboard/feeds/stores/edit",
    "/dashboard/versions/{number}": "/dashboard/versions/1",
    "/dashboard/media/{room}/{name}": "/dashboard/media/images/logo.png",
    "/dashboard/templates/{name}": "/dashboard/templates/cart",
    "/dashboard/blocks/{name}/experiment": "/dashboard/blocks/hero/experiment",
    "/dashboard/login/with/{provider}": "/dashboard/login/with/absent",
    "/dashboard/settings/sign-on/{name}": "/dashboard/settings/sign-on/new?kind=okta",
    "/dashboard/search": "/dashboard/search?q=fee",
    "/dashboard/docs/{name:path}": "/dashboard/docs/feeds",
}
"""An address for each page whose path has a part of its own, and for those that show more with a query."""

MORE = {
    "error": "/dashboard/blocks/absent",
    "search-nothing": "/dashboard/search?q=zzz",
    "doc-long": "/dashboard/docs/operating",
    "app-sample": "/dashboard/apps/price-drop",
}
"""Further states of pages that are worth a look, by name."""

FEED = "file: stores.csv\nformat: csv\nevery: 1d\n"
STORES = b"name,city,opens\nHarbor,Oslo,09:00\nMarket,Bergen,10:00\n"


class Desk(NamedTuple):
    """The address of a running dashboard, and its token."""

    address: str
    token: str

    def enter(self, browser: Browser, width: int, scheme: str = "light", who: str = "") -> BrowserContext:
        """Return a browser that is signed in: with the token, or as somebody who works here."""
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        if who:
            form: dict[str, str | float | bool] = {"email": f"{who}@shop.example", "password": PASSWORD}
            assert context.request.post(f"{self.address}/dashboard/login", form=form).ok
            return context
        page = context.new_page()
        page.goto(f"{self.address}/dashboard/login?token={self.token}")
        page.close()
        return context

    def address_of(self, path: str, context: BrowserContext) -> str:
        """Return the address of a route's page."""
        return address_of(path, lambda linking: context.request.get(self.address + linking).text())


def address_of(path: str, read: Callable[[str], str]) -> str:
    """Return the address of a route's page. `read` returns the text of another page."""
    if path not in LINKED:
        return EXAMPLES.get(path, path)
    found = re.search(rf'href="({re.escape(path.partition("{")[0])}[^"?#]+[^"]*)"', read(LINKED[path]))
    assert found is not None, f"no link to {path} on {LINKED[path]}"
    return unescape(found[1])


def pages() -> list[str]:
    """Return the paths of all routes that may show a page, the login among them."""
    found = [each.path for each in ROUTES if isinstance(each, Route) and "GET" in (each.methods or ())]
    return [path for path in found if path.startswith("/dashboard") and not FILES.search(path)]


def name_of(path: str) -> str:
    """Return a short name of a route, for a file.

    >>> name_of("/dashboard"), name_of("/dashboard/people/{who:path}")
    ('home', 'people-who')
    """
    words = re.sub(r":\w+\}", "}", path.removeprefix("/dashboard")).replace("{", "").replace("}", "")
    return words.strip("/").replace("/", "-") or "home"


async def _draft(settings: Settings) -> None:
    """Save a draft of a block, for the review."""
    async with Wetink(settings, draws=False) as wetink:
        version, tree = await wetink.versions.current()
        path = "blocks/hero.yaml"
        body = tree[path].replace(b"title: New for", b"title: Warm for")
        await wetink.publishing.save(path, body, base=version.files[path], expected=0, by="Ida Weber")


@contextmanager
def desk(*staff: Role) -> Iterator[Desk]:
    """Run the demo over two weeks of its shop, with a feed, in a folder that goes away.

    `staff` are roles: somebody named like each works there, and the token opens the dashboard no longer.
    """
    with tempfile.TemporaryDirectory() as place:
        settings = prepare(Path(place) / "data", "127.0.0.1", 0)
        with furnished(replace(settings, chromium=program(Path(place)))):
            token = (settings.data / "dashboard.token").read_text().strip()
            for role in staff:
                employ(settings.data, role, role=role)
            yield Desk(settings.address, token)


@contextmanager
def furnished(settings: Settings) -> Iterator[None]:
    """Run the demo that these settings were prepared for, filled, with a picture, a feed and a draft."""
    for folder in ("feeds", "images"):
        (settings.content / folder).mkdir(exist_ok=True)
    Image.new("RGB", (240, 80), "#3b5bdb").save(settings.content / "images" / "logo.png")
    (settings.content / "feeds" / "stores.yaml").write_text(FEED)
    with serving(settings):
        fill(settings, Console(stderr=True))
        token = (settings.data / "dashboard.token").read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        with ThreadPoolExecutor(1) as thread:  # a browser's driver may have the loop of this one
            thread.submit(asyncio.run, _draft(settings)).result()
        urlopen(Request(f"{settings.address}/api/feeds/stores?format=csv", STORES, headers, method="PUT")).close()
        yield
