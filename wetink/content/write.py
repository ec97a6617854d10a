"""Write: a block into the content folder, as the file its author would have written."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import yaml

from wetink.content.check import problems_of
from wetink.core.app import App
from wetink.core.block import Block
from wetink.core.errors import BadContent


def save(
    folder: Path, block: Block, apps: Mapping[str, App], templates: Collection[str], images: Collection[str]
) -> Path:
    """Write a new block; a reader never sees half of it. Return its file.

    Raises BadContent when it means nothing, or when there is a block of this name already.
    """
    wrong = problems_of(block, apps, templates, images)
    if wrong:
        raise BadContent(wrong[0])
    target = folder / "blocks" / f"{block.name}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() or target.with_suffix(".yml").exists():
        raise BadContent(f"there is a block called {block.name} already", hint="take another name")
    draft = target.with_name(f".{block.name}.{os.getpid()}")
    try:
        draft.write_text(text_of(block), encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise BadContent(f"{target.name} cannot be written: {error.strerror}") from error
    return target


def text_of(block: Block) -> str:
    """Return a block as YAML, without what is the default."""
    said = msgspec.to_builtins(block)
    del said["name"]
    order = ("title", "email", "place", "width", "height", "recipients", "variants", "fallback")
    known = {name: said.pop(name) for name in order if name in said}
    return yaml.safe_dump({**known, **said}, sort_keys=False, allow_unicode=True, width=100)
