"""Content over HTTP, for `wetink pull`, `push` and their kin, with the dashboard's token as Bearer.

GET  /api/content               the version that stands, with its files; `?version=3` an earlier one
POST /api/content               push: {"base": 3, "by": "…", "message": "…", "files": {"blocks/a.yaml": "base64"}}
GET  /api/content/versions      all versions, the newest first
POST /api/content/rollback      {"version": 3, "by": "…"}
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wetink.content.tree import LARGEST
from wetink.content.versions import Pushed, Version
from wetink.core.errors import BadRequest, TooLarge, Unauthorized
from wetink.web import session
from wetink.web.clock import now_ms
from wetink.web.pages.asked import wetink_of, whole

T = TypeVar("T")

LARGEST_BODY = LARGEST * 3 // 2


class Push(msgspec.Struct, frozen=True):
    """What somebody sends; `base` None replaces whatever there is."""

    files: dict[str, bytes]
    base: int | None = None
    by: str = ""
    message: str = ""


class Rollback(msgspec.Struct, frozen=True):
    """Back to which version."""

    version: int
    by: str = ""


class State(msgspec.Struct, frozen=True):
    """A version with its files."""

    version: Version
    files: dict[str, bytes]


async def pull(request: Request) -> Response:
    """Answer with the version that stands, or an earlier one."""
    versions = _allowed(request).versions
    number = whole(request.query_params.get("version"))
    if number is None:
        return _json(State(*await asyncio.to_thread(versions.current, now_ms())))
    files = await asyncio.to_thread(versions.tree, number)
    listed = await asyncio.to_thread(versions.listed, now_ms())
    return _json(State(next(each for each in listed if each.number == number), files))


async def push(request: Request) -> Response:
    """Take a push in: 200 when it stands, 422 with all that is wrong with it, 409 when another came first."""
    wetink, sent = _allowed(request), await _sent(request, Push)
    done = await asyncio.to_thread(
        lambda: wetink.versions.push(sent.files, sent.base, by=sent.by, message=sent.message, now=now_ms())
    )
    return await _told(request, done)


async def rollback(request: Request) -> Response:
    """Let an earlier version stand again."""
    wetink, sent = _allowed(request), await _sent(request, Rollback)
    done = await asyncio.to_thread(lambda: wetink.versions.rollback(sent.version, by=sent.by, now=now_ms()))
    return await _told(request, done)


async def versions(request: Request) -> Response:
    """List all versions."""
    return _json(await asyncio.to_thread(_allowed(request).versions.listed, now_ms()))


async def _told(request: Request, done: Pushed) -> Response:
    if not done.problems:
        await wetink_of(request).look_again()
    return _json(done, 422 if done.problems else 200)


def _allowed(request: Request) -> Any:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not session.right_token(request, token):
        raise Unauthorized("this needs the dashboard's token", hint="send it as Authorization: Bearer TOKEN")
    return wetink_of(request)


async def _sent(request: Request, what: type[T]) -> T:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise TooLarge(f"the body has more than {LARGEST_BODY} bytes")
    decode: Callable[[bytes], T] = msgspec.json.Decoder(what).decode
    try:
        return decode(bytes(body))
    except (msgspec.DecodeError, ValueError) as error:
        raise BadRequest(f"the body cannot be read: {error}") from error


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"cache-control": "no-store"}
    )


ROUTES: tuple[BaseRoute, ...] = (
    Route("/api/content", pull),
    Route("/api/content", push, methods=["POST"]),
    Route("/api/content/versions", versions),
    Route("/api/content/rollback", rollback, methods=["POST"]),
)
