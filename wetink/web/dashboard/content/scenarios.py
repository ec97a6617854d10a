"""Scenarios: the tests of blocks, with their results, made and edited by mouse."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.content import YAML, Content
from wetink.content.scenario import Outcome, Scenario, decided, outcomes
from wetink.content.scenario_form import TRAIT, Row, ScenarioForm, form_of, posted, raw_of, text_of
from wetink.content.strict_yaml import parse_all
from wetink.core.blocks.block import Decision
from wetink.core.errors import BadContent, Conflict, NotFound, WetinkError
from wetink.core.text.naming import free_slug
from wetink.ports.content import digest
from wetink.web import session
from wetink.web.dashboard.content.preview import properties_of
from wetink.web.dashboard.page.form import form_of as fields_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect, undo_version
from wetink.wiring import Wetink

EVENTS = (
    *("Product Viewed", "Product Added", "Product Removed", "Product Added to Wishlist", "Order Completed"),
    *("Cart Viewed", "Products Searched", "Checkout Started"),
)
"""Events that the form offers. Others can be written."""


OFFERED = 200
"""Products of the catalog that the form offers. The key of any other can be written."""


class Listed(msgspec.Struct, frozen=True):
    """One scenario file in the list: its name, and the outcome of each of its scenarios for each block."""

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> int:
        """Number of outcomes that differ from the expected ones."""
        return sum(bool(each.wrong) for each in self.outcomes)


async def scenarios(request: Request) -> Response:
    """List all scenarios with their results on the published content."""
    wetink = wetink_of(request)
    version, tree = await wetink.versions.current()
    found = await asyncio.to_thread(lambda: list(outcomes(tree, wetink.content, wetink.apps)))
    files: dict[str, list[Outcome]] = {}
    for each in found:
        files.setdefault(PurePosixPath(each.file).stem, []).append(each)
    listed = [Listed(name, (*some,)) for name, some in files.items()]
    return page(request, "content/scenarios.html", files=listed, blocks=wetink.content.blocks, version=version.number)


async def scenario(request: Request) -> Response:
    """Show one scenario, or the form of a new one for the query's block."""
    wetink, name = wetink_of(request), request.path_params["name"]
    if name == "new":
        block = request.query_params.get("block", "") or next(iter(wetink.content.listed), "")
        return await _page(request, "new", ScenarioForm(block=block, rows=()), "")
    path, body = await _file(wetink, name)
    documents = list(parse_all(body.decode()))
    form = form_of(documents[0]) if len(documents) == 1 else None
    return await _page(request, name, form, digest(body), text=body.decode(), path=path)


async def edit(request: Request) -> Response:
    """Try a scenario, add or remove one of its events, save it, or delete it."""
    fields = await fields_of(request)
    wetink, name, do = wetink_of(request), request.path_params["name"], fields.get("do", "")
    if do == "delete":
        return await _delete(request, name)
    if "text" in fields:
        return await _save(request, name, None, fields, fields["text"].replace("\r\n", "\n"))
    form = await _filled(wetink, posted(fields))
    if do == "save":
        return await _save(request, name, form, fields, "")
    return await _page(request, name, form, fields.get("base", ""), part="hx-request" in request.headers)


async def _save(
    request: Request, name: str, form: ScenarioForm | None, fields: Mapping[str, str], text: str
) -> Response:
    wetink, base = wetink_of(request), fields.get("base", "")
    try:
        if form is not None:
            if not form.title:
                raise BadContent("Give the scenario a title", hint="such as The cart goes first", where="title")
            text = text_of([raw_of(form, await _decided(wetink, form))])
        path, called = await _place(wetink, name, form)
        message = f"saved the scenario {form.title if form is not None else name}"
        await wetink.author.save(path, text.encode(), by=session.actor(request), message=message, expected=base)
    except (BadContent, Conflict) as error:
        return await _page(request, name, form, base, text=text, error=error, status=400)
    session.changed(request, "saved", f"scenario {called}")
    return redirect(request, "/dashboard/scenarios", "The scenario was saved. Publishing a block runs it.")


async def _place(wetink: Wetink, name: str, form: ScenarioForm | None) -> tuple[str, str]:
    """Return the path and the name of a scenario's file."""
    if name != "new" or form is None:
        return (await _file(wetink, name))[0], name
    version = await wetink.versions.newest()
    taken = [PurePosixPath(path).stem for path in version.files if path.startswith("scenarios/")]
    called = free_slug(form.title, ["new", *taken], "scenario")
    return f"scenarios/{called}.yaml", called


async def _delete(request: Request, name: str) -> Response:
    wetink = wetink_of(request)
    path, _ = await _file(wetink, name)
    version = await wetink.author.delete([path], by=session.actor(request), message=f"deleted the scenario {name}")
    session.changed(request, "deleted", f"scenario {name}", version=version)
    undo = undo_version(version, "/dashboard/scenarios")
    return redirect(request, "/dashboard/scenarios", "The scenario was deleted.", undo)


async def _file(wetink: Wetink, name: str) -> tuple[str, bytes]:
    """Return the path and text of a scenario file. Raises NotFound."""
    _, tree = await wetink.versions.current()
    for suffix in YAML:
        if (path := f"scenarios/{name}{suffix}") in tree:
            return path, tree[path]
    raise NotFound(f"there is no scenario called {name[:64]!r}")


async def _filled(wetink: Wetink, form: ScenarioForm) -> ScenarioForm:
    """Return the form with the catalog's data of the products that were chosen."""
    known = await wetink.store.catalog.products([row.product for row in form.rows if row.product])

    def filled(row: Row) -> Row:
        product = known.get(row.product)
        if row.event == TRAIT or product is None:
            return row
        return replace(row, raw=msgspec.json.encode(properties_of(row.event, product)).decode())

    return replace(form, rows=tuple(map(filled, form.rows)))


async def _decided(wetink: Wetink, form: ScenarioForm) -> Decision:
    """Return what the block shows in a scenario. Raises BadContent."""
    if form.block not in wetink.content.blocks:
        raise BadContent("Choose a block", where="block")
    raw = raw_of(form)
    raw["expect"] = {form.block: {}}
    try:
        given = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    return await asyncio.to_thread(decided, given, form.block, wetink.content, wetink.apps)


async def _page(
    request: Request,
    name: str,
    form: ScenarioForm | None,
    base: str,
    *,
    text: str = "",
    path: str = "",
    error: WetinkError | None = None,
    status: int = 200,
    part: bool = False,
) -> Response:
    wetink = wetink_of(request)
    decision = None
    problem = error
    if form is not None and error is None:
        try:
            decision = await _decided(wetink, form)
        except BadContent as wrong:
            problem = wrong
    where, said = _said(problem)
    return page(
        request,
        "content/scenario_form.html" if part else "content/scenario.html",
        status=status,
        called=name,
        form=form,
        base=base,
        text=text,
        file=path,
        wrong={where: said} if where else {},
        problem="" if where else said,
        decision=decision,
        choices=_choices(wetink.content),
        events=EVENTS,
        products=await _products(wetink) if form is not None else (),
        trait=TRAIT,
    )


_EVENT = re.compile(r"events\[([0-9]+)\]")


def _said(problem: WetinkError | None) -> tuple[str, str]:
    """Return the field of a problem, empty if it belongs to none, and its words."""
    if problem is None:
        return "", ""
    if found := _EVENT.match(str(problem)):
        needs_product = "product" in str(problem)
        words = "Choose a product of the catalog" if needs_product else str(problem).removeprefix(found[0]).lstrip(": ")
        return f"e.{found[1]}.{'product' if needs_product else 'ago'}", words
    return problem.where, problem.sentence


async def _products(wetink: Wetink) -> list[tuple[str, str]]:
    """Return some products of the catalog, each with its key and its name."""
    keys = await wetink.store.catalog.keys("", OFFERED)
    return [(key, each.name) for key, each in (await wetink.store.catalog.products(keys)).items()]


def _choices(content: Content) -> Sequence[tuple[str, Any]]:
    return [(name, block.called) for name, block in content.listed.items()]
