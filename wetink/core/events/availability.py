"""Availability: whether a product can be bought, in the four words of Google Merchant's product data.

Sources: Google Merchant Center and Meta Commerce, product data specifications; schema.org, ItemAvailability (all read
in November 2026).
"""

import re
from typing import Any

IN, OUT, PREORDER, BACKORDER = "in_stock", "out_of_stock", "preorder", "backorder"

_WORDS = {
    IN: "instock available availablefororder availablenow instoreonly onlineonly limitedavailability limited lowstock "
    "true yes y on ja oui si sim da auflager lieferbar verfugbar sofortlieferbar enstock disponible disponibile "
    "disponivel disponibel opvoorraad leverbaar ilager palager pavarasto dostepny skladem",
    OUT: "outofstock soldout discontinued unavailable notavailable notinstock nostock markassold markedassold sold "
    "outofprint reserved false no n off nein non nee nej nichtauflager ausverkauft nichtverfugbar vergriffen "
    "nichtlieferbar rupturedestock enrupturedestock epuise indisponible agotado sinstock nodisponible esaurito "
    "nondisponibile esgotado indisponivel uitverkocht nietopvoorraad nietleverbaar slutsald slutilager udsolgt utsolgt "
    "niedostepny vyprodano",
    PREORDER: "preorder presale comingsoon vorbestellbar vorbestellung precommande preventa",
    BACKORDER: "backorder backordered onbackorder madetoorder nachbestellt",
}
"""The words of senders by availability, in small letters without accents and spaces."""

_OURS = {word: ours for ours, words in _WORDS.items() for word in words.split()}
_LONGEST = 100
_FOLDED = str.maketrans("áàâäãåéèêëíìîïóòôöõøúùûüçñßłě", "aaaaaaeeeeiiiioooooouuuucnsle")
_AMOUNT = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,6})?")


def availability(value: Any) -> str | None:
    """Return the availability of a product, one of four words; None for any other value.

    A number is the quantity left. schema.org's values are accepted as URLs.

    >>> availability("In stock"), availability("https://schema.org/OutOfStock"), availability(False), availability("0")
    ('in_stock', 'out_of_stock', 'out_of_stock', 'out_of_stock')
    >>> availability("?"), availability(None)
    (None, None)
    """
    if value is True or value is False:
        return IN if value else OUT
    if isinstance(value, int | float):
        return (IN if value > 0 else OUT) if value == value else None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    known = _OURS.get(value)
    if known is not None:
        return known
    text = value.strip()
    if _AMOUNT.fullmatch(text):
        return IN if float(text.replace(",", ".")) > 0 else OUT
    last = re.split(r"[/#:]", text.rstrip("/"))[-1]
    return _OURS.get(re.sub(r"[^a-z]", "", last.lower().translate(_FOLDED)))
