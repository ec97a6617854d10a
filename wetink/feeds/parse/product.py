"""Product: its fields under our names, whichever names the table, export or feed uses, checked and made uniform.

Sources: product data of Google Merchant Center and Meta Commerce; product exports of Shopify, WooCommerce, Adobe
Commerce, BigCommerce, PrestaShop, Shopware, Squarespace, Wix and Ecwid (all read in November and December 2026). Case,
spaces and punctuation in a name do not count: `Image Link`, `image_link`, `g:imageLink`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from wetink.core.events.availability import OUT, availability
from wetink.core.events.clock import parse
from wetink.core.text.characters import unescaped
from wetink.core.text.placeholder import USUAL
from wetink.core.text.url import read
from wetink.core.units.currency import CODES, code_of
from wetink.core.units.duration import DAY
from wetink.core.units.money import read as amount_of
from wetink.core.units.quantity import stock, text

TEXTS = ("product_id", "sku", "name", "category", "brand", "variant")
LINKS = ("url", "image_url")

_NONE = {"product_id": USUAL.nothing, "sku": USUAL.nothing, "variant": USUAL.no_variant, "name": USUAL.unfilled}
"""Fields that identify a product -> whether a text in them means that there is no value."""


def goods(raw: Mapping[str, Any], base: str, notes: list[str]) -> dict[str, Any] | str:
    """Return a product's known fields under our names, or the reason why it cannot be used.

    Relative links are resolved on the product's own page, else on `base`. `notes` gets an entry per field left empty.
    """
    item: dict[str, Any] = {name: unescaped(value) for name in TEXTS if (value := text(raw.get(name)))}
    for name in [name for name, none in _NONE.items() if name in item and none(item[name])]:
        del item[name]  # else all products without a value would be one product
    if "product_id" not in item and "sku" not in item:
        return "it has neither product_id nor sku"
    for name in LINKS:
        said = text(raw.get(name))
        if not said:
            continue
        link = read(said, item.get("url") or base)
        if link:
            item[name] = link
        else:
            notes.append(f"{name} {said[:100]!r} is not an http(s) URL and is left empty")
    wrong = _price(item, raw)
    if wrong:
        return wrong
    given, left = raw.get("availability"), stock(raw.get("stock"))
    word = availability(given)
    if word:
        item["availability"] = word
    elif given is not None and given != "":
        notes.append(f"availability {str(given)[:40]!r} is not known and is left empty")
    if left is not None:
        item["stock"] = left
    return item


def _price(item: dict[str, Any], raw: Mapping[str, Any]) -> str:
    """Add prices and their currency to an item; return the reason why they cannot be used, empty if they can."""
    currency = text(raw.get("currency")) or ""
    for name in ("price", "list_price"):
        said = raw.get(name)
        if said is None or said == "" or (isinstance(said, str) and not said.strip()):
            continue
        amount = amount_of(said, currency)
        if amount.fault == "ambiguous_number":
            return f"{name} {str(said)[:40]!r} can be read in two ways; give its currency, or a number"
        if amount.value is None or amount.value < 0:
            return f"{name} {str(said)[:40]!r} is not a price"
        beside = item.get("currency") or code_of(currency)
        if amount.currency and beside in CODES and amount.currency != beside:
            if name == "list_price" and "price" in item:
                continue  # it cannot be compared
            return f"{name} {str(said)[:40]!r} is not in the currency {currency[:16]!r} beside it"
        item[name] = amount.value
        if amount.currency:
            item["currency"] = amount.currency
    if "currency" not in item and currency:
        item["currency"] = code_of(currency)
    if item.get("list_price", 0) <= item.get("price", 0):
        item.pop("list_price", None)
    return ""


NAMES: dict[str, tuple[str, ...]] = {
    "product_id": ("productid", "id", "itemid", "handle"),
    "sku": ("sku", "variantsku", "productsku", "productcodesku", "productnumber", "reference"),
    "name": ("name", "title", "productname", "producttitle"),
    "url": ("url", "link", "producturl", "productlink", "permalink"),
    "image_url": ("imageurl", "imagelink", "image", "imagesrc", "images", "photo", "picture", "variantimage",
                  "baseimage", "imageurls", "productimageurl", "productimage", "hostedimageurls", "covermediaurl",
                  "productmediamainimageurl"),
    "category": ("category", "producttype", "googleproductcategory", "fbproductcategory", "productcategory",
                 "categories", "type", "collection", "collections"),
    "brand": ("brand", "vendor", "manufacturer"),
    "variant": ("variant",),
    "price": ("price", "variantprice", "productprice", "pricegross", "pricetaxincluded", "pricetaxincl"),
    "list_price": ("listprice", "compareatprice", "variantcompareatprice", "regularprice", "originalprice"),
    "currency": ("currency", "currencycode", "pricecurrency"),
    "availability": ("availability", "instock", "available", "isinstock", "stockstatus"),
    "stock": ("stock", "quantity", "inventory", "inventoryquantity", "stockquantity", "variantinventoryqty",
              "quantitytosellonfacebook", "qty", "currentstock", "currentstocklevel", "productquantity"),
    "sale_price": ("saleprice", "specialprice"),
    "sale_dates": ("salepriceeffectivedate",),
    "sale_begins": ("datesalepricestarts", "dateonsalefromgmt", "dateonsalefrom", "specialpricefromdate",
                    "specialfromdate", "salepricestartdate", "salestartdate"),
    "sale_ends": ("datesalepriceends", "dateonsaletogmt", "dateonsaleto", "specialpricetodate", "specialtodate",
                  "salepriceenddate", "saleenddate"),
}  # fmt: skip
"""Our name -> its other names, as `plain` writes them; the first one that has a value counts."""

_OURS = {plain: (name, rank) for name, plains in NAMES.items() for rank, plain in enumerate(plains)}
_PARTS = ("color", "colour", "size", "option1value", "option2value", "option3value")
_NO = frozenset({"0", "-1", "false", "no", "n"})
_NOT_SOLD = {
    **dict.fromkeys(("published", "productvisible", "visible", "isvisible", "active", "purchasable"), _NO),
    "productonline": _NO | {"2"},
    "status": frozenset[str](),
}
_DRAFTS = frozenset({
    "draft", "auto-draft", "archived", "private", "pending", "trash", "inactive", "disabled", "unpublished", "deleted",
})  # fmt: skip
"""The values of a product that a shop does not sell, by the name of the column, and under any of them."""
_CODED = {
    **dict.fromkeys(("googleproductcategory", "fbproductcategory"), re.compile(r"\d+")),
    **dict.fromkeys(
        ("type", "producttype"),
        re.compile(
            r"(?:simple|variable|variation|grouped|external|configurable|bundle|virtual|downloadable|giftcard|physical"
            r"|digital|service|[, _])+",
            re.IGNORECASE,
        ),
    ),
}
"""The columns of a category in which a code is no name: Google's numbers, and shop systems' kinds of products."""
_REMARK = re.compile(r"\[[^\]]*\]|\((?:import|html|0/1|x,\s*y,\s*z[.\u2026]*)\)", re.IGNORECASE)
"""An instruction in a column's name: `Product ID [Non Editable]`, `Active (0/1)`, `Image URLs (x,y,z...)`."""
_PHOTOS = re.compile(r"\s*[,;|]\s*(?=https?://|//)|\s+(?=https?://)", re.IGNORECASE)
"""The mark between several photos in one cell."""
_BETWEEN = re.compile(r"\s*(?:/|\.\.\.?|\u2026)\s*|\s+(?:to|until|till|bis|-|\u2013|\u2014)\s+", re.IGNORECASE)
_SLASHES = re.compile(r"\s+(?:to|until|till|bis|-|\u2013|\u2014|/)\s+", re.IGNORECASE)
_OPEN_END = re.compile(r"(?:from|since|ab|von)\s+", re.IGNORECASE)
_OPEN_START = re.compile(r"(?:to|until|till|bis)\s+", re.IGNORECASE)
_SPACED = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$)")


class Sale(msgspec.Struct, frozen=True):
    """The time for which a sale price holds: from `begins` until `ends` (Unix ms); None: no bound."""

    begins: int | None = None
    ends: int | None = None


class Named(msgspec.Struct):
    """A product's fields under our names, unchecked; notes about them; when they change next (ms), 0: never."""

    fields: dict[str, Any]
    notes: list[str]
    until: int = 0


def plain(name: str) -> str:
    """Return a column's name without the parts that do not count.

    >>> plain("g:image_link"), plain("Variant Compare At Price"), plain("Product ID [Non Editable]")
    ('imagelink', 'variantcompareatprice', 'productid')
    """
    return re.sub(r"[^a-z0-9]", "", _REMARK.sub("", name).strip().lower().removeprefix("g:"))


def named(raw: Mapping[str, Any], now: int) -> Named:
    """Return a product's fields under our names. A valid sale price counts during the sale's dates."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    others: dict[str, Any] = {}
    for name, value in raw.items():
        key = plain(name)
        said = one(value)
        if said is None or said == "" or _is_coded(key, said):
            continue
        ours, rank = _OURS.get(key, ("", 0))
        if not ours:
            others[key] = said
        elif rank < ranks.get(ours, 99):
            found[ours], ranks[ours] = _first_photo(said) if ours == "image_url" else said, rank
    _complete(found, others)
    product = Named(found, [])
    _put_on_sale(product, now)
    return product


def _complete(found: dict[str, Any], others: Mapping[str, Any]) -> None:
    """Complete a product by columns that are none of its fields: parts of its variant, and whether it is sold."""
    parts = [part for key in _PARTS if (part := text(others.get(key)))]
    if parts and "variant" not in found:
        found["variant"] = " / ".join(parts)
    if any(str(said).strip().lower() in _NOT_SOLD[key] | _DRAFTS for key, said in others.items() if key in _NOT_SOLD):
        found["availability"] = OUT
    elif "availability" not in found and stock(left := found.get("stock")) is None and availability(left):
        found["availability"] = left  # `InStock` in a column of quantities
    if availability(others.get("onsale")) == OUT:
        found.pop("sale_price", None)
    if "price" not in found and "list_price" in found:
        found["price"] = found.pop("list_price")


def _is_coded(key: str, said: Any) -> bool:
    return key in _CODED and _CODED[key].fullmatch(str(said)) is not None


def _first_photo(said: Any) -> Any:
    return _PHOTOS.split(said.strip(), maxsplit=1)[0] if isinstance(said, str) else said


def sources(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the names in an item from which `named` takes each of our fields; those with an object are left out.

    >>> sources({"Title": "Mug", "price": {"amount": 3}, "id": 7})
    {'name': 'Title', 'product_id': 'id'}
    """
    found: dict[str, tuple[int, str]] = {}
    for name, value in raw.items():
        said = one(value)
        ours, rank = _OURS.get(plain(name), ("", 0))
        if ours and said is not None and said != "" and not isinstance(said, Mapping):
            found[ours] = min(found.get(ours, (rank, name)), (rank, name))
    return {ours: name for ours, (_, name) in found.items()}


def one(value: Any) -> Any:
    """Return the first of several values, and the address in an object."""
    if isinstance(value, list):
        return one(value[0]) if value else None
    if isinstance(value, Mapping):
        inner = (value.get(name) for name in ("url", "src", "href"))
        return next((each for each in inner if isinstance(each, str) and each), value)
    return value


def _put_on_sale(product: Named, now: int) -> None:
    found = product.fields
    sale, dates = found.pop("sale_price", None), text(found.pop("sale_dates", None)) or ""
    first, last = (text(found.pop(name, None)) or "" for name in ("sale_begins", "sale_ends"))
    if sale is None:
        return
    currency = text(found.get("currency")) or ""
    read, regular = amount_of(sale, currency), amount_of(found.get("price"), currency)
    amount, price = read.value, regular.value
    if read.currency and regular.currency and read.currency != regular.currency:
        product.notes.append(f"sale_price {str(sale)[:40]!r} is in another currency than the price and is ignored")
        return
    if amount is None:
        product.notes.append(f"sale_price {str(sale)[:40]!r} is not a price and is ignored")
        return
    if amount <= 0 or (price is not None and amount >= price):
        if amount != price:
            product.notes.append(f"sale_price {str(sale)[:40]!r} is not between 0 and the price and is ignored")
        return
    when = sale_of(dates) if dates or not (first or last) else _between(first, last)
    if when is None:
        given = dates or f"{first}/{last}"
        product.notes.append(f"sale_price_effective_date {given[:60]!r} cannot be read; the sale price is ignored")
        return
    product.until = next((at for at in (when.begins, when.ends) if at is not None and at > now), 0)
    if (when.begins is None or when.begins <= now) and (when.ends is None or now < when.ends):
        found["list_price"] = found.get("price")
        found["price"] = sale


def sale_of(dates: str) -> Sale | None:
    """Return the time of a sale from its two dates, or one of them; None if they cannot be read.

    Dates without a zone are in UTC. A last day without a time is part of the sale.

    >>> sale_of("2026-01-01/2026-02-01") == sale_of("2026-01-01 to 2026-02-01") == Sale(1767225600000, 1769990400000)
    True
    >>> sale_of("2026-01-01T00:00Z/"), sale_of("soon"), sale_of("")
    (Sale(begins=1767225600000, ends=None), None, Sale(begins=None, ends=None))
    """
    text = dates.strip()
    if not text.strip("/- "):
        return Sale()
    return next((sale for first, last in _halves(text) if (sale := _between(first, last)) is not None), None)


def _between(first: str, last: str) -> Sale | None:
    """Return the time of a sale from two dates, of which one may be empty; None if they cannot be read."""
    begins = _moment(first, last=False) if first else None
    ends = _moment(last, last=True) if last else None
    if (begins is None) is bool(first) or (ends is None) is bool(last):
        return None
    return Sale(begins, ends) if begins is None or ends is None or begins < ends else None


def _halves(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to split a text into two dates, the likeliest first."""
    if opens := _OPEN_START.match(text):
        yield "", text[opens.end() :]
        return
    text = _OPEN_END.sub("", text, count=1) if _OPEN_END.match(text) else text
    for between in (_SLASHES, _BETWEEN):
        parts = between.split(text)
        if len(parts) == 2:
            yield parts[0].strip(), parts[1].strip()
    for mark in (",", ";", "-"):
        if text.count(mark) == 1:
            first, _, last = text.partition(mark)
            yield first.strip(), last.strip()
    yield text, ""


def _moment(text: str, *, last: bool) -> int | None:
    at = parse(_SPACED.sub("", text))
    return at + DAY if at is not None and last and ":" not in text and not text.isdecimal() else at
