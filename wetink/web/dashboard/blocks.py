"""Blocks: each with its variants and their rules in words, its results, and the snippet to paste."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.identity.identifier import Identifier
from wetink.core.signals.report import Line
from wetink.opens.recipient import parse
from wetink.web.clock import now_ms
from wetink.web.dashboard.block_preview import pictures, sight
from wetink.web.dashboard.overview import DAYS, last_days
from wetink.web.dashboard.query import moment_of, wetink_of
from wetink.web.dashboard.render import missing, page
from wetink.web.dashboard.snippet import panel

OPENS = 5
"""Past opens that a block's page shows."""


async def blocks(request: Request) -> Response:
    """List all blocks with a live thumbnail each, as `who` would see them, and what content could not be used."""
    wetink = wetink_of(request)
    who, asked, problem = _chosen(request)
    now = now_ms()
    results = await wetink.reports.lines(*last_days(DAYS, now))
    return page(
        request,
        "blocks.html",
        asked=asked,
        problem=problem,
        who=who,
        blocks=[(block, pictures(block, who, moment_of(request, now))) for block in wetink.content.blocks.values()],
        results={result.key["block"]: result for result in results},
        nothing=Line({}),
        problems=wetink.content.problems,
        notes=[note for note in wetink.content.notes if not note.startswith("mappings/")],
        days=DAYS,
    )


async def block(request: Request) -> Response:
    """Show one block as `who` would see it, with its snippet for them."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = wetink.content.blocks.get(name)
    if found is None:
        hint = "A block is a file in the content folder: blocks/NAME.yaml."
        if wetink.content.problems:
            hint += " Some files have errors: see the list of blocks."
        return missing(request, "No such block", f"There is no block called “{name[:80]}”.", hint)
    who, asked, problem = _chosen(request)
    now = now_ms()
    results = await wetink.reports.lines(*last_days(DAYS, now))
    files = (f"blocks/{name}.yaml:", *(f"templates/{each.template}:" for each in found.variants if each.template))
    return page(
        request,
        "block.html",
        block=found,
        asked=asked,
        problem=problem,
        who=who,
        sight=await sight(wetink, found, who, moment_of(request, now)),
        panel=panel(wetink, found, request.query_params),
        snippet=wetink.snippet(name, who, wetink.settings.address) if who is not None else "",
        result=next((each for each in results if each.key["block"] == name), Line({"block": name})),
        days=DAYS,
        opens=await wetink.archive.newest(now, OPENS, block=name),
        parse=parse,
        app_titles={name: app.title for name, app in wetink.apps.items()},
        browser=wetink.settings.chromium is not None,
        problems=[each for each in wetink.content.problems if f"/{name}." in each],
        notes=[each for each in wetink.content.notes if each.startswith(files)],
    )


def _chosen(request: Request) -> tuple[Identifier | None, str, str]:
    """Return whom the page is to be seen as (None: nobody), what was asked for, and what is wrong with that."""
    asked = request.query_params.get("who", "").strip()[:512]
    who = parse(asked)
    wrong = "write user:42, email:jane@shop.example or anonymous:x" if asked and who is None else ""
    return who, asked, wrong
