"""A block's picture beside Chromium's, on its page, where the operator has a Chromium."""

import asyncio
import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.gallery import program
from tests.web.dashboard.conftest import client_of
from tests.web.dashboard.shopper import BLOCKS
from wetink.settings import read
from wetink.wiring import Wetink

ODD = """<style>.a { width: clamp(1px, 90px, 300px); height: 80px; background-color: #3451d1 }</style>
<div class="a"></div>"""
BLOCK = """
variants: [{name: all, app: custom, template: odd.liquid}]
fallback: {link: "https://shop.example/"}
width: 300
height: 80
"""


@pytest.fixture
def browsed(tmp_path: Path) -> Iterator[TestClient]:
    """A dashboard whose operator has a Chromium, with a template that asks for what the engine cannot draw."""
    settings = read({}, data=tmp_path / "data", chromium=program(tmp_path))
    for name, text in {**BLOCKS, "blocks/odd.yaml": BLOCK, "templates/odd.liquid": ODD}.items():
        path = settings.content / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    wetink = Wetink(settings)
    asyncio.run(wetink.look_again())
    with client_of(wetink) as client:
        yield client
        assert client.portal is not None
        client.portal.call(wetink.close)


def test_a_block_is_shown_beside_the_browsers_picture_with_a_figure(browsed: TestClient) -> None:
    assert 'hx-get="/dashboard/blocks/odd/beside"' in browsed.get("/dashboard/blocks/odd").text
    page = browsed.get("/dashboard/blocks/odd/beside").text
    share = re.search(r"<strong>(\d+\.\d) %</strong> of the picture looks different", page)
    assert share is not None
    assert 50 < float(share[1]) < 80, "clamp() takes the whole width, but for a browser"
    pictures = re.findall(r'<img src="data:image/(?:jpeg|png);base64,([^"]+)"', page)
    for inside in pictures:
        with Image.open(io.BytesIO(base64.b64decode(inside))) as image:
            assert image.size == (600, 160)
    assert len(pictures) == 3
    assert "line 1: clamp() takes the whole width" in page


def test_the_comparison_says_when_it_shows_the_fallback(browsed: TestClient, dashboard: TestClient) -> None:
    assert "shows the fallback" in browsed.get("/dashboard/blocks/hero/beside?who=user:nobody").text
    assert browsed.get("/dashboard/blocks/absent/beside").status_code == 404
    assert "/beside" not in dashboard.get("/dashboard/blocks/hero").text, "without a browser there is no such part"
