"""Photos are fetched, decoded and made small when their product is first seen, and kept: no open waits for that."""

import asyncio
import io
from pathlib import Path
from typing import Any

from PIL import Image

from tests.contracts.profiles import received
from tests.feeds.outside import sends
from tests.feeds.shop import picture, shop
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.feeds.photos import Cache
from wetink.settings import read
from wetink.web.request import now_ms
from wetink.wiring import Wetink

BLOCK = """
variants: [{name: seen, app: last-viewed}]
fallback: {link: "https://shop.example/", title: Come in}
width: 300
height: 150
"""


def viewed(url: str) -> Any:
    seen = {"sku": "mug", "name": "Mug", "url": "https://shop.example/mug", "price": 5, "image_url": url}
    message = {"type": "track", "event": "Product Viewed", "userId": "jane", "messageId": "m1", "properties": seen}
    return received({**message, "timestamp": now_ms() - 1_000, "receivedAt": now_ms()})


def test_a_photo_is_small_and_on_the_disk_before_anybody_opens(tmp_path: Path) -> None:
    blocks = tmp_path / "content" / "blocks"
    blocks.mkdir(parents=True)
    (blocks / "hero.yaml").write_text(BLOCK)

    async def story(host: str, url: str, asked: list[str]) -> None:
        given = {"private_hosts": host, "link_hosts": f"{host},shop.example"}
        async with Wetink(read({}, data=tmp_path, **given)) as wetink:
            await wetink.store.log.append([viewed(url)])
            while await wetink.follower.step():
                pass
            async with asyncio.timeout(60):
                while wetink.photos.at_hand(url) is None:  # noqa: ASYNC110 (the host answers when it does)
                    await asyncio.sleep(0.01)
            kept = Cache(tmp_path / "photos").get(url)
            assert kept is not None
            with Image.open(io.BytesIO(kept[0])) as image:
                assert (image.format, image.size) == ("JPEG", (1200, 600))
            assert kept[0] == wetink.photos.at_hand(url)
            jane = Identifier("user", "jane")
            shown = await wetink.opens.open(wetink.content, "hero", 1, jane, Moment(now_ms()))
            assert not shown.stopgap
            with Image.open(io.BytesIO(shown.body)) as image:
                colors = image.convert("RGB").getcolors(1 << 20) or []
                assert any(red > 180 and green < 60 and blue < 60 for _, (red, green, blue) in colors), "the photo"
            assert asked == ["/mug.jpg"], "it was asked for once"

    with shop(**{"mug.jpg": sends(picture(size=(3000, 1500)))}) as there:
        asyncio.run(story(there.host, there.url("/mug.jpg"), there.asked))
