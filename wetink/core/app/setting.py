"""Settings: the kinds of values in an app's settings, and the check of a value before it is saved.

A kind is the `format` of a field's JSON schema, so that forms and programs see it. A value that can never work, such as
an unknown time zone, is rejected with the path of its field. This module also turns settings into a form's fields.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta, inspect
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.events.ecommerce import EVENTS, PRODUCT_NAMES, canonical, order_names
from wetink.core.messages.mapping import EventMapping
from wetink.core.text.link import host_of
from wetink.core.text.url import read

Zone = Annotated[str, Meta(max_length=64, extra_json_schema={"format": "time-zone"})]
"""A time zone's name, such as `Europe/Berlin`; empty: not set."""
LocalTime = Annotated[str, Meta(max_length=40, extra_json_schema={"format": "local-date-time"})]
"""A date and time such as `2026-12-24T18:00`, with or without an offset; empty: not set."""
Color = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", extra_json_schema={"format": "color"})]
"""A color such as `#3451d1`."""

LONGEST_WHY = 300
"""Longest message about a setting, in characters: it may quote a text of any length."""

_TOLD_APART = re.compile(r"[.:]|^localhost$")
"""A host that an email may link to: in `http:s//shop.example/`, a browser reads the host s."""
_NUMBER_BOUND = re.compile(r"^Expected `(?:int|float)` (?P<bound>[<>]=? .+)$")
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_ENUM = re.compile(r"^Invalid enum value (?P<value>.*)$", re.DOTALL)
_LENGTH = re.compile(r"^Expected `(?P<kind>str|array)` of length (?P<bound>[<>]=? \d+)$")
_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
          "object": "a mapping"}  # fmt: skip


class Wrong(msgspec.Struct, frozen=True):
    """A problem with a setting: its `path`, such as `only.price_from` or `stores[1]`, and the reason."""

    path: str
    why: str
    fits: bool = False
    """Whether the app can still read the setting, although it never has the intended effect."""

    def __str__(self) -> str:
        """Write it as `path: why`."""
        return f"{self.path}: {self.why}" if self.path else self.why


def problems_with(app: App, settings: Mapping[str, Any]) -> list[Wrong]:
    """Return the problems with a variant's settings: values that do not fit its app, and values that can never work."""
    return [replace(each, why=each.why[:LONGEST_WHY]) for each in _problems_with(app, settings)]


def _problems_with(app: App, settings: Mapping[str, Any]) -> list[Wrong]:
    try:
        read = msgspec.convert(settings, app.settings)
    except msgspec.ValidationError as error:
        return [_reworded(str(error), app, settings)]
    described = inspect.type_info(app.settings)
    found = [Wrong(path, why, fits=True) for path, why in _values(described, read, "")]
    if not found and app.check is not None:
        found = [Wrong(path, why, fits=True) for path, why in app.check(read)]
    return found


def canonical_zone(name: str) -> str:
    """Return a time zone's name in its official spelling, ignoring case; empty if there is no such zone.

    >>> canonical_zone("europe/berlin"), canonical_zone("Europe/Berln")
    ('Europe/Berlin', '')
    """
    return zones().get(name.strip().casefold(), "")


def closest(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean X?` for the nearest known word; empty if none is near.

    >>> closest("Product Vieweddd", ["Product Viewed", "Order Completed"])
    '; did you mean Product Viewed?'
    """
    by_key = {each.casefold(): each for each in known}
    near = get_close_matches(word.casefold(), by_key, 1, 0.66)
    return f"; did you mean {by_key[near[0]]}?" if near else ""


@cache
def zones() -> Mapping[str, str]:
    """Return the names of all time zones, by name in small letters."""
    return {name.casefold(): name for name in available_timezones()}


def zone_problem(name: str) -> str:
    """Return the problem of a time zone's name; empty for a valid or empty one."""
    if not name or name in zones().values():
        return ""
    known = canonical_zone(name)
    if known:
        return f"write {known}"
    return f"there is no time zone {name!r}{closest(name, list(zones().values()))}"


def _local_time_problem(text: str) -> str:
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return f"{text!r} is not a date and time; write 2026-12-24T18:00"
    return "" if 2000 <= at.year <= 2200 else f"the year {at.year} is out of range"


def link_problem(text: str) -> str:
    """Return the problem of an email's link; empty for a valid or empty one."""
    host = host_of(read(text) or "") if text else ""
    return "" if not text or _TOLD_APART.search(host) else f"{text!r} is not an http(s) address"


FORMATS: dict[str, Callable[[str], str]] = {"time-zone": zone_problem, "local-date-time": _local_time_problem}
"""Check by format. It returns the problem of a text; empty if there is none."""


def _values(described: inspect.Type, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the problem of each value that does not match its format."""
    described, extra = unwrapped(described)
    if isinstance(described, inspect.StructType):
        for field in described.fields:
            yield from _values(field.type, getattr(value, field.name), f"{path}.{field.name}" if path else field.name)
    elif isinstance(described, inspect.VarTupleType | inspect.ListType):
        for index, each in enumerate(value):
            yield from _values(described.item_type, each, f"{path}[{index}]")
    elif isinstance(value, str):
        check = FORMATS.get(extra.get("format", ""))
        if check is not None and (why := check(value)):
            yield path, why


def _reworded(message: str, app: App, settings: Any) -> Wrong:
    """Return a message of msgspec as a problem in a marketer's words."""
    what, _, place = message.partition(" - at `")
    path = place.removesuffix("`").removeprefix("$").removeprefix(".")
    if (found := _UNKNOWN.match(what)) is not None:
        names = _names(inspect.type_info(app.settings), path)
        where = f"{path}.{found['name']}" if path else found["name"]
        return Wrong(where, f"unknown setting{closest(found['name'], names) or f'; there are {_listed(names)}'}")
    described = _described(inspect.type_info(app.settings), path)
    value = _at(settings, path)
    if (found := _ENUM.match(what)) is not None and described is not None:
        choices = [str(each) for each in getattr(described[0], "values", ())]
        return Wrong(path, f"{value!r} is not one of {_listed(choices)}{closest(str(value), choices)}")
    if (found := _NUMBER_BOUND.match(what)) is not None:
        return Wrong(path, f"{value!r} does not fit: {_bound(found['bound'])}")
    if (found := _LENGTH.match(what)) is not None:
        unit = "characters" if found["kind"] == "str" else "entries"
        return Wrong(path, f"{_bound(found['bound'])} {unit}")
    if "matching regex" in what and described is not None:
        return Wrong(path, f"{value!r} does not fit; {_example(described)}")
    expected = re.match(r"^Expected `(.+?)`, got `(.+?)`$", what)
    if expected is not None:
        wanted = " or ".join(_KINDS.get(each.strip(), each.strip()) for each in expected[1].split("|"))
        return Wrong(path, f"{value!r} is not {wanted}")
    return Wrong(path, what)


def _bound(bound: str) -> str:
    sign, number = bound.split(" ", 1)
    return f"{_BOUNDS[sign]} {number}"


def _example(described: tuple[inspect.Type, Mapping[str, Any]]) -> str:
    if described[1].get("format") == "color":
        return "write a color as #3451d1"
    return str(described[1].get("description") or "see this setting's description")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "none"


def _described(described: inspect.Type, path: str) -> tuple[inspect.Type, Mapping[str, Any]] | None:
    """Return the type and the metadata of the setting at a path; None for an unknown path."""
    found = unwrapped(described)
    for step in re.findall(r"[^.\[\]]+", path):
        struct = found[0]
        if isinstance(struct, inspect.VarTupleType | inspect.ListType):
            found = unwrapped(struct.item_type)
            continue
        fields = {field.name: field.type for field in struct.fields} if isinstance(struct, inspect.StructType) else {}
        if step not in fields:
            return None
        found = unwrapped(fields[step])
    return found


def unwrapped(described: inspect.Type) -> tuple[inspect.Type, Mapping[str, Any]]:
    """Return a type without metadata and None, and its metadata: the outermost counts."""
    extra: Mapping[str, Any] = {}
    while isinstance(described, inspect.Metadata | inspect.UnionType):
        if isinstance(described, inspect.UnionType):
            described = next(each for each in described.types if not isinstance(each, inspect.NoneType))
        else:
            extra = {**(described.extra_json_schema or {}), **extra}
            described = described.type
    return described, extra


def _names(described: inspect.Type, path: str) -> list[str]:
    found = _described(described, path)
    return [field.name for field in found[0].fields] if found and isinstance(found[0], inspect.StructType) else []


def _at(value: Any, path: str) -> Any:
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


PROPERTIES: tuple[str, ...] = (
    *PRODUCT_NAMES, *order_names(),
    "products", "product", "query", "cart_id", "list_id", "wishlist_id", "wishlist_name", "review_id", "review_body",
    "rating", "share_via", "share_message", "recipient", "sorts", "filters", "promotion_id", "creative", "reason",
    "coupon_id", "coupon_name", "step", "shipping_method", "payment_method", "email",
)  # fmt: skip
"""Property names of the 28 events and of products in them."""

TRAITS = (
    "address", "age", "avatar", "birthday", "company", "createdAt", "created_at", "description", "email", "firstName",
    "first_name", "gender", "id", "lastName", "last_name", "name", "phone", "title", "username", "website", "plan",
    "locale", "language", "timezone", "currency", "country", "city",
)  # fmt: skip
"""Common trait names."""


def doubts(mapping: EventMapping) -> Iterator[str]:
    """Yield a note for each name in a mapping that no part of wetink reads, with its place and the nearest known name.

    A shop may use its own names, so these are notes and not errors.
    """
    for theirs, names in mapping.events.items():
        place = f"events.{theirs}"
        event = names.name or theirs
        known = canonical(event)
        if names.name and known is None:
            near = closest(names.name, list(EVENTS))
            yield f"{place}.name: {names.name!r} is not an event of the spec{near or ', so only rules can use it'}"
            known = canonical(near.removeprefix("; did you mean ").removesuffix("?")) if near else None
        if known is not None:
            yield from _unread(f"{place}.properties", names.properties, PROPERTIES)
            if names.products is not None:
                yield from _unread(f"{place}.products.properties", names.products.properties, PROPERTIES)
    for theirs, ours in mapping.traits.items():
        if near := _near(ours, TRAITS):
            yield f"traits.{theirs}: {ours!r} is not a trait of the spec{near}"


def _unread(place: str, names: Mapping[str, str], known: tuple[str, ...]) -> Iterator[str]:
    for theirs, ours in names.items():
        if ours not in known:
            near = _near(ours, known) or ", so only rules and templates can use it"
            yield f"{place}.{theirs}: {ours!r} is not a property of the spec{near}"


def _near(name: str, known: tuple[str, ...]) -> str:
    return "" if name in known else closest(name, known)


Kind = Literal["text", "color", "whole", "number", "switch", "choice", "list", "lines"]


class Field(msgspec.Struct, frozen=True):
    """One setting. `name` has dots between nested ones. `value` is the default as a form's text.

    A `list` has commas between its entries. `lines` has one entry per line, for texts with commas.
    """

    name: str
    kind: Kind
    label: str
    value: str
    about: str = ""
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    format: str = ""
    """The kind of text, such as `time-zone`, for a picker."""


def fields_of(app: App, chosen: Mapping[str, Any] | None = None) -> list[Field]:
    """Return the fields of an app's settings in order. `chosen` values replace the defaults."""
    described = inspect.type_info(app.settings)
    assert isinstance(described, inspect.StructType)  # noqa: S101 (settings are a struct)
    return list(_fields(described, "", msgspec.convert(dict(chosen or {}), app.settings)))


def settings_of(app: App, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings in a filled-in form, without defaults, and the errors by field name.

    With an error, there are no settings. An error that belongs to no single field has the name "".
    """
    settings: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    fields = fields_of(app)
    for field in fields:
        if field.kind == "switch":
            text = "true" if form.get(field.name) in ("on", "true") else "false"
        else:
            text = form.get(field.name, field.value).strip()
        if text == field.value:
            continue
        try:
            value = read_text(field, text)
        except ValueError:
            wrong[field.name] = f"{text[:40]!r} is not a {'whole number' if field.kind == 'whole' else 'number'}"
            continue
        place = settings
        *path, last = field.name.split(".")
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    names = {field.name for field in fields}
    for each in problems_with(app, settings):
        name, entry = re.fullmatch(r"([^\[]*)(?:\[(\d+)\])?.*", each.path, re.DOTALL).groups()  # type: ignore[union-attr]
        why = f"entry {int(entry) + 1}: {each.why}" if entry else each.why
        wrong.setdefault(*((name, why) if name in names else ("", str(each))))
    return ({}, wrong) if wrong else (settings, {})


def _fields(struct: inspect.StructType, prefix: str, values: Any) -> Iterator[Field]:
    for each in struct.fields:
        value = getattr(values, each.name)
        described, extra = unwrapped(each.type)
        if isinstance(described, inspect.StructType):
            yield from _fields(described, f"{prefix}{each.name}.", value)
            continue
        name, about = f"{prefix}{each.name}", extra.get("description", "")
        label, form = extra.get("title") or each.name.replace("_", " ").capitalize(), str(extra.get("format", ""))
        if isinstance(described, inspect.BoolType):
            yield Field(name, "switch", label, shown_text("switch", value), about)
        elif isinstance(described, inspect.IntType | inspect.FloatType):
            kind: Kind = "whole" if isinstance(described, inspect.IntType) else "number"
            yield Field(name, kind, label, shown_text(kind, value), about, least=described.ge, most=described.le)
        elif isinstance(described, inspect.LiteralType):
            yield Field(name, "choice", label, str(value), about, tuple(str(each) for each in described.values))
        elif isinstance(described, inspect.VarTupleType | inspect.ListType):
            item, _ = unwrapped(described.item_type)
            choices = tuple(map(str, item.values)) if isinstance(item, inspect.LiteralType) else ()
            kind = "lines" if isinstance(item, inspect.StrType) else "list"
            yield Field(name, kind, label, shown_text(kind, value), about, choices, format=form)
        elif isinstance(described, inspect.StrType):
            kind = "color" if (described.pattern or "").startswith("^#") else "text"
            yield Field(name, kind, label, value, about, longest=described.max_length, format=form)


def shown_text(kind: Kind, value: Any) -> str:
    """Return a value as a form's text, which `read_text` reads back. Odd values become some text."""
    if kind == "switch":
        return "true" if value else "false"
    if value is None:
        return ""
    if kind == "number" and isinstance(value, float):
        return f"{value:g}"
    if kind in ("list", "lines") and isinstance(value, list | tuple):
        return (", " if kind == "list" else "\n").join(map(str, value))
    return str(value)


def read_text(field: Field, text: str) -> Any:
    """Return the value of a form's text. Raises ValueError."""
    if field.kind == "switch":
        return text == "true"
    if field.kind == "whole":
        return int(text)
    if field.kind == "number":
        return float(text) if text else None
    if field.kind in ("list", "lines"):
        parts = text.split(",") if field.kind == "list" else text.splitlines()
        return [each.strip() for each in parts if each.strip()]
    return text
