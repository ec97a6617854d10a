"""Amounts as objects: finds the amount and its currency in the objects of shop systems and their APIs.

Sources: Shopify's MoneyBag and MoneyV2, commercetools' Money, Google's Price and google.type.Money (all read in
November 2026).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wetink.core.units.currency import CODES, code_of, most_digits

_AMOUNTS, _CURRENCIES = ("amount", "value"), ("currency", "currencyCode", "currency_code", "currencyIso", "iso")
_SCALED = frozenset({
    "precision", "scale", "exponent", "fractiondigits", "decimals", "decimalplaces", "nanos", "units", "unit", "type",
    "factor", "divisor", "minorunit", "minorunits", "currencyminorunit", "subunit", "centamount", "amountmicros",
})  # fmt: skip
"""Members beside which an amount may be in cents, in small letters without underscores."""
_BAGS = ("presentment_money", "presentmentMoney", "shop_money", "shopMoney")
"""The two amounts of a MoneyBag: in the customer's currency, and in the shop's."""


def unwrapped(value: Mapping[str, Any], currency: str) -> tuple[Any, str]:
    """Return the amount in an object as text or number, None for none, and the currency that the object names.

    Amounts in cents and in several fields cannot be trusted, except where the object says its scale. Of a MoneyBag, the
    amount in `currency` counts, else the shop's.

    >>> unwrapped({"amount": "12.50", "currency": "usd"}, ""), unwrapped({"amount": 1250, "precision": 2}, "EUR")
    (('12.50', 'usd'), (None, ''))
    >>> unwrapped({"centAmount": 1250, "currencyCode": "EUR", "fractionDigits": 2}, "")
    (12.5, 'EUR')
    """
    bag = [each for name in _BAGS if isinstance(each := value.get(name), Mapping)]
    if bag:
        value = next((each for each in bag if code_of(_currency(each)) == code_of(currency)), bag[-1])
    sent = _currency(value)
    there = [name for name in _AMOUNTS if value.get(name) is not None]
    if not there:
        return _exact(value, code_of(sent or currency)), sent
    scaled = any(name.replace("_", "").lower() in _SCALED for name in value if isinstance(name, str))
    amount = value[there[0]]
    return (None if len(there) != 1 or scaled or isinstance(amount, Mapping) else amount), sent


def _currency(value: Mapping[str, Any]) -> str:
    return next((each for name in _CURRENCIES if isinstance(each := value.get(name), str) and each.strip()), "")


def _exact(value: Mapping[str, Any], code: str) -> float | None:
    """Return the amount of an object whose members say their scale; None for any other object."""
    cents, micros = value.get("centAmount"), value.get("amountMicros", value.get("amount_micros"))
    if cents is not None:
        places = value.get("fractionDigits") if value.get("type") != "highPrecision" else None
        places = most_digits(code) if places is None and code in CODES else places
        return _shifted(cents, places) if type(places) is int and 0 <= places <= 4 else None
    if micros is not None:
        return _shifted(micros, 6)
    if value.get("units") is None and value.get("nanos") is None:
        return None
    units, nanos = _shifted(value.get("units", 0), 0), _shifted(value.get("nanos", 0), 9)
    return None if units is None or nanos is None or not -1 < nanos < 1 or units * nanos < 0 else units + nanos


def _shifted(value: Any, places: int) -> float | None:
    """Return a whole number, also as text, divided by a power of ten; None for any other value."""
    if type(value) is str and re.fullmatch("-?[0-9]{1,18}", value):
        value = int(value)
    return float(Decimal(value).scaleb(-places)) if type(value) is int and abs(value) < 10**18 else None
