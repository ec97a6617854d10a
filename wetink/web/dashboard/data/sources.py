"""Sources: all senders, one sender with its counters and settings, and a form for a new one. A key is shown once."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import BadRequest, BadSettings, NotFound, WetinkError
from wetink.core.events.event import Level
from wetink.core.text.link import own_hosts
from wetink.ports import NewKey, Received, Source, Storage
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.rates import Rates, burst_of
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

LONGEST_NAME = 64
LOOKED_AT = 2_000
"""The newest messages that counters are made of."""
HOUR_MS = 3_600_000
SHOWN = 5
"""Problems and messages of a source that are shown."""
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")

Change = Callable[[Storage, str, Mapping[str, str]], Awaitable[NewKey | str | None]]
"""Changes a source. Returns the new key or secret to show, None without one."""


class Counted(msgspec.Struct, frozen=True):
    """What the newest messages say of a source. `share` is its part of them; times are Unix ms, 0 for never.

    `per_hour` is its rate over the time that they span, `problems` are codes with their numbers of messages.
    """

    messages: int = 0
    share: float = 0.0
    per_hour: float = 0.0
    last: int = 0
    verdicts: Mapping[str, int] = {}
    problems: tuple[tuple[str, int], ...] = ()
    newest: tuple[Received, ...] = ()


def counted(newest: Sequence[Received], source: str, now: int) -> Counted:
    """Return the counters of a source from the newest messages of all sources, the newest first."""
    own = [each for each in newest if each.source == source]
    if not own:
        return Counted()
    hours = max(now - newest[-1].received, 60_000) / HOUR_MS
    problems = Counter(code for each in own for code in {problem.code for problem in each.problems})
    return Counted(
        len(own),
        len(own) / len(newest),
        len(own) / hours,
        own[0].received,
        Counter(each.verdict for each in own),
        tuple(problems.most_common(SHOWN)),
        tuple(own[:SHOWN]),
    )


async def moved(request: Request) -> Response:
    """Lead from the earlier address of this page to the present one."""
    return RedirectResponse("/dashboard/sources", 301)


async def sources(request: Request) -> Response:
    """Show the sources with their counters, and the form."""
    return await _list(request)


async def source(request: Request) -> Response:
    """Show one source."""
    return await _one(request, request.path_params["name"])


async def make_key(request: Request) -> Response:
    """Make a key from the form, and show it once."""
    form = await form_of(request)
    name, hosts = form.get("name", "").strip(), form.get("hosts", "")
    level: Level = "browser" if form.get("level") == "browser" else "server"
    given = {"name": name, "level": level, "hosts": hosts}
    try:
        _check_name(name)
        made = await wetink_of(request).store.sources.create_key(name, level, _hosts(hosts), now_ms())
    except BadSettings as error:
        return await _list(request, status=400, error=error.sentence, given=given)
    session.changed(request, "made", f"source {name}", detail=level)
    return await _one(request, name, made=made)


async def change_source(request: Request) -> Response:
    """Apply the form's change to a source. New keys and secrets are shown once."""
    form = await form_of(request)
    name, change = form.get("name", ""), CHANGES.get(form.get("change", ""))
    try:
        if change is None:
            raise BadRequest("this form asks for an unknown change", hint="reload the page")
        shown = await change(wetink_of(request).store, name, form)
    except WetinkError as error:
        wrong = (form.get("change", ""), error.sentence)
        try:
            return await _one(request, name, status=status_of(error), wrong=wrong)
        except NotFound:
            return await _list(request, status=status_of(error), error=error.sentence)
    session.changed(request, LOGGED[form["change"]], f"source {name}")
    if isinstance(shown, NewKey):
        return await _one(request, name, made=shown, rotated=True)
    if isinstance(shown, str):
        return await _one(request, name, secret=shown)
    name = form.get("new", "").strip() if form.get("change") == "rename" else name
    onward = "/dashboard/sources" if form.get("change") == "delete" else path_of(name)
    return redirect(request, onward, DONE[form["change"]])


def path_of(name: str) -> str:
    """Return the path of a source's page."""
    return f"/dashboard/sources/{quote(name, safe='')}"


async def _rotate(store: Storage, name: str, form: Mapping[str, str]) -> NewKey:
    return await store.sources.rotate_key(name, now_ms())


async def _retire(store: Storage, name: str, form: Mapping[str, str]) -> None:
    _sure(form)
    await store.sources.retire_key(name)


async def _switch(store: Storage, name: str, form: Mapping[str, str]) -> None:
    await store.sources.set_source(name, disabled=form.get("change") == "disable")


async def _rename(store: Storage, name: str, form: Mapping[str, str]) -> None:
    new = form.get("new", "").strip()
    _check_name(new)
    if new != name:
        await store.sources.rename_source(name, new)


async def _delete(store: Storage, name: str, form: Mapping[str, str]) -> None:
    _sure(form)
    await store.sources.delete_source(name)


async def _renew(store: Storage, name: str, form: Mapping[str, str]) -> str:
    return await store.sources.renew_secret(name)


async def _set(store: Storage, name: str, form: Mapping[str, str]) -> None:
    orders: Literal["count", "wait"] = "wait" if form.get("orders") == "wait" else "count"
    await store.sources.set_source(
        name,
        verify="verify" in form,
        orders=orders,
        per_second=_number(form, "per_second", "events a second"),
        burst=int(_number(form, "burst", "events at once")),
        hosts=_hosts(form["hosts"]) if "hosts" in form else None,
    )


CHANGES: Mapping[str, Change] = {
    "rotate": _rotate,
    "retire": _retire,
    "disable": _switch,
    "enable": _switch,
    "rename": _rename,
    "delete": _delete,
    "renew": _renew,
    "set": _set,
}
"""Changes by name in the form."""

LOGGED: Mapping[str, str] = {
    **{"rotate": "rotated", "retire": "ended the old key of", "disable": "disabled", "enable": "enabled"},
    **{"renew": "renewed the identity secret of", "set": "changed"},
    **{"rename": "renamed", "delete": "deleted"},
}
"""Changes in words for the audit log."""

DONE = {
    "retire": "The old key has ended.",
    "disable": "Disabled. wetink refuses all of its messages.",
    "enable": "Enabled.",
    "rename": "Renamed. Its earlier messages keep the old name.",
    "delete": "Deleted. The messages that it sent stay.",
    "set": "Saved.",
}
"""What a change did, in words."""


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or "/" in name:
        raise BadSettings("a source needs a name", hint=f"use at most {LONGEST_NAME} characters, such as shop-backend")


def _hosts(text: str) -> list[str]:
    return own_hosts(re.split(r"[\s,]+", text))


def _sure(form: Mapping[str, str]) -> None:
    if form.get("sure") != "yes":
        raise BadRequest("nothing was changed", hint="check the box to confirm it")


def _number(form: Mapping[str, str], name: str, what: str) -> float:
    text = form.get(name, "").strip()
    if not re.fullmatch(r"\d{0,9}(?:\.\d{1,3})?", text, re.ASCII):
        raise BadSettings(f"{text[:20]!r} is not a number of {what}", hint="write 50, or leave it empty for no limit")
    return float(text or 0)


def _refused(wetink: Wetink, found: Sequence[Source]) -> Mapping[str, tuple[int, int]]:
    with closing(Rates(wetink.settings.data / "rates")) as rates:
        return rates.refused(found)


async def _list(
    request: Request, *, status: int = 200, error: str = "", given: Mapping[str, str] | None = None
) -> Response:
    wetink = wetink_of(request)
    found = await wetink.store.sources.all()
    newest = await wetink.store.log.messages(limit=LOOKED_AT)
    now = now_ms()
    return page(
        request,
        "data/sources.html",
        status=status,
        sources=found,
        counters={each.name: counted(newest, each.name, now) for each in found},
        refused=_refused(wetink, found),
        path_of=path_of,
        error=error,
        given=given or {"name": "", "level": "server", "hosts": ""},
    )


async def _one(
    request: Request,
    name: str,
    *,
    status: int = 200,
    wrong: tuple[str, str] = ("", ""),
    made: NewKey | None = None,
    secret: str = "",
    rotated: bool = False,
) -> Response:
    wetink = wetink_of(request)
    found = next((each for each in await wetink.store.sources.all() if each.name == name), None)
    if found is None:
        raise NotFound(f"there is no source called {name[:64]!r}")
    newest = await wetink.store.log.messages(limit=LOOKED_AT)
    context: dict[str, Any] = {
        "source": found,
        "counters": counted(newest, name, now_ms()),
        "looked_at": len(newest),
        "since": newest[-1].received if newest else 0,
        "refused": _refused(wetink, [found]).get(name),
        "burst": burst_of(found),
        "address": wetink.address,
        "wrong": wrong,
        "made": made,
        "secret": secret,
        "rotated": rotated,
    }
    return page(request, "data/source.html", status=status, **context)
