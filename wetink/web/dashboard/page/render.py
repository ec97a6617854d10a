"""Render: one page from one template, with everything escaped."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from wetink.core.access.role import SAYS
from wetink.core.errors import begun, sentences
from wetink.core.identity.identifier import Identifier
from wetink.core.rules.format import compact
from wetink.core.rules.format import words as words_of
from wetink.web import session
from wetink.web.dashboard.navigation import NAVIGATION, current, folded
from wetink.web.dashboard.page import formats
from wetink.web.dashboard.page.appearance import folded_of, theme_of
from wetink.web.dashboard.page.toasts import forget, told
from wetink.web.request import now_ms


def person_path(who: Identifier) -> str:
    """Return the path of a person's page.

    >>> person_path(Identifier("user", "a/b c"))
    '/dashboard/people/user:a%2Fb%20c'
    """
    return f"/dashboard/people/{who.kind}:{quote(who.value, safe='')}"


def product_path(key: str) -> str:
    """Return the path of a product's page."""
    return f"/dashboard/catalog/product?{urlencode({'key': key})}"


def icon(name: str, size: int = 16) -> Markup:
    """Return an icon of Lucide, by its name, from the sprite that `make assets` builds. Screen readers skip it."""
    return Markup(
        '<svg class="icon" width="{size}" height="{size}" aria-hidden="true"><use href="{sprite}#{name}"/></svg>'
    ).format(size=size, sprite="/static/built/icons.svg", name=name)


def _stamp(at: int) -> Markup:
    return formats.stamp(at, now_ms())


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        stamp=_stamp,
        absolute=formats.absolute,
        attributes=formats.attributes,
        clock=formats.clock,
        json=formats.as_json,
        begun=begun,
        coded=formats.coded,
        compact=compact,
        money=formats.money,
        number=formats.number,
        plain=formats.plain,
        pretty=formats.pretty,
        rule=words_of,
        sentences=sentences,
    )
    environment.tests["link"] = formats.is_link
    environment.globals.update(
        share=formats.share,
        percent=formats.percent,
        points=formats.points,
        person_path=person_path,
        product_path=product_path,
        changed=formats.changed,
        roles=SAYS,
        navigation=NAVIGATION,
        icon=icon,
    )
    return environment


TEMPLATES = _environment()


def page(
    request: Request, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """Return the page of template `name`.

    A template also gets `path` (of the request), `now` (Unix ms), `status`, `csrf` (for its forms), `me` (who is signed
    in, or None), `may(path)` (whether they may send a form there), `may_open(path)`, `role_to_change` and the state of
    the frame: `theme`, `here` (the entry of the navigation), `folded` and `toast`. Pages have personal data, so they
    are never cached.
    """
    here = current(request.url.path)
    own = {
        "path": request.url.path,
        "now": now_ms(),
        "status": status,
        "csrf": session.csrf(request),
        "theme": theme_of(request),
        "here": here,
        "me": session.who(request),
        "may": partial(session.may, request),
        "may_open": partial(session.may_open, request),
        "role_to_change": session.role_to_change(request),
        "folded": folded(folded_of(request), here),
    }
    # A part of a page has no place for it.
    toast = None if "hx-request" in request.headers else told(request)
    body = TEMPLATES.get_template(name).render({**own, "toast": toast, **context})
    response = HTMLResponse(body, status, {"cache-control": "no-store", **(headers or {})})
    if toast is not None:
        forget(response)
    return response
