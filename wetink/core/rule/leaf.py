"""Leaf: a node without parts, compiled: what is looked at, whether that holds, and how both are said."""

from collections.abc import Callable
from typing import Any

import msgspec

from wetink.core.rule.subject import Subject


class Leaf(msgspec.Struct, frozen=True):
    """`see` finds the value a node asks about, `judge` says whether it holds, `say` tells it in words.

    They may raise whatever odd data makes them raise: then it is unknown whether the node holds.
    """

    see: Callable[[Subject], Any]
    judge: Callable[[Any], bool]
    say: Callable[[Any], str]
