"""Search: pages, content, people, products and docs by a few words, as a page and as a part of the search dialog."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import WetinkError
from wetink.core.identity.identifier import STRENGTH, Identifier
from wetink.core.text.search import fit
from wetink.opens.recipient import parse
from wetink.ports import Profile
from wetink.web import session
from wetink.web.dashboard.help.docs import all_docs
from wetink.web.dashboard.navigation import ENTRIES, NAVIGATION, Group
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page, person_path, product_path
from wetink.web.request import now_ms
from wetink.wiring import Wetink

LONGEST = 200
FEW, MORE = 5, 20
"""Results in each group: in the dialog, and on the page."""

PATIENCE_S, PATIENCE_ON_PAGE_S = 0.08, 5.0
"""How long people and products are waited for. The dialog answers within 100 ms, and names those that take longer."""


class Result(msgspec.Struct, frozen=True):
    """One thing that was found. `also` has more words that find it.

    A person has an identifier (`who`), and the root of the profile (`person`).
    """

    title: str
    path: str
    note: str = ""
    also: str = ""
    who: str = ""
    person: str = ""


class Results(msgspec.Struct, frozen=True):
    """Results of one kind, the best first; `late` while they are still looked for. `icon` is a name from Lucide."""

    title: str
    icon: str
    results: Sequence[Result]
    late: bool = False


class Kind(msgspec.Struct, frozen=True):
    """Things that are in memory: `all_of` lists them, and those that fit are the results."""

    title: str
    icon: str
    all_of: Callable[[Wetink], Iterable[Result]]


Find = Callable[[Wetink, str, int], Coroutine[Any, Any, Sequence[Result]]]
"""Returns at most so many results for what was typed."""


class Stored(msgspec.Struct, frozen=True):
    """Things in the store. Results of a quick way to `find` them do not wait for those of a slow one."""

    title: str
    icon: str
    find: tuple[Find, ...]


def _pages(_: Wetink) -> Iterable[Result]:
    for each in NAVIGATION:
        if isinstance(each, Group):
            yield from (Result(entry.title, entry.path, each.title, each.title) for entry in each.entries)
        else:
            yield Result(each.title, each.path)


def _blocks(wetink: Wetink) -> Iterable[Result]:
    for name, each in wetink.content.blocks.items():
        yield Result(each.called, f"/dashboard/blocks/{name}", name if each.title else "", name)


def _audiences(wetink: Wetink) -> Iterable[Result]:
    for name, each in wetink.content.audiences.items():
        yield Result(each.called, f"/dashboard/audiences/{name}", name if each.title else "", name)


def _apps(wetink: Wetink) -> Iterable[Result]:
    for name, each in wetink.apps.items():
        yield Result(each.title, f"/dashboard/apps/{name}", each.about, name)


def _templates(wetink: Wetink) -> Iterable[Result]:
    for name in (file.removesuffix(".liquid") for file in wetink.content.templates):
        yield Result(name, f"/dashboard/templates/{quote(name, safe='')}")


def _media(wetink: Wetink) -> Iterable[Result]:
    for room, files in (("images", wetink.content.images), ("fonts", wetink.content.fonts)):
        for name in files:
            yield Result(name, f"/dashboard/media/{room}/{quote(name, safe='')}")


def _feeds(wetink: Wetink) -> Iterable[Result]:
    for name in wetink.content.feeds:
        yield Result(name, f"/dashboard/feeds/{name}")


def _docs(_: Wetink) -> Iterable[Result]:
    for each in all_docs().values():
        for section in each.sections:
            anchor, note = (f"#{section.anchor}", each.title) if section.level > 1 else ("", "")
            if section.level <= 3:
                yield Result(section.title, f"{each.path}{anchor}", note, each.title)


async def _people(wetink: Wetink, entered: str, most: int) -> Sequence[Result]:
    kind, colon, value = entered.partition(":")
    search = value.strip() if colon and kind in STRENGTH else entered
    exact = parse(entered) if colon else None
    known = await wetink.store.profiles.profiles(limit=most, search=search) if len(search) > 1 else ()
    people = {_named(each, search): str(each.root) for each in known}
    people = {**({exact: people.get(exact, str(exact))} if exact else {}), **people}
    found = [(Result(each.value, person_path(each), each.kind, "", str(each), root)) for each, root in people.items()]
    return found[:most]


async def _people_by_name(wetink: Wetink, entered: str, most: int) -> Sequence[Result]:
    if len(entered) < 2 or ":" in entered:
        return ()
    rows = await wetink.directory.named(entered, most, now_ms())
    return [
        Result(each.name or each.address, person_path(each.root), each.address or each.root.value, "", root, root)
        for each in rows
        if (root := str(each.root))
    ]


async def people(wetink: Wetink, entered: str, most: int) -> Sequence[Result]:
    """Return the people whom a few letters find: by the start of an identifier, by name, or by address."""
    found = await asyncio.gather(*(_looked(find, wetink, entered, most) for find in PEOPLE))
    return _merged([each for each in found if each is not None], most)


def _named(profile: Profile, search: str) -> Identifier:
    """Return the identifier that somebody typed the start of, or else the first one."""
    names = profile.identifiers or (profile.root,)
    return next((each for each in names if each.value.casefold().startswith(search.casefold())), names[0])


async def _products(wetink: Wetink, entered: str, most: int) -> Sequence[Result]:
    found = await wetink.store.catalog.search(entered, most) if len(entered) > 1 else ()
    return [Result(each.name or each.key, product_path(each.key), each.key if each.name else "") for each in found]


PEOPLE: tuple[Find, ...] = (_people, _people_by_name)
KINDS: tuple[Kind | Stored, ...] = (
    Kind("Pages", icon="arrow-right", all_of=_pages),
    Kind("Blocks", icon="layout-template", all_of=_blocks),
    Kind("Audiences", icon="users", all_of=_audiences),
    Stored("People", icon="contact-round", find=PEOPLE),
    Stored("Products", icon="package", find=(_products,)),
    Kind("Templates", icon="file-code", all_of=_templates),
    Kind("Media", icon="image", all_of=_media),
    Kind("Feeds", icon="rss", all_of=_feeds),
    Kind("Gallery", icon="layout-grid", all_of=_apps),
    Kind("Docs", icon="book-open", all_of=_docs),
)
"""All that search finds, in the order of the groups. A new kind of content adds its line here."""


async def search(request: Request) -> Response:
    """Show the results for `q`. A script gets the results alone, and soon; with `wait`, with those that are late."""
    entered = request.query_params.get("q", "").strip()[:LONGEST]
    part = "hx-request" in request.headers
    soon = part and "wait" not in request.query_params
    patience = PATIENCE_S if soon else PATIENCE_ON_PAGE_S
    groups = await found(wetink_of(request), entered, FEW if part else MORE, patience)
    shown = page(
        request,
        "help/found.html" if part else "help/search.html",
        entered=entered,
        soon=soon,
        groups=[each for each in (_allowed(request, each) for each in groups) if each.results],
        late=[each.title.lower() for each in groups if each.late],
    )
    if not entered:
        shown.background = BackgroundTask(all_docs)  # read once in a process: by the first letter they may be there
    return shown


def _allowed(request: Request, group: Results) -> Results:
    """Return a group without the pages that its reader may not open."""
    return replace(group, results=[each for each in group.results if session.may_open(request, each.path)])


async def found(wetink: Wetink, entered: str, most: int, patience: float) -> Sequence[Results]:
    """Return the results by kind. Nothing typed finds all pages. The store is waited for `patience` seconds."""
    if not entered:
        return [Results("Pages", icon="arrow-right", results=[Result(each.title, each.path) for each in ENTRIES])]
    asked = {
        (each.title, at): asyncio.create_task(_looked(find, wetink, entered, most))
        for each in KINDS
        if isinstance(each, Stored)
        for at, find in enumerate(each.find)
    }
    await asyncio.to_thread(all_docs)  # the first time that takes half a second, in which others want answers
    local = {each.title: best(entered, each.all_of(wetink), most) for each in KINDS if isinstance(each, Kind)}
    _, late = await asyncio.wait(asked.values(), timeout=patience)
    for task in late:
        task.cancel()
    there = {place: task.result() if task not in late else None for place, task in asked.items()}

    def results(kind: Kind | Stored) -> Results:
        if isinstance(kind, Kind):
            return Results(kind.title, kind.icon, local[kind.title])
        stored = [there[kind.title, at] for at in range(len(kind.find))]
        merged = _merged([each for each in stored if each is not None], most)
        return Results(kind.title, kind.icon, merged, None in stored)

    return [results(each) for each in KINDS]


def _merged(found: Sequence[Sequence[Result]], most: int) -> Sequence[Result]:
    """Return the results of several ways to find things, each person once."""
    every: dict[str, Result] = {}
    for each in itertools.chain(*found):
        every.setdefault(each.person or each.path, each)
    return [*every.values()][:most]


async def _looked(find: Find, wetink: Wetink, entered: str, most: int) -> Sequence[Result] | None:
    """Return what is in the store; None if it does not answer."""
    try:
        return await find(wetink, entered, most)
    except WetinkError:
        return None


def best(entered: str, things: Iterable[Result], most: int) -> Sequence[Result]:
    """Return those of `things` that fit what was typed, the best first."""
    ranked = [(fit(entered, each.title, each.also), each) for each in things]
    return [each for rank, each in sorted(ranked, key=lambda pair: -pair[0]) if rank][:most]
