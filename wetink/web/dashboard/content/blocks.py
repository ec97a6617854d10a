"""Blocks: variants with their rules in words, results, and the snippet to paste."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.block_drafts import title_in
from wetink.core.blocks.block import Block, closed
from wetink.core.blocks.esp import BY_NAME, ESPS
from wetink.core.errors import BadRequest
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.report import Line
from wetink.opens.embed import is_local
from wetink.opens.recipient import parse
from wetink.web import session
from wetink.web.dashboard.content.preview import pictures, sight
from wetink.web.dashboard.help import search
from wetink.web.dashboard.page.formats import experiment_title
from wetink.web.dashboard.page.query import moment_of, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.report_query import USUAL_DAYS, usual
from wetink.web.request import now_ms
from wetink.wiring import Wetink

OPENS, MOST_PEOPLE = 5, 10
"""Past opens on a block's page, and people whom a name may mean."""


class Listed(msgspec.Struct, frozen=True):
    """A block in the list: its state as a chip, its title, its picture's URL, and whether it has a draft.

    A block that was never published has only a draft.
    """

    name: str
    title: str
    picture: str
    state: tuple[str, str]
    block: Block | None = None
    draft: bool = False


def state_of(block: Block, now: int) -> tuple[str, str]:
    """Return the state of a block at a moment (Unix ms), in a word, and the kind of its chip.

    >>> from wetink.core.blocks.block import Fallback
    >>> state_of(Block("hero", Fallback("")), 0), state_of(Block("hero", Fallback(""), paused=True), 0)
    (('Live', 'good'), ('Paused', 'warn'))
    """
    why = closed(block, now)
    if block.archived:
        return "Archived", ""
    if block.paused:
        return "Paused", "warn"
    return ("Ended", "") if "ended" in why else ("Scheduled", "accent") if why else ("Live", "good")


async def _listed(request: Request, who: Identifier | None, now: int) -> list[Listed]:
    """Return all blocks, those that are new drafts first, and archived ones last if the query asks for them.

    Raises StoreUnavailable.
    """
    wetink = wetink_of(request)
    drafts = {
        draft.path[7:].rpartition(".")[0]: draft
        for draft in await wetink.publishing.pending()
        if draft.path.startswith("blocks/") and draft.body is not None
    }
    found = []
    shown = wetink.content.blocks if "archived" in request.query_params else wetink.content.listed
    for block in sorted(shown.values(), key=lambda each: each.archived):
        sample = f"/dashboard/blocks/{block.name}/variants/1.img?or=fallback"
        picture = pictures(block, who, moment_of(request, now))[0] if who is not None else sample
        title = block.called
        found.append(Listed(block.name, title, picture, state_of(block, now), block, block.name in drafts))
    new = [
        Listed(name, title_in(draft.body or b"") or name, f"/dashboard/blocks/{name}/draft/1.img", ("New", ""))
        for name, draft in drafts.items()
        if name not in wetink.content.blocks
    ]
    return [*new, *found]


async def blocks(request: Request) -> Response:
    """List all blocks with pictures for `who`, else of their first variants, and the problems of the content."""
    wetink = wetink_of(request)
    whose = await _whose(request)
    who = whose.who
    now = now_ms()
    results = await wetink.reports.lines(wetink.content, *usual(now, wetink.content.signals.zone).days.span)
    return page(
        request,
        "content/blocks.html",
        whose=whose,
        who=who,
        blocks=await _listed(request, who, now),
        archived=len(wetink.content.blocks) - len(wetink.content.listed),
        all_shown="archived" in request.query_params,
        results={result.key["block"]: result for result in results},
        nothing=Line({}),
        problems=wetink.content.problems,
        notes=[note for note in wetink.content.notes if not note.startswith("mappings/")],
        days=USUAL_DAYS,
    )


async def block(request: Request) -> Response:
    """Show one block with its decision and its snippet for `who`."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = wetink.content.block(name)
    whose = await _whose(request)
    who = whose.who
    now = now_ms()
    results = await wetink.reports.lines(wetink.content, *usual(now, wetink.content.signals.zone).days.span)
    files = (f"blocks/{name}.yaml:", *(f"templates/{each.template}:" for each in found.variants if each.template))
    return page(
        request,
        "content/block.html",
        block=found,
        state=state_of(found, now),
        draft=await wetink.publishing.draft(f"blocks/{name}.yaml", f"blocks/{name}.yml"),
        whose=whose,
        who=who,
        sight=await sight(wetink, found, who, moment_of(request, now)),
        panel=panel(wetink, found, request.query_params),
        snippet=wetink.embed.snippet(wetink.content, name, who, wetink.address) if who is not None else "",
        result=next((each for each in results if each.key["block"] == name), Line({"block": name})),
        days=USUAL_DAYS,
        opens=await wetink.store.archive.newest(now, OPENS, block=name),
        parse=parse,
        experiment_title=experiment_title(found.experiment.name or name, found) if found.experiment is not None else "",
        app_titles={name: app.title for name, app in wetink.apps.items()},
        browser=wetink.settings.chromium is not None,
        problems=[each for each in wetink.content.problems if f"/{name}." in each],
        notes=[each for each in wetink.content.notes if each.startswith(files)],
    )


class Whose(msgspec.Struct, frozen=True):
    """The person of a preview (None: a stranger), the text of the query, its problem, and the people who fit it."""

    who: Identifier | None
    entered: str = ""
    problem: str = ""
    people: Sequence[search.Result] = ()


async def _whose(request: Request) -> Whose:
    """Return the person that the query names, or finds as the only one. Raises StoreUnavailable."""
    entered = request.query_params.get("who", "").strip()[:512]
    who = parse(entered)
    if who is not None or not entered:
        return Whose(who, entered)
    found = await search.people(wetink_of(request), entered[: search.LONGEST], MOST_PEOPLE)
    if len(found) == 1:
        return Whose(parse(found[0].who), found[0].who)
    few = f"Several people fit “{entered[:80]}”. Choose one:"
    return Whose(None, entered, few if found else f"Nobody fits “{entered[:80]}”.", found)


LONGEST_CAMPAIGN = 100


async def snippet(request: Request) -> Response:
    """Return the part of a page with a block's snippet for the query's ESP, kind and campaign."""
    wetink, name = wetink_of(request), request.path_params["name"]
    return page(request, "content/snippet.html", panel=panel(wetink, wetink.content.block(name), request.query_params))


def panel(wetink: Wetink, block: Block, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the template values of a block's snippet."""
    esp = BY_NAME.get(query.get("esp", ""), ESPS[0])
    kind = _kind(query.get("kind", ""), block)
    campaign = query.get("campaign", "").strip()[:LONGEST_CAMPAIGN]
    html, problem = "", ""
    try:
        html = wetink.embed.esp_snippet(wetink.content, block.name, esp.name, campaign, kind)
    except BadRequest as error:
        problem = error.sentence
    return {
        "block": block, "esps": ESPS, "esp": esp, "kind": kind, "campaign": campaign, "html": html, "problem": problem,
        "note": esp.notes_for(kind), "local": wetink.address if is_local(wetink.address) else "",
    }  # fmt: skip


def _kind(wanted: str, block: Block) -> Literal["user", "email"] | None:
    for kind in block.recipients:
        if kind == wanted:
            return kind
    return next(iter(block.recipients), None)


async def covered(request: Request) -> Response:
    """Return the coverage of a block in the content."""
    return await coverage_part(request, wetink_of(request).content.block(request.path_params["name"]))


async def coverage_part(request: Request, block: Block) -> Response:
    """Return the coverage of a block, which may be a new one. Only the pages of this dashboard may call it."""
    session.check_csrf(request)
    found = await wetink_of(request).audit.coverage(wetink_of(request).content, block, moment_of(request, now_ms()))
    return page(
        request, "content/coverage.html", coverage=found, fallback=block.fallback, several=len(block.variants) > 1
    )
