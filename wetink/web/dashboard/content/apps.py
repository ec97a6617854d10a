"""Apps: the gallery of apps, each with its picture, and the step from an app to a block in the editor."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.errors import BadContent
from wetink.opens.drawing import home
from wetink.web.dashboard.content.block_editor_view import look_of
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import named, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms


async def apps(request: Request) -> Response:
    """List all apps, each with a live thumbnail for the sample shopper."""
    return page(request, "content/apps.html", apps=_offered(request))


async def app(request: Request) -> Response:
    """Show an app as anybody sees it, and the form that makes a block of it."""
    found, query = _app(request), request.query_params
    look = await look_of(request, query, now_ms())
    block = _sample(request, found)
    decision = await wetink_of(request).trials.decision(
        wetink_of(request).content, block, look.onlooker, look.moment, look.suppose.events
    )
    failed = ""
    try:
        await wetink_of(request).trials.variant(wetink_of(request).content, block, block.variants[0], look.moment)
    except BadContent as error:
        failed = error.sentence
    return page(
        request,
        "content/app.html",
        failed=failed,
        app=found,
        block=block,
        entered=query.get("who", ""),
        look=look,
        decision=decision,
        pictures=[(scheme, f"/dashboard/apps/{found.name}.img?{look.query(scheme)}") for scheme in ("light", "dark")],
    )


async def picture(request: Request) -> Response:
    """Return the picture of an app for the query's person. If there is nothing to show, the status is 404."""
    wetink, block = wetink_of(request), _sample(request, _app(request))
    look = await look_of(request, request.query_params, now_ms())
    try:
        if look.onlooker.sample:
            drawn = await wetink.trials.variant(wetink.content, block, block.variants[0], look.moment)
        else:
            drawn = await wetink.trials.picture(wetink.content, block, 1, look.onlooker, look.moment)
    except BadContent as error:
        return no_image(str(error))
    if drawn is None:
        return no_image("nothing to show")
    return image(drawn)


def _sample(request: Request, found: App) -> Block:
    """Return a block with an app and its sample settings."""
    link = home(wetink_of(request).content.blocks) or "https://shop.sample.invalid/"
    variant = Variant(found.title, found.name, settings=dict(found.sample.settings))
    return Block("sample", Fallback(link, title="See what is new", button="Shop now"), (variant,))


def _offered(request: Request) -> list[App]:
    return [each for each in wetink_of(request).apps.values() if each.template]


def _app(request: Request) -> App:
    return named({each.name: each for each in _offered(request)}, request.path_params["name"], "app")
