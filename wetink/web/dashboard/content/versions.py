"""Versions: who changed the content, when and how, in words and line by line, with the way back; and open drafts."""

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

from wetink.content.changes import title_of
from wetink.content.content import Content
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent, Conflict, NotFound, WetinkError
from wetink.core.signals.audience import Audience
from wetink.web import session
from wetink.web.dashboard.content.review import editor_of, with_titles
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import inside, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.web.request import status_of

SHOWN = 25
"""Versions on one page."""


async def versions(request: Request) -> Response:
    """List the versions, newest first, and the drafts that nobody has published."""
    wetink, before = wetink_of(request), whole(request.query_params.get("before"))
    entries = await wetink.history.page(SHOWN, before or None)
    newest = await wetink.versions.newest()
    return page(
        request,
        "content/versions.html",
        entries=entries,
        newest=newest.number,
        first=before is None,
        older=entries[-1].version.number if entries and entries[-1].version.number > 1 else 0,
        drafts=await wetink.publishing.pending() if before is None else [],
        titled=partial(_titled, wetink.content),
    )


async def version(request: Request) -> Response:
    """Show what one version changed."""
    return await _page(request, _number(request))


async def undo(request: Request) -> Response:
    """Take the changes of a version back."""
    form = await form_of(request)
    number = _number(request)
    try:
        made = await wetink_of(request).history.undo(number, by=session.actor(request))
    except (BadContent, Conflict) as error:
        return await _page(request, number, error)
    session.changed(request, "undid", f"version {number}", version=made)
    return redirect(
        request, inside(form.get("next", "/dashboard/versions")), f"Version {number} was undone.", undo_version(made)
    )


async def restore(request: Request) -> Response:
    """Bring a file, or everything, back to what it was in a version."""
    form = await form_of(request)
    number, path = _number(request), form.get("path", "")
    try:
        made = await wetink_of(request).history.restore(number, path, by=session.actor(request))
    except (BadContent, Conflict) as error:
        return await _page(request, number, error)
    session.changed(request, "restored", path[:200] or "everything", detail=f"as in version {number}", version=made)
    said = f"{path} is as in version {number} again." if path else f"Everything is as in version {number} again."
    return redirect(request, "/dashboard/versions", said, undo_version(made))


def _titled(content: Content, path: str) -> str:
    """Return the title of a file's thing, as far as the live content has it."""
    name = PurePosixPath(path).stem
    rooms: Mapping[str, Mapping[str, Block | Audience]] = {"blocks": content.blocks, "audiences": content.audiences}
    found = rooms.get(path.partition("/")[0], {}).get(name)
    plain = title_of(path, None)
    return f"{plain.partition(' ')[0]} {found.title}" if found is not None and found.title else plain


async def _page(request: Request, number: int, error: WetinkError | None = None) -> Response:
    wetink = wetink_of(request)
    found, changes = await wetink.history.changes(number)
    newest = await wetink.versions.newest()
    return page(
        request,
        "content/version.html",
        status=status_of(error) if error is not None else 200,
        version=found,
        found=changes,
        newest=newest.number,
        current=newest.files,
        problem=with_titles(error) if error is not None else "",
        place=editor_of,
    )


def _number(request: Request) -> int:
    found = whole(request.path_params["number"])
    if not found:
        raise NotFound("there is no such version", hint="the list of versions has all of them")
    return found
