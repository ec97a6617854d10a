"""Money: an amount as people write it where they live: by Unicode's CLDR (babel), for pictures, words, pages and lines.

A whole amount has the decimals that are in use (none for RSD); one with a fraction has those of ISO 4217, so that
nothing is lost that the currency has.
"""

import math
import re
from copy import copy
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from babel import localedata
from babel.core import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol

from wetink.core.units.amount import LARGEST
from wetink.core.units.currency import CODES, code_of, digits, most_digits

NO_CURRENCY = "XXX"
"""ISO 4217's code for none; it stands for the symbol while an amount is written."""

LONGEST_LANGUAGE = 35
LONGEST_CURRENCY = 16
"""Characters of a name for a currency that has no code."""
MOST_LOCALES = 64
"""Languages whose data is kept in memory: some 200 kB each, and whoever opens an email can name any."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def money(amount: object, currency: object = "", language: object = "") -> str:
    r"""Return an amount of a currency (a code or a symbol) as a language writes it.

    Nothing for what is not a number, and for one too large to be an amount.

    >>> money(1299.5, "USD"), money(1200, "JPY"), money(9, "CHF"), money(None, "EUR"), money(1.255, "KWD")
    ('$1,299.50', '¥1,200', 'CHF\xa09.00', '', 'KWD\xa01.255')
    >>> money(1299.5, "EUR", "de-DE"), money(-9, "EUR", "nl"), money(1200, "RSD"), money(99.5, "RSD")
    ('1.299,50\xa0€', '€\xa0-9,00', 'RSD\xa01,200', 'RSD\xa099.50')
    """
    try:
        number = float(amount)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return ""
    if isinstance(amount, bool) or not math.isfinite(number) or abs(number) >= LARGEST:
        return ""
    said = currency.strip()[:LONGEST_CURRENCY] if isinstance(currency, str) else ""
    return _written(number, said, language[:LONGEST_LANGUAGE] if isinstance(language, str) else "")


@lru_cache(4096)
def _written(number: float, currency: str, language: str) -> str:
    locale, code = _locale(language), code_of(currency)
    exact = Decimal(repr(number))
    places = digits(code)
    rounded = _to(exact, most_digits(code))
    if rounded != rounded.to_integral_value():
        places = most_digits(code)
    rounded = _to(exact, places)
    if not rounded:
        rounded = abs(rounded)  # no minus before nothing
    pattern = copy(locale.currency_formats["standard"] if code else locale.decimal_formats[None])
    pattern.frac_prec = (places, places)
    if not code:
        return str(pattern.apply(rounded, locale))
    symbol = get_currency_symbol(code, locale) if code in CODES else code
    made = str(pattern.apply(rounded, locale, currency=NO_CURRENCY, currency_digits=False))
    return _apart(made.replace(get_currency_symbol(NO_CURRENCY, locale), "¤"), symbol)


def _apart(made: str, symbol: str) -> str:
    """Put a symbol in the place of ¤, with a blank between its letters and the digits, as CLDR has it."""
    before, _, after = made.partition("¤")
    left = "\xa0" if before[-1:].isdigit() and _lettered(symbol[:1]) else ""
    right = "\xa0" if after[:1].isdigit() and _lettered(symbol[-1:]) else ""
    return f"{before}{left}{symbol}{right}{after}"


def _lettered(letter: str) -> bool:
    return letter.isalpha() or letter == "."


def _to(exact: Decimal, places: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


@lru_cache(MOST_LOCALES)
def _locale(language: str) -> Locale:
    """Return the locale of a language such as `de`, `pt-BR` or `pt_BR`; English for one there is no data of."""
    found = _TAG.match(language.strip())
    parts = re.split("[-_]", found[0]) if found else []
    while parts:
        try:
            return _loaded("_".join(parts))
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return _loaded("en")


def _loaded(tag: str) -> Locale:
    locale = Locale.parse(tag)
    kept: dict[str, Any] = getattr(localedata, "_cache", {})  # babel keeps all it ever read
    if len(kept) > MOST_LOCALES:
        kept.clear()
    return locale
