"""Touch: an open or a click of a block, by whom it was, and in which arms of which experiments."""

import msgspec

from wetink.core.fetch import RULES_VERSION, Facts


class Touch(msgspec.Struct, frozen=True, gc=False):
    """An open or a click of a block by a recipient (`kind:value`), by whom it was, and the facts that say so."""

    kind: str
    block: str
    recipient: str
    campaign: str
    at: int
    variant: str = ""
    taken_for: str = "person"
    facts: Facts = Facts()
    version: int = RULES_VERSION
    human: bool = True
    """Whether it counts as somebody's, by its block's policy: machines' usually do not."""
    arms: dict[str, str] = {}
    """Experiment -> the arm this person is in."""
