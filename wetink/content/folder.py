"""The content folder: what is on disk, read whole, with whatever is wrong told in words.

content/
├── blocks/*.yaml         one block each
├── audiences/*.yaml      one audience each: a rule that has a name
├── feeds/*.yaml          data from outside, one feed each
├── mappings/*.yaml       a shop's own names of events, as the spec's
├── signals.yaml          what counts as a conversion, and who is held out of everything
├── templates/*.liquid    templates of Custom Apps; with a .yaml beside it, it is an app with settings of its own
├── fonts/*               fonts of the shop's own: WOFF2, TTF, OTF
└── images/*              JPEG and PNG pictures for fallbacks
"""

import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec

from wetink.content.apps import app_of, wrong_with_apps
from wetink.content.check import never_works, unusable
from wetink.content.lint import lint
from wetink.content.strict_yaml import parse_yaml
from wetink.core.app.app import App
from wetink.core.app.setting import doubts
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent, NotFound
from wetink.core.messages.mapping import EventMapping, mapping_of
from wetink.core.outbound.feed import Feed, feed_of
from wetink.core.rules.evaluate import Rulebook
from wetink.core.rules.parse import Unreadable, parse_all
from wetink.core.signals.audience import Audience, audience_of, rules_of, usable
from wetink.core.signals.goal import Signals, signals_of
from wetink.ports import Picture

logger = logging.getLogger(__name__)
T = TypeVar("T")

SIGNALS = "signals.yaml"

STARTER = Path(__file__).parent / "starter"
"""What a new content folder is filled with."""

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
STARTS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
LARGEST_TEXT, LARGEST_IMAGE, LARGEST_FONT = 256 * 1024, 2 * 1024 * 1024, 8 * 1024 * 1024
"""Bytes of the largest block or template, of the largest image, and of the largest font."""
LONGEST_PROBLEM = 1_000
"""Characters of what is told of a file."""
FONTS = {".woff2": b"wOF2", ".ttf": b"\0\1\0\0", ".otf": b"OTTO"}
"""How the files of fonts begin."""


class Content(msgspec.Struct, frozen=True):
    """What a content folder holds. `problems` says what could not be used, and where."""

    blocks: Mapping[str, Block] = {}
    templates: Mapping[str, str] = {}
    images: Mapping[str, Picture] = {}
    feeds: Mapping[str, Feed] = {}
    mappings: Mapping[str, EventMapping] = {}
    apps: Mapping[str, App] = {}
    """Those of its templates that say their settings."""
    audiences: Mapping[str, Audience] = {}
    fonts: Mapping[str, bytes] = {}
    signals: Signals = Signals()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is used all the same: CSS that cannot be drawn, and names that mappings make and nothing reads."""
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
    """The rules of its blocks, compiled as they are asked for, with the audiences that they may name."""

    def block(self, name: str) -> Block:
        """Return a block. Raises NotFound, naming those there are."""
        block = self.blocks.get(name)
        if block is None:
            there = ", ".join(sorted(self.blocks)) or "none"
            raise NotFound(f"there is no block called {name[:64]!r}", hint=f"blocks: {there}")
        return block


def start(folder: Path) -> None:
    """Fill a content folder that does not exist yet with the starter's blocks and templates.

    Several processes may begin at the same time: the first one's is taken, and nobody sees half of it.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".starter-", dir=folder.parent) as draft:
        whole = shutil.copytree(STARTER, Path(draft) / folder.name, copy_function=shutil.copyfile)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first
                raise


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes whenever a file of the folder does: names, sizes and times."""
    found = []
    for path in sorted([*folder.glob("*/*"), folder / SIGNALS]):
        try:
            status = path.stat()
        except FileNotFoundError:  # it went while we looked
            continue
        found.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return tuple(found)


def news(folder: Path, apps: Mapping[str, App], known: object) -> tuple[object, Content] | None:
    """Return the folder's stamp and what is in it, None when the stamp is the known one.

    What is read while a push puts another folder in its place is read again: nobody sees half of each.
    """
    while folder.is_dir() and (before := stamp(folder)) != known:
        content = load(folder, apps)
        if folder.is_dir() and stamp(folder) == before:
            return before, content
    return None


def load(folder: Path, apps: Mapping[str, App]) -> Content:
    """Read the folder. Never raises for what is in it: a bad file is left out and told in `problems`."""
    problems: list[str] = []
    templates = {
        path.name: text
        for path in sorted(folder.glob("templates/*.liquid"))
        if (text := _text(path, folder, problems)) is not None
    }
    images = {
        path.name: picture
        for path in sorted(folder.glob("images/*"))
        if (picture := _image(path, folder, problems)) is not None
    }
    feeds = {feed.name: feed for feed in _documents(folder, "feeds", feed_of, problems).values()}
    mappings = _documents(folder, "mappings", lambda _, raw: mapping_of(raw), problems)
    audiences = read_audiences(folder, problems)
    rules = rules_of(audiences)
    own = _documents(folder, "templates", app_of, problems)
    for name in [name for name in own if f"{name}.liquid" not in templates]:
        problems.append(f"templates/{name}.yaml: there is no {name}.liquid beside it")
        del own[name]
    problems += wrong_with_apps(own, apps, feeds)
    apps = {**own, **apps}
    blocks: dict[str, Block] = {}
    for path in sorted([*folder.glob("blocks/*.yaml"), *folder.glob("blocks/*.yml")]):
        text = _text(path, folder, problems)
        if text is None:
            continue
        try:
            block, wrong = block_of(path.stem, parse_yaml(text))
            wrong += unusable(block, apps, templates, images, feeds, rules, blocks.values())
            if block.name in blocks:
                wrong.append(f"there is already a block called {block.name}")
        except BadContent as error:
            wrong = [f"{error}{f' ({error.hint})' if error.hint else ''}"]
        if wrong:
            problems += [f"{path.relative_to(folder)}: {each}" for each in wrong]
        else:
            problems += [f"{path.relative_to(folder)}: {each}" for each in never_works(block, apps)]
            blocks[block.name] = block
    fonts = {
        path.name: body
        for path in sorted(folder.glob("fonts/*"))
        if (body := _font(path, folder, problems)) is not None
    }
    notes = (
        *(f"templates/{name}: {note}" for name, text in templates.items() for note in lint(text)),
        *(f"mappings/{name}.yaml: {note}" for name, mapping in mappings.items() for note in doubts(mapping)),
    )
    own = {name: app for name, app in own.items() if apps[name] is app}
    signals = _signals(folder, problems)
    told = tuple(map(shortened, problems))
    return Content(
        blocks, templates, images, feeds, mappings, own, audiences, fonts, signals, told, notes, Rulebook(rules)
    )


def shortened(problem: str) -> str:
    """Return what is wrong in a few hundred characters: it may repeat a text of any length."""
    return problem if len(problem) <= LONGEST_PROBLEM else f"{problem[: LONGEST_PROBLEM - 1]}…"


def _signals(folder: Path, problems: list[str]) -> Signals:
    """Return what `signals.yaml` says; the usual where it is not there or means nothing."""
    path = folder / SIGNALS
    text = _text(path, folder, problems) if path.exists() else None
    try:
        return signals_of(parse_yaml(text)) if text is not None else Signals()
    except BadContent as error:
        problems.append(f"{SIGNALS}: {error}{f' ({error.hint})' if error.hint else ''}")
        return Signals()


def _documents(folder: Path, room: str, read: Callable[[str, Any], T], problems: list[str]) -> dict[str, T]:
    """Return what `read` makes of each YAML file of a room, by its name."""
    found: dict[str, T] = {}
    for path in sorted([*folder.glob(f"{room}/*.yaml"), *folder.glob(f"{room}/*.yml")]):
        text = _text(path, folder, problems)
        if text is None:
            continue
        try:
            found[path.stem] = read(path.stem, parse_yaml(text))
        except BadContent as error:
            problems.append(f"{path.relative_to(folder)}: {error}{f' ({error.hint})' if error.hint else ''}")
    return found


def _text(path: Path, folder: Path, problems: list[str]) -> str | None:
    try:
        if path.stat().st_size > LARGEST_TEXT:
            raise BadContent(f"larger than {LARGEST_TEXT // 1024} KB")
        text = path.read_text(encoding="utf-8")
        if "\0" in text:
            raise BadContent(f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: a NUL character")
        return text
    except (OSError, UnicodeDecodeError, BadContent) as error:
        problems.append(f"{path.relative_to(folder)}: {error}")
        return None


def _font(path: Path, folder: Path, problems: list[str]) -> bytes | None:
    try:
        if path.suffix.lower() not in FONTS:
            raise BadContent("fonts are WOFF2, TTF or OTF")
        if path.stat().st_size > LARGEST_FONT:
            raise BadContent(f"larger than {LARGEST_FONT // 1024 // 1024} MB")
        body = path.read_bytes()
        if not body.startswith(FONTS[path.suffix.lower()]):
            raise BadContent(f"this is no {path.suffix} font")
        return body
    except (OSError, BadContent) as error:
        problems.append(f"{path.relative_to(folder)}: {error}")
        return None


def _image(path: Path, folder: Path, problems: list[str]) -> Picture | None:
    content_type = TYPES.get(path.suffix.lower())
    try:
        if content_type is None:
            raise BadContent("pictures are JPEG or PNG")
        if path.stat().st_size > LARGEST_IMAGE:
            raise BadContent(f"larger than {LARGEST_IMAGE // 1024 // 1024} MB")
        body = path.read_bytes()
        if not body.startswith(STARTS[content_type]):
            raise BadContent(f"this is no {path.suffix} picture")
        return Picture(body, content_type)
    except (OSError, BadContent) as error:
        problems.append(f"{path.relative_to(folder)}: {error}")
        return None


LARGEST = 256 * 1024
"""Bytes of the largest audience."""


def block_of(name: str, said: Any) -> tuple[Block, list[str]]:
    """Return the block a file says, and what is wrong with its rules. Raises BadContent for what is no block."""
    if not isinstance(said, dict):
        raise BadContent("a block must be a mapping", hint="see the tutorial for an example")
    problems: list[str] = []
    variants = said.get("variants")
    if isinstance(variants, list):
        read: list[Any] = []
        for index, variant in enumerate(variants):
            if isinstance(variant, dict) and "when" in variant:
                rules, wrong = parse_all(variant["when"], f"variants[{index}].when")
                problems += wrong
                variant = {**variant, "when": rules}
            if isinstance(variant, dict) and "settings" in variant:
                variant = {**variant, "settings": _dates_as_text(variant["settings"])}
            read.append(variant)
        said = {**said, "variants": read}
    try:
        return msgspec.convert({"name": name, **said}, Block), problems
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error


def _dates_as_text(value: Any) -> Any:
    """Return settings with each date as it is written in quotes: YAML makes dates of those without."""
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _dates_as_text(each) for name, each in value.items()}
    return [_dates_as_text(each) for each in value] if isinstance(value, list) else value


def read_audiences(folder: Path, problems: list[str]) -> dict[str, Audience]:
    """Return the audiences of a content folder that can be used; what is wrong with the others is told."""
    found: dict[str, Audience] = {}
    places: dict[str, str] = {}
    for path in sorted([*folder.glob("audiences/*.yaml"), *folder.glob("audiences/*.yml")]):
        place = places[path.stem] = str(path.relative_to(folder))
        try:
            if path.stat().st_size > LARGEST:
                raise BadContent(f"larger than {LARGEST // 1024} KB")
            if path.stem in found:
                raise BadContent(f"there is an audience called {path.stem} already")
            found[path.stem] = audience_of(path.stem, parse_yaml(path.read_text(encoding="utf-8")))
        except Unreadable as error:
            problems += [f"{place}: {each}" for each in error.problems]
        except (OSError, UnicodeDecodeError, BadContent) as error:
            problems.append(f"{place}: {error}")
    good, wrong = usable(found)
    problems += [f"{places[name]}: {each}" for name, told in wrong.items() for each in told]
    return good
