"""Snippet: the HTML to paste into an email, for the ESP that sends it."""

from collections.abc import Mapping
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.blocks.block import Block
from wetink.core.blocks.esp import BY_NAME, ESPS
from wetink.core.errors import BadRequest
from wetink.opens.snippet import is_local
from wetink.web.dashboard.query import wetink_of
from wetink.web.dashboard.render import missing, page
from wetink.wiring import Wetink

LONGEST_CAMPAIGN = 100


async def snippet(request: Request) -> Response:
    """Return the part of a page that shows a block's snippet for the ESP, kind and campaign of the query."""
    wetink, name = wetink_of(request), request.path_params["name"]
    block = wetink.content.blocks.get(name)
    if block is None:
        return missing(request, "No such block", f"There is no block called “{name[:80]}”.")
    return page(request, "snippet.html", panel=panel(wetink, block, request.query_params))


def panel(wetink: Wetink, block: Block, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what that part shows."""
    esp = BY_NAME.get(asked.get("esp", ""), ESPS[0])
    kind = _kind(asked.get("kind", ""), block)
    campaign = asked.get("campaign", "").strip()[:LONGEST_CAMPAIGN]
    html, problem = "", ""
    try:
        html = wetink.esp_snippet(block.name, esp.name, campaign, kind)
    except BadRequest as error:
        problem = f"{error}: {error.hint}"
    return {
        "block": block, "esps": ESPS, "esp": esp, "kind": kind, "campaign": campaign, "html": html, "problem": problem,
        "note": esp.told(kind), "local": wetink.settings.address if is_local(wetink.settings.address) else "",
    }  # fmt: skip


def _kind(asked: str, block: Block) -> Literal["user", "email"] | None:
    for kind in block.recipients:
        if kind == asked:
            return kind
    return next(iter(block.recipients), None)
