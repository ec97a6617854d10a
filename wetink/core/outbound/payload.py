"""Payload: a sample of a feed's items, its values by path, and proposals for the fields that they fill.

Samples come in other people's shapes: nested lists, prices as objects, attributes of XML, missing values.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from wetink.core.events.availability import availability
from wetink.core.outbound.feed import Format, Item, reached
from wetink.core.text.url import read as link_of
from wetink.core.units.currency import code_of
from wetink.core.units.money import number
from wetink.core.units.quantity import text

DEEPEST, MOST_LEAVES = 6, 120
"""Levels of an item that are listed, and its paths."""
SHOWN = 3
"""Items whose values a path shows."""

Kind = Literal["text", "link", "picture", "amount", "currency", "availability", "whole", "latitude", "longitude"]


class Leaf(msgspec.Struct, frozen=True):
    """A path of the sample, and the values there in its first items."""

    path: str
    values: tuple[Any, ...]

    @property
    def first(self) -> Any:
        """The first value that is not missing; None if all are."""
        return next((value for value in self.values if value is not None and value != ""), None)


class Target(msgspec.Struct, frozen=True):
    """A field to fill: its name for templates, its label, the usual names of its source, and the kind of its values."""

    name: str
    label: str
    words: tuple[str, ...]
    kind: Kind = "text"
    required: bool = False


PRODUCT = (
    Target("sku", "SKU", ("sku", "variantsku", "articlenumber", "itemnumber", "artno", "code"), required=True),
    Target("product_id", "Product ID", ("productid", "id", "itemid", "handle", "uid", "guid"), required=True),
    Target("name", "Name", ("name", "title", "productname", "label", "heading"), required=True),
    Target(
        "url",
        "Link",
        ("url", "link", "permalink", "href", "producturl", "weburl", "pageurl", "page"),
        "link",
        required=True,
    ),
    Target(
        "image_url",
        "Photo",
        ("imageurl", "imagelink", "image", "photo", "picture", "img", "thumbnail", "media"),
        "picture",
    ),
    Target("price", "Price", ("price", "currentprice", "saleprice", "amount", "cost", "netprice"), "amount"),
    Target(
        "list_price", "List price", ("listprice", "compareatprice", "regularprice", "originalprice", "msrp"), "amount"
    ),
    Target("currency", "Currency", ("currency", "currencycode", "pricecurrency", "iso"), "currency"),
    Target("category", "Category", ("category", "producttype", "categories", "department", "collection")),
    Target("brand", "Brand", ("brand", "vendor", "manufacturer", "maker")),
    Target("variant", "Variant", ("variant", "color", "colour", "size", "option")),
    Target("availability", "Availability", ("availability", "instock", "available", "stockstatus"), "availability"),
    Target("stock", "Items in stock", ("stock", "quantity", "inventory", "onhand", "qty"), "whole"),
)
"""The fields of a product. One of SKU and product ID is enough."""

STORE = (
    Target("name", "Name", ("name", "title", "store", "storename", "branch"), required=True),
    Target("latitude", "Latitude", ("latitude", "lat", "y"), "latitude", required=True),
    Target("longitude", "Longitude", ("longitude", "lng", "lon", "long", "x"), "longitude", required=True),
    Target("address", "Address", ("address", "street", "streetaddress", "addressline", "formattedaddress")),
    Target("hours", "Opening hours", ("hours", "openinghours", "open", "opening")),
    Target("link", "Link", ("link", "url", "website", "page", "permalink"), "link"),
    Target("zone", "Time zone", ("zone", "timezone", "tz")),
)
"""The fields of a store, as the app Nearest Store reads them."""

_INNER = ("amount", "value", "text", "url", "src", "href", "current", "gross", "name", "label", "code", "link")
"""Names inside an object that say nothing by themselves: `price.amount` is a price."""
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:[?#]|$)", re.IGNORECASE)
_MARK = re.compile(r"[^a-z0-9]")


def leaves(items: Sequence[Item]) -> list[Leaf]:
    """Return the paths of the values in these items, in their order. A list is entered at its first element.

    >>> items = [{"price": {"amount": 3}, "images": [{"url": "a"}]}, {"price": None}]
    >>> [(leaf.path, leaf.values) for leaf in leaves(items)]
    [('price.amount', (3, None)), ('images.0.url', ('a', None))]
    """
    paths = dict.fromkeys(path for item in items for path in _paths(item, "", 0))
    known = list(paths)
    plain = [path for path in known if not any(other.startswith(f"{path}.") for other in known)]
    return [Leaf(path, tuple(reached(item, path) for item in items[:SHOWN])) for path in plain[:MOST_LEAVES]]


def _paths(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping) and value and depth < DEEPEST:
        for name, inner in value.items():
            if name and not (set(name) & {".", " "} and path):  # no path leads to such a name below the top
                yield from _paths(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list | tuple) and value and depth < DEEPEST:
        yield from _paths(value[0], f"{path}.0", depth + 1)
    elif path:
        yield path


def proposed(targets: Iterable[Target], found: Sequence[Leaf]) -> dict[str, str]:
    """Return the likeliest path for each field, by its name and by its values. A path fills one field.

    >>> sample = [{"title": "Mug", "price": {"amount": "12.50", "currency": "EUR"}, "page": "https://shop.example/m"}]
    >>> proposed(PRODUCT, leaves(sample))
    {'name': 'title', 'url': 'page', 'price': 'price.amount', 'currency': 'price.currency'}
    """
    scores = [
        (score, -place, target.name, leaf.path)
        for place, target in enumerate(targets)
        for leaf in found
        if (score := _score(target, leaf)) > 0
    ]
    chosen: dict[str, str] = {}
    for _, _, name, path in sorted(scores, reverse=True):
        if name not in chosen and path not in chosen.values():
            chosen[name] = path
    return {target.name: chosen[target.name] for target in targets if target.name in chosen}


def _score(target: Target, leaf: Leaf) -> int:
    steps = [_MARK.sub("", step.lower().removeprefix("g:")) for step in leaf.path.split(".") if not step.isdecimal()]
    values = [value for value in leaf.values if value is not None and value != ""]
    if not steps or not values or not all(FITS[target.kind](value) for value in values):
        return 0
    last, whole, above = steps[-1], "".join(steps), steps[-2] if len(steps) > 1 else ""
    score = 0
    for rank, word in enumerate(target.words):
        if last == word:
            score = max(score, 100 - rank)
        if whole == word:
            score = max(score, 110 - rank)
        if last in _INNER and (above == word or above == f"{word}s"):
            score = max(score, 105 - rank - _INNER.index(last))
    if target.kind == "picture" and not score and any(_PICTURE.search(str(value)) for value in values):
        score = 20
    return score - 2 * (len(steps) - 1) if score else 0


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _degrees(value: Any, most: float) -> bool:
    try:
        return _plain(value) and abs(float(value)) <= most
    except ValueError:
        return False


FITS: Mapping[Kind, Callable[[Any], bool]] = {
    "text": _plain,
    "link": lambda value: isinstance(value, str) and bool(link_of(value, "https://shop.example/")),
    "picture": lambda value: isinstance(value, str) and bool(link_of(value, "https://shop.example/")),
    "amount": lambda value: _plain(value) and number(value) is not None,
    "currency": lambda value: isinstance(value, str) and len(code_of(value)) == 3,
    "availability": lambda value: bool(availability(value)),
    "whole": lambda value: _plain(value) and number(value) is not None,
    "latitude": lambda value: _degrees(value, 90),
    "longitude": lambda value: _degrees(value, 180),
}
"""Whether a value can fill a field of a kind."""


def format_of(start: bytes, content_type: str = "") -> Format | None:
    r"""Return the format of a body that begins so; None if nothing tells.

    >>> format_of(b'[{"a": 1}]'), format_of(b'{"a": 1}\n{"a": 2}\n'), format_of(b"a;b\n1;2\n")
    ('json', 'jsonl', 'csv')
    >>> format_of(b'<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0">'), format_of(b"<goods><item/>")
    ('merchant', 'xml')
    """
    words = start[:4096].replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe \t\r\n")
    if words.startswith(b"<"):
        names = re.findall(rb"<([A-Za-z][\w:.-]*)", words)
        root = names[0].rpartition(b":")[2].lower() if names else b""
        if root not in (b"rss", b"feed", b"rdf"):
            return "xml"
        return "merchant" if b"base.google.com" in words else "atom" if root == b"feed" else "rss"
    if words.startswith((b"[", b"{")):
        first, _, rest = words.partition(b"\n")
        whole = first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")
        return "jsonl" if first.startswith(b"{") and (whole or "ndjson" in content_type) else "json"
    line = words.partition(b"\n")[0]
    return "csv" if line and any(mark in line for mark in (b",", b";", b"\t", b"|")) else None


def shown(value: Any, most: int = 80) -> str:
    """Return a value as short text: a missing one is empty, an object is JSON."""
    if value is None:
        return ""
    said = value if isinstance(value, str) else text(value) or msgspec.json.encode(value).decode()
    said = " ".join(said.split())
    return said if len(said) <= most else f"{said[: most - 1]}…"
