"""Money: a price as people write it where they live.

How numbers are grouped and where the sign stands: Unicode's CLDR, number patterns of the languages below.
"""

import math
from typing import Any

import msgspec
from liquid.filter import with_context

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "BRL": "R$"}
WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "HUF"})
"""Currencies whose prices have no decimals."""


class Habit(msgspec.Struct, frozen=True):
    """How a language writes amounts: what groups thousands, what begins decimals, whether the sign comes last."""

    group: str
    point: str
    last: bool


ENGLISH = Habit(",", ".", False)
_DOTS, _SPACES = Habit(".", ",", True), Habit("\u202f", ",", True)
HABITS: dict[str, Habit] = {
    **dict.fromkeys(("de", "es", "it", "da", "id", "el", "hr", "sl", "ro"), _DOTS),
    **dict.fromkeys(("fr",), _SPACES),
    **dict.fromkeys(("pl", "cs", "sk", "sv", "nb", "no", "fi", "ru", "uk", "bg", "hu"), Habit("\u00a0", ",", True)),
    **dict.fromkeys(("nl", "tr", "pt-br"), Habit(".", ",", False)),
    **dict.fromkeys(("pt",), Habit("\u00a0", ",", True)),
    "de-ch": Habit("\u2019", ".", False),
    "de-at": Habit("\u00a0", ",", False),
    "es-mx": ENGLISH,
}
"""Language, or language and country, in small letters; all others write as in English."""


def money(amount: object, currency: object = "", language: object = "") -> str:
    r"""Return a price as people write it; nothing for what is no number.

    >>> money(1299.5, "USD"), money(1200, "JPY"), money(9, "CHF"), money(None, "EUR")
    ('$1,299.50', '¥1,200', 'CHF\xa09.00', '')
    >>> money(1299.5, "EUR", "de-DE"), money(-9, "EUR", "nl")
    ('1.299,50\xa0€', '-€\xa09,00')
    """
    try:
        number = float(amount)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return ""
    if isinstance(amount, bool) or not math.isfinite(number):
        return ""
    code = currency.upper() if isinstance(currency, str) else ""
    habit = habit_of(language)
    digits = f"{abs(number):,.{0 if code in WHOLE else 2}f}"
    digits = digits.translate({ord(","): habit.group, ord("."): habit.point})
    minus, sign = "-" if number < 0 else "", SIGNS.get(code, code)
    if not sign:
        return f"{minus}{digits}"
    if habit.last:
        return f"{minus}{digits}\xa0{sign}"
    return f"{minus}{sign}{'' if habit is ENGLISH and code in SIGNS else chr(160)}{digits}"


def habit_of(language: object) -> Habit:
    """Return how a language such as `de`, `pt-BR` or `pt_BR` writes amounts."""
    if not isinstance(language, str) or not language:
        return ENGLISH
    said = language.lower().replace("_", "-")
    return HABITS.get(said) or HABITS.get(said.partition("-")[0], ENGLISH)


@with_context
def money_filter(amount: object, currency: object = "", *, context: Any) -> str:
    """Return a price as the reader of the moment writes it."""
    moment = context.resolve("moment", default=None)
    return money(amount, currency, moment.get("language", "") if isinstance(moment, dict) else "")
