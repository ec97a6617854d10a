"""Media: pictures and fonts as a grid with the parts that use them, uploaded, replaced, renamed and deleted."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.content import LARGEST_IMAGE, Content
from wetink.content.media import ACCEPTED, LARGEST_UPLOAD, LIMITS, body_of, size_of
from wetink.content.tree import LARGEST_FONT
from wetink.content.uses import Room, Use, uses, uses_with_drafts
from wetink.core.errors import BadContent, BadRequest, Conflict, NotFound, WetinkError
from wetink.ports.content import digest
from wetink.web import session
from wetink.web.api import error_response, json_response
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import number_in, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import Undo, redirect, undo_version
from wetink.web.request import status_of

SHOWN, MOST_PAGES = 60, 10_000
"""Files on one page, and the number of the last page that is asked for."""
SIDES = (320, 640, 1280)
"""Pixels of the longer side of a thumbnail."""
FOREVER = "private, max-age=31536000, immutable"


class File(msgspec.Struct, frozen=True):
    """A file as the page shows it. Sizes are pixels, 0 for a font; `family` is that of a font, empty if unusable."""

    room: Room
    name: str
    kilobytes: float
    width: int
    height: int
    family: str
    used: tuple[Use, ...]
    revision: str
    """Changes with the bytes."""

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/dashboard/media/{self.room}/{quote(self.name)}"

    def picture(self, side: int = SIDES[0], scheme: str = "light") -> str:
        """Return the path of its thumbnail, or of its specimen."""
        return f"{self.path}/picture?{urlencode({'side': side, 'scheme': scheme, 'v': self.revision})}"


async def media(request: Request) -> Response:
    """List the pictures, or with `kind=fonts` the fonts."""
    wetink, query = wetink_of(request), request.query_params
    room: Room = "fonts" if query.get("kind") == "fonts" else "images"
    search, number = query.get("q", "").strip()[:100], number_in(query, "page", 1, 1, MOST_PAGES)
    content, families = wetink.content, wetink.renderer.families
    all_names: dict[Room, list[str]] = {"images": sorted(content.images), "fonts": sorted(content.fonts)}
    names = [name for name in all_names[room] if search.casefold() in name.casefold()]
    shown = names[(number - 1) * SHOWN : number * SHOWN]
    onward = {"kind": room if room == "fonts" else "", "q": search}
    return page(
        request,
        "content/media.html",
        room=room,
        kinds=[
            ("/dashboard/media", "Pictures", len(content.images)),
            ("/dashboard/media?kind=fonts", "Fonts", len(content.fonts)),
        ],
        files=[_file(content, room, name, families) for name in shown],
        search=search,
        found=len(names),
        number=number,
        size=SHOWN,
        onward=urlencode({name: value for name, value in onward.items() if value}),
        problems=[each for each in content.problems if each.startswith(f"{room}/")],
        limits=_limits(),
    )


async def file(request: Request) -> Response:
    """Show one file: large, with its facts, and the parts that use it."""
    return await _page(request, _room(request), request.path_params["name"])


async def picture(request: Request) -> Response:
    """Return the thumbnail of a picture, or the specimen of a font."""
    wetink, query, room, name = wetink_of(request), request.query_params, _room(request), request.path_params["name"]
    body = body_of(wetink.content, room, name)
    try:
        if room == "fonts":
            drawn = await wetink.darkroom.specimen(body, dark=query.get("scheme") == "dark")
        else:
            side = number_in(query, "side", SIDES[0], 1, SIDES[-1])
            drawn = await wetink.darkroom.thumbnail(body, min(each for each in SIDES if each >= side))
    except BadContent as error:
        return no_image(str(error))
    kept = FOREVER if query.get("v") == _revision(body) else "no-store"
    return image(drawn, kept)


async def original(request: Request) -> Response:
    """Return a file as it is kept, to save it."""
    room, name = _room(request), request.path_params["name"]
    body = body_of(wetink_of(request).content, room, name)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "cache-control": "no-store"}
    return Response(body, media_type="application/octet-stream", headers=headers)


async def put(request: Request) -> Response:
    """Keep an uploaded file, and answer the page's script."""
    try:
        session.check_csrf(request)
        room, name, query = _room(request), request.path_params["name"], request.query_params
        wetink, by, replace = wetink_of(request), session.actor(request), query.get("replace") == "1"
        if room == "images":
            shrink = query.get("scale") == "1"
            saved = await wetink.media.picture(
                wetink.content, name, request.stream(), by=by, replace=replace, shrink=shrink
            )
        else:
            saved = await wetink.media.font(wetink.content, name, request.stream(), by=by, replace=replace)
    except WetinkError as error:
        return error_response(error)
    session.changed(request, "replaced" if replace else "uploaded", saved.path)
    return json_response(saved)


async def change(request: Request) -> Response:
    """Rename or delete a file."""
    form = await form_of(request)
    wetink, room, name = wetink_of(request), _room(request), request.path_params["name"]
    content, by = wetink.content, session.actor(request)
    try:
        if form.get("change") == "delete":
            drafted = await wetink.publishing.preview()
            families = wetink.renderer.families
            number = await wetink.media.delete(content, drafted, room, name, by=by, families=families)
            session.changed(request, "deleted", f"{room}/{name}", version=number)
            undo = undo_version(number, f"/dashboard/media/{room}/{quote(name)}")
            return redirect(request, f"/dashboard/media?{urlencode({'kind': room})}", f"{name} was deleted.", undo)
        if form.get("change") == "rename":
            _, texts = await wetink.versions.read()
            new = await wetink.media.rename(content, room, name, form.get("name", ""), texts, by=by)
            session.changed(request, "renamed", f"{room}/{name}", detail=f"to {new}")
            back = {"change": "rename", "name": PurePosixPath(name).stem}
            return redirect(
                request,
                f"/dashboard/media/{room}/{quote(new)}",
                f"{name} is now {new}.",
                Undo(f"/dashboard/media/{room}/{quote(new)}", back),
            )
    except (BadContent, Conflict) as error:
        said = error.sentence
        place = form["change"]
        return await _page(
            request, room, name, status=status_of(error), wrong={place: said}, entered=form.get("name", "")
        )
    raise BadRequest("change: this is an unknown change", hint="rename or delete", where="change")


async def _page(
    request: Request,
    room: Room,
    name: str,
    *,
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
    entered: str = "",
) -> Response:
    wetink = wetink_of(request)
    body = body_of(wetink.content, room, name)
    facts, problem = None, ""
    if room == "fonts":
        try:
            facts = await wetink.media.facts(body)
        except BadContent as error:
            problem = error.sentence
    families = wetink.renderer.families
    used = uses_with_drafts(wetink.content, await wetink.publishing.preview(), room, name, families)
    return page(
        request,
        "content/media_file.html",
        status=status,
        file=msgspec.structs.replace(_file(wetink.content, room, name, families), used=tuple(used)),
        facts=facts,
        problem=problem,
        wrong=wrong or {},
        entered=entered or PurePosixPath(name).stem,
        suffix=PurePosixPath(name).suffix,
        last=await wetink.versions.last_change(f"{room}/{name}"),
        limits=_limits(),
    )


def _file(content: Content, room: Room, name: str, families: Mapping[str, str]) -> File:
    body = body_of(content, room, name)
    width, height = size_of(body) if room == "images" else (0, 0)
    used, family = tuple(uses(content, room, name, families)), families.get(name, "")
    return File(room, name, len(body) / 1000, width, height, family, used, _revision(body))


def _revision(body: bytes) -> str:
    return digest(body)[:16]


def _limits() -> dict[str, object]:
    """Return the limits of uploads, for the page and its script."""
    return {
        "picture_bytes": LARGEST_IMAGE,
        "upload_bytes": LARGEST_UPLOAD,
        "longest": LIMITS.longest,
        "font_bytes": LARGEST_FONT,
        "pictures": ",".join(ACCEPTED["images"]),
        "fonts": ",".join(ACCEPTED["fonts"]),
    }


def _room(request: Request) -> Room:
    """Return the kind of files in the path. Raises NotFound."""
    match request.path_params["room"]:
        case "images":
            return "images"
        case "fonts":
            return "fonts"
    raise NotFound("there is nothing at this address", hint="media are images or fonts")
