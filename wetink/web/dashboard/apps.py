"""Apps: the gallery of apps, and the page that makes a block from one and shows its snippet."""

from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.app.app import App
from wetink.core.app.sample import GOODS
from wetink.core.app.setting import Field, fields_of, settings_of
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.errors import BadContent
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.drawing import home, weight
from wetink.opens.recipient import parse
from wetink.web import session
from wetink.web.dashboard.blocks import coverage_part, panel
from wetink.web.dashboard.preview import EVENTS, Supposed, supposed
from wetink.web.dashboard.query import field_of, form_of, moment_of, named, wetink_of, whole
from wetink.web.dashboard.render import page
from wetink.web.request import now_ms

SIZES = {"width": (600, 40, 1200), "height": (300, 20, 1600)}
WORDS, BUTTON = "See what is new", "Shop now"
"""The default texts of a new fallback: without a text, its picture gives nobody a reason to click."""
RECIPIENTS = ("user", "email", "token")


async def apps(request: Request) -> Response:
    """List all apps, each with a live thumbnail for the sample shopper."""
    return page(request, "apps.html", apps=_offered(request))


async def app(request: Request) -> Response:
    """Show a form with an app's settings, and its picture beside it."""
    found = _app(request)
    return await _page(request, found, dict(request.query_params))


async def tried(request: Request) -> Response:
    """Return the part of the app's page with the result of the form."""
    found = _app(request)
    form = dict(request.query_params)
    return page(request, "tried.html", fields=_fields(found), alone=True, **await _tried(request, found, form))


async def covered(request: Request) -> Response:
    """Return the coverage of the query's settings among real people."""
    found = _app(request)
    form = _complete(found, dict(request.query_params))
    settings, wrong = settings_of(found, form)
    return await coverage_part(request, _block(found, form, {} if wrong else settings))


async def picture(request: Request) -> Response:
    """Return the picture of an app with the query's settings. If there is nothing to show, the status is 404."""
    found = _app(request)
    form = dict(request.query_params)
    settings, _ = settings_of(found, _complete(found, form))
    who, moment = parse(form.get("who", "")), _moment(request)
    suppose = await _supposed(request, form, who, moment)
    try:
        _, drawn = await wetink_of(request).audit.tried(
            wetink_of(request).content, _block(found, form, settings), who, moment, settings, suppose.events
        )
    except BadContent as error:
        return Response(str(error), 404, media_type="text/plain")
    if drawn is None:
        return Response("nothing to show", 404, media_type="text/plain")
    return Response(drawn.body, media_type=drawn.content_type, headers={"cache-control": "no-store"})


async def make_block(request: Request) -> Response:
    """Make a block from the form and show its snippet."""
    found = _app(request)
    form = dict(await form_of(request))
    session.check_csrf(request, form)
    settings, wrong = settings_of(found, form)
    try:
        if wrong:
            raise BadContent(f"Correct {_listed(found, wrong)} first")
        made = msgspec.convert(msgspec.to_builtins(_block(found, form, settings)), Block)
        wetink = wetink_of(request)
        await wetink.author.block(wetink.content, made, by=session.actor(request))
    except (BadContent, msgspec.ValidationError) as error:
        hint = f" ({error.hint})" if isinstance(error, BadContent) and error.hint else ""
        return await _page(request, found, form, status=400, error=f"{error}{hint}")
    return await _page(request, found, form, made=made)


async def _page(
    request: Request, found: App, form: dict[str, str], *, status: int = 200, error: str = "", made: Block | None = None
) -> Response:
    wetink = wetink_of(request)
    form = _complete(found, form)
    name = form.get("name") or _free(found.name, wetink.content.blocks)
    return page(
        request,
        "app.html",
        status=status,
        fields=_fields(found),
        alone=False,
        form={**form, "name": name},
        sizes=SIZES,
        error=error,
        made=made,
        panel=panel(wetink, made, {"esp": form.get("esp", "")}) if made is not None else {},
        home=home(wetink.content.blocks),
        usual={"words": WORDS, "button": BUTTON},
        field_of=field_of,
        **await _tried(request, found, form),
    )


async def _tried(request: Request, found: App, form: dict[str, str]) -> dict[str, Any]:
    form = _complete(found, form)
    settings, wrong = settings_of(found, form)
    who, moment = parse(form.get("who", "")), _moment(request)
    block, suppose = _block(found, form, settings), await _supposed(request, form, who, moment)
    decision, drawn, failed = None, None, wrong.get("", "")
    try:
        if not wrong:
            decision, drawn = await wetink_of(request).audit.tried(
                wetink_of(request).content, block, who, moment, settings, suppose.events
            )
    except BadContent as error:
        failed = f"{error}{f': {error.hint}' if error.hint else ''}"
    query = {name: form[name] for name in ("who", "width", "height", "scheme", "preview-at") if form.get(name)}
    if suppose.text:
        query["suppose"] = suppose.text
    return {
        "app": found,
        "who": who,
        "entered": form.get("who", ""),
        "wrong": wrong,
        "failed": failed or (f"Correct {_listed(found, wrong)} to see the picture." if wrong else ""),
        "decision": decision,
        "block": block,
        "drawn": drawn is not None,
        "weight": weight(block, drawn) if drawn is not None else "",
        "query": {**{field.name: form.get(field.name, "") for field in fields_of(found)}, **query},
        "moment": moment,
        "suppose": suppose,
        "if_events": EVENTS,
    }


async def _supposed(request: Request, form: Mapping[str, str], who: Identifier | None, moment: Moment) -> Supposed:
    return await supposed(wetink_of(request), form, moment.now, GOODS if who is None else {})


def _fields(found: App) -> list[Field]:
    """Return the settings in the form. Products to skip are left to programs."""
    return [field for field in fields_of(found) if field.name != "only.skip"]


def _listed(found: App, wrong: Collection[str]) -> str:
    """Return the labels of fields, or "the settings" for an error that belongs to no single field."""
    return ", ".join(field.label for field in fields_of(found) if field.name in wrong) or "the settings"


def _complete(found: App, form: dict[str, str]) -> dict[str, str]:
    """Return a new form completed with sample settings. A sent form stays, since it leaves out unchecked boxes."""
    if "sent" in form:
        return form
    return {**{field.name: field.value for field in fields_of(found, found.sample.settings)}, **form}


def _block(found: App, form: dict[str, str], settings: dict[str, Any]) -> Block:
    chosen = form.get("recipients", "user")
    words = form.get("fallback", "").strip() or WORDS
    button = form.get("fallback-button", BUTTON).strip()
    return Block(
        form.get("name", "").strip(),
        Fallback(form.get("fallback-link", "").strip(), title=words, button=button),
        (Variant(found.name, found.name, settings=settings),),
        title=form.get("block_title", "").strip(),
        alt=form.get("fallback-alt", "").strip() or words,
        email=form.get("email", "").strip(),
        moving=found.moves != "",
        recipients=(chosen,) if chosen in RECIPIENTS[:2] else (),  # type: ignore[arg-type]
        width=_size("width", form),
        height=_size("height", form),
    )


def _size(side: str, form: dict[str, str]) -> int:
    usual, least, most = SIZES[side]
    return min(max(whole(form.get(side)) or usual, least), most)


def _free(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken."""
    return next(each for number in count(1) if (each := f"{name}-{number}" if number > 1 else name) not in taken)


def _moment(request: Request) -> Moment:
    """Return the moment of the preview. Its field has a dash, since an app may have a setting called `at`."""
    return moment_of(request, now_ms(), "preview-at")


def _offered(request: Request) -> list[App]:
    return [each for each in wetink_of(request).apps.values() if each.template]


def _app(request: Request) -> App:
    return named({each.name: each for each in _offered(request)}, request.path_params["name"], "app")
