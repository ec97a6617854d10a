"""Apps of the content folder: a template becomes an app, shown in the gallery, if a file beside it declares settings.

templates/card.liquid     the template
templates/card.yaml       title, settings, feeds and sample of the app `card`
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wetink.apps import custom
from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.setting import Color, LocalTime, Zone
from wetink.core.errors import BadContent
from wetink.core.profile.person import Moment, Person

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,40}")
MOST_SETTINGS = 40

Number = int | float
FORMATS: dict[str, Any] = {"color": Color, "time-zone": Zone, "local-date-time": LocalTime}


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One setting, in the terms of JSON Schema."""

    type: Literal["string", "integer", "number", "boolean", "array", ""] = ""
    default: Any = msgspec.UNSET
    description: str = ""
    enum: tuple[str, ...] = ()
    items: "Setting | None" = None
    format: Literal["color", "time-zone", "local-date-time", ""] = ""
    minimum: Number | None = None
    maximum: Number | None = None
    max_length: Annotated[int, Meta(ge=1)] | None = None


class Companion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file beside a template. The template gets `items` recent products and `entries` items of each feed."""

    title: Annotated[str, Meta(min_length=1, max_length=80)]
    about: str = ""
    settings: dict[str, Setting] = {}
    feeds: tuple[str, ...] = ()
    entries: Annotated[int, Meta(ge=1, le=50)] = 20
    items: Annotated[int, Meta(ge=0, le=12)] = 3
    sample: dict[str, Any] = {}
    """Settings and feed items for the gallery's preview: `settings: {…}`, `feeds: {news: […]}`."""


def app_of(name: str, raw: Any) -> App:
    """Return the app that the file beside the template `name`.liquid declares. Raises BadContent with the place."""
    if not _NAME.fullmatch(name):
        raise BadContent(f"{name!r} is not a name for an app", hint="lowercase letters, digits and dashes")
    try:
        companion = msgspec.convert(raw, Companion)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    if len(companion.settings) > MOST_SETTINGS:
        raise BadContent(f"settings: more than {MOST_SETTINGS}")
    fields = [_field(each, setting) for each, setting in companion.settings.items()]
    settings = msgspec.defstruct("Settings", fields, frozen=True, forbid_unknown_fields=True)

    def show(person: Person, chosen: Any, moment: Moment, shop: Shop) -> Shown:
        count = getattr(chosen, "items", companion.items)
        own = custom.Settings(companion.feeds, companion.entries, count if isinstance(count, int) else companion.items)
        return custom.show(person, own, moment, shop)

    app = App(
        name=name,
        title=companion.title,
        about=companion.about,
        settings=settings,
        show=show,
        template=f"{name}.liquid",
        package="",
        feeds=lambda _: companion.feeds,
    )
    return msgspec.structs.replace(app, sample=_sample(app, companion.sample))


def wrong_with_apps(apps: Mapping[str, App], others: Mapping[str, App], feeds: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of a content folder's apps: names that `others` have, and feeds that do not exist."""
    for name, app in apps.items():
        if name in others:
            yield f"templates/{name}.yaml: there is an app called {name} already"
        for feed in app.feeds(None) if app.feeds is not None else ():
            if feed not in feeds:
                yield f"templates/{name}.yaml: feeds: there is no feed {feed} in feeds/"


def _field(name: str, setting: Setting) -> tuple[str, Any, Any]:
    """Return a setting as a field of a struct. Raises BadContent."""
    place = f"settings.{name}"
    if not _SETTING.fullmatch(name) or name in ("feeds", "entries"):
        raise BadContent(f"{place}: this is not a name for a setting", hint="lowercase letters, digits and underscores")
    kind = _type(place, setting)
    default = setting.default if setting.default is not msgspec.UNSET else _usual(setting)
    try:
        value = msgspec.convert(default, kind)
    except msgspec.ValidationError as error:
        raise BadContent(f"{place}.default: {error}") from error
    return name, Annotated[kind, Meta(description=setting.description)] if setting.description else kind, value


def _type(place: str, setting: Setting) -> Any:
    if setting.enum:
        if setting.type not in ("", "string"):
            raise BadContent(f"{place}: enum is for strings")
        return Literal[setting.enum]
    if not setting.type:
        raise BadContent(f"{place}: it needs a type", hint="string, integer, number, boolean, array or an enum")
    if setting.type == "array":
        item = setting.items or Setting("string")
        if item.type not in ("string", ""):
            raise BadContent(f"{place}.items: a list has strings or an enum of them")
        return tuple[_type(f"{place}.items", item), ...]  # type: ignore[misc]
    if setting.type == "boolean":
        return bool
    if setting.type == "string":
        if setting.format:
            return FORMATS[setting.format]
        return Annotated[str, Meta(max_length=setting.max_length)] if setting.max_length else str
    number: Any = int if setting.type == "integer" else float
    return Annotated[number, Meta(ge=setting.minimum, le=setting.maximum)]


def _usual(setting: Setting) -> Any:
    """Return the default of a setting that declares none: an empty value, or the smallest that is allowed."""
    if setting.enum:
        return setting.enum[0]
    if setting.type in ("integer", "number"):
        return max(setting.minimum or 0, min(0, setting.maximum or 0))
    usual: dict[str, Any] = {"array": [], "boolean": False, "string": "#000000" if setting.format == "color" else ""}
    return usual.get(setting.type, "")


def _sample(app: App, declared: Mapping[str, Any]) -> Sample:
    try:
        sample = msgspec.convert(declared, Sample)
        msgspec.convert(sample.settings, app.settings)
    except msgspec.ValidationError as error:
        raise BadContent(f"sample: {error}") from error
    return sample
