"""Bearer: what the doors for programs have in common: the dashboard's token, a body read within a bound, JSON."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest, TooLarge, Unauthorized
from wetink.core.text.keepable import half_character, problem_in
from wetink.web import session
from wetink.wiring import Wetink

T = TypeVar("T")


def allowed(request: Request) -> Wetink:
    """Return the application for who has the token. Raises Unauthorized."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found: Wetink = request.app.state.wetink
    if scheme.lower() != "bearer" or not session.is_token(found, token):
        raise _nobody()
    return found


async def admit(request: Request) -> None:
    """Let a request on that has the token. Raises Unauthorized; TooManyRequests after too many wrong ones."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not await session.right_token(request, token):
        raise _nobody()


def _nobody() -> Unauthorized:
    return Unauthorized("this needs the dashboard's token", hint="send it as Authorization: Bearer TOKEN")


async def sent(request: Request, what: type[T], largest: int) -> T:
    """Return the JSON of a body of at most `largest` bytes. Raises BadRequest and TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(f"the body has more than {largest} bytes")
    decode: Callable[[bytes], T] = msgspec.json.Decoder(what).decode
    try:
        made = decode(bytes(body))
    except RecursionError as error:
        raise BadRequest("the body cannot be read: it is nested too deeply") from error
    except (msgspec.DecodeError, ValueError) as error:
        if (at := half_character(bytes(body))) is not None:
            raise BadRequest(f"byte {at}: half a character (a lone surrogate)", where=f"byte {at}") from error
        raise BadRequest(f"the body cannot be read: {error}") from error
    place, problem = problem_in(made)
    if problem:
        raise BadRequest(f"{place}: {problem}", where=place)
    return made


def told(value: Any, status: int = 200) -> Response:
    """Return a value as JSON that nobody keeps."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"cache-control": "no-store"}
    )
