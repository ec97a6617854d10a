"""Beside: a block's picture, the operator's browser's picture of the same, and where they differ."""

import base64

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadContent
from wetink.opens.recipient import parse
from wetink.ports import Comparison, Picture
from wetink.web import session
from wetink.web.clock import now_ms
from wetink.web.dashboard.query import moment_of, wetink_of
from wetink.web.dashboard.render import missing, page


async def beside(request: Request) -> Response:
    """Compare the pictures of a block's first slot for `who`, as a part of its page."""
    session.check_csrf(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    block = wetink.content.blocks.get(name)
    if block is None:
        return missing(request, "No such block", "There is no block with this name.")
    found, problem = None, ""
    try:
        who = parse(request.query_params.get("who", ""))
        found = await wetink.compare(block, 1, who, moment_of(request, now_ms()))
    except BadContent as error:
        problem = f"{error}: {error.hint}" if error.hint else str(error)
    templates = [variant.template for variant in block.variants if variant.template]
    return page(
        request,
        "beside.html",
        block=block,
        problem=problem,
        share=found.share if found is not None else None,
        pictures=_pictures(found) if found is not None else (),
        notes=[note for note in wetink.content.notes if any(template in note for template in templates)],
    )


def _pictures(found: Comparison) -> list[tuple[str, str, str]]:
    """Return each picture with what it is and what had to give for its weight."""
    named = (("wetink", found.ours), ("Chromium", found.theirs), ("Difference", found.difference))
    return [(words, _inside(picture), picture.note) for words, picture in named]


def _inside(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.body).decode()}"
