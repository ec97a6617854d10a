"""Audiences: members, changes over time, reasons for a person's membership, and webhooks; with an editor."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from wetink.content.uses import audience_uses, listed
from wetink.core.errors import BadContent, Conflict
from wetink.core.outbound.webhook import State, shown_secret
from wetink.core.rules.form import fits_form
from wetink.core.rules.format import words
from wetink.core.rules.tree import All
from wetink.core.signals.audience import Audience, problems_with, rules_of
from wetink.core.text.naming import free_slug
from wetink.core.units.csv import line
from wetink.opens.recipient import parse
from wetink.ports.audiences import Point
from wetink.web import session
from wetink.web.dashboard.audiences import audience_form
from wetink.web.dashboard.audiences.audience_form import Editor, offered
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import field_of, moment_of, named, time_of, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.web.request import now_ms
from wetink.wiring import Wetink

DAY_MS = 86_400_000
DAYS = 90
"""Days of sizes that are shown."""

SOME = 10
"""Members that are shown while a rule is edited."""

_NAME = re.compile(r'name="(rule\.[^"]+)"')

SHOWN = 20
"""Deliveries of each state that are listed."""


class Row(msgspec.Struct, frozen=True):
    """An audience in the list."""

    audience: Audience
    words: str
    points: Sequence[Point]
    line: str
    tallies: Mapping[State, int]

    @property
    def entered(self) -> int:
        """Number of people who joined in the shown days."""
        return sum(point.entered or 0 for point in self.points)

    @property
    def left(self) -> int:
        """Number of people who left in the shown days."""
        return sum(point.left or 0 for point in self.points)


class Bar(msgspec.Struct, frozen=True):
    """One day of the chart: its position, and the heights of joined and left."""

    x: float
    came: float
    went: float
    title: str


class Chart(msgspec.Struct, frozen=True):
    """Sizes as a line, joined and left as bars."""

    points: Sequence[Point]
    line: str
    bars: tuple[Bar, ...]


async def audiences(request: Request) -> Response:
    """List all saved audiences."""
    wetink, since = wetink_of(request), now_ms() - DAYS * DAY_MS
    rows = []
    for audience in wetink.content.audiences.values():
        points = await wetink.audiences.memberships.points(audience.name, since)
        tallies = await wetink.audiences.memberships.tallies(audience.name)
        drawn = line_of(points, since, 100, 28, 3)
        rows.append(Row(audience, _words(audience), points, drawn, tallies))
    problems = [each for each in wetink.content.problems if each.startswith("audiences/")]
    return page(request, "audiences/audiences.html", audiences=rows, days=DAYS, problems=problems)


def _words(audience: Audience) -> str:
    rule = audience.rule
    return ", and ".join(map(words, rule.of)) if isinstance(rule, All) else words(rule)


async def audience(request: Request) -> Response:
    """Show one audience, or the page for a new one, which may begin as a copy of another."""
    name, copied = request.path_params.get("name", ""), request.query_params.get("from", "")
    saved = wetink_of(request).content.audiences
    if copied in saved:
        copy = msgspec.structs.replace(saved[copied], title=f"Copy of {saved[copied].title or copied}", hook=None)
        return await _page(request, audience_form.of_file(copy), None, "")
    found = named(saved, name, "audience") if name else None
    return await _page(request, audience_form.of_file(found), found, name)


async def edit(request: Request) -> Response:
    """Apply a button of the form and show the page again, for browsers without scripts."""
    form = await form_of(request)
    found, name = wetink_of(request).content.audiences.get(form.get("was", "")), form.get("name", "")
    return await _page(request, await asyncio.to_thread(audience_form.of_form, form, name), found, name)


async def tried(request: Request) -> Response:
    """Return the problems of the edited side, and the updated other side."""
    form = await form_of(request)
    return await asyncio.to_thread(_tried, request, form)  # hundreds of conditions take a second to render


def _tried(request: Request, form: Mapping[str, str]) -> Response:
    name, from_form = form.get("name", ""), request.query_params.get("from") == "form"
    editor = audience_form.of_form(form, name) if from_form else audience_form.of_yaml(form.get("yaml", ""), name)
    sides = _sides(request, editor, name)
    drawn = bytes(page(request, "audiences/audience_form.html", **sides).body).decode() if from_form else ""
    return page(
        request,
        "audiences/audience_tried.html",
        redraw_form=not from_form or _fields(drawn) != {name for name in form if name.startswith("rule.")},
        redraw_yaml=from_form,
        **sides,
    )


def _fields(drawn: str) -> set[str]:
    """Return the names of the rule's fields in a form. If others were sent, the form must be drawn again."""
    return set(_NAME.findall(drawn))


async def found(request: Request) -> Response:
    """Return the number of matches of the edited rule, some of them, and the reasons for one person."""
    form = await form_of(request)
    wetink = wetink_of(request)
    editor = await asyncio.to_thread(audience_form.of_yaml, form.get("yaml", ""), form.get("name", ""))
    rule, entered = audience_form.rule_of(editor), form.get("who", "").strip()
    who, now = parse(entered), now_ms()
    moment = msgspec.structs.replace(moment_of(request, now), now=time_of(form.get("at", ""), now))
    saved = rules_of(wetink.content.audiences)
    wrong = editor.wrong if rule is None else await asyncio.to_thread(problems_with, rule, "rule", saved)
    if rule is None or wrong:
        return page(request, "audiences/audience_found.html", wrong=wrong)
    return page(
        request,
        "audiences/audience_found.html",
        wrong=(),
        count=await wetink.audiences.count(wetink.content.audiences, rule, moment),
        some=await wetink.audiences.some(wetink.content.audiences, rule, moment, SOME),
        entered=entered,
        who=who,
        explained=await wetink.opens.explain(wetink.content, rule, who, moment) if who is not None else None,
    )


async def save(request: Request) -> Response:
    """Save the audience. A new one without a name gets one made from its title."""
    form = await form_of(request)
    name, was = form.get("name", "").strip(), form.get("was", "")
    editor = await asyncio.to_thread(audience_form.newest, form, name)
    wetink = wetink_of(request)
    saved = wetink.content.audiences.get(was)
    try:
        if editor.audience is None:
            raise BadContent("; ".join(editor.wrong))
        if not name and not editor.audience.title:
            raise BadContent("Give the audience a title", hint="such as Big spenders")
        called = name or free_slug(editor.audience.title, wetink.content.audiences, "audience")
        audience = msgspec.structs.replace(editor.audience, name=called)
        expected = form.get("base") if was else ""
        await wetink.author.audience(wetink.content, audience, expected=expected, by=session.actor(request))
    except Conflict as error:
        taken = f"There is already an audience called {name}. Give yours another title." if not was else ""
        return await _page(request, editor, saved, name, status=409, error=taken or overtaken(error))
    except BadContent as error:
        problem = error.sentence
        return await _page(request, editor, saved, name, status=400, error=problem)
    session.changed(request, "saved", f"audience {called}")
    return redirect(
        request, f"/dashboard/audiences/{called}", f"{audience.title or called} was {'saved' if was else 'created'}."
    )


def overtaken(error: Conflict) -> str:
    """Return how to go on after somebody else saved an audience first."""
    return f"{str(error)[:1].upper()}{str(error)[1:]}. Your changes are below, unsaved. Reload the page to see theirs."


async def delete(request: Request) -> Response:
    """Delete an audience that no rule names."""
    await form_of(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    found = named(wetink.content.audiences, name, "audience")
    if used := audience_uses(wetink.content, name):
        error = f"Used by {listed(used)}. Remove it from those rules first."
        return await _page(request, audience_form.of_file(found), found, name, status=409, error=error)
    path, _ = await wetink.author.audience_file(name)
    message = f"deleted the audience {found.called}"
    version = await wetink.author.delete([path], by=session.actor(request), message=message)
    session.changed(request, "deleted", f"audience {name}")
    undo = undo_version(version, f"/dashboard/audiences/{name}")
    return redirect(request, "/dashboard/audiences", f"{found.called} was deleted.", undo)


async def again(request: Request) -> Response:
    """Retry failed deliveries."""
    await form_of(request)
    name = request.path_params["name"]
    await wetink_of(request).audiences.memberships.again(name, now_ms())
    return RedirectResponse(f"/dashboard/audiences/{name}?again=1", 303)


async def as_csv(request: Request) -> Response:
    """Return all members of an audience as CSV, one on each line."""
    wetink, name = wetink_of(request), request.path_params["name"]
    audience = named(wetink.content.audiences, name, "audience")
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return StreamingResponse(_lines(wetink, audience), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(wetink: Wetink, audience: Audience) -> AsyncIterator[str]:
    now = now_ms()
    yield line(["profile", "user_id", "email"])
    async for member in wetink.audiences.members(wetink.content.audiences, audience.rule, now):
        profile = await wetink.store.profiles.profile(member, now)
        named = {each.kind: each.value for each in reversed(profile.identifiers)}
        yield line([str(member), named.get("user", ""), named.get("email", "")])


def line_of(points: Sequence[Point], since: int, width: int, height: int, margin: int) -> str:
    """Return sizes as the points of an SVG line, from `since` (Unix ms) to the last one; empty for fewer than two."""
    if len(points) < 2:
        return ""
    first, span = points[0].at, max(points[-1].at - points[0].at, 1)
    low, high = min(point.size for point in points), max(point.size for point in points)
    scale = (height - 2 * margin) / ((high - low) or 1)
    return " ".join(
        f"{(point.at - first) / span * width:.1f},{height - margin - (point.size - low) * scale:.1f}"
        for point in points
    )


def chart_of(points: Sequence[Point], since: int) -> Chart:
    """Return the chart of an audience's days."""
    most = max((max(point.entered or 0, point.left or 0) for point in points), default=0) or 1
    first = points[0].at if points else since
    span = max(points[-1].at - first, DAY_MS) if points else 1
    bars = tuple(
        Bar(
            round((point.at - first) / span * 690 + 3, 1),
            round((point.entered or 0) / most * 24, 1),
            round((point.left or 0) / most * 24, 1),
            _deliveries(point),
        )
        for point in points
    )
    return Chart(points, line_of(points, since, 700, 110, 8), bars)


def _deliveries(point: Point) -> str:
    moved = "" if point.entered is None else f", {point.entered:,} joined, {point.left or 0:,} left"
    return f"{field_of(point.at)[:10]}: {point.size:,} people{moved}"


async def _page(
    request: Request, editor: Editor, saved: Audience | None, name: str, *, status: int = 200, error: str = ""
) -> Response:
    wetink, since = wetink_of(request), now_ms() - DAYS * DAY_MS
    query = request.query_params
    done = "Retrying failed deliveries." if "again" in query else ""
    more: dict[str, Any] = {"base": "", "used": ()}
    if saved is not None:
        _, more["base"] = await wetink.author.audience_file(saved.name)
        more["used"] = audience_uses(wetink.content, saved.name)
        more["chart"] = chart_of(await wetink.audiences.memberships.points(saved.name, since), since)
    if saved is not None and saved.hook is not None:
        kept = wetink.audiences.memberships
        more["tallies"] = await kept.tallies(saved.name)
        signed = saved.hook.send == "webhook"
        more["secret"] = shown_secret(wetink.audiences.hooks.secret_of(saved.name)) if signed else ""
        states: tuple[State, ...] = ("dead", "waiting", "delivered")
        more["deliveries"] = {state: await kept.deliveries(saved.name, state, SHOWN) for state in states}
    return await asyncio.to_thread(
        page,
        request,
        "audiences/audience.html",
        status=status,
        saved=saved,
        done=done,
        error=error,
        who=query.get("who", ""),
        at=query.get("at", ""),
        days=DAYS,
        every=f"every {wetink.settings.audience_seconds} seconds",
        redraw_form=False,
        redraw_yaml=False,
        **_sides(request, editor, name),
        **more,
    )


def _sides(request: Request, editor: Editor, name: str) -> dict[str, Any]:
    return {
        "called": name,
        "title": editor.title,
        "draft": editor.draft,
        "fits": fits_form(editor.draft),
        "hook": {"url": "", "send": "webhook", **editor.hook},
        "yaml": editor.yaml,
        "wrong": editor.wrong,
        **offered(request, name),
    }
