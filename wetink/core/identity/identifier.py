"""Identifiers: the three kinds of name a shopper can go by."""

from typing import Literal

import msgspec

Kind = Literal["user", "email", "anonymous"]

STRENGTH: dict[Kind, int] = {"user": 0, "email": 1, "anonymous": 2}
"""Strongest first: an event is filed under the strongest identifier it carries."""


class Identifier(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """One name of a shopper, already cleaned (see `wetink.core.identity.clean`).

    >>> str(Identifier("email", "jane@shop.example"))
    'email:jane@shop.example'
    """

    kind: Kind
    value: str

    def __str__(self) -> str:
        """Write it as `kind:value`."""
        return f"{self.kind}:{self.value}"
