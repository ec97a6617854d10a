"""Money: written as the reader's language does, with the digits that the currency has."""

import unicodedata
from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.units.currency import CODES, digits, most_digits
from wetink.core.units.money import money, number

LANGUAGES = ("en", "de", "de-AT", "de-CH", "fr", "es-MX", "pt-BR", "sv", "pl", "nl", "hi", "ja", "ar-EG", "he", "tr")
CURRENT = sorted(
    {
        code
        for told in get_global("territory_currencies").values()
        for code, *_, end, tender in told
        if end is None and tender
    }
)
"""Those that are legal tender somewhere now."""


def bare(text: str) -> str:
    """Return a text without its blanks: between letters and digits CLDR wants one, and babel has none."""
    return "".join(letter for letter in text if not letter.isspace())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_currency_is_written_as_cldr_has_it(language: str) -> None:
    assert len(CURRENT) > 150
    for code in CURRENT:
        for amount in (1299, -1299, 0):
            locale = language.replace("-", "_")
            assert bare(money(amount, code, language)) == bare(format_currency(amount, code, locale=locale)), code


@pytest.mark.parametrize("code", sorted(CODES))
def test_no_digit_that_a_currency_has_is_lost(code: str) -> None:
    places = most_digits(code)
    amount = float(Decimal(1234567).scaleb(-places))
    written = money(amount, code, "en")
    assert number(written, code) == amount
    whole = money(1200, code, "en")
    assert whole.count("0") == 2 + digits(code)
    assert places or "." not in money(1234.5, code, "en")


@pytest.mark.parametrize(
    ("amount", "currency", "language", "written"),
    [
        (1.255, "KWD", "", "KWD\xa01.255"),
        (1.2555, "KWD", "de", "1,256\xa0KWD"),
        (5000, "XOF", "fr", "5\u202f000\xa0F\u202fCFA"),
        (129990, "CLP", "es-CL", "$129.990"),
        (1200, "JPY", "de", "1.200\xa0¥"),
        (1200.4, "JPY", "", "¥1,200"),
        (12, "HUF", "hu", "12,00\xa0Ft"),
        (1200, "RSD", "", "RSD\xa01,200"),
        (99.5, "RSD", "", "RSD\xa099.50"),
        (1234567, "INR", "en-IN", "₹12,34,567.00"),
        (-0.001, "EUR", "", "€0.00"),
        (5, "€", "", "€5.00"),
        (5, "gems", "", "GEMS\xa05.00"),
        (9.9, "EUR", "de-DE,de;q=0.9", "9,90\xa0€"),
        (9.9, "EUR", "x" * 90, "€9.90"),
        (9.9, "EUR", "../../etc", "€9.90"),
        (1e300, "EUR", "", ""),
        (None, "EUR", "", ""),
        ("free", "EUR", "", ""),
    ],
)
def test_an_amount_is_written_for_its_reader(amount: object, currency: str, language: str, written: str) -> None:
    assert money(amount, currency, language) == written


@given(st.floats() | st.integers() | st.text(max_size=9) | st.none(), st.text(max_size=9), st.text(max_size=12))
def test_anything_is_written_or_nothing(amount: object, currency: str, language: str) -> None:
    made = money(amount, currency, language)
    assert not any(unicodedata.category(letter) == "Cc" for letter in made) or any(
        unicodedata.category(letter) == "Cc" for letter in currency
    )
