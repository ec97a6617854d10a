"""Report summary: the weekly email or webhook about the results: its receivers, its time, a preview, and a test."""

import re
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadContent
from wetink.core.signals.digest import text_of
from wetink.core.signals.reporting import DAYS, Summary, check
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import Undo, redirect
from wetink.web.dashboard.results.report_views import change

PAGE = "/dashboard/reports/summary"
LONGEST = 20_000
"""Longest text of addresses, in characters."""


async def summary(request: Request) -> Response:
    """Show the weekly summary: its form, what was sent last, and a preview of the last week."""
    return await _page(request, wetink_of(request).content.reporting.summary)


async def save(request: Request) -> Response:
    """Save the receivers and the time. Without receivers, nothing is sent."""
    form = await form_of(request)
    wetink, old = wetink_of(request), wetink_of(request).content.reporting.summary
    try:
        given = summary_in(form)
        message = "changed the weekly summary" if given.on else "turned the weekly summary off"
        await change(
            wetink, session.actor(request), message, lambda found: msgspec.structs.replace(found, summary=given)
        )
    except BadContent as error:
        return await _page(request, old, error=error, form=form)
    await wetink.weekly.begin(wetink.content)
    undo = Undo(PAGE, {"to": "\n".join(old.to), "webhook": old.webhook, "day": old.day, "hour": str(old.hour)})
    words = "The weekly summary is on." if given.on else "The weekly summary is off."
    return redirect(request, PAGE, words, undo if old.on else None)


async def test(request: Request) -> Response:
    """Send the last week's summary to the receivers in the form now."""
    form = await form_of(request)
    wetink, old = wetink_of(request), wetink_of(request).content.reporting.summary
    try:
        given = summary_in(form)
        results = await wetink.weekly.test(wetink.content, given)
    except BadContent as error:
        return await _page(request, old, error=error, form=form)
    wrong = {channel: why for channel, why in results.items() if why}
    if wrong:
        channel, why = next(iter(wrong.items()))
        where = "to" if channel == "email" else "webhook"
        return await _page(request, old, error=BadContent(f"It was not sent: {why}", where=where), form=form)
    words = [f"{len(given.to)} address{'es' if len(given.to) > 1 else ''}"] if given.to else []
    return redirect(
        request, PAGE, f"A test was sent to {' and '.join([*words, *(['the webhook'] if given.webhook else [])])}."
    )


def summary_in(form: Mapping[str, str]) -> Summary:
    r"""Return the summary in a form. Raises BadContent with the field.

    >>> summary_in({"to": "a@b.c, d@e.f\n a@b.c", "day": "friday", "hour": "9"})
    Summary(to=('a@b.c', 'd@e.f'), webhook='', day='friday', hour=9)
    """
    text = form.get("to", "")
    if len(text) > LONGEST:
        raise BadContent(f"to: more than {LONGEST:,} characters", where="to")
    to = tuple(dict.fromkeys(each for each in re.split(r"[\s,;]+", text) if each))
    hour = whole(form.get("hour", "8"))
    if hour is None or hour > 23:
        raise BadContent("hour: choose an hour from 0 to 23", where="hour")
    day = form.get("day", "monday")
    if day not in DAYS:
        raise BadContent("day: choose a day of the week", where="day")
    found = msgspec.convert({"to": to, "webhook": form.get("webhook", "").strip(), "day": day, "hour": hour}, Summary)
    check(found)
    return found


async def _page(
    request: Request, given: Summary, *, error: BadContent | None = None, form: Mapping[str, str] | None = None
) -> Response:
    wetink = wetink_of(request)
    found = await wetink.weekly.composed(wetink.content)
    form = form or {}
    return page(
        request,
        "results/summary.html",
        status=400 if error is not None else 200,
        problem=error.sentence if error is not None else "",
        where=error.where if error is not None else "",
        summary=given,
        to=form.get("to", "\n".join(given.to)),
        webhook=form.get("webhook", given.webhook),
        chosen_day=form.get("day", given.day),
        hour=form.get("hour", str(given.hour)),
        day_choices=[(each, each.capitalize()) for each in DAYS],
        hour_choices=[(str(each), f"{each:02}:00") for each in range(24)],
        zone=wetink.content.signals.zone,
        mails=wetink.weekly.mails,
        sent=await wetink.weekly.state(),
        digest=found,
        text=text_of(found, wetink.address),
    )
