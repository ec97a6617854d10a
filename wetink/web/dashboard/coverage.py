"""Coverage: how many real people would see what of a block, as a part of its page and of the gallery's."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.blocks.block import Block
from wetink.web import session
from wetink.web.clock import now_ms
from wetink.web.dashboard.query import moment_of, wetink_of
from wetink.web.dashboard.render import missing, page


async def of_block(request: Request) -> Response:
    """Return the part for a block that is on the shelf."""
    block = wetink_of(request).content.blocks.get(request.path_params["name"])
    if block is None:
        return missing(request, "No such block", "There is no block with this name.")
    return await part(request, block)


async def part(request: Request, block: Block) -> Response:
    """Return what real people would see of a block that may not be on the shelf yet. Asked by our own pages alone."""
    session.check_csrf(request)
    found = await wetink_of(request).trial.coverage(block, moment_of(request, now_ms()))
    return page(request, "coverage.html", coverage=found, fallback=block.fallback, several=len(block.variants) > 1)
