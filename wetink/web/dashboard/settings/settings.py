"""Settings: the public address, hosts of links, goals, attribution, currencies, time zone and the global holdout."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response

from wetink.content.content import SIGNALS
from wetink.core.errors import BadSettings, Conflict, WetinkError
from wetink.opens.embed import is_local
from wetink.opens.reach import Checked, public_url_of
from wetink.ports.content import digest
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.dashboard.settings.signals_form import MOST_GOALS, MOST_RATES, ROWS, entered, given_by, models, text_of
from wetink.web.request import status_of
from wetink.wiring import Wetink

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "CAD", "AUD", "BRL", "INR", "MXN")
"""Currencies that the form suggests."""
WINDOWS = ("1h", "1d", "3d", "7d", "14d", "30d")


async def settings(request: Request) -> Response:
    """Show the settings."""
    return await _page(request)


async def save_address(request: Request) -> Response:
    """Save the public address and the hosts of links, or with `do=check` only check the address."""
    form = await form_of(request)
    wetink = wetink_of(request)
    try:
        url = wetink.settings.public_url or public_url_of(form.get("public_url", ""))
        checked = await wetink.reaches.check(url, wetink.instance) if url else None
        if form.get("do") == "check":
            return await _page(request, given=form, checked=checked)
        fixed = bool(wetink.settings.public_url)
        hosts = form.get("link_hosts", "")
        await wetink.reaches.save(public_url=None if fixed else url, link_hosts=hosts)
    except (BadSettings, Conflict) as error:
        where = error.where if isinstance(error, BadSettings) and error.where else "public_url"
        return await _page(request, given=form, errors={where: error.sentence}, status=status_of(error))
    doubt = checked.problem or checked.hint if checked is not None else ""
    return redirect(request, "/dashboard/settings", f"Saved. {doubt}" if doubt else "Saved.")


async def save_signals(request: Request) -> Response:
    """Save goals, attribution, currencies, zone and holdout as `signals.yaml`."""
    form = await form_of(request)
    wetink, expected = wetink_of(request), form.pop("expected", "")
    found = entered(form, wetink.content.signals)
    if form.get("do") != "save":
        return await _page(request, given=found.given, errors=found.errors, expected=expected)
    if found.signals is None:
        return await _page(request, given=found.given, errors=found.errors, expected=expected, status=400)
    text, by = text_of(found.signals), session.actor(request)
    try:
        if text:
            await wetink.author.save(SIGNALS, text.encode(), by=by, message="changed settings", expected=expected)
        elif expected:
            await wetink.author.delete([SIGNALS], by=by, message="changed settings", expected={SIGNALS: expected})
    except WetinkError as error:
        why = error.sentence
        return await _page(request, given=found.given, errors={"form": why}, expected=expected, status=status_of(error))
    return redirect(request, "/dashboard/settings", "Saved. Reports use the new settings, also for past days.")


async def _page(
    request: Request,
    *,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    checked: Checked | None = None,
    expected: str | None = None,
    status: int = 200,
) -> Response:
    wetink = wetink_of(request)
    own = given_by(wetink.content.signals)
    own |= {"public_url": wetink.address, "link_hosts": ", ".join(wetink.reaches.kept.link_hosts)}
    if given is not None:
        signals = "zone" in given
        kept = {name: value for name, value in own.items() if name in ("public_url", "link_hosts")} if signals else own
        own = {**kept, **given}
    goals = _rows(own, "goal", MOST_GOALS)
    return page(
        request,
        "settings/settings.html",
        status=status,
        given=own,
        errors=errors or {},
        checked=checked,
        expected=await _digest(wetink) if expected is None else expected,
        fixed=bool(wetink.settings.public_url),
        fixed_hosts=wetink.settings.link_hosts,
        local=is_local(wetink.address),
        goals=goals,
        rates=_rows(own, "rate", MOST_RATES),
        models=models(),
        windows=WINDOWS,
        currencies=CURRENCIES,
        zones=sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        seen=await _events(wetink),
    )


def _rows(given: Mapping[str, str], kind: str, most: int) -> list[dict[str, Any]]:
    """Return the rows of a list in the form, and empty ones for more."""
    numbers = {
        int(name.split(".")[1]) for name in given if name.startswith(f"{kind}.") and name.split(".")[1].isdecimal()
    }
    used = [number for number in sorted(numbers) if any(_of(given, kind, number).values())]
    free = max(used, default=-1) + 1
    rows = [*used, *range(free, min(free + ROWS[kind], most))]
    return [{"index": number, "new": number >= free, **_of(given, kind, number)} for number in rows]


def _of(given: Mapping[str, str], kind: str, number: int) -> dict[str, str]:
    start = f"{kind}.{number}."
    return {name.removeprefix(start): value for name, value in given.items() if name.startswith(start)}


async def _digest(wetink: Wetink) -> str:
    _, files = await wetink.versions.read()
    return digest(files[SIGNALS]) if SIGNALS in files else ""


async def _events(wetink: Wetink) -> list[str]:
    """Return names of recent events, to suggest them for goals."""
    found = await wetink.store.log.messages(limit=200, verdict="usable")
    return sorted({each.name for each in found if each.type == "track" and each.name})[:40]
