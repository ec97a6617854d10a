"""A studio for tests: the real renderer with photos that need no network, and scenes as an open makes them."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from wetink.core.blocks.block import Block, Decision, Fallback
from wetink.core.events.event import Product
from wetink.core.profile.person import Cart, Moment, Person, Seen
from wetink.opens.drawing import template_values
from wetink.ports import Picture, Scene
from wetink.render import Renderer
from wetink.render.worker import DrawingWorker

NOW = 1_800_000_000_000


class Album:
    """Photos from memory; it notes who asked for what. Implements `ports.Photos`."""

    def __init__(self, photos: Mapping[str, bytes] | None = None) -> None:
        """Take the photos by address."""
        self.photos = dict(photos or {})
        self.asked: list[str] = []

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        """Return the photo."""
        self.asked.append(url)
        return self.photos.get(url)

    def at_hand(self, url: str) -> bytes | None:
        """Return the photo."""
        return self.photos.get(url)

    def warm(self, url: str) -> None:
        """Everything is here already."""


def photo(color: str, size: tuple[int, int] = (320, 320), kind: str = "JPEG") -> bytes:
    """Return the bytes of a photo of one color."""
    kept = io.BytesIO()
    Image.new("RGB", size, color).save(kept, kind)
    return kept.getvalue()


def address(number: int) -> str:
    """Return the address of the n-th product's photo, with what must be escaped in HTML."""
    return f"https://cdn.example/{number}.jpg?w=320&n={number}"


class Here:
    """A pool whose only worker is this very process; it notes what its engine draws."""

    def __init__(self) -> None:
        """Have a desk of our own."""
        self.desk = DrawingWorker()
        self.drawn: list[str] = []
        engine: Any = self.desk._engine
        draw = engine.draw

        def noting(page: str, *rest: Any) -> Any:
            self.drawn.append(page)
            return draw(page, *rest)

        engine.draw = noting

    resting = True

    async def ask(self, body: bytes, seconds: float) -> bytes:
        """Answer a job."""
        return self.desk(body)

    def close(self) -> None:
        """There is nothing to end."""


PRODUCTS = tuple(
    Product(
        sku=f"S{number}",
        product_id=str(number),
        name=name,
        url=f"https://shop.example/{number}",
        image_url=address(number),
        price=price,
        currency="USD",
        category="Home",
    )
    for number, (name, price) in enumerate(
        [("Linen Lamp", 49.0), ("Hand-thrown stoneware cup, a set of six in smoke blue", 1299.5), ("Łódź Teapot", None)]
    )
)
ALBUM = {address(number): photo(color) for number, color in enumerate(["#2a5a5c", "#c2643f", "#8fa08f"])}


def scene(template: str, items: Sequence[Product] = PRODUCTS, slot: int = 1, **fields: Any) -> Scene:
    """Return the scene an open would make of these products for Ada. `fields` are those of Block, and `settings`."""
    settings = fields.pop("settings", {})
    block = Block("test", Fallback("https://shop.example/"), **fields)
    seen = tuple(Seen(item, NOW) for item in items)
    person = Person(traits={"firstName": "Ada"}, views=seen, cart=Cart(seen, NOW), last_seen=NOW)
    decision = Decision("id", "test", "", "", NOW, "v", "app", "", settings, tuple(items), (), ())
    return Scene(
        template,
        template_values(block, decision, slot, person, Moment(NOW), {}),
        block.width,
        block.height,
        transparent=block.transparent,
        photos=tuple(item.image_url for item in items if item.image_url),
    )


def plain(template: str, width: int = 100, height: int = 50, **fields: Any) -> Scene:
    """Return a scene of a template alone; `fields` are those of Scene."""
    return Scene(template, fields.pop("data", {}), width, height, **fields)


def shot(it: Scene, album: Album | None = None) -> Picture:
    """Return the picture of a scene."""
    renderer = Renderer(album or Album(ALBUM))
    try:
        return asyncio.run(renderer.render(it))
    finally:
        renderer.close()


def seen(picture: Picture) -> Image.Image:
    """Return a picture as a reader of mail sees it."""
    return Image.open(io.BytesIO(picture.body))


def near(one: object, other: tuple[int, ...], tolerance: int = 6) -> bool:
    """Whether two colors are the same but for what an encoder may do."""
    return isinstance(one, tuple) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=False))
