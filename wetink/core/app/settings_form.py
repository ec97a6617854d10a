"""Form: an app's settings as fields that somebody fills in, and what they filled in as settings."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import inspect

from wetink.core.app.app import App
from wetink.core.app.setting import problems_with

Kind = Literal["text", "color", "whole", "number", "switch", "choice", "list", "lines"]


class Field(msgspec.Struct, frozen=True):
    """One setting. `name` has dots between nested ones; `value` is the default as it is written in a field.

    A `list` has commas between its entries, `lines` has one entry in a line, since texts may have commas of their own.
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


def fields_of(app: App, chosen: Mapping[str, Any] | None = None) -> list[Field]:
    """Return the fields of an app's settings in order; `chosen` go before the defaults."""
    described = inspect.type_info(app.settings)
    assert isinstance(described, inspect.StructType)  # noqa: S101 (settings are a struct)
    return list(_fields(described, "", msgspec.convert(dict(chosen or {}), app.settings)))


def settings_of(app: App, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings that a filled-in form asks for, without defaults, and the errors by the name of their field.

    With an error there are no settings. An error that belongs to no single field has the name "".
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
            value = _read(field, text)
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
        described, about, title = _unwrapped(each.type)
        if isinstance(described, inspect.StructType):
            yield from _fields(described, f"{prefix}{each.name}.", value)
            continue
        name, label = f"{prefix}{each.name}", title or each.name.replace("_", " ").capitalize()
        if isinstance(described, inspect.BoolType):
            yield Field(name, "switch", label, "true" if value else "false", about)
        elif isinstance(described, inspect.IntType | inspect.FloatType):
            kind: Kind = "whole" if isinstance(described, inspect.IntType) else "number"
            written = "" if value is None else f"{value:g}" if kind == "number" else str(value)
            yield Field(name, kind, label, written, about, least=described.ge, most=described.le)
        elif isinstance(described, inspect.LiteralType):
            yield Field(name, "choice", label, str(value), about, tuple(str(each) for each in described.values))
        elif isinstance(described, inspect.VarTupleType | inspect.ListType):
            item, *_ = _unwrapped(described.item_type)
            choices = tuple(map(str, item.values)) if isinstance(item, inspect.LiteralType) else ()
            if isinstance(item, inspect.StrType):
                yield Field(name, "lines", label, "\n".join(value), about)
            else:
                yield Field(name, "list", label, ", ".join(map(str, value)), about, choices)
        elif isinstance(described, inspect.StrType):
            kind = "color" if (described.pattern or "").startswith("^#") else "text"
            yield Field(name, kind, label, value, about, longest=described.max_length)


def _unwrapped(described: inspect.Type) -> tuple[inspect.Type, str, str]:
    """Return a type without its metadata and without None, its description, and its title."""
    about = title = ""
    while True:
        if isinstance(described, inspect.Metadata):
            extra = described.extra_json_schema or {}
            about, title = about or extra.get("description", ""), title or extra.get("title", "")
            described = described.type
        elif isinstance(described, inspect.UnionType):
            described = next(each for each in described.types if not isinstance(each, inspect.NoneType))
        else:
            return described, about, title


def _read(field: Field, text: str) -> Any:
    """Return the value a text means. Raises ValueError."""
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
