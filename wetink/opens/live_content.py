"""Shelf: the content that opens are answered from."""

from collections.abc import Mapping

import msgspec

from wetink.core.blocks.block import Block
from wetink.core.rules.evaluate import Rulebook


class Shelf(msgspec.Struct, frozen=True):
    """What content there is right now: blocks by name, templates of Custom Apps by file name."""

    blocks: Mapping[str, Block]
    templates: Mapping[str, str]
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
