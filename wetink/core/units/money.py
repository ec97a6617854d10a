"""Money: amounts as senders write them, read exactly or not at all; and as each language writes them.

`read` takes a JSON number as it is. For text, the first of these rules that decides applies:

- Spaces, apostrophes and the Arabic `٬` group digits. The Arabic `٫` begins the decimals.
- Of two different separators, the last begins the decimals: `1.299,50`, `1,29,900.00`.
- A separator that repeats groups digits: `1.299.000`.
- A single dot or comma begins the decimals unless exactly three digits follow one to three digits: `12.5`, `0,125`,
  `1234.567`.
- In `1,299` and `1.299`, the currency decides. A currency with two decimals or none cannot have three, so the comma
  groups thousands. The dot does so only if the currency has no decimals (JPY) or its country writes a comma before them
  (EUR): `$1.299` is ambiguous. With a currency of three decimals (KWD), the dot begins them and the comma is ambiguous.
- Without a currency, `1,299` is 1299 and `1.299` is ambiguous.

`money` writes an amount by Unicode's CLDR (babel). A whole amount has the decimals in use (none for RSD); an amount
with a fraction has those of ISO 4217, so that no digit is lost.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from copy import copy
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from html import unescape
from typing import Any, Literal

import msgspec
from babel import localedata
from babel.core import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol

from wetink.core.units.currency import CODES, COMMA, MINOR, code_of, digits, most_digits, named
from wetink.core.units.money_object import unwrapped

LARGEST = 1e15
LONGEST = 64
"""Maximum length of text that can be an amount, in characters."""

Fault = Literal["", "ambiguous_number", "not_a_number"]


class Amount(msgspec.Struct, frozen=True, gc=False):
    """The result of `read`. `currency` is the code in the amount itself; empty for none."""

    value: float | None = None
    currency: str = ""
    fault: Fault = ""


AMBIGUOUS, NO_AMOUNT = Amount(fault="ambiguous_number"), Amount(fault="not_a_number")

_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.(?:[0-9]{1,2}|[0-9]{4,15}))?")
_FLOAT = re.compile(r"[+-]?[0-9]{1,16}(?:\.[0-9]{1,17})?[eE][+-]?[0-9]{1,3}")
_PARTS = re.compile(r"([^0-9]*?)([.,٫]?[0-9](?:[0-9 '.,٫٬]*[0-9])?)([^0-9]*)")
_SEPARATORS = re.compile(r"[ '.,٬]")
_GROUPS = " '٬"
_NO_CENTS = re.compile(r"\s?([.,:])\s?-{1,3}(?!-)")
_WHOLE = re.compile(r"(?<=[0-9])\s?/[-=](?=\s|$)")
"""How India (`Rs. 499/-`) and East Africa (`1,000/=`) write an amount without cents."""
_MULTIPLIES = re.compile(
    r"\s*(?:k|m|b|t|bn|mn|mm|mio|mrd|bio|tsd|tys|thousand|million|billion|lakhs?|crores?|cr)\b\.?", re.I
)
_CENTS = re.compile(
    r"\s*(?:[pc¢]|[Pp]ence|[Pp]enny|[Cc]ents?|centimes?|centavos?|c[eé]ntimos?|[øö]re|grosz[eya]?|коп(?:\.|еек|ейки)?|pais[ae]|fils)"
    r"(?!\w)"
)
"""Smaller units: `99p` is not 99 pounds."""
_LEDGER = re.compile(r"\s*[CD]R\.?\s*", re.I)
"""Credit or debit: the sign depends on whose ledger it is."""
_NEVER = frozenset("%‰°#@=<>*×^~\\|[]{}_")
_SAME = {
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\u2015\u207b\u208b\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2018\u2019\u02bc\u02b9\u02bb\u2032\u00b4`\uff07", "'"),
    **dict.fromkeys("\u060c\uff0c\ufe50\u3001", ","), **dict.fromkeys("\uff0e\ufe52", "."),
    "\u2e41": "٬", "\u00b7": "٫", "\uff08": "(", "\uff09": ")", "\uff04": "$", "\uffe5": "¥", "\uffe1": "£",
    "\uffe6": "₩", "\uff0b": "+", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ",
}  # fmt: skip


def number(value: Any, currency: str = "") -> float | None:
    """Return a finite number, also from text with a currency around it; None if it is not a number or is ambiguous.

    >>> number("$1,299.00"), number("12,50 €"), number(9), number("free"), number(10**400)
    (1299.0, 12.5, 9.0, None, None)
    >>> number("1.299"), number("1.299", "EUR")
    (None, 1299.0)
    """
    kind = type(value)
    if kind is float or kind is int:
        return float(value) if -LARGEST < value < LARGEST else None
    return None if value is None else read(value, currency).value


def read(value: Any, currency: str = "") -> Amount:
    """Return the amount in a value: a number, text, or an object with `amount` (or `value`) and `currency`.

    `currency` is a code or symbol from elsewhere in the message.

    >>> read("Rs. 499").value, read("1.299,- €"), read("(kr.123.45)").value
    (499.0, Amount(value=1299.0, currency='EUR', fault=''), -123.45)
    >>> read({"amount": "12.50", "currency": "usd"})
    Amount(value=12.5, currency='USD', fault='')
    >>> read("1.299").fault, read("2 for 9").fault
    ('ambiguous_number', 'not_a_number')
    """
    kind = type(value)
    if kind is float or kind is int:
        return Amount(float(value)) if -LARGEST < value < LARGEST else NO_AMOUNT
    if kind is str:
        if _PLAIN.fullmatch(value) is not None:
            return Amount(float(value))
        return _read(value, currency) if len(value) <= LONGEST else NO_AMOUNT
    return _object(value, currency) if isinstance(value, Mapping) else NO_AMOUNT


def _object(value: Mapping[str, Any], currency: str) -> Amount:
    amount, sent = unwrapped(value, currency)
    found = read(amount, sent or currency)
    own = code_of(sent)
    return Amount(found.value, own) if own in CODES and found.value is not None else found


@lru_cache(4096)
def _read(text: str, currency: str) -> Amount:
    text = unescape(text) if "&" in text else text
    text = _WHOLE.sub("", text if text.isascii() and text.isprintable() else _plain(text)).strip()
    if _FLOAT.fullmatch(text):
        return _amount(float(text))
    parts = _PARTS.fullmatch(text)
    if parts is None or not _NEVER.isdisjoint(text):
        return NO_AMOUNT
    before, run, after = parts.groups()
    if (whole := _NO_CENTS.match(after)) is not None:  # `1.299,-`: the mark before the dash begins the decimals
        run, after = run if whole[1] == ":" else f"{run}{whole[1]}00", after[whole.end() :]
    elif after[:1] in (".", ","):
        after = after[1:]
    before, after, negative = _signed(before, after)
    hint = code_of(currency)
    if negative is None or (_MULTIPLIES.match(after) and hint not in named(after)):
        return NO_AMOUNT
    if _CENTS.match(after) or before.strip() == "¢" or _LEDGER.fullmatch(before) or _LEDGER.fullmatch(after):
        return NO_AMOUNT
    if run[0] in ".,":
        if _dotted(before) is None:
            return AMBIGUOUS
        run = run[1:] if _dotted(before) else run
    codes = _meant(named(before), named(after))
    own = codes[0] if len(codes) == 1 else ""
    found = _value(run, (hint,) if hint in CODES and (not codes or hint in codes) else codes)
    if isinstance(found, Amount):
        return found
    return _amount(-found if negative else found, own)


def _dotted(before: str) -> bool | None:
    """Return whether a dot before the first digit belongs to the word, as in `kr.123.45`; None if that is unclear."""
    word = before[-1:]
    if word.isalpha() or word == "/":
        return None if before.strip() in CODES else True
    return None if any(map(str.isalpha, before)) else False


def _meant(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    """Return the currencies that the words on both sides may mean."""
    both = tuple(code for code in before if code in after)
    return both or before or after


def _amount(value: float, currency: str = "") -> Amount:
    return Amount(value, currency) if math.isfinite(value) and -LARGEST < value < LARGEST else NO_AMOUNT


def _plain(text: str) -> str:
    """Return text with the digits, spaces and marks of all scripts as ASCII; `_` for other numbers."""
    made = []
    for letter in text:
        if letter in _SAME:
            made.append(_SAME[letter])
        elif letter.isascii():
            made.append(letter)
        elif letter.isdecimal():
            made.append(str(unicodedata.decimal(letter)))
        elif letter.isnumeric():
            made.append("_")  # ½, ², 万: not read
        elif letter.isspace():
            made.append(" ")
        elif unicodedata.category(letter) != "Cf":
            made.append(letter)
    return "".join(made)


def _signed(before: str, after: str) -> tuple[str, str, bool | None]:
    """Return the text around the digits without signs, and whether the amount is negative; None if that is unclear."""
    signs = 0
    if before.count("(") > before.count(")") and after.count(")") > after.count("("):
        word = before.partition("(")[0].strip()
        if word and not named(word):
            return before, after, None  # Decimal(5)
        before, after, signs = before.replace("(", "", 1), after.replace(")", "", 1), 1
    trailing = after.strip()
    if trailing[:1] == "-" or trailing[-1:] == "-":
        after, signs = trailing[1:] if trailing[:1] == "-" else trailing[:-1], signs + 1
        if after.strip() and not named(after.strip()):
            return before, after, None
    head = before.lstrip()
    if head[:1] in ("-", "+"):
        before, signs = head[1:], signs + (head[0] == "-")
    elif before.rstrip()[-1:] in ("-", "+"):
        sign = before.rstrip()
        word = sign[:-1]
        if word.strip() and not word[-1:].isspace() and not named(word.strip()):
            return before, after, None  # SKU-5
        before, signs = word, signs + (sign[-1] == "-")
    if signs > 1 or "+" in before or "+" in after or before.strip()[:1] == "-" or before.rstrip()[-1:] == "-":
        return before, after, None
    return before, after, signs == 1


def _value(run: str, codes: tuple[str, ...]) -> float | Amount:
    """Return the number that digits and separators mean, or why they mean none."""
    whole, point, cents = run.partition("٫")
    if point:
        if not cents.isdigit():
            return NO_AMOUNT
        parts = _SEPARATORS.split(whole) if whole else ["0"]
        return float(f"{''.join(parts)}.{cents}") if _grouped(whole, parts) else NO_AMOUNT
    parts, marks = _SEPARATORS.split(run), _SEPARATORS.findall(run)
    if not marks:
        return float(run)
    last = marks[-1]
    if last in _GROUPS or marks.count(last) > 1:
        return float("".join(parts)) if _grouped(run, parts) else NO_AMOUNT
    head, cents = parts[:-1], parts[-1]
    if len(marks) > 1:
        return float(f"{''.join(head)}.{cents}") if _grouped(run[: -len(cents) - 1], head) else NO_AMOUNT
    if len(cents) == 3 and 1 <= len(head[0]) <= 3 and head[0][0] != "0":
        thousands = _thousands(last, codes)
        if thousands is None:
            return AMBIGUOUS
        if thousands:
            return float(head[0] + cents)
    return float(f"{head[0] or '0'}.{cents}")


def _grouped(run: str, parts: list[str]) -> bool:
    """Return whether one separator groups digits by thousands, or as in India. A number without separators counts."""
    if len(parts) == 1:
        return True
    first, *middle, last = parts
    if len(set(_SEPARATORS.findall(run))) != 1 or len(last) != 3 or not 1 <= len(first) <= 3 or first[0] == "0":
        return False
    return all(len(each) == 3 for each in middle) or (len(first) < 3 and all(len(each) == 2 for each in middle))


def _thousands(mark: str, codes: tuple[str, ...]) -> bool | None:
    """Return whether the mark in `1.299` groups thousands; None if that is unclear."""
    if not codes:
        return True if mark == "," else None
    fractions = {digits(code) for code in codes} | {MINOR.get(code, 0) for code in codes}
    if max(fractions) < 3:
        if mark == "," or max(map(digits, codes)) == 0 or COMMA.issuperset(codes):
            return True
        return None
    return False if mark == "." and min(map(digits, codes)) == 3 and COMMA.isdisjoint(codes) else None


NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency, a stand-in for the symbol while an amount is written."""

LONGEST_LANGUAGE = 35
LONGEST_CURRENCY = 16
"""Maximum length of the name of a currency that has no code, in characters."""
MOST_LOCALES = 64
"""Languages whose data stays in memory: about 200 kB each, and anybody who opens an email can name any."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def money(amount: object, currency: object = "", language: object = "") -> str:
    r"""Return an amount of a currency (a code or a symbol) as a language writes it.

    Returns empty text for anything but a number, and for a number too large to be an amount.

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
    name = currency.strip()[:LONGEST_CURRENCY] if isinstance(currency, str) else ""
    return _written(number, name, language[:LONGEST_LANGUAGE] if isinstance(language, str) else "")


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
        rounded = abs(rounded)  # no minus before zero
    pattern = copy(locale.currency_formats["standard"] if code else locale.decimal_formats[None])
    pattern.frac_prec = (places, places)
    if not code:
        return str(pattern.apply(rounded, locale))
    symbol = get_currency_symbol(code, locale) if code in CODES else code
    made = str(pattern.apply(rounded, locale, currency=NO_CURRENCY, currency_digits=False))
    return _apart(made.replace(get_currency_symbol(NO_CURRENCY, locale), "¤"), symbol)


def _apart(made: str, symbol: str) -> str:
    """Replace ¤ with a symbol, with a space between its letters and the digits, by the rules of CLDR."""
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
    """Return the locale of a language such as `de`, `pt-BR` or `pt_BR`; English if there is no data for it."""
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
    kept: dict[str, Any] = getattr(localedata, "_cache", {})  # babel never drops what it has read
    if len(kept) > MOST_LOCALES:
        kept.clear()
    return locale
