"""Touch: an open or a click of a block, by whom it was, and in which arms of which experiments."""

import msgspec

from wetink.core.client_classification import RULES_VERSION, Facts

AGAIN_MS = 60_000
"""Opens as data of the same block by the same recipient within this many milliseconds are one."""

PROVED_MS = 86_400_000
"""A click within this many milliseconds of an open of its block proves no further one, before or after."""


class Touch(msgspec.Struct, frozen=True, gc=False):
    """An open or a click of a block by a recipient (`kind:value`), by whom it was, and the facts that say so."""

    kind: str
    block: str
    recipient: str
    campaign: str
    at: int
    variant: str = ""
    fetch_class: str = msgspec.field(default="person", name="taken_for")
    facts: Facts = Facts()
    version: int = RULES_VERSION
    human: bool = True
    """Whether it counts as somebody's, by its block's policy: machines' usually do not."""
    arms: dict[str, str] = {}
    """Experiment -> the arm this person is in."""
    implied: bool = False
    """An open that nobody saw, but a person's click proves: their mail provider had fetched the picture before."""
    once: bool = False
    """Whether it counts only if no process has counted such an open within `AGAIN_MS`."""
