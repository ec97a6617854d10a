"""Figure: one measured ratio beside its goal."""

from collections.abc import Mapping

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A ratio to a reference of the same run; at or above `goal` it is reached. `told` has the two sides in words.

    `cells` has a row of the page, by column, if the figure has one of its own there.
    """

    name: str
    ratio: float
    goal: float
    told: str = ""
    cells: Mapping[str, str] = {}
