"""Keys: the sources with their settings, and a form for a new one. A key is shown once."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import BadRequest, BadSettings, WetinkError
from wetink.core.events.event import Level
from wetink.core.text.link import own_hosts
from wetink.ports import NewKey, Storage
from wetink.web import session
from wetink.web.dashboard.query import form_of, wetink_of
from wetink.web.dashboard.render import page
from wetink.web.rates import Rates, burst_of
from wetink.web.request import now_ms, status_of

LONGEST_NAME = 64
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")

Change = Callable[[Storage, str, Mapping[str, str]], Awaitable[NewKey | str | None]]
"""Changes a source. Returns the new key or secret to show, None without one."""


async def keys(request: Request) -> Response:
    """Show the sources and the form."""
    return await _page(request)


async def make_key(request: Request) -> Response:
    """Make a key from the form, and show it once."""
    form = await form_of(request)
    session.check_csrf(request, form)
    name, hosts = form.get("name", "").strip(), form.get("hosts", "")
    level: Level = "browser" if form.get("level") == "browser" else "server"
    given = {"name": name, "level": level, "hosts": hosts}
    try:
        if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
            raise BadSettings("a key needs a name", hint=f"use at most {LONGEST_NAME} characters, such as shop-backend")
        made = await wetink_of(request).store.sources.create_key(
            name, level, own_hosts(re.split(r"[\s,]+", hosts)), now_ms()
        )
    except BadSettings as error:
        return await _page(request, status=400, error=_with_hint(error), given=given)
    session.changed(request, "made", f"key {name}", detail=level)
    return await _page(request, made=made, given={"name": name, "level": level, "hosts": ""})


async def change_key(request: Request) -> Response:
    """Apply the form's change to a source. New keys and secrets are shown once."""
    form = await form_of(request)
    session.check_csrf(request, form)
    name, change = form.get("name", ""), CHANGES.get(form.get("change", ""))
    try:
        if change is None:
            raise BadRequest("this form asks for an unknown change", hint="reload the page")
        found = await change(wetink_of(request).store, name, form)
    except WetinkError as error:
        return await _page(request, status=status_of(error), wrong=(name, _with_hint(error)))
    session.changed(request, DONE[form["change"]], f"key {name}")
    if found is None:
        return RedirectResponse("/dashboard/keys", 303)
    made, secret = (found, "") if isinstance(found, NewKey) else (None, found)
    level = next((each.level for each in await wetink_of(request).store.sources.all() if each.name == name), "server")
    given = {"name": name, "level": level, "hosts": ""}
    return await _page(request, made=made, secret=secret, given=given, rotated=made is not None)


async def _rotate(store: Storage, name: str, form: Mapping[str, str]) -> NewKey:
    return await store.sources.rotate_key(name, now_ms())


async def _retire(store: Storage, name: str, form: Mapping[str, str]) -> None:
    _sure(form)
    await store.sources.retire_key(name)


async def _switch(store: Storage, name: str, form: Mapping[str, str]) -> None:
    await store.sources.set_source(name, disabled=form.get("change") == "disable")


async def _delete(store: Storage, name: str, form: Mapping[str, str]) -> None:
    _sure(form)
    await store.sources.delete_source(name)


async def _secret(store: Storage, name: str, form: Mapping[str, str]) -> str:
    return (await store.sources.set_source(name)).secrets[0]


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
    )


CHANGES: Mapping[str, Change] = {
    "rotate": _rotate,
    "retire": _retire,
    "disable": _switch,
    "enable": _switch,
    "delete": _delete,
    "secret": _secret,
    "renew": _renew,
    "set": _set,
}
"""Changes by name in the form."""
DONE: Mapping[str, str] = {
    **{"rotate": "rotated", "retire": "ended the old", "disable": "disabled", "enable": "enabled", "delete": "deleted"},
    **{"secret": "showed the identity secret of", "renew": "renewed the identity secret of", "set": "changed"},
}
"""The same in words for the audit log."""


def _sure(form: Mapping[str, str]) -> None:
    if form.get("sure") != "yes":
        raise BadRequest("nothing was changed", hint="check the box to confirm it")


def _number(form: Mapping[str, str], name: str, what: str) -> float:
    text = form.get(name, "").strip()
    if not re.fullmatch(r"\d{0,9}(?:\.\d{1,3})?", text, re.ASCII):
        raise BadSettings(f"{text[:20]!r} is not a number of {what}", hint="write 50, or leave it empty for no limit")
    return float(text or 0)


def _with_hint(error: WetinkError) -> str:
    return f"{error}{f' ({error.hint})' if error.hint else ''}"


async def _page(
    request: Request,
    *,
    status: int = 200,
    error: str = "",
    wrong: tuple[str, str] = ("", ""),
    given: Mapping[str, str] | None = None,
    made: NewKey | None = None,
    secret: str = "",
    rotated: bool = False,
) -> Response:
    wetink = wetink_of(request)
    sources = await wetink.store.sources.all()
    with closing(Rates(wetink.settings.data / "rates")) as rates:
        refused = rates.refused(sources)
    context: dict[str, Any] = {
        "sources": sources,
        "refused": refused,
        "burst_of": burst_of,
        "address": wetink.address,
        "error": error,
        "wrong": wrong,
        "given": given or {"name": "", "level": "server", "hosts": ""},
        "made": made,
        "secret": secret,
        "rotated": rotated,
    }
    return page(request, "keys.html", status=status, **context)
