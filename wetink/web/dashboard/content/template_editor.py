"""Template editor: a template and the file beside it as text, with its problems and its picture while it is written.

The picture is drawn by our renderer, in its sandbox: nothing of a template ever runs in the browser.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.content import Content
from wetink.content.template_files import Opened, app_named
from wetink.content.uses import Use, template_uses
from wetink.core.app.app import App
from wetink.core.app.setting import Field, fields_of, settings_of
from wetink.core.blocks.block import Block, Variant
from wetink.core.errors import BadContent, BadRequest, Conflict, Unavailable, WetinkError
from wetink.core.profile.person import Moment
from wetink.opens.recipient import parse
from wetink.opens.workbench import Problem, Sketch, drawn_problem, units
from wetink.ports import Picture
from wetink.web import session
from wetink.web.api import error_response, json_response
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import SCHEMES, wetink_of, whole
from wetink.web.dashboard.page.render import TEMPLATES, page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.web.policy import content_policy
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

MOST_BYTES = 2_000_000
"""Bytes of a form with a template: escaped, a text may be three times as large as it is, and there are two."""
SIZES = {"width": (600, 40, 1200), "height": (300, 20, 1600)}
SETTING = "setting."
"""The start of the names of fields that are settings of the template's app."""


class Done(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to the editor's script: problems, the picture as an address with its weight, and the settings' fields.

    `note` says why there is no picture, empty with one. `fields` is HTML, empty while the fields stay.
    """

    problems: tuple[Problem, ...]
    picture: str
    weight: str
    note: str
    fields: str
    keys: str


async def editor(request: Request) -> Response:
    """Show a template in the editor."""
    return await _page(request, await wetink_of(request).templates.open(request.path_params["name"]))


async def change(request: Request) -> Response:
    """Save a template's drafts, or rename, delete or discard it."""
    script = "application/json" in request.headers.get("accept", "")
    try:
        form = await form_of(request, MOST_BYTES)
        match form.get("do", ""):
            case "save":
                return await _saved(request, form, script=script)
            case "rename" | "delete" | "discard":
                return await _changed(request, form, form["do"])
        raise BadRequest("do: this is an unknown change", hint="save, rename, delete or discard", where="do")
    except WetinkError as error:
        if script:
            return error_response(error)
        raise


async def tried(request: Request) -> Response:
    """Return the problems and the picture of the text in the editor, as JSON."""
    try:
        form = await form_of(request, MOST_BYTES)
        wetink = wetink_of(request)
        sketch, fields, wrong = _sketch(wetink, request.path_params["name"], form)
        problems = await wetink.workbench.problems(sketch, now_ms())
        picture, note = None, ""
        if wrong:
            note = "Correct the settings to see the picture."
        elif not any(each.severity == "error" for each in problems):
            try:
                picture = await _drawn(wetink, sketch, form)
                note = "" if picture is not None else "The app has nothing to show to this person."
            except BadContent as error:
                problems.append(drawn_problem(sketch.text, error))
        keys = _keys(fields)
        texts = {"template": sketch.text, "companion": sketch.companion, "picture": ""}
        placed = [each for file in texts for each in units(texts[file], [one for one in problems if one.file == file])]
        shown = ""
        if keys != form.get("keys", "") or wrong:
            shown = TEMPLATES.get_template("content/template_fields.html").render(
                fields=fields, values=_values(fields, form), wrong=wrong, icon=None
            )
        done = Done(tuple(placed), _inside(picture), _weight(picture), note, shown, keys)
    except WetinkError as error:
        return error_response(error)
    return json_response(done)


async def picture(request: Request) -> Response:
    """Return the picture of a template as it is saved, for the list and for pages without scripts."""
    wetink, name = wetink_of(request), request.path_params["name"]
    opened = await wetink.templates.open(name)
    form = {**request.query_params, "template": opened.template.body or "", "companion": opened.companion.body or ""}
    try:
        sketch, _, _ = _sketch(wetink, name, form)
        drawn = await _drawn(wetink, sketch, form)
    except BadContent as error:
        return no_image(str(error))
    if drawn is None:
        return no_image("nothing to show")
    return image(drawn)


async def words(request: Request) -> Response:
    """Return the words that a template may use, as JSON: values with examples, filters and tags."""
    wetink, name = wetink_of(request), request.path_params["name"]
    opened = await wetink.templates.open(name)
    text, companion = opened.template.body or "", opened.companion.body or ""
    try:
        sketch, _, _ = _sketch(wetink, name, {"template": text, "companion": companion})
        app = wetink.workbench.app(sketch)
    except BadContent:
        app, companion = wetink.apps["custom"], ""
    values = wetink.workbench.words(app, now_ms(), own=bool(companion.strip()))
    filters, tags = wetink.renderer.language()
    return json_response({"values": values, "filters": filters, "tags": tags})


async def _saved(request: Request, form: Mapping[str, str], *, script: bool) -> Response:
    wetink, name = wetink_of(request), request.path_params["name"]
    text, companion = (form.get(part, "").replace("\r\n", "\n") for part in ("template", "companion"))
    revisions = whole(form.get("revision")) or 0, whole(form.get("companion-revision")) or 0
    by = session.actor(request)
    try:
        saved = await wetink.templates.save(name, text, companion, revisions=revisions, by=by)
    except (Conflict, Unavailable) as error:
        opened = await wetink.templates.open(name)
        if script:
            newest = {"revision": opened.template.revision, "companionRevision": opened.companion.revision}
            return json_response({**newest, "error": {"message": str(error), "hint": error.hint}}, status_of(error))
        problem = f"{error}. Your text is below, and is not saved yet. Saving it now replaces the other."
        return await _page(request, opened, status=status_of(error), form=form, problem=problem)
    session.changed(request, "saved a draft of", f"template {name}")
    if script:
        return json_response({"revision": saved[0], "companionRevision": saved[1]})
    return redirect(
        request, f"/dashboard/templates/{name}", "The draft is saved. Nobody receives it before you publish it."
    )


async def _changed(request: Request, form: Mapping[str, str], do: str) -> Response:
    wetink, name, by = wetink_of(request), request.path_params["name"], session.actor(request)
    to, text, back = "/dashboard/templates", "", None
    try:
        if do == "rename":
            new = await wetink.templates.rename(name, form.get("name", ""), by=by)
            to, text = f"{to}/{new}", f"{name} is now {new}."
        elif do == "delete":
            number = await wetink.templates.delete(wetink.content, name, by=by)
            text = f"{name} was deleted."
            if number:
                back = undo_version(number, f"{to}/{name}")
        else:
            left = await wetink.templates.discard(name)
            to, text = f"{to}/{name}" if left else to, f"The draft of {name} was discarded."
    except (BadContent, Conflict) as error:
        said = error.sentence
        opened = await wetink.templates.open(name)
        return await _page(request, opened, status=status_of(error), form=form, wrong={do: said})
    session.changed(
        request, {"rename": "renamed", "delete": "deleted"}.get(do, "discarded the draft of"), f"template {name}"
    )
    return redirect(request, to, text, back)


async def _page(
    request: Request,
    opened: Opened,
    *,
    status: int = 200,
    form: Mapping[str, str] | None = None,
    problem: str = "",
    wrong: Mapping[str, str] | None = None,
) -> Response:
    wetink, name = wetink_of(request), opened.name
    given = {"template": opened.template.body or "", "companion": opened.companion.body or "", **(form or {})}
    for part in ("template", "companion"):
        given[part] = given[part].replace("\r\n", "\n")
    asked = {**request.query_params, **given}
    sketch, fields, _ = _sketch(wetink, name, asked)
    problems = await wetink.workbench.problems(sketch, now_ms())
    drafted, nonce = await wetink.publishing.preview(), secrets.token_urlsafe(16)
    shown = {each: asked[each] for each in ("who", "scheme", "width", "height") if asked.get(each)}
    return page(
        request,
        "content/template.html",
        status=status,
        headers={"content-security-policy": content_policy(nonce)},
        nonce=nonce,
        opened=opened,
        given=given,
        problem=problem,
        problems=problems,
        wrong=wrong or {},
        renamed=(form or {}).get("name", name),
        fields=fields,
        values=_values(fields, asked),
        keys=_keys(fields),
        shown=shown,
        picture=f"/dashboard/templates/{name}/picture?{urlencode(shown)}",
        sketch=sketch,
        app=wetink.apps[sketch.app],
        used=[(use, _place(drafted, use)) for use in template_uses(drafted, name)],
        review=urlencode([("path", each.path) for each in opened.drafts]),
    )


def _sketch(wetink: Wetink, name: str, form: Mapping[str, str]) -> tuple[Sketch, list[Field], dict[str, str]]:
    """Return the sketch in a form, the fields of its app's settings, and their errors by name.

    A form without sizes or settings gets those of the first block that uses the template.
    """
    text, companion = (form.get(part, "").replace("\r\n", "\n") for part in ("template", "companion"))
    block, variant = _use(wetink, name)
    said = app_named(text)
    app_name = said if said in wetink.apps else variant.app if variant.app in wetink.apps else "custom"
    size = _size("width", form, block), _size("height", form, block)
    sketch = Sketch(name, text, companion, app_name, {}, *size)
    try:
        app = wetink.workbench.app(sketch)
    except BadContent:
        return sketch, [], {}
    usual = variant.settings if variant.app == app.name else {}
    fields = _fields(app, usual)
    settings, wrong = settings_of(app, _values(fields, form))
    names = {field.name.partition(".")[0] for field in fields}
    more = {each: value for each, value in usual.items() if each not in names}
    return replace(sketch, settings={**more, **settings}), fields, wrong


def _place(content: Content, use: Use) -> int:
    """Return the place of a variant in its block, from 1."""
    return [each.name for each in content.blocks[use.name].variants].index(use.place) + 1


def _use(wetink: Wetink, name: str) -> tuple[Block | None, Variant]:
    """Return the first block, and its variant, that uses a template."""
    for use in template_uses(wetink.content, name):
        block = wetink.content.blocks[use.name]
        return block, next(each for each in block.variants if each.name == use.place)
    return None, Variant("", "custom")


def _fields(app: App, usual: Mapping[str, Any]) -> list[Field]:
    """Return the settings that the preview offers: those of the template's app, without filters of products."""
    left_out = ("feeds", "entries") if app.name == "custom" else ()
    try:
        fields = fields_of(app, {**app.sample.settings, **usual})
    except msgspec.ValidationError:  # the block's settings are those of the published app
        fields = fields_of(app, app.sample.settings)
    return [field for field in fields if not field.name.startswith("only.") and field.name not in left_out]


def _values(fields: list[Field], form: Mapping[str, str]) -> dict[str, str]:
    """Return the values of settings' fields in a form, by the fields' names; those of the sample for a new form."""
    if form.get("sent") != "1":
        return {field.name: field.value for field in fields}
    values = {}
    for field in fields:
        usual = "" if field.kind == "switch" else field.value
        values[field.name] = form.get(f"{SETTING}{field.name}", usual)
    return values


def _keys(fields: list[Field]) -> str:
    """Return a text that changes with the fields of the settings, but not with their values."""
    return "|".join(f"{field.name}:{field.kind}:{field.label}:{','.join(field.choices)}" for field in fields)


def _size(side: str, form: Mapping[str, str], block: Block | None) -> int:
    usual, least, most = SIZES[side]
    if block is not None:
        usual = block.width if side == "width" else block.height
    return min(max(whole(form.get(side)) or usual, least), most)


async def _drawn(wetink: Wetink, sketch: Sketch, form: Mapping[str, str]) -> Picture | None:
    """Return a sketch's picture. Raises BadContent."""
    entered, scheme = form.get("who", "").strip()[:512], form.get("scheme", "")
    who = parse(entered)
    if entered and who is None:
        raise BadContent("Preview as: choose a person from the list, or write user:42 or email:jane@shop.example")
    moment = Moment(now_ms(), scheme=scheme if scheme in SCHEMES else "light")
    return await wetink.workbench.picture(wetink.content, sketch, who, moment)


def _inside(picture: Picture | None) -> str:
    if picture is None:
        return ""
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.body).decode()}"


def _weight(picture: Picture | None) -> str:
    if picture is None:
        return ""
    return f"{len(picture.body) / 1000:.0f} KB{f': {picture.note}' if picture.note else ''}"
