"""Sight: what somebody would see in a block, with the addresses of its pictures."""

from urllib.parse import urlencode

import msgspec

from wetink.core.blocks.block import Block, Decision
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.web.dashboard.simulation import Supposed
from wetink.wiring import Wetink

NOTHING = Supposed()


class Sight(msgspec.Struct, frozen=True):
    """A decision and where to see it drawn, one address for each slot."""

    block: Block
    decision: Decision
    pictures: tuple[str, ...]

    @property
    def weights(self) -> tuple[str, ...]:
        """Where to read what each picture weighs."""
        return tuple(address.replace(".img", "/weight", 1) for address in self.pictures)


async def sight(
    wetink: Wetink, block: Block, who: Identifier | None, moment: Moment, suppose: Supposed = NOTHING
) -> Sight:
    """Decide as an open would, None being nobody, and record nothing. Raises StoreUnavailable."""
    decision = await wetink.preview(block.name, who, moment, suppose.events)
    return Sight(block, decision, pictures(block, who, moment, suppose.text))


def pictures(block: Block, who: Identifier | None, moment: Moment, suppose: str = "") -> tuple[str, ...]:
    """Return the address of each slot's picture; `suppose` are messages that had not come, as JSON.

    >>> from wetink.core.blocks.block import Fallback
    >>> pictures(Block("hero", Fallback("https://shop.example/")), Identifier("user", "4 2"), Moment(5))
    ('/dashboard/preview/hero/1.img?who=user%3A4+2&at=5&scheme=light',)
    """
    query = {"who": str(who) if who is not None else "", "at": moment.now, "device": moment.device}
    query = {name: value for name, value in {**query, "scheme": moment.scheme, "suppose": suppose}.items() if value}
    return tuple(f"/dashboard/preview/{block.name}/{slot}.img?{urlencode(query)}" for slot in range(1, block.slots + 1))
