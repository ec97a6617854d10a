"""Availability: the words of shops in many languages, each read as meant; what is not known is none."""

import pytest

from wetink.core.events.availability import BACKORDER, IN, OUT, PREORDER, availability

WORDS: dict[str, list[str]] = {
    IN: [
        "In Stock",
        "in_stock",
        "INSTOCK",
        "auf Lager",
        "sofort verf\u00fcgbar",
        "En stock",
        "Disponible",
        "disponibile",
        "em estoque",
        "em stock",
        "op voorraad",
        "i lager",
        "p\u00e5 lager",
        "varastossa",
        "dost\u0119pny",
        "w magazynie",
        "skladem",
        "rakt\u00e1ron",
        "\u00een stoc",
        "stokta var",
        "\u0432 \u043d\u0430\u043b\u0438\u0447\u0438\u0438",
        "\u5728\u5eab\u3042\u308a",
        "\u6709\u8d27",
        "\u73b0\u8d27",
        "\uc7ac\uace0 \uc788\uc74c",
        "c\u00f2n h\u00e0ng",
        "tersedia",
        "https://schema.org/InStock",
        "http://schema.org/LimitedAvailability",
        "TRUE",
        "12",
    ],
    OUT: [
        "Out of stock",
        "sold-out",
        "nicht auf Lager",
        "Rupture de stock",
        "\u00c9puis\u00e9",
        "epuise",
        "agotado",
        "non disponibile",
        "fora de estoque",
        "sem stock",
        "niet op voorraad",
        "slut i lager",
        "ikke p\u00e5 lager",
        "ei varastossa",
        "niedost\u0119pny",
        "brak w magazynie",
        "nen\u00ed skladem",
        "nincs rakt\u00e1ron",
        "stokta yok",
        "T\u00fckendi",
        "\u041d\u0415\u0422 \u0432 \u043d\u0430\u043b\u0438\u0447\u0438\u0438",
        "\u5728\u5eab\u306a\u3057",
        "\u58f2\u308a\u5207\u308c",
        "\u7f3a\u8d27",
        "\ud488\uc808",
        "h\u1ebft h\u00e0ng",
        "temporarily out of stock",
        "https://schema.org/SoldOut",
        "0",
        "-3",
        "no",
    ],
    PREORDER: [
        "pre-order",
        "PreOrder",
        "coming soon",
        "pr\u00e9commande",
        "\u4e88\u7d04",
        "https://schema.org/PreSale",
    ],
    BACKORDER: ["back order", "sur commande", "na zam\u00f3wienie", "https://schema.org/MadeToOrder"],
}


@pytest.mark.parametrize(("word", "meant"), [(word, meant) for meant, words in WORDS.items() for word in words])
def test_a_shops_word_is_read_in_its_language(word: str, meant: str) -> None:
    for written in (word, word.upper(), word.lower(), f"  {word} "):
        assert availability(written) == meant


@pytest.mark.parametrize(
    "word", ["only 3 left", "delivery in 3 days", "active", "in", "stock", "magazynie", "?", "\u5728\u5eab"]
)
def test_a_word_that_may_mean_more_is_not_guessed(word: str) -> None:
    assert availability(word) is None
