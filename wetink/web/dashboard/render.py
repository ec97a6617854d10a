"""Render: one page from one template, with everything escaped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from wetink.core.rules.words import compact
from wetink.core.rules.words import words as words_of
from wetink.web import session
from wetink.web.clock import now_ms
from wetink.web.dashboard import words

NAVIGATION = (
    ("/dashboard", "Overview"),
    ("/dashboard/reports", "Reports"),
    ("/dashboard/experiments", "Experiments"),
    ("/dashboard/live", "Live"),
    ("/dashboard/people", "People"),
    ("/dashboard/apps", "Gallery"),
    ("/dashboard/blocks", "Blocks"),
    ("/dashboard/audiences", "Audiences"),
    ("/dashboard/opens", "Opens"),
    ("/dashboard/catalog", "Catalog"),
    ("/dashboard/feeds", "Feeds"),
    ("/dashboard/mappings", "Mappings"),
    ("/dashboard/keys", "Keys"),
)


@pass_context
def _stamp(context: Context, at: int) -> Markup:
    return words.stamp(at, context["now"])


@pass_context
def _day(context: Context, at: int) -> str:
    return words.day(at, context["now"])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        stamp=_stamp,
        day=_day,
        absolute=words.absolute,
        clock=words.clock,
        coded=words.coded,
        compact=compact,
        money=words.money,
        number=words.number,
        plain=words.plain,
        pretty=words.pretty,
        rule=words_of,
    )
    environment.tests["link"] = words.is_link
    environment.globals.update(
        share=words.share,
        percent=words.percent,
        person_path=words.person_path,
        product_path=words.product_path,
        changed=words.changed,
        navigation=NAVIGATION,
    )
    return environment


TEMPLATES = _environment()


def page(
    request: Request, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """Return the page made of template `name`.

    A template also sees `path` (of the request), `now` (Unix ms), `status` and `csrf` (for its forms). Pages hold
    people's data: no cache may keep them.
    """
    own = {"path": request.url.path, "now": now_ms(), "status": status, "csrf": session.csrf(request)}
    body = TEMPLATES.get_template(name).render({**own, **context})
    return HTMLResponse(body, status, {"cache-control": "no-store", **(headers or {})})


def missing(request: Request, title: str, message: str, hint: str = "") -> HTMLResponse:
    """Return the friendly page for what is not there (404)."""
    return page(request, "error.html", status=404, title=title, message=message, hint=hint)
