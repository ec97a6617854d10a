"""Start: the first steps on pages, from sample data or a connection to a test open that is seen to arrive."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.blocks.block import Block
from wetink.core.errors import BadRequest, BadSettings, WetinkError
from wetink.core.events.event import Level
from wetink.ingest.sample_data import SOURCE, WHO
from wetink.opens.embed import is_local
from wetink.opens.reach import public_url_of
from wetink.ports import NewKey, Received
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

LOOKED_AT = 60
"""Newest messages among which a source's first event is looked for."""
STOP = 286
"""The status that ends htmx's polling."""
_STARTER = files("wetink.content").joinpath("starter/blocks")
_BEFORE_STEPS = frozenset(path.name.partition(".")[0] for path in _STARTER.iterdir())
"""Blocks that every installation begins with."""


class Way(msgspec.Struct, frozen=True):
    """A way to connect: its title, one sentence, the name and the level of the source that it makes."""

    title: str
    about: str
    source: str
    level: Level


WAYS: Mapping[str, Way] = {
    "snippet": Way("Website", "Paste a snippet into your pages.", "website", "browser"),
    "segment": Way("Segment destination", "Forward what Segment already collects.", "segment", "server"),
    "sdk": Way("Segment SDK", "Point the SDK in your site or server here.", "shop", "browser"),
    "rudderstack": Way("RudderStack", "Use its SDK, or its destination.", "rudderstack", "browser"),
    "shopify": Way("Shopify", "Add a custom pixel to your store.", "shopify", "browser"),
    "woocommerce": Way("WooCommerce", "Add a code snippet to WordPress.", "woocommerce", "server"),
}
"""Ways to connect by name."""


class Steps(msgspec.Struct, frozen=True):
    """What is done. `events` also holds with sample data alone, which `sample` tells."""

    events: bool
    sample: bool
    address: bool
    block: Block | None
    opened: bool
    dismissed: bool

    @property
    def done(self) -> int:
        """The number of finished steps, of four."""
        return sum((self.events, self.address, self.block is not None, self.opened))

    @property
    def shown(self) -> bool:
        """Whether the checklist stands on Home."""
        return not self.dismissed and self.done < 4


async def steps_of(wetink: Wetink) -> Steps:
    """Return how far the first steps are."""
    sample = await wetink.sample_data.there()
    newest = await wetink.store.log.messages(limit=LOOKED_AT)
    own = sorted(name for name in wetink.content.blocks if name not in _BEFORE_STEPS)
    setup = wetink.reaches.kept.setup
    return Steps(
        sample or any(each.source != SOURCE for each in newest),
        sample,
        bool(wetink.settings.public_url) or setup.get("address") == "checked",
        wetink.content.blocks[own[0]] if own else None,
        bool(await wetink.store.archive.newest(now_ms() + 1, 1)),
        "dismissed" in setup,
    )


async def start(request: Request) -> Response:
    """Show the first steps."""
    return await show(request)


async def connect(request: Request) -> Response:
    """Make a source for a way to connect, and show its steps with the new key, which is shown once."""
    form = await form_of(request)
    wetink, way = wetink_of(request), WAYS.get(form.get("way", ""))
    if way is None:
        raise BadRequest("there is no such way to connect", hint="choose one of the list", where="way")
    name, made = await _made(wetink, way)
    own: dict[str, Any] = {"way": form["way"], "about": way, "source": name, "made": made, "address": wetink.address}
    return page(request, "home/start_connect.html", **own)


async def waiting(request: Request) -> Response:
    """Return whether the first event of a source has arrived; then polling ends."""
    wetink, source = wetink_of(request), request.query_params.get("source", "")[:64]
    newest = await wetink.store.log.messages(limit=LOOKED_AT)
    found: Received | None = next((each for each in newest if each.source == source), None)
    return page(request, "home/start_waiting.html", status=STOP if found else 200, found=found, source=source)


async def opened(request: Request) -> Response:
    """Return whether an open has arrived since the page was shown; then polling ends."""
    wetink = wetink_of(request)
    since = whole(request.query_params.get("since")) or 0
    newest = await wetink.store.archive.newest(now_ms() + 1, 1)
    found = newest[0].decision if newest and newest[0].decision.at >= since else None
    return page(request, "home/start_opened.html", status=STOP if found else 200, found=found, since=since)


async def sample(request: Request) -> Response:
    """Bring the sample data, or with `do=remove` remove it."""
    form = await form_of(request)
    wetink = wetink_of(request)
    if form.get("do") == "remove":
        await wetink.sample_data.remove()
        text = "The sample data was removed."
    else:
        await wetink.sample_data.bring(now_ms())
        text = f"The sample data is here. Try {WHO}, who has two weeks of visits."
    return redirect(request, "/dashboard/start", text)


async def address(request: Request) -> Response:
    """Check and keep the public address."""
    form = await form_of(request)
    wetink, entered = wetink_of(request), form.get("public_url", "")
    try:
        url = wetink.settings.public_url or public_url_of(entered)
        if not url:
            raise BadSettings("enter the address of this server", hint="such as https://open.shop.example")
        checked = await wetink.reaches.check(url, wetink.instance)
        if not checked.leads_here and form.get("do") != "anyway":
            wrong = f"{checked.problem} {checked.hint}"
            return await show(request, entered=entered, wrong=wrong, anyway=True, status=400)
        kept = None if wetink.settings.public_url else url
        await wetink.reaches.save(public_url=kept, setup={"address": "checked"})
    except BadSettings as error:
        return await show(request, entered=entered, wrong=error.sentence, status=400)
    except WetinkError as error:
        return await show(request, entered=entered, wrong=str(error), status=status_of(error))
    said = f"The address leads here. {checked.hint}" if checked.leads_here else "Saved without a check."
    return redirect(request, "/dashboard/start", said)


async def dismiss(request: Request) -> Response:
    """Take the checklist off Home, or with `do=show` put it back."""
    form = await form_of(request)
    back = form.get("do") == "show"
    await wetink_of(request).reaches.save(setup={"dismissed": "" if back else "yes"})
    return RedirectResponse("/dashboard/start" if back else "/dashboard", 303)


async def show(
    request: Request, *, entered: str = "", wrong: str = "", anyway: bool = False, status: int = 200
) -> Response:
    """Return the page of the first steps."""
    wetink = wetink_of(request)
    own = [source for source in await wetink.store.sources.all() if source.name != SOURCE]
    return page(
        request,
        "home/start.html",
        status=status,
        steps=await steps_of(wetink),
        ways=WAYS,
        sources=own,
        address=wetink.address,
        local=is_local(wetink.address),
        fixed=bool(wetink.settings.public_url),
        entered=entered or _guess(request, wetink),
        wrong=wrong,
        anyway=anyway,
        who=WHO,
        since=now_ms(),
    )


def _guess(request: Request, wetink: Wetink) -> str:
    """Return the address that the browser used, if it may be public; else the known one."""
    kept = wetink.settings.public_url or wetink.reaches.kept.public_url
    host = request.headers.get("host", "")
    scheme = "https" if request.headers.get("x-forwarded-proto", request.url.scheme) == "https" else "http"
    return kept or (f"{scheme}://{host}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,200}", host) else wetink.address)


async def _made(wetink: Wetink, way: Way) -> tuple[str, NewKey]:
    """Make a source of a way's name, with a number if there is one already."""
    known = {source.name for source in await wetink.store.sources.all()}
    name, number = way.source, 1
    while name in known:
        number += 1
        name = f"{way.source}-{number}"
    return name, await wetink.store.sources.create_key(name, way.level, [], now_ms())
