"""Form: the fields of a posted form, within limits, and from a page of this session."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from wetink.core.errors import BadRequest, TooLarge
from wetink.core.text.characters import problem_in_text
from wetink.web import session

FORM = "application/x-www-form-urlencoded"
LARGEST = 64 * 1024
"""Largest form, in bytes."""
MOST_FIELDS = 4_000


async def form_of(request: Request, largest: int = LARGEST) -> dict[str, str]:
    """Return the fields of a form that a page of this session has posted. The last one of a name counts.

    Raises BadRequest, also without the CSRF token of the session, and TooLarge.
    """
    form = await open_form_of(request, largest)
    session.check_csrf(request, form)
    return form


async def open_form_of(request: Request, largest: int = LARGEST) -> dict[str, str]:
    """Return the fields of a form that anybody may post, such as to sign in. Raises BadRequest and TooLarge."""
    return dict(await fields_of(request, largest))


async def fields_of(request: Request, largest: int = LARGEST) -> list[tuple[str, str]]:
    """Return the fields of a posted form of up to `largest` bytes, in order. Raises BadRequest and TooLarge.

    Other kinds of bodies are rejected: another site's page can send them without a CORS check.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise BadRequest(f"a form is {FORM}, not {kind[:40] or 'nothing'}", where="content-type")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > largest:
            raise TooLarge(f"the form is larger than {largest // 1024} KB")
    try:
        text = body.decode("utf-8", "surrogateescape")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="surrogateescape")
    except ValueError as error:
        raise TooLarge(f"the form has more than {MOST_FIELDS} fields") from error
    for name, value in fields:
        place = name.encode("utf-8", "replace").decode()[:60]
        if "\0" in name or "\0" in value:
            raise BadRequest(f"{place!r}: a NUL character cannot be kept", where=place)
        if problem_in_text(name) or problem_in_text(value):
            raise BadRequest(f"{place!r}: this is not written in UTF-8", where=place)
    return fields
