"""Content: reads all files of a content folder and lists each problem with its place.

content/
├── blocks/*.yaml         one block each
├── audiences/*.yaml      one audience each: a named rule
├── feeds/*.yaml          external data, one feed each
├── mappings/*.yaml       the shop's own event names, mapped to the names of Segment's spec
├── catalog.yaml          corrected, pinned and hidden products
├── signals.yaml          the events that count as conversions, and the global holdout
├── reports.yaml          saved views of reports, and the weekly summary
├── templates/*.liquid    templates of Custom Apps; one with a .yaml beside it is an app with its own settings
├── fonts/*               the shop's own fonts: WOFF2, TTF, OTF
└── images/*              JPEG and PNG pictures for fallbacks
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from wetink.content.apps import app_of, wrong_with_apps
from wetink.content.check import lint, never_works, unusable
from wetink.content.strict_yaml import parse_yaml
from wetink.content.tree import LARGEST_FONT, Tree
from wetink.core.app.app import App
from wetink.core.app.setting import doubts
from wetink.core.blocks.block import Block
from wetink.core.catalog.curation import Curation, curation_of
from wetink.core.errors import BadContent, NotFound
from wetink.core.messages.mapping import EventMapping, mapping_of
from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed
from wetink.core.rules.evaluate import Rulebook
from wetink.core.rules.parse import Unreadable, parse_all
from wetink.core.signals.audience import Audience, audience_of, rules_of, usable
from wetink.core.signals.goal import Signals, signals_of
from wetink.core.signals.reporting import Reporting, reporting_of
from wetink.ports import Picture

T = TypeVar("T")

SIGNALS, REPORTING, CATALOG = "signals.yaml", "reports.yaml", "catalog.yaml"
TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
STARTS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
LARGEST_TEXT, LARGEST_IMAGE = 256 * 1024, 2 * 1024 * 1024
"""Bytes of the largest block or template, and of the largest image."""
YAML = (".yaml", ".yml")
LARGEST_REMEMBERED = 16 * 1024
"""Characters of the largest file whose document is kept, so that the next version does not read it again."""
LONGEST_PROBLEM = 1_000
"""Characters of the longest problem that wetink reports about a file."""
FONTS = {".woff2": b"wOF2", ".ttf": b"\0\1\0\0", ".otf": b"OTTO"}
"""The first bytes of a font file, by its suffix."""


class Content(msgspec.Struct, frozen=True):
    """The usable content of a folder. `problems` lists the parts that cannot be used, each with its place."""

    blocks: Mapping[str, Block] = {}
    templates: Mapping[str, str] = {}
    images: Mapping[str, Picture] = {}
    feeds: Mapping[str, Feed] = {}
    mappings: Mapping[str, EventMapping] = {}
    apps: Mapping[str, App] = {}
    """The apps that the folder's own templates declare."""
    audiences: Mapping[str, Audience] = {}
    fonts: Mapping[str, bytes] = {}
    signals: Signals = Signals()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Doubts about parts that wetink still uses: CSS that it cannot draw, and mapped names that nothing reads."""
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
    """The blocks' rules, compiled at their first use, with the audiences that they may name."""

    aliases: Mapping[str, str] = {}
    """The blocks' present names by earlier ones."""
    reporting: Reporting = Reporting()
    curation: Curation = Curation()
    """An operator's word on products."""

    def answering(self, name: str) -> Block | None:
        """Return the block of a name that an email has, which may be an earlier one; None if there is none."""
        return self.blocks.get(name) or self.blocks.get(self.aliases.get(name, ""))

    def names_of(self, name: str) -> list[str]:
        """Return a block's present name and its earlier ones, by any of them: old opens have the earlier ones."""
        now = self.aliases.get(name, name)
        return [now, *(old for old, new in self.aliases.items() if new == now)]

    @property
    def listed(self) -> Mapping[str, Block]:
        """The blocks without the archived ones."""
        return {name: block for name, block in self.blocks.items() if not block.archived}

    def block(self, name: str) -> Block:
        """Return a block, by an earlier name if need be. Raises NotFound, which names the blocks that exist."""
        block = self.answering(name)
        if block is None:
            there = ", ".join(sorted(self.listed)) or "none"
            raise NotFound(f"there is no block called {name[:64]!r}", hint=f"blocks: {there}")
        return block


def load(tree: Tree, apps: Mapping[str, App]) -> Content:
    """Read content. Never raises for the content of a file: it leaves a bad file out and names it in `problems`."""
    problems: list[str] = []
    templates = {
        path.name: text
        for path, body in files_in(tree, "templates", ".liquid")
        if (text := _text(path, body, problems)) is not None
    }
    images = {
        path.name: picture
        for path, body in files_in(tree, "images")
        if (picture := _image(path, body, problems)) is not None
    }
    feeds = {feed.name: feed for feed in _documents(tree, "feeds", feed_of, problems).values()}
    mappings = _documents(tree, "mappings", lambda _, raw: mapping_of(raw), problems)
    audiences = _audiences(tree, problems)
    rules = rules_of(audiences)
    own = _documents(tree, "templates", app_of, problems)
    for name in [name for name in own if f"{name}.liquid" not in templates]:
        problems.append(f"templates/{name}.yaml: there is no {name}.liquid beside it")
        del own[name]
    problems += wrong_with_apps(own, apps, feeds)
    apps = {**own, **apps}
    blocks: dict[str, Block] = {}
    for path, body in files_in(tree, "blocks", *YAML):
        text = _text(path, body, problems)
        if text is None:
            continue
        try:
            block, wrong = block_of(path.stem, _parsed(text))
            wrong += unusable(block, apps, templates, images, feeds, rules, blocks.values())
            if block.name in blocks:
                wrong.append(f"there is already a block called {block.name}")
        except BadContent as error:
            wrong = [_in_words(error)]
        if wrong:
            problems += [f"{path}: {each}" for each in wrong]
        else:
            problems += [f"{path}: {each}" for each in never_works(block, apps)]
            blocks[block.name] = block
    aliases = _aliases(blocks, problems)
    fonts = {path.name: body for path, body in files_in(tree, "fonts") if _is_font(path, body, problems)}
    notes = (
        *(f"templates/{name}: {note}" for name, text in templates.items() for note in lint(text)),
        *(f"mappings/{name}.yaml: {note}" for name, mapping in mappings.items() for note in doubts(mapping)),
    )
    own = {name: app for name, app in own.items() if apps[name] is app}
    signals = _single(tree, SIGNALS, signals_of, Signals(), problems)
    reporting = _single(tree, REPORTING, reporting_of, Reporting(), problems)
    curation = _single(tree, CATALOG, curation_of, Curation(), problems)
    shown = tuple(map(shortened, problems))
    return Content(
        blocks, templates, images, feeds, mappings, own, audiences, fonts, signals, shown, notes, Rulebook(rules),
        aliases, reporting, curation,
    )  # fmt: skip


def _aliases(blocks: Mapping[str, Block], problems: list[str]) -> dict[str, str]:
    """Return the blocks' names by earlier ones. One that belongs to another block by now is a problem and left out."""
    found: dict[str, str] = {}
    for name, block in blocks.items():
        for alias in block.aliases:
            if alias in blocks or alias in found:
                problems.append(f"blocks/{name}.yaml: aliases: {alias} is the block {found.get(alias, alias)}")
            else:
                found[alias] = name
    return found


def shortened(problem: str) -> str:
    """Return a problem cut to LONGEST_PROBLEM characters: it may quote a text of any length."""
    return problem if len(problem) <= LONGEST_PROBLEM else f"{problem[: LONGEST_PROBLEM - 1]}…"


def files_in(tree: Tree, room: str, *suffixes: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the files of a folder that end in one of `suffixes` (all files if there are none), by name."""
    for path in sorted(path for path in tree if path.startswith(f"{room}/") and path.endswith(suffixes or ("",))):
        yield PurePosixPath(path), tree[path]


def _in_words(error: BadContent) -> str:
    return f"{error}{f' ({error.hint})' if error.hint else ''}"


def _single(tree: Tree, name: str, read: Callable[[Any], T], default: T, problems: list[str]) -> T:
    """Return the result of `read` for a YAML file; the default if it is missing or has a problem."""
    text = _text(PurePosixPath(name), tree[name], problems) if name in tree else None
    try:
        return read(_parsed(text)) if text is not None else default
    except BadContent as error:
        problems.append(f"{name}: {_in_words(error)}")
        return default


def _documents(tree: Tree, room: str, read: Callable[[str, Any], T], problems: list[str]) -> dict[str, T]:
    """Return the result of `read` for each YAML file of a folder, by the file's name without its suffix."""
    found: dict[str, T] = {}
    for path, body in files_in(tree, room, *YAML):
        text = _text(path, body, problems)
        if text is None:
            continue
        try:
            if path.stem in found:
                raise BadContent(f"there is already another file called {path.stem}")
            found[path.stem] = read(path.stem, _parsed(text))
        except Unreadable as error:
            problems += [f"{path}: {each}" for each in error.problems]
        except BadContent as error:
            problems.append(f"{path}: {_in_words(error)}")
    return found


def _audiences(tree: Tree, problems: list[str]) -> dict[str, Audience]:
    """Return the audiences that can be used; add the problems of the others to `problems`."""
    found = _documents(tree, "audiences", audience_of, problems)
    places = {path.stem: path for path, _ in files_in(tree, "audiences", *reversed(YAML))}
    good, wrong = usable(found)
    problems += [f"{places[name]}: {each}" for name, found in wrong.items() for each in found]
    return good


def _parsed(text: str) -> Any:
    """Return the document of a YAML file, which nobody may change. Raises BadContent."""
    return _remembered(text) if len(text) <= LARGEST_REMEMBERED else parse_yaml(text)


@lru_cache(maxsize=1_000)
def _remembered(text: str) -> Any:
    """Return a document that may have been read before: a new version changes a file or two of many."""
    return parse_yaml(text)


def _within(body: bytes, most: int) -> bytes:
    """Return a file's body. Raises BadContent if it has more than `most` bytes."""
    if len(body) > most:
        raise BadContent(f"larger than {f'{most >> 20} MB' if most >> 20 else f'{most >> 10} KB'}")
    return body


def _text(path: PurePosixPath, body: bytes, problems: list[str]) -> str | None:
    try:
        text = _within(body, LARGEST_TEXT).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        if "\0" in text:
            raise BadContent(f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: a NUL character")
        return text
    except (UnicodeDecodeError, BadContent) as error:
        problems.append(f"{path}: {error}")
        return None


def _is_font(path: PurePosixPath, body: bytes, problems: list[str]) -> bool:
    try:
        if path.suffix.lower() not in FONTS:
            raise BadContent("fonts are WOFF2, TTF or OTF")
        if not _within(body, LARGEST_FONT).startswith(FONTS[path.suffix.lower()]):
            raise BadContent(f"this is not a {path.suffix} font")
        return True
    except BadContent as error:
        problems.append(f"{path}: {error}")
        return False


def _image(path: PurePosixPath, body: bytes, problems: list[str]) -> Picture | None:
    content_type = TYPES.get(path.suffix.lower())
    try:
        if content_type is None:
            raise BadContent("pictures are JPEG or PNG")
        if not _within(body, LARGEST_IMAGE).startswith(STARTS[content_type]):
            raise BadContent(f"this is not a {path.suffix} picture")
        return Picture(body, content_type)
    except BadContent as error:
        problems.append(f"{path}: {error}")
        return None


def block_of(name: str, raw: Any) -> tuple[Block, list[str]]:
    """Return the block that a file declares, and the problems of its rules. Raises BadContent if it is not a block."""
    if not isinstance(raw, dict):
        raise BadContent("a block must be a mapping", hint="see the tutorial for an example")
    problems: list[str] = []
    if "schedule" in raw:
        raw = {**raw, "schedule": dates_as_text(raw["schedule"])}
    variants = raw.get("variants")
    if isinstance(variants, list):
        read: list[Any] = []
        for index, variant in enumerate(variants):
            if isinstance(variant, dict) and "when" in variant:
                rules, wrong = parse_all(variant["when"], f"variants[{index}].when")
                problems += wrong
                variant = {**variant, "when": rules}
            if isinstance(variant, dict):
                texts = {name: dates_as_text(variant[name]) for name in ("settings", "schedule") if name in variant}
                variant = {**variant, **texts}
            read.append(variant)
        raw = {**raw, "variants": read}
    try:
        return msgspec.convert({"name": name, **raw}, Block), problems
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error


def dates_as_text(value: Any) -> Any:
    """Return settings with each date as ISO 8601 text: YAML turns a date without quotes into a date object."""
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, dict):
        return {name: dates_as_text(each) for name, each in value.items()}
    return [dates_as_text(each) for each in value] if isinstance(value, list) else value
