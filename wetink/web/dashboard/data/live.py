"""Live: the messages of all sources as they come in."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.web.dashboard.page.query import verdict_of, wetink_of, whole
from wetink.web.dashboard.page.render import page

PAGE = 50
MOST = 500
"""Messages on one page before it reloads."""

VERDICTS = (("", "All"), ("usable", "Usable"), ("unusable", "Unusable"), ("parked", "Parked"))


async def live(request: Request) -> Response:
    """Show the newest messages, or those before `before`. `verdict` filters them, `pause` stops updates."""
    verdict, before = verdict_of(request), whole(request.query_params.get("before"))
    found = list(await wetink_of(request).store.log.messages(limit=PAGE + 1, before=before, verdict=verdict))
    messages, more = found[:PAGE], len(found) > PAGE
    return page(
        request,
        "data/live.html",
        verdicts=VERDICTS,
        verdict=verdict,
        before=before,
        paused="pause" in request.query_params or before is not None,
        messages=messages,
        newest=messages[0].seq if messages else 0,
        shown=len(messages),
        older=messages[-1].seq if more else None,
    )


async def newer(request: Request) -> Response:
    """Return the messages after `after`, to insert above the `shown` ones; 204 without any."""
    verdict = verdict_of(request)
    after, shown = whole(request.query_params.get("after")) or 0, whole(request.query_params.get("shown")) or 0
    found = await wetink_of(request).store.log.messages(limit=PAGE, verdict=verdict)
    fresh = [message for message in found if message.seq > after]
    if not fresh:
        return Response(status_code=204)
    if len(fresh) == PAGE or shown + len(fresh) > MOST or not shown:
        return Response(status_code=200, headers={"hx-refresh": "true"})
    return page(
        request,
        "data/newer.html",
        verdict=verdict,
        messages=fresh,
        newest=fresh[0].seq,
        shown=shown + len(fresh),
    )
