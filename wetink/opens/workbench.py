"""Workbench: tries a template while it is written: its mistakes with their places, and its picture.

Nothing is stored, and nobody receives it. The names that a template may use are those of the values it gets.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, Protocol

import msgspec
from msgspec.structs import replace

from wetink.content.apps import app_of
from wetink.content.check import lint
from wetink.content.content import LARGEST_TEXT, Content
from wetink.content.strict_yaml import parse_yaml
from wetink.core.app.app import App
from wetink.core.app.sample import SHOP, shop, shopper
from wetink.core.app.setting import closest
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.errors import BadContent
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.audit import named, sample_decision, sample_scene
from wetink.opens.drawing import template_values
from wetink.opens.open import Opens
from wetink.ports import Picture, Renderer
from wetink.ports.ledger import Opened
from wetink.ports.templates import Flaw, Inspection, Language

OPEN = (
    *(("person", "traits"), ("person", "done"), ("facts",), ("settings",), ("catalog",), ("moment", "parameters")),
    *(("frame",), ("fallback",)),
)
"""Values that may have any names in them."""
CLOSED = tuple(path for path in OPEN if path != ("settings",))
"""The same for a template whose own file declares all its settings."""
CLOCK = ("now", "today")
"""Names that the language gives a template beside its values."""
LARGEST_COMPANION, MOST_TOLD = 16 * 1024, 60
"""Characters of the file beside a template, and problems of one kind that are told at once."""
MOST_MENTIONS = 2_000
"""Values of a template that are looked up."""
DEEPEST, LONGEST_EXAMPLE = 6, 40
_LINE = re.compile(r"\bline (\d+)\b")
_PLACE = re.compile(r"^(?:sample|settings|feeds|title|about|items|entries)[\w.\[\]]*")


class Drawer(Renderer, Language, Protocol):
    """Draws scenes and reads templates."""


class Problem(msgspec.Struct, frozen=True):
    """A problem of a template or of the file beside it, between two characters; without a place, both are 0."""

    file: Literal["template", "companion", "picture"]
    severity: Literal["error", "warning"]
    message: str
    start: int = 0
    end: int = 0
    line: int = 0


class Sketch(msgspec.Struct, frozen=True):
    """A template as it is written: its name without a suffix, its text, and the text of the file beside it.

    `app` is the name of the app that gives it values if there is no file beside it. Sizes are CSS pixels.
    """

    name: str
    text: str
    companion: str = ""
    app: str = "custom"
    settings: Mapping[str, Any] = {}
    width: int = 600
    height: int = 300


class Described(msgspec.Struct, frozen=True):
    """A value that a template may use: its kind, an example, its fields, and an item of it if it is a list."""

    kind: str
    example: str = ""
    fields: Mapping[str, "Described"] = {}
    item: "Described | None" = None


class Workbench:
    """Tries templates that are being written."""

    def __init__(self, opens: Opens, drawer: Drawer, apps: Mapping[str, App], allowed: Callable[[str], bool]) -> None:
        """Use the services that opens use. `allowed` returns whether a photo's URL may be fetched."""
        self._opens, self._drawer, self._apps, self._allowed = opens, drawer, apps, allowed

    def app(self, sketch: Sketch) -> App:
        """Return the app that gives a sketch its values. Raises BadContent if the file beside it declares none."""
        if sketch.companion.strip():
            if len(sketch.companion) > LARGEST_COMPANION:
                raise BadContent(f"line 1: the file is larger than {LARGEST_COMPANION >> 10} KB")
            return app_of(sketch.name, parse_yaml(sketch.companion))
        return self._apps.get(sketch.app, self._apps["custom"])

    async def problems(self, sketch: Sketch, now: int) -> list[Problem]:
        """Return the problems of a sketch, by their place, without drawing it. `now` is Unix ms."""
        text, found = sketch.text, list[Problem]()
        app = self._apps["custom"]
        try:
            app = self.app(sketch)
        except BadContent as error:
            found.append(_in_companion(sketch.companion, error))
        if len(text.encode()) > LARGEST_TEXT:
            return [
                *found,
                Problem("template", "error", f"the template is larger than {LARGEST_TEXT >> 10} KB", 0, 1, 1),
            ]
        try:
            inspection = await self._drawer.inspect(text)
        except BadContent as error:
            inspection = Inspection((Flaw(0, 1, f"the template cannot be read: {error}"),))
        found += [_at(text, "error", flaw.message, flaw.start, flaw.end) for flaw in inspection.flaws]
        own = bool(sketch.companion.strip())
        known = self.words(app, now, own=own)
        for mention in inspection.mentions[:MOST_MENTIONS]:
            if (unknown := _unknown(mention.path, known, OPEN if not own else CLOSED)) is not None:
                name, message = unknown
                start = max(text.find(name, mention.start), mention.start)
                found.append(_at(text, "warning", message, start, start + len(name)))
        found += [_on_line(text, note) for note in islice(lint(text), MOST_TOLD)]
        found += [_on_line(text, note) for note in islice(self._undrawn(text), MOST_TOLD)]
        return found

    def _undrawn(self, text: str) -> Iterator[str]:
        """Yield a note for each line with characters that no font has."""
        for number, line in enumerate(text.split("\n"), 1):
            if lacking := self._drawer.missing(line):
                yield f"line {number}: no font has {', '.join(map(named, lacking[:3]))}"

    async def picture(self, content: Content, sketch: Sketch, who: Identifier | None, moment: Moment) -> Picture | None:
        """Return a sketch's picture for a person, or for the sample shopper; None if its app shows nothing.

        Raises BadContent for one that cannot be drawn within the limits, StoreUnavailable.
        """
        app, size = self.app(sketch), (sketch.width, sketch.height)
        if who is None:
            _, decision = sample_decision(app, moment, sketch.settings)
            if not decision.variant:
                return None
            scene = sample_scene(
                app, sketch.text, moment, sketch.settings, scale=moment.ratio, size=size, allowed=self._allowed
            )
            return await self._drawer.render(scene)
        variant = Variant("template", app.name, settings=dict(sketch.settings))
        if sketch.companion.strip():  # nobody else knows this app yet: its settings, with their defaults, say it all
            settings = msgspec.to_builtins(msgspec.convert(dict(sketch.settings), app.settings))
            feeds = {"feeds": list(app.feeds(None))} if app.feeds is not None else {}
            variant = Variant("template", "custom", settings={**settings, **feeds})
        block = Block("preview", Fallback(SHOP), (variant,), width=size[0], height=size[1])
        decision = await self._opens.preview(content, block, who, moment)
        if not decision.variant:
            return None
        return await self._opens.again(content, Opened(decision, moment, block, sketch.text), 1)

    def words(self, app: App, now: int, *, own: bool = False) -> dict[str, Described]:
        """Return the values that a template of an app may use, by name, with those of the sample shopper as examples.

        With its `own` file, the app's settings are all that there are.
        """
        moment = Moment(now, device="mobile", language="en", currency="EUR", time_zone="Europe/Berlin", country="DE")
        block, decision = sample_decision(app, moment)
        person, sample = shopper(moment.now), shop(moment.now, app)
        values = template_values(block, decision, 1, person, moment, sample.products)
        if own:
            values["settings"] = msgspec.to_builtins(msgspec.convert(dict(app.sample.settings), app.settings))
        return {
            **{name: described(value) for name, value in sorted(values.items())},
            **{name: Described("time") for name in CLOCK},
        }


def described(value: Any, depth: int = 0) -> Described:
    """Return what a value is, down to a depth.

    >>> described({"name": "Mug", "tags": ["a"]}).fields["tags"].item
    Described(kind='text', example='a', fields={}, item=None)
    """
    if isinstance(value, Mapping):
        inner = {str(name): described(each, depth + 1) for name, each in value.items()} if depth < DEEPEST else {}
        return Described("group", "", inner)
    if isinstance(value, list | tuple):
        return Described("list", f"{len(value)} items", {}, described(value[0], depth + 1) if value else None)
    if isinstance(value, bool):
        return Described("yes or no", "true" if value else "false")
    if isinstance(value, int | float):
        return Described("number", str(value))
    return Described("text", str(value)[:LONGEST_EXAMPLE]) if isinstance(value, str) else Described("")


def _unknown(
    path: tuple[str, ...], known: Mapping[str, Described], open_: Collection[tuple[str, ...]]
) -> tuple[str, str] | None:
    """Return the first name of a path that no value has, and a message about it; None if all are known."""
    fields, before = known, list[str]()
    for name in path:
        if name not in fields:
            place = f"{'.'.join(before)} has no {name}" if before else f"there is no {name}"
            return name, f"{place}: nothing is printed{closest(name, sorted(fields))}"
        before.append(name)
        found = fields[name]
        if tuple(before) in open_ or found.kind != "group" or not found.fields:
            return None
        fields = found.fields
    return None


def _in_companion(text: str, error: BadContent) -> Problem:
    """Return a mistake of the file beside a template, at the line that it names, or at the setting."""
    message = f"{error}{f' ({error.hint})' if error.hint else ''}"
    line = _LINE.search(message)
    number = int(line[1]) if line is not None else _line_of(text, message)
    start, end = _span(text, number)
    return Problem("companion", "error", message, start, end, number)


def _line_of(text: str, message: str) -> int:
    """Return the line of the value or the setting that a message names; the first one without any."""
    value = re.search(r"value '([^']+)'", message)
    if value is not None and (at := text.find(value[1])) >= 0:
        return text.count("\n", 0, at) + 1
    place = _PLACE.match(message.partition("`$.")[2] or message)
    keys = re.split(r"[.\[]", place[0]) if place is not None else []
    for key in reversed(keys):
        if found := re.search(rf"^\s*{re.escape(key.rstrip(']'))}\s*:", text, re.MULTILINE):
            return text.count("\n", 0, found.end()) + 1
    return 1


def _at(text: str, severity: Literal["error", "warning"], message: str, start: int, end: int) -> Problem:
    start = min(start, len(text))
    return Problem("template", severity, message, start, min(end, len(text)), text.count("\n", 0, start) + 1)


def _on_line(text: str, note: str) -> Problem:
    """Return a note that begins with its line as a warning."""
    place, _, message = note.partition(": ")
    number = int(place.removeprefix("line "))
    start, end = _span(text, number)
    return Problem("template", "warning", message, start, end, number)


def _span(text: str, number: int) -> tuple[int, int]:
    """Return where the words of a line begin and end."""
    lines = text.split("\n")
    number = min(max(number, 1), len(lines))
    before, line = sum(len(each) + 1 for each in lines[: number - 1]), lines[number - 1]
    return before + len(line) - len(line.lstrip()), before + max(len(line.rstrip()), 1 if line else 0)


def drawn_problem(text: str, error: BadContent) -> Problem:
    """Return the reason why a picture cannot be drawn, at its line of the template if it names one."""
    line = re.search(r"see line (\d+) of the template", error.hint)
    if line is None:
        return Problem("picture", "error", f"{error}{f': {error.hint}' if error.hint else ''}")
    number = int(line[1])
    start, end = _span(text, number)
    message = str(error).removeprefix("the template has an error: ")
    return Problem("template", "error", message, start, end, number)


def units(text: str, problems: list[Problem]) -> Iterator[Problem]:
    """Yield the problems of a text with places as a browser counts them: a rare character is two."""
    plain = len(text.encode("utf-16-le")) == 2 * len(text)
    for each in problems:
        if plain:
            yield each
        else:
            start, end = (len(text[:at].encode("utf-16-le")) // 2 for at in (each.start, each.end))
            yield replace(each, start=start, end=end)
