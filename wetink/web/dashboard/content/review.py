"""Review: what publishing drafts changes, in words and as counts, the checks, and the button that publishes them."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from wetink.content.changes import KINDS, title_of
from wetink.content.publishing import Review
from wetink.core.errors import BadContent, BadRequest, Conflict, NotFound, WetinkError, sentences
from wetink.opens.recipient import parse
from wetink.opens.trials import Onlooker
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import moment_of, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.web.request import now_ms, status_of

MOST_PATHS = 200
"""Drafts that one page reviews."""
DECIDED = {
    "merge": "merged the draft of",
    "mine": "kept the draft of",
    "theirs": "dropped the draft of",
    "discard": "discarded the draft of",
}
"""Decision -> its words in the audit log."""
_PATH = re.compile(rf"\b(?:{'|'.join(KINDS)})/[A-Za-z0-9_][\w.@+-]*\w")
FIELD = "draft:"
"""The beginning of a field's name that is followed by a path. Its value is the revision that was reviewed."""


async def review(request: Request) -> Response:
    """Show what publishing the drafts of the query's paths changes; of all without one."""
    return await _page(request, await _paths(request))


async def tried(request: Request) -> Response:
    """Return the counts and the checks, which take seconds, as a part of the page."""
    try:
        found: Review | None = await wetink_of(request).publishing.review(await _paths(request))
    except NotFound:
        found = None
    blocks = wetink_of(request).content.blocks
    paths = [("path", each.path) for each in found.drafts] if found is not None else []

    def address(block: str, who: str, side: str) -> str:
        return f"/dashboard/review/{quote(block)}/1.img?{urlencode([('side', side), ('who', who), *paths])}"

    return page(request, "content/review_tried.html", review=found, address=address, published=blocks)


async def picture(request: Request) -> Response:
    """Return a block's picture for a person, as published (`side=before`) or with the drafts of the query's paths."""
    wetink, query = wetink_of(request), request.query_params
    name, slot, who = request.path_params["block"], request.path_params["slot"], parse(query.get("who", ""))
    before = query.get("side") == "before"
    content = wetink.content if before else await wetink.publishing.preview(await _paths(request))
    block = content.blocks.get(name)
    if block is None or not 1 <= slot <= block.slots:
        return no_image("no such picture")
    return image(await wetink.trials.picture(content, block, slot, Onlooker(who), moment_of(request, now_ms())))


async def publish(request: Request) -> Response:
    """Publish the reviewed drafts."""
    form = await form_of(request)
    reviewed = {
        name.removeprefix(FIELD): _revision(name, value) for name, value in form.items() if name.startswith(FIELD)
    }
    message = form.get("message", "").strip()[:200]
    try:
        number = await wetink_of(request).publishing.publish(reviewed, by=session.actor(request), message=message)
    except (BadContent, Conflict, NotFound) as error:
        return await _page(request, list(reviewed), error=error, message=message)
    session.changed(request, "published", ", ".join(reviewed)[:200], version=number)
    return redirect(request, _onward(reviewed), f"Published as version {number}.", undo_version(number))


async def resolve(request: Request) -> Response:
    """Decide about a draft whose published file has changed: merge both, keep this one, or drop it."""
    form = await form_of(request)
    path, how = form.get("path", ""), form.get("how", "")
    publishing, by = wetink_of(request).publishing, session.actor(request)
    try:
        if how == "merge":
            await publishing.merge(path, by=by)
            said = "Both changes are in the draft now. Look at it again, then publish."
        elif how == "mine":
            await publishing.take_over(path, by=by)
            said = "Publishing replaces the other change now."
        elif how in ("theirs", "discard"):
            await publishing.discard(path, whole(form.get("revision")) or 0)
            said = "The draft was discarded. The published file stays."
        else:
            raise BadRequest("how: this is an unknown decision", hint="merge, mine, theirs or discard", where="how")
    except (Conflict, NotFound) as error:
        return await _page(request, [path], error=error)
    session.changed(request, DECIDED[how], path[:200])
    left = how not in ("theirs", "discard")
    return redirect(request, f"/dashboard/review?{urlencode({'path': path})}" if left else "/dashboard/review", said)


async def _page(request: Request, paths: list[str], *, error: WetinkError | None = None, message: str = "") -> Response:
    """Show the drafts of these paths that there are. An error stands at the top."""
    publishing = wetink_of(request).publishing
    pending = {each.path: each for each in await publishing.pending()}
    there = [path for path in paths if path in pending]
    found = await publishing.outline(there) if there else None
    query = urlencode([("path", path) for path in there])
    return page(
        request,
        "content/review.html",
        status=status_of(error) if error is not None else 200,
        review=found,
        drafts={each.path: each for each in found.drafts} if found is not None else {},
        clashes={each.path: each for each in found.clashes} if found is not None else {},
        titled=lambda path: title_of(path, None),
        others=[each for path, each in pending.items() if path not in there],
        problem=with_titles(error) if error is not None else "",
        message=message,
        query=query,
        place=editor_of,
    )


def _revision(name: str, value: str) -> int:
    """Return the revision in a field; 0 for whichever there is. Raises BadRequest."""
    found = whole(value)
    if found is None:
        raise BadRequest(f"{name[:200]}: {value[:40]!r} is not a revision", hint="reload the page", where=name[:200])
    return found


async def _paths(request: Request) -> list[str]:
    """Return the paths of the query, else those of all drafts."""
    given = list(dict.fromkeys(request.query_params.getlist("path")))[:MOST_PATHS]
    return given or [each.path for each in await wetink_of(request).publishing.pending()][:MOST_PATHS]


def with_titles(error: WetinkError) -> str:
    """Return an error as sentences, with titles in place of the paths of files.

    >>> with_titles(NotFound("there is no draft of blocks/hero.yaml", hint="save one first"))
    'There is no draft of block hero. Save one first.'
    """
    return sentences(_PATH.sub(lambda path: _lower(title_of(path[0], None)), str(error)), error.hint)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def editor_of(path: str) -> str:
    """Return the page where a content file is edited; empty if there is none.

    >>> editor_of("blocks/hero.yaml"), editor_of("templates/sale.liquid"), editor_of("signals.yaml")
    ('/dashboard/blocks/hero', '/dashboard/templates/sale.liquid', '')
    """
    room, _, name = path.partition("/")
    stem = quote(name.removesuffix(".yaml").removesuffix(".yml"))
    if room == "templates" and name.endswith(".liquid"):
        return f"/dashboard/templates/{quote(name)}"
    if room in ("images", "fonts"):
        return f"/dashboard/media/{room}/{quote(name)}"
    return f"/dashboard/{room}/{stem}" if room in ("blocks", "audiences", "feeds") else ""


def _onward(paths: Mapping[str, int]) -> str:
    """Return the page of the only published thing, else the list of versions."""
    [path, *more] = paths
    return editor_of(path) if not more and path.startswith("blocks/") else "/dashboard/versions"
