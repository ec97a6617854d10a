"""Read: what the YAML files of a content folder say."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from wetink.content.strict_yaml import parse_yaml
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent
from wetink.core.rules.parse import Unreadable, parse_all
from wetink.core.signals.audience import Audience, audience_of, usable

LARGEST = 256 * 1024
"""Bytes of the largest audience."""


def block_of(name: str, said: Any) -> tuple[Block, list[str]]:
    """Return the block a file says, and what is wrong with its rules. Raises BadContent for what is no block."""
    if not isinstance(said, dict):
        raise BadContent("a block is a mapping", hint="see the tutorial for an example")
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
