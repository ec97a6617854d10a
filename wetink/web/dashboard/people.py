"""People: find a profile by the start of any of its identifiers."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.identity.identifier import STRENGTH
from wetink.opens.recipient import parse
from wetink.web.dashboard.query import wetink_of
from wetink.web.dashboard.render import page

PAGE = 50


async def people(request: Request) -> Response:
    """List profiles, those with the newest messages first; `q` is the start of an identifier, with or without kind."""
    asked = request.query_params.get("q", "").strip()[:512]
    kind, colon, value = asked.partition(":")
    search = value.strip() if colon and kind in STRENGTH else asked
    profiles = await wetink_of(request).store.profiles.profiles(limit=PAGE, search=search)
    return page(request, "people.html", asked=asked, exact=parse(asked), profiles=profiles, full=len(profiles) == PAGE)
