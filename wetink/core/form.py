"""Form: an app's settings as fields that somebody fills in, and what they filled in as settings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import inspect

from wetink.core.app import App

Kind = Literal["text", "color", "whole", "number", "switch", "choice", "list"]


class Field(msgspec.Struct, frozen=True):
    """One setting. `name` has dots between nested ones; `value` is the default as it is written in a field."""

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


def settings_of(app: App, form: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Return the settings a filled-in form says, without those that are the defaults, and what is wrong with them."""
    settings: dict[str, Any] = {}
    for field in fields_of(app):
        if field.kind == "switch":
            text = "true" if form.get(field.name) in ("on", "true") else "false"
        else:
            text = form.get(field.name, field.value).strip()
        if text == field.value:
            continue
        try:
            value = _read(field, text)
        except ValueError:
            return {}, f"{field.label}: {text[:40]!r} is no {'whole number' if field.kind == 'whole' else 'number'}"
        place = settings
        *path, last = field.name.split(".")
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    try:
        msgspec.convert(settings, app.settings)
    except msgspec.ValidationError as error:
        return {}, str(error)
    return settings, ""


def _fields(struct: inspect.StructType, prefix: str, values: Any) -> Iterator[Field]:
    for each in struct.fields:
        value = getattr(values, each.name)
        described, about = _unwrapped(each.type)
        if isinstance(described, inspect.StructType):
            yield from _fields(described, f"{prefix}{each.name}.", value)
            continue
        name, label = f"{prefix}{each.name}", each.name.replace("_", " ").capitalize()
        if isinstance(described, inspect.BoolType):
            yield Field(name, "switch", label, "true" if value else "false", about)
        elif isinstance(described, inspect.IntType | inspect.FloatType):
            kind: Kind = "whole" if isinstance(described, inspect.IntType) else "number"
            written = "" if value is None else f"{value:g}" if kind == "number" else str(value)
            yield Field(name, kind, label, written, about, least=described.ge, most=described.le)
        elif isinstance(described, inspect.LiteralType):
            yield Field(name, "choice", label, str(value), about, tuple(str(each) for each in described.values))
        elif isinstance(described, inspect.VarTupleType | inspect.ListType):
            item, _ = _unwrapped(described.item_type)
            choices = tuple(map(str, item.values)) if isinstance(item, inspect.LiteralType) else ()
            yield Field(name, "list", label, ", ".join(map(str, value)), about, choices)
        elif isinstance(described, inspect.StrType):
            kind = "color" if (described.pattern or "").startswith("^#") else "text"
            yield Field(name, kind, label, value, about, longest=described.max_length)


def _unwrapped(described: inspect.Type) -> tuple[inspect.Type, str]:
    """Return a type without what is said about it, or that it may be None, and what is said."""
    about = ""
    while True:
        if isinstance(described, inspect.Metadata):
            about = about or (described.extra_json_schema or {}).get("description", "")
            described = described.type
        elif isinstance(described, inspect.UnionType):
            described = next(each for each in described.types if not isinstance(each, inspect.NoneType))
        else:
            return described, about


def _read(field: Field, text: str) -> Any:
    """Return the value a text means. Raises ValueError."""
    if field.kind == "switch":
        return text == "true"
    if field.kind == "whole":
        return int(text)
    if field.kind == "number":
        return float(text) if text else None
    if field.kind == "list":
        return [each.strip() for each in text.split(",") if each.strip()]
    return text


def written(settings: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return settings as the fields of a form have them.

    >>> written({"items": 2, "only": {"brands": ["A", "B"]}})
    [('items', '2'), ('only.brands', 'A, B')]
    """
    found: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{inner}", text) for inner, text in written(value)]
        elif isinstance(value, bool):
            found.append((name, "true" if value else "false"))
        elif isinstance(value, list | tuple):
            found.append((name, ", ".join(map(str, value))))
        else:
            found.append((name, "" if value is None else str(value)))
    return found
