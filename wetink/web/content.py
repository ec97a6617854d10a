"""Content over HTTP, for `wetink pull`, `push` and their kin, with the dashboard's token as Bearer.

GET  /api/content               the version that stands, with its files; `?version=3` an earlier one
POST /api/content               push: {"base": 3, "by": "…", "message": "…", "files": {"blocks/a.yaml": "base64"}}
GET  /api/content/versions      all versions, the newest first
POST /api/content/rollback      {"version": 3, "by": "…"}
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wetink.content.tree import LARGEST
from wetink.content.versions import Pushed, Version
from wetink.web.bearer import allowed, sent, told
from wetink.web.clock import now_ms
from wetink.web.dashboard.query import number_in, wetink_of

LARGEST_BODY = LARGEST * 3 // 2
MOST_VERSIONS = 10**9


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
    versions = allowed(request).versions
    number = number_in(request.query_params, "version", 0, 0, MOST_VERSIONS)
    if not number:
        return told(State(*await versions.current(now_ms())))
    files = await versions.tree(number)
    listed = await versions.listed(now_ms())
    return told(State(next(each for each in listed if each.number == number), files))


async def push(request: Request) -> Response:
    """Take a push in: 200 when it stands, 422 with all that is wrong with it, 409 when another came first."""
    wetink, given = allowed(request), await sent(request, Push, LARGEST_BODY)
    done = await wetink.versions.push(given.files, given.base, by=given.by, message=given.message, now=now_ms())
    return await _done(request, done)


async def rollback(request: Request) -> Response:
    """Let an earlier version stand again."""
    wetink, given = allowed(request), await sent(request, Rollback, LARGEST_BODY)
    done = await wetink.versions.rollback(given.version, by=given.by, now=now_ms())
    return await _done(request, done)


async def versions(request: Request) -> Response:
    """List all versions."""
    return told(await allowed(request).versions.listed(now_ms()))


async def _done(request: Request, done: Pushed) -> Response:
    if not done.problems:
        await wetink_of(request).look_again()
    return told(done, 422 if done.problems else 200)


ROUTES: tuple[BaseRoute, ...] = (
    Route("/api/content", pull),
    Route("/api/content", push, methods=["POST"]),
    Route("/api/content/versions", versions),
    Route("/api/content/rollback", rollback, methods=["POST"]),
)
