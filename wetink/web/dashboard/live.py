"""Live: messages as they come in, each with its verdict and what to do about it."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.web.dashboard.query import verdict_of, wetink_of, whole
from wetink.web.dashboard.render import page

PAGE = 50
MOST = 500
"""Messages one page grows to before it starts afresh."""

VERDICTS = (("", "All"), ("usable", "Usable"), ("unusable", "Unusable"), ("parked", "Parked"))


async def live(request: Request) -> Response:
    """Show the newest messages, or those before `before`; `verdict` narrows, `pause` keeps the page as it is."""
    verdict, before = verdict_of(request), whole(request.query_params.get("before"))
    found = list(await wetink_of(request).store.log.messages(limit=PAGE + 1, before=before, verdict=verdict))
    messages, more = found[:PAGE], len(found) > PAGE
    return page(
        request,
        "live.html",
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
    """Return what came in after `after`, to be put on top of the `shown` messages; 204 when there is nothing."""
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
        "newer.html",
        verdict=verdict,
        messages=fresh,
        newest=fresh[0].seq,
        shown=shown + len(fresh),
    )
