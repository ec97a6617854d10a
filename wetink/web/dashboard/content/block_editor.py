"""Block editor: variants, rules and all other fields of a block beside its picture, saved as a draft at each change."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.content.block_drafts import Opened, checked, written
from wetink.content.block_files import RESERVED
from wetink.content.content import Content
from wetink.core.blocks.block import Block
from wetink.core.blocks.form import BlockForm, acted, posted, raw_of, removed_text, restored
from wetink.core.blocks.form import form_of as shown_form
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.core.text.naming import free_name, free_slug
from wetink.opens.drawing import home, weight
from wetink.ports import Picture
from wetink.ports.content import Draft, digest
from wetink.web import session
from wetink.web.dashboard.content.block_editor_view import (
    Bar,
    Stock,
    cards_of,
    look_of,
    offers,
    problems_in,
    sighted,
    stock_of,
)  # fmt: skip
from wetink.web.dashboard.content.blocks import coverage_part
from wetink.web.dashboard.help import search
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import field_of, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms

LARGEST = 256 * 1024
"""Bytes of an editor's form."""
LONGEST_TITLE, MOST_PEOPLE = 120, 10
"""Characters of a block's title, and people whom the field to preview as offers."""
NOT_COPIED = ("experiment", "control", "aliases", "archived")
"""Fields of a block that its copy lacks."""
FALLBACK = "See what is new"
"""The headline of a new block's fallback: without words, its picture gives nobody a reason to click."""


async def edit(request: Request) -> Response:
    """Show the editor of a block: its draft, else as it is published. Who may not edit is led to its page."""
    wetink, name = wetink_of(request), request.path_params["name"]
    if session.who(request) is not None and not session.may(request, request.url.path):
        return RedirectResponse(_page_of(request, name), 303)
    opened, stock = await wetink.block_drafts.open(name), await stock_of(wetink)
    form = shown_form(opened.raw, stock.apps)
    first = {each.key for each in form.variants[:1]}
    return await _page(request, stock, name, form, _bar(opened, form, stock.apps), dict(request.query_params), first)


async def change(request: Request) -> Response:
    """Save the form as a draft, after the press of one of its buttons, and return the parts that follow from it."""
    name, stock = request.path_params["name"], await stock_of(wetink_of(request))
    fields = await form_of(request, LARGEST)
    action = fields.get("do", "")
    form = await asyncio.to_thread(posted, fields, stock.apps)
    removed = removed_text(form, action.removeprefix("remove "), stock.apps) if action.startswith("remove ") else ""
    if action == "restore":
        form = restored(form, fields.get("removed", ""), stock.apps)
    else:
        form = await asyncio.to_thread(acted, form, action, stock.apps)
    bar = await _saved(request, name, raw_of(form, stock.apps), fields, _said(form, action))
    keys = {each.key for each in form.variants}
    unfolded = {key for key in keys if fields.get(f"v.{key}.open") == "1" or f"v.{key}.name" not in fields}
    if "hx-request" not in request.headers:
        return await _page(request, stock, name, form, bar, fields, unfolded, removed)
    redraw = bool(action) or "redraw" in request.query_params
    parts = await _context(request, stock, name, form, bar, fields, unfolded, full=redraw, removed=removed)
    return await asyncio.to_thread(page, request, "content/block_editor_parts.html", oob=True, redraw=redraw, **parts)


async def _saved(request: Request, name: str, raw: Mapping[str, Any], fields: Mapping[str, str], said: str) -> Bar:
    """Save a block unless it is as it was, and return the state after that. Raises BadContent, StoreUnavailable."""
    wetink = wetink_of(request)
    base, revision, was = fields.get("base", "")[:64], whole(fields.get("revision")) or 0, fields.get("was", "")[:64]
    bar = Bar(base, revision, was, said=said, published=name in wetink.content.blocks)
    try:
        text = digest(written(raw))
    except BadContent as error:
        return msgspec.structs.replace(bar, unsaved=error.sentence)
    if text != was:
        try:
            draft = await wetink.block_drafts.save(name, raw, base, revision, session.actor(request))
        except Conflict as error:
            there = await _same(request, name, text)
            if there is None:
                return msgspec.structs.replace(bar, conflict=str(error))
            draft = there
        bar = msgspec.structs.replace(bar, revision=draft.revision, was=text, draft=draft)
    elif revision:
        opened = await wetink.block_drafts.open(name)
        bar = msgspec.structs.replace(bar, draft=opened.draft)
        if opened.revision != revision:
            return msgspec.structs.replace(bar, conflict="This draft was changed elsewhere")
    return bar


async def _same(request: Request, name: str, text: str) -> Draft | None:
    """Return the draft of a block if it is what this form says: the answer to an earlier try was lost on its way."""
    try:
        draft = (await wetink_of(request).block_drafts.open(name)).draft
    except (NotFound, BadContent):
        return None
    return draft if draft is not None and draft.body is not None and digest(draft.body) == text else None


def _said(form: BlockForm, action: str) -> str:
    """Return the announcement after a button."""
    doing, _, key = action.partition(" ")
    names = {each.key: (each.fields["name"], place) for place, each in enumerate(form.variants, 1)}
    if doing in ("up", "down", "drag") and key in names:
        return f"{names[key][0]} is now variant {names[key][1]} of {len(names)}."
    if doing == "remove":
        return "The variant was removed."
    if doing == "restore":
        return "The variant was restored."
    return "A variant was added." if doing in ("new", "copy") else ""


def _bar(opened: Opened, form: BlockForm, apps: Mapping[str, Any]) -> Bar:
    draft = opened.draft
    base = draft.base if draft is not None else opened.base
    outdated = draft is not None and draft.base != opened.base
    was = digest(written(raw_of(form, apps)))
    return Bar(base, opened.revision, was, draft, bool(opened.base), outdated)


async def _page(
    request: Request,
    stock: Stock,
    name: str,
    form: BlockForm,
    bar: Bar,
    fields: Mapping[str, str],
    unfolded: set[str],
    removed: str = "",
) -> Response:
    context = await _context(request, stock, name, form, bar, fields, unfolded, full=True, removed=removed)
    return await asyncio.to_thread(page, request, "content/block_editor.html", oob=False, **context)


async def _context(
    request: Request,
    stock: Stock,
    name: str,
    form: BlockForm,
    bar: Bar,
    fields: Mapping[str, str],
    unfolded: set[str],
    *,
    full: bool,
    removed: str = "",
) -> dict[str, Any]:
    """Return the values of the editor's templates. Only a `full` one has those of the form itself."""
    now = now_ms()
    look = await look_of(request, fields, now)
    raw = raw_of(form, stock.apps)
    block, problems = await asyncio.to_thread(problems_in, stock, name, form, raw)
    stamp = f"{bar.revision}-{bar.was[:8]}"
    return {
        "called": name,
        "form": form,
        "bar": bar,
        "look": look,
        "at": field_of(look.moment.now) if fields.get("at") else "",
        "problems": problems,
        "wrong": {each.field: each.why for each in problems},
        "sight": await sighted(request, stock, name, block, look, stamp),
        "drafted": stock.drafts_in(form),
        "cards": cards_of(stock.apps, name, form, block, frozenset(unfolded)) if full else (),
        "stamp": stamp,
        "removed": removed,
        **(await offers(request, stock) if full else {}),
    }


async def picture(request: Request) -> Response:
    """Return the picture of a slot of a block's draft; 404 if there is none."""
    found = await _drawn(request)
    if isinstance(found, Response):
        return found
    _, drawn = found
    return image(drawn)


async def weighed(request: Request) -> Response:
    """Return the line of a trace with that picture's size."""
    found = await _drawn(request)
    if isinstance(found, Response):
        return found
    block, drawn = found
    return page(
        request, "content/weight.html", block=block, slot=request.path_params["slot"], weight=weight(block, drawn)
    )


async def _draft(request: Request) -> tuple[Stock, Block | None]:
    """Return the block of a draft, None if it cannot be drawn. Raises NotFound, BadContent, StoreUnavailable."""
    wetink, name = wetink_of(request), request.path_params["name"]
    opened, stock = await wetink.block_drafts.open(name), await stock_of(wetink)
    return stock, checked(name, opened.raw, stock.content, stock.apps)[0]


async def _drawn(request: Request) -> tuple[Block, Picture] | Response:
    wetink, slot = wetink_of(request), request.path_params["slot"]
    stock, block = await _draft(request)
    if block is None or not 1 <= slot <= block.slots:
        return no_image("no such picture")
    look = await look_of(request, request.query_params, now_ms())
    try:
        drawn = await wetink.trials.picture(stock.content, block, slot, look.onlooker, look.moment, look.suppose.events)
    except BadContent as error:
        return no_image(str(error))
    return block, drawn


async def covered(request: Request) -> Response:
    """Return the coverage of a block's draft among real people."""
    _, block = await _draft(request)
    if block is None:
        return Response("<p class='empty'>Correct the marked fields first.</p>", media_type="text/html")
    return await coverage_part(request, block)


async def thumbnail(request: Request) -> Response:
    """Return the picture of one variant of a draft, or of its fallback, for the sample shopper; 404 if it has none."""
    stock, block = await _draft(request)
    return await _thumbnail(request, stock.content, block)


async def live_thumbnail(request: Request) -> Response:
    """Return the picture of one variant of a published block, or of its fallback, as `thumbnail` does.

    With `or=fallback`, a variant with nothing to show has the fallback's.
    """
    content = wetink_of(request).content
    return await _thumbnail(request, content, content.blocks.get(request.path_params["name"]))


async def _thumbnail(request: Request, content: Content, block: Block | None) -> Response:
    wetink, place = wetink_of(request), request.path_params["slot"]
    look = await look_of(request, {}, now_ms())
    drawn: Picture | None = None
    try:
        if block is not None and place <= len(block.variants):
            drawn = await wetink.trials.variant(content, block, block.variants[place - 1], look.moment)
        otherwise = place == len(block.variants) + 1 if block is not None else False
        if block is not None and drawn is None and (otherwise or request.query_params.get("or") == "fallback"):
            drawn = await wetink.trials.fallback(content, block)
    except BadContent as error:
        return no_image(str(error))
    if drawn is None:
        return no_image("nothing to show")
    return image(drawn)


async def people(request: Request) -> Response:
    """Return the people whom the query finds, as choices of the field to preview as."""
    entered = request.query_params.get("who", "").strip()[: search.LONGEST]
    found = await search.people(wetink_of(request), entered, MOST_PEOPLE)
    return page(request, "content/block_editor_people.html", people=found)


async def new(request: Request) -> Response:
    """Show the apps to start a new block from."""
    chosen = request.query_params.get("app", "")
    return _new_page(request, {"app": chosen})


def _new_page(request: Request, fields: Mapping[str, str], error: str = "") -> Response:
    wetink = wetink_of(request)
    offered = [each for each in wetink.apps.values() if each.template]
    chosen = wetink.apps.get(fields.get("app", ""))
    status = 400 if error else 200
    return page(
        request, "content/block_new.html", status=status, apps=offered, chosen=chosen, fields=fields, error=error,
    )  # fmt: skip


async def make(request: Request) -> Response:
    """Make the draft of a new block from an app or from nothing, and open it in the editor."""
    wetink = wetink_of(request)
    fields = await form_of(request)
    app, title = wetink.apps.get(fields.get("app", "")), fields.get("title", "").strip()
    if len(title) > LONGEST_TITLE:
        return _new_page(request, fields, f"title: at most {LONGEST_TITLE} characters")
    title = title or (app.title if app is not None else "New block")
    raw: dict[str, Any] = {
        "title": title,
        "alt": FALLBACK,
        "recipients": ["user"],
        "fallback": {"link": home(wetink.content.blocks), "title": FALLBACK, "button": "Shop now"},
    }
    form = shown_form(raw, wetink.apps)
    if app is not None:
        form = acted(form, f"new {app.name}", wetink.apps)
        raw = {**raw_of(form, wetink.apps), **({"moving": True} if app.moves else {})}
    name = await _free(request, title)
    await wetink.block_drafts.save(name, raw, "", 0, session.actor(request))
    return RedirectResponse(f"/dashboard/blocks/{name}/edit", 303)


async def copy(request: Request) -> Response:
    """Keep the form, or the block as it is, as the draft of a new block, and open that in the editor."""
    wetink, name = wetink_of(request), request.path_params["name"]
    fields = await form_of(request, LARGEST)
    if "order" in fields:
        apps = (await stock_of(wetink)).apps
        raw = raw_of(posted(fields, apps), apps)
    else:
        raw = (await wetink.block_drafts.open(name)).raw
    given = fields.get("title", "").strip()[:LONGEST_TITLE] if "order" not in fields else ""
    titles = [each.title for each in wetink.content.blocks.values()]
    title = given or free_name(f"{raw.get('title') or name} copy", titles)
    raw = {each: value for each, value in raw.items() if each not in NOT_COPIED}
    made = await _free(request, title)
    await wetink.block_drafts.save(made, {**raw, "title": title}, "", 0, session.actor(request))
    return RedirectResponse(f"/dashboard/blocks/{made}/edit", 303)


async def discard(request: Request) -> Response:
    """Discard the draft of a block."""
    wetink, name = wetink_of(request), request.path_params["name"]
    fields = await form_of(request, LARGEST)
    await wetink.block_drafts.drop(name, whole(fields.get("revision")) or 0)
    return RedirectResponse(_page_of(request, name), 303)


def _page_of(request: Request, name: str) -> str:
    """Return the path of a block's page, or of the list while the block has only a draft."""
    return f"/dashboard/blocks/{name}" if name in wetink_of(request).content.blocks else "/dashboard/blocks"


async def _free(request: Request, title: str) -> str:
    """Return a name for a block that no other block or draft has."""
    wetink = wetink_of(request)
    taken = await wetink.block_drafts.taken() | RESERVED | wetink.content.aliases.keys()
    return free_slug(title, taken)
