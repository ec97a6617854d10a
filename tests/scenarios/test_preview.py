"""A preview is the real thing: by the path that serves, byte for byte."""

import asyncio

import pytest

from tests.web.test_open import BLOCKS, JANE, House
from wetink.core.profile.person import Moment


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("block", BLOCKS)
def test_a_preview_has_the_bytes_that_the_open_gets(house: House, block: str, scheme: str) -> None:
    house.saw("mug")
    house.saw("lamp")

    async def previewed() -> bytes:
        moment = Moment(house.now, scheme=scheme)
        decision = await house.wetink.opens.preview(
            house.wetink.content, house.wetink.content.block(block), JANE, moment
        )
        return (await house.wetink.opens.picture(house.wetink.content, decision, 1, moment)).body

    before = asyncio.run(previewed())
    assert house.get(f"{house.url('picture', block)}?scheme={scheme}").body == before
    assert asyncio.run(previewed()) == before


def test_a_preview_of_the_past_shows_what_was_shown_then(house: House) -> None:
    house.saw("mug")
    then, shown = house.now, house.get(house.url("picture", "hero")).body
    house.saw("lamp")
    house.now += 3_600_000
    assert house.get(house.url("picture", "hero")).body != shown

    async def previewed() -> bytes:
        decision = await house.wetink.opens.preview(
            house.wetink.content, house.wetink.content.block("hero"), JANE, Moment(then)
        )
        return (await house.wetink.opens.picture(house.wetink.content, decision, 1, Moment(then))).body

    assert asyncio.run(previewed()) == shown
