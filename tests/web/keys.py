"""A write key for a data folder that no server has opened yet."""

import asyncio
from pathlib import Path

from wetink.settings import read
from wetink.wiring import Wetink


def key_in(data: Path) -> str:
    """Create a source in the data folder. Returns its write key."""

    async def make() -> str:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            return (await wetink.store.sources.create_key("shop", "server", ["shop.example"], 1)).write_key

    return asyncio.run(make())
