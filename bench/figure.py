"""Figure: one measured ratio beside its goal."""

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A ratio to a reference of the same run; at or above `goal` it is reached. `told` has the two sides in words."""

    name: str
    ratio: float
    goal: float
    told: str = ""
