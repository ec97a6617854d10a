"""Preview: the picture somebody would get, drawn as for an open but neither kept nor counted, and what it weighs."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.blocks.block import Block
from wetink.opens.recipient import parse
from wetink.opens.weight import weight
from wetink.ports import Picture
from wetink.web.clock import now_ms
from wetink.web.dashboard.query import moment_of, wetink_of
from wetink.web.dashboard.render import page
from wetink.web.dashboard.simulation import supposed


async def preview(request: Request) -> Response:
    """Return the picture of a block's slot for `who` at `at`; 404 for a block or slot there is not."""
    found = await _drawn(request)
    if found is None:
        return Response("no such block or slot", 404, media_type="text/plain")
    _, picture = found
    return Response(picture.body, media_type=picture.content_type, headers={"cache-control": "no-store"})


async def weighed(request: Request) -> Response:
    """Return the line of a trace that says what that picture weighs."""
    found = await _drawn(request)
    if found is None:
        return Response("no such block or slot", 404, media_type="text/plain")
    block, picture = found
    return page(request, "weight.html", block=block, slot=request.path_params["slot"], weight=weight(block, picture))


async def _drawn(request: Request) -> tuple[Block, Picture] | None:
    wetink = wetink_of(request)
    name, slot = request.path_params["block"], request.path_params["slot"]
    block = wetink.content.blocks.get(name)
    if block is None or not 1 <= slot <= block.slots:
        return None
    moment = replace(moment_of(request, now_ms()), moving=block.moving)  # as emails ask for it
    suppose = await supposed(wetink, request.query_params, moment.now)
    decision = await wetink.preview(name, parse(request.query_params.get("who", "")), moment, suppose.events)
    return block, await wetink.picture(decision, slot, moment, suppose.events)
