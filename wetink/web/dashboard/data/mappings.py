"""Mappings: the shop's names with their spec names, and a preview of a message's result."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.app.setting import closest
from wetink.core.errors import BadRequest
from wetink.core.events.event import Problem, Verdict
from wetink.core.events.message import pieces
from wetink.core.messages.mapping import EventMapping, Mappings
from wetink.core.messages.normalize import normalize
from wetink.ingest.receive import ONE_LINE
from wetink.ports import Received, Source
from wetink.web.dashboard.page.formats import pretty
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms
from wetink.wiring import Wetink

LONGEST = 8_000
"""Longest message in a page's URL, in characters."""
SHOWN = ("type", "event", "properties", "traits")
"""Fields of a message that are shown after mapping."""


class Renamed(msgspec.Struct, frozen=True):
    """The names of an event, or of all traits: the shop's, the spec's, and pairs of property names."""

    theirs: str
    ours: str
    names: tuple[tuple[str, str], ...]


class Read(msgspec.Struct, frozen=True):
    """The result of a message. `normalized` is the message in the spec's words, empty if no mapping applies."""

    verdict: Verdict
    problems: tuple[Problem, ...]
    unmapped: Verdict
    normalized: str = ""


async def mappings(request: Request) -> Response:
    """List all mappings, and try them on the query's message, else on the newest unusable one."""
    wetink, query = wetink_of(request), request.query_params
    message, source = query.get("message", "")[:LONGEST].strip(), query.get("source", "")
    sources, known = await wetink.store.sources.all(), wetink.content.mappings
    newest = None
    if "message" not in query:
        newest = await _newest(wetink)
        if newest is not None:
            message, source = pretty(newest.raw), newest.source
    sender = next((each for each in sources if each.name == source), Source(source, "server"))
    return page(
        request,
        "data/mappings.html",
        mappings={name: (found, tuple(renamed(found))) for name, found in known.items()},
        problems=[each for each in wetink.content.problems if each.startswith("mappings/")],
        notes=[
            *(each for each in wetink.content.notes if each.startswith("mappings/")),
            *unknown_sources(known, [each.name for each in sources]),
        ],
        sources=sorted({each.name for each in sources} | {name for found in known.values() for name in found.sources}),
        source=source,
        message=message,
        newest=newest,
        read=read(message.encode("utf-8", "replace"), wetink.ingest.mappings, sender) if message else None,
        longest=LONGEST,
    )


def unknown_sources(mappings: Mapping[str, EventMapping], sources: Sequence[str]) -> Iterator[str]:
    """Yield a note for each source in a mapping that does not exist."""
    for name, mapping in mappings.items():
        for source in mapping.sources:
            if source not in sources:
                yield f"mappings/{name}.yaml: sources: there is no source {source!r}{closest(source, sources)}"


def renamed(mapping: EventMapping) -> Iterator[Renamed]:
    """Yield the names in a mapping: each event, then the traits.

    >>> from wetink.core.messages.mapping import mapping_of
    >>> names = {"name": "Order Completed", "products": {"at": "basket", "properties": {"id": "sku"}}}
    >>> [only] = renamed(mapping_of({"events": {"Bought": names}}))
    >>> only.theirs, only.ours, only.names
    ('Bought', 'Order Completed', (('basket', 'products'), ('basket[].id', 'products[].sku')))
    """
    for theirs, names in mapping.events.items():
        listed = list(names.properties.items())
        if names.products is not None:
            at = names.products.at
            listed += [(at, "products")] if at != "products" else []
            listed += [(f"{at}[].{name}", f"products[].{ours}") for name, ours in names.products.properties.items()]
        yield Renamed(theirs, names.name or theirs, tuple(listed))
    if mapping.traits:
        yield Renamed("", "", tuple(mapping.traits.items()))


def read(raw: bytes, mappings: Mappings | None, source: Source) -> Read:
    """Return the result of one JSON message from a source as if received now."""
    now = now_ms()
    try:
        piece = pieces(raw, ONE_LINE)[0][0]
    except BadRequest as error:
        problem = Problem("unreadable", error.where, error.sentence)
        return Read("parked", (problem,), "parked")
    mapped = mappings.applied(piece, source.name, now) if mappings is not None else piece
    made, unmapped = (
        normalize(each, source.name, source.level, now, verification=source.verification) for each in (mapped, piece)
    )
    normalized = ""
    if mapped is not piece and mapped.message is not None:
        values = {name: getattr(mapped.message, name) for name in SHOWN}
        normalized = pretty(msgspec.json.encode({name: value for name, value in values.items() if value is not None}))
    return Read(made.verdict, tuple(made.problems), unmapped.verdict, normalized)


async def _newest(wetink: Wetink) -> Received | None:
    """Return the newest unusable message, else the newest one; None if it is too long."""
    for verdict in ("unusable", "parked", ""):
        for found in await wetink.store.log.messages(limit=1, verdict=verdict):
            return found if len(pretty(found.raw)) <= LONGEST else None
    return None
