"""Preview: the picture somebody would get, drawn as for an open but neither kept nor counted."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.serve.recipient import parse
from wetink.web.clock import now_ms
from wetink.web.pages.asked import moment_of, wetink_of
from wetink.web.pages.suppose import supposed


async def preview(request: Request) -> Response:
    """Return the picture of a block's slot for `who` at `at`; 404 for a block or slot there is not."""
    wetink = wetink_of(request)
    name, slot = request.path_params["block"], request.path_params["slot"]
    block = wetink.content.blocks.get(name)
    if block is None or not 1 <= slot <= block.slots:
        return Response("no such block or slot", 404, media_type="text/plain")
    moment = moment_of(request, now_ms())
    suppose = await supposed(wetink, request.query_params, moment.now)
    decision = await wetink.preview(name, parse(request.query_params.get("who", "")), moment, suppose.events)
    picture = await wetink.picture(decision, slot, moment, suppose.events)
    return Response(picture.body, media_type=picture.content_type, headers={"cache-control": "no-store"})
