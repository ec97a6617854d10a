"""Verdicts: what became of a message, and the closed list of problems, each with its remedy."""

from typing import Literal

import msgspec

Verdict = Literal["usable", "unusable", "parked"]
"""`usable`: stored, in the profile, can be targeted. `unusable`: stored and in the profile, but lacks what Signals
needs. `parked`: kept and readable, in no profile."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a message. `property` is the path that is missing or wrong, as the sender would write it."""

    code: str
    property: str
    hint: str
