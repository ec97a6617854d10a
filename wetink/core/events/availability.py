"""Availability: whether a product can be bought, in the four words of Google Merchant's product data.

Sources: Google Merchant Center and Meta Commerce, product data specifications; schema.org, ItemAvailability (all read
in November 2026).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

IN, OUT, PREORDER, BACKORDER = "in_stock", "out_of_stock", "preorder", "backorder"

_WORDS = {
    IN: "in stock, available, available for order, available now, in store only, online only, "
    "limited availability, limited, low stock, true, yes, y, on, ja, oui, si, sim, da, auf lager, "
    "lieferbar, verfügbar, sofort lieferbar, sofort verfügbar, en stock, disponible, disponibile, "
    "disponível, em estoque, em stock, op voorraad, leverbaar, i lager, på lager, tilgængelig, "
    "varastossa, saatavilla, dostępny, w magazynie, na stanie, skladem, na sklade, raktáron, készleten, "
    "în stoc, disponibil, stokta, stokta var, mevcut, σε απόθεμα, διαθέσιμο, в наличии, есть, "
    "в наявності, на склад, 在庫あり, 在庫有り, 有货, 有貨, 现货, 現貨, 有库存, 재고 있음, 판매중, متوفر, "
    "متاح, במלאי, มีสินค้า, còn hàng, tersedia, ada stok",
    OUT: "out of stock, sold out, discontinued, unavailable, not available, not in stock, no stock, "
    "temporarily out of stock, currently unavailable, temporarily unavailable, mark as sold, "
    "marked as sold, sold, out of print, reserved, false, no, n, off, nein, non, nee, nej, "
    "nicht auf lager, ausverkauft, nicht verfügbar, derzeit nicht verfügbar, vergriffen, nicht lieferbar, "
    "rupture de stock, en rupture de stock, rupture, épuisé, indisponible, agotado, sin stock, "
    "sin existencias, no disponible, esaurito, non disponibile, esgotado, indisponível, fora de estoque, "
    "sem estoque, sem stock, uitverkocht, niet op voorraad, niet leverbaar, slutsåld, slut i lager, "
    "ej i lager, udsolgt, ikke på lager, utsolgt, ei varastossa, loppunut, loppu, loppuunmyyty, "
    "niedostępny, brak w magazynie, wyprzedany, není skladem, nie je na sklade, vyprodáno, vypredané, "
    "nincs raktáron, elfogyott, stoc epuizat, epuizat, indisponibil, stokta yok, tükendi, εξαντλημένο, "
    "εξαντλήθηκε, μη διαθέσιμο, нет в наличии, нет, немає в наявності, изчерпан, 在庫なし, 在庫無し, "
    "在庫切れ, 売り切れ, 売切れ, 品切れ, 完売, 缺货, 缺貨, 无货, 無貨, 售罄, 售完, 품절, 재고 없음, "
    "일시품절, غير متوفر, نفد, نفدت الكمية, אזל מהמלאי, לא במלאי, สินค้าหมด, hết hàng, habis, stok habis",
    PREORDER: "preorder, pre-sale, coming soon, vorbestellbar, vorbestellung, précommande, en précommande, "
    "preventa, pré-venda, preordine, pre-bestelling, предзаказ, 予約, 予約受付中, 预售, 預購, 예약판매",
    BACKORDER: "backorder, backordered, on backorder, made to order, nachbestellt, sur commande, bajo pedido, "
    "sob encomenda, na zamówienie, под заказ, під замовлення, 取り寄せ, お取り寄せ",
}
"""The words of senders by availability. Case, accents, spaces and marks do not count."""


@lru_cache(1_024)
def _folded(text: str) -> str:
    """Return the letters and marks of a text that tell words apart, in any alphabet."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("\u0142", "l").replace("\xf8", "o"))
    return "".join(letter for letter in apart if letter.isalpha() or unicodedata.category(letter) == "Mc")


_OURS = {_folded(word): ours for ours, words in _WORDS.items() for word in words.split(",")}
_LONGEST = 100
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
    return _OURS.get(_folded(last))
