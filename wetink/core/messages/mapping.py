"""Mapping: a shop's own names of events, properties and traits, as the spec's. It applies before normalization.

The received message is stored beside the event, so a new mapping can be applied to past messages.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.core.events.clock import parse
from wetink.core.events.ecommerce import folded
from wetink.core.events.message import Message, Piece, context_traits, message_id


class ProductNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The path of an event's list of products, and the spec's names of their properties by the shop's."""

    at: str = "products"
    properties: dict[str, str] = {}


class EventNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event's name and properties in the spec's words. A property's name may be a path: `item.id`."""

    name: str = ""
    """The spec's name. Empty keeps the shop's own."""
    properties: dict[str, str] = {}
    products: ProductNames | None = None


class EventMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of `mappings/`: the names that these sources use. Without `sources`, it applies to all."""

    sources: tuple[str, ...] = ()
    events: dict[str, EventNames] = {}
    traits: dict[str, str] = {}


def mapping_of(raw: Any) -> EventMapping:
    """Return the mapping in a YAML document. Raises BadContent, with the place, for an invalid one."""
    if not isinstance(raw, dict):
        raise BadContent("a mapping must have names", hint="see docs/mappings.md for an example")
    try:
        found = msgspec.convert(raw, EventMapping)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    if not found.events and not found.traits:
        raise BadContent("add events or traits")
    seen: dict[str, str] = {}
    for name, names in found.events.items():
        if not folded(name):
            raise BadContent(f"events: {name!r} is not a name for an event")
        if (other := seen.setdefault(folded(name), name)) != name:
            raise BadContent(f"events: {name!r} and {other!r} are names of the same event")
        if not names.name and not names.properties and names.products is None:
            raise BadContent(f"events.{name}: it is empty", hint="add name, properties or products")
        for place, renamed in _renamings(names):
            _check(f"events.{name}.{place}", renamed)
    _check("traits", found.traits)
    return found


class Mappings:
    """All mappings of a content folder, by source."""

    def __init__(self, files: Mapping[str, EventMapping]) -> None:
        """Take mappings by file name. If two map the same event, the first file in order of names counts."""
        self._files = [found for _, found in sorted(files.items())]
        self.of = lru_cache(maxsize=1_000)(self._of)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._files)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mappings) and self._files == other._files

    __hash__ = None  # type: ignore[assignment]

    def _of(self, source: str) -> EventMapping | None:
        mine = [each for each in self._files if not each.sources or source in each.sources]
        if not mine:
            return None
        events: dict[str, EventNames] = {}
        traits: dict[str, str] = {}
        for each in mine:
            for name, names in each.events.items():
                events.setdefault(folded(name), names)
            traits = {**each.traits, **traits}
        return EventMapping((), events, traits)

    def applied(self, piece: Piece, source: str, received: int) -> Piece:
        """Return a message in the spec's words; the same piece if no mapping applies. `received` is Unix ms.

        Its bytes and its id stay the same.
        """
        found, message = self.of(source), piece.message
        if found is None or message is None:
            return piece
        names = found.events.get(folded(message.event)) if isinstance(message.event, str) else None
        traits = _traits(message, found.traits) if found.traits else None
        if names is None and traits is None:
            return piece
        mapped = replace(message, messageId=_id(piece, message, received))
        if traits is not None:
            mapped.traits = traits
        if names is not None:
            mapped.event = names.name or message.event
            if isinstance(message.properties, dict):
                mapped.properties = _properties(message.properties, names)
        return Piece(piece.raw, piece.index, mapped, piece.fault)


def renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return properties under the spec's names.

    A value already under the spec's name stays, unless the path leads into it.

    >>> renamed({"item": {"id": 7, "x": 1}, "title": "Mug", "name": "Cup"}, {"item.id": "sku", "title": "name"})
    {'item': {'id': 7, 'x': 1}, 'title': 'Mug', 'name': 'Cup', 'sku': 7}
    >>> renamed({"name": {"en-US": "Mug", "de": "Tasse"}}, {"name.en-US": "name"})
    {'name': 'Mug'}
    """
    made = dict(values)
    for theirs, ours in names.items():
        value = _at(values, theirs)
        if value is None or (made.get(ours) not in (None, "") and not theirs.startswith(f"{ours}.")):
            continue
        made[ours] = value
        if "." not in theirs and theirs not in names.values():
            made.pop(theirs, None)
    return made


def _properties(values: Mapping[str, Any], names: EventNames) -> dict[str, Any]:
    made = renamed(values, names.properties)
    if names.products is None:
        return made
    listed = _at(values, names.products.at)
    if not isinstance(listed, list):
        return made
    made["products"] = [renamed(each, names.products.properties) if isinstance(each, dict) else each for each in listed]
    if names.products.at != "products":
        made.pop(names.products.at, None)
    return made


def _traits(message: Message, names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the traits under the spec's names; None if none changes."""
    own = message.traits if isinstance(message.traits, dict) else {}
    if isinstance(message.type, str) and message.type.strip().lower() == "group":
        return None
    there = {**context_traits(message), **own}
    return renamed(there, names) if any(_at(there, name) is not None for name in names) else None


def _at(values: Any, path: str) -> Any:
    if isinstance(values, dict) and path in values:
        return values[path]
    for step in path.split("."):
        if isinstance(values, list) and step.isdecimal() and len(step) < 8:
            values = values[int(step)] if int(step) < len(values) else None
        else:
            values = values.get(step) if isinstance(values, dict) else None
    return values


def _id(piece: Piece, message: Message, received: int) -> Any:
    """Return the message's id. Without one, it is made from the message's own words."""
    given = message.messageId if message.messageId is not None else message.message_id
    if isinstance(given, int | float) or (isinstance(given, str) and given.strip()):
        return message.messageId
    original = parse(message.originalTimestamp) if message.originalTimestamp is not None else None
    own = original if original is not None else parse(message.timestamp) if message.timestamp is not None else None
    return message_id(piece, message, own, received)[0]


def _renamings(names: EventNames) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "properties", names.properties
    if names.products is not None:
        yield "products.properties", names.products.properties


def _check(place: str, names: Mapping[str, str]) -> None:
    ours: Sequence[str] = list(names.values())
    for theirs, name in names.items():
        if not theirs.strip() or not name.strip():
            raise BadContent(f"{place}: a name is empty", hint="write THEIRS: OURS")
        if "." in name:
            raise BadContent(f"{place}.{theirs}: {name!r} is a path", hint="the spec's properties have no dots")
        if ours.count(name) > 1 and theirs == name:
            raise BadContent(f"{place}.{theirs}: it already has this name")
