"""Block management: a block's title, name, schedule and state, and its end with all that depends on it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.block_files import Changes, deleted, dependents, renamed, with_fields
from wetink.content.uses import block_file
from wetink.core.blocks.block import Block, closed
from wetink.core.blocks.schedule import Schedule, problems_of, spoken
from wetink.core.errors import BadContent, BadRequest, Conflict, WetinkError
from wetink.ports.content import digest
from wetink.web import session
from wetink.web.dashboard.content.review import with_titles
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

LONGEST_TITLE = 200
SAID = {
    "pause": "is paused. Everyone gets its fallback.",
    "resume": "is shown again.",
    "archive": "is archived. Emails that contain it get its fallback.",
    "unarchive": "is back in the lists.",
}
"""Change -> what a toast says of it, after the block's title."""
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "pause": {"paused": True},
    "resume": {"paused": None},
    "archive": {"archived": True},
    "unarchive": {"archived": None},
}


async def manage(request: Request) -> Response:
    """Show how a block is managed."""
    return await _page(request, request.path_params["name"])


async def change(request: Request) -> Response:
    """Rename, schedule, pause, archive or delete a block."""
    form = await form_of(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    block, what = wetink.content.block(name), form.get("change", "")
    shown = block.called
    try:
        _, tree = await wetink.versions.current()
        path, body = block_file(tree, block.name)
        new, said = block.name, ""
        if what in FIELDS:
            changes: Changes = {path: with_fields(body, FIELDS[what])}
            said = f"{shown} {SAID[what]}"
        elif what == "schedule":
            changes = {path: with_fields(body, {"schedule": _schedule(form)})}
            said = f"{shown} is shown {spoken(_read_schedule(form))}."
        elif what == "rename":
            await _refuse_drafts(wetink, path)
            new, title = form.get("name", "").strip(), form.get("title", "").strip()[:LONGEST_TITLE]
            changes, said = renamed(tree, block.name, new, title), f"{shown} is now called {title or new}."
        elif what == "delete":
            await _refuse_drafts(wetink, path)
            changes, new, said = deleted(tree, wetink.content, block.name), "", f"{shown} was deleted."
        else:
            raise BadRequest("change: this is an unknown change", hint="reload the page", where="change")
        number = await _write(wetink, changes, tree, form, path, session.actor(request), said)
    except (BadContent, Conflict) as error:
        return await _page(request, name, what, error, form)
    session.changed(request, f"managed ({what})", f"block {block.name}", version=number)
    return redirect(
        request,
        f"/dashboard/blocks/{new}/manage" if new else "/dashboard/blocks",
        said,
        undo_version(number, "/dashboard/blocks"),
    )


async def _write(
    wetink: Wetink, changes: Changes, tree: Mapping[str, bytes], form: Mapping[str, str], path: str, by: str, said: str
) -> int:
    """Publish changes over the files that the page showed. Raises Conflict, BadContent."""
    expected = {each: digest(tree[each]) if each in tree else "" for each in changes}
    if path in expected and form.get("base"):
        expected[path] = form["base"]
    if not changes:
        raise BadContent("nothing would change", hint="enter another title or name")
    return await wetink.author.change(changes, expected, by=by, message=said.rstrip("."))


async def _page(
    request: Request, name: str, what: str = "", error: WetinkError | None = None, form: Mapping[str, str] | None = None
) -> Response:
    wetink = wetink_of(request)
    block = wetink.content.block(name)
    _, tree = await wetink.versions.current()
    path, body = block_file(tree, block.name)
    return page(
        request,
        "content/manage.html",
        status=status_of(error) if error is not None else 200,
        block=block,
        base=digest(body),
        closed=closed(block, now_ms()),
        schedule=_entered(block, form if what == "schedule" else None),
        spoken=spoken(block.schedule),
        dependents=dependents(tree, wetink.content, block.name),
        draft=await wetink.publishing.draft(path),
        wrong={(error.where if what == "schedule" else "") or what: with_titles(error)} if error is not None else {},
        title=form["title"] if form is not None and what == "rename" and "title" in form else block.title,
        called=form["name"] if form is not None and what == "rename" and "name" in form else block.name,
    )


async def _refuse_drafts(wetink: Wetink, path: str) -> None:
    draft = await wetink.publishing.draft(path)
    if draft is not None:
        raise Conflict(
            f"{draft.by or 'somebody'} has unpublished changes of this block", hint="publish or discard them first"
        )


def _read_schedule(form: Mapping[str, str]) -> Schedule | None:
    """Return the schedule of a form; None for an empty one. Raises BadContent with its problem."""
    begins, until, zone = (form.get(name, "").strip()[:64] for name in ("from", "until", "zone"))
    if not begins and not until:
        return None
    schedule = Schedule(begins, until, zone)
    for wrong in problems_of(schedule):
        place, _, why = (
            wrong.partition(": ") if wrong.startswith(("from: ", "until: ", "zone: ")) else ("from", "", wrong)
        )
        raise BadContent(why, where=place)
    return schedule


def _schedule(form: Mapping[str, str]) -> dict[str, str] | None:
    schedule = _read_schedule(form)
    return msgspec.to_builtins(schedule) if schedule is not None else None


def _entered(block: Block, form: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the texts of the schedule's fields: those of a refused form, else the block's."""
    if form is not None:
        return {name: form.get(name, "") for name in ("from", "until", "zone")}
    schedule = block.schedule or Schedule()
    return {"from": schedule.begins, "until": schedule.until, "zone": schedule.zone}
