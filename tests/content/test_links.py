"""Links in content are read as a browser reads them, and what leads nowhere is told as before."""

import msgspec
import pytest

from tests.core.urls import BARE, TABLE
from wetink.content.check import problems_of
from wetink.core.app.setting import link_problem
from wetink.core.blocks.block import Block
from wetink.core.text.link import host_of

ABSOLUTE = [(written, meant) for written, page, meant in TABLE if page == BARE and written.strip()]


def block(link: str) -> Block:
    return msgspec.convert(
        {
            "name": "hero",
            "fallback": {"link": link},
            "gone": link,
            "variants": [{"name": "a", "app": "countdown", "link": link}],
        },
        Block,
    )


@pytest.mark.parametrize(("written", "meant"), ABSOLUTE)
def test_a_blocks_links_lead_where_a_browser_would_go(written: str, meant: str) -> None:
    made = block(written)
    links = (made.fallback.link, made.gone, made.variants[0].link)
    assert links == ((written,) * 3 if host_of(written) or not meant else (meant,) * 3)
    told = [each for each in problems_of(made, {}, (), ()) if "http(s)" in each]
    assert len(told) == (0 if meant or host_of(written) else 3)
    assert bool(link_problem(written)) is not bool(meant)
    assert block(made.fallback.link) == made
