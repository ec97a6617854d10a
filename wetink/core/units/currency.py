"""Currency: codes, symbols, and the number of decimals.

Codes and the decimals in use come from Unicode's CLDR (babel). The tables here are facts of ISO 4217 and CLDR 47.
"""

import re
from functools import lru_cache

from babel.core import get_global

CODES: frozenset[str] = frozenset(get_global("all_currencies"))
"""ISO 4217 codes, including past ones."""

MINOR = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2, "RSD": 2, "SOS": 2,
    "SYP": 2, "YER": 2,
}  # fmt: skip
"""Decimals by ISO 4217 (list one, 2025) where CLDR has none, because prices there have none."""

COMMA = frozenset({
    "ALL", "AMD", "AOA", "ARS", "AZN", "BAM", "BGN", "BOB", "BRL", "BYN", "CDF", "CLP", "COP", "CRC", "CVE",
    "CZK", "DKK", "DZD", "EUR", "GEL", "GNF", "HTG", "HUF", "IDR", "ISK", "KGS", "KZT", "LYD", "MAD", "MDL",
    "MKD", "MRU", "MZN", "NOK", "PLN", "PYG", "RON", "RSD", "RUB", "SEK", "SRD", "STN", "TJS", "TMT", "TND",
    "TRY", "UAH", "UYU", "UZS", "VES", "VND", "XAF", "XOF", "XPF",
})  # fmt: skip
"""Currencies whose countries write a comma before the decimals (CLDR, the official languages of each)."""

_DOLLARS = (
    "USD", "ARS", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "CUP", "DOP", "FJD", "GYD", "HKD",
    "JMD", "KYD", "LRD", "MOP", "MXN", "NAD", "NIO", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD", "UYU", "XCD",
)  # fmt: skip
_RUPEES = ("INR", "PKR", "LKR", "NPR", "MUR", "SCR")
SYMBOLS: dict[str, tuple[str, ...]] = {
    "$": _DOLLARS, "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"), "円": ("JPY",), "元": ("CNY",), "₹": ("INR",),
    "₨": _RUPEES, "₩": ("KRW",), "원": ("KRW",), "₽": ("RUB",), "₺": ("TRY",), "₫": ("VND",), "đ": ("VND",),
    "vnđ": ("VND",), "đồng": ("VND",), "tk": ("BDT",), "ks": ("MMK",), "тг": ("KZT",), "บาท": ("THB",),
    "₪": ("ILS",), "₱": ("PHP",), "฿": ("THB",), "₴": ("UAH",), "₸": ("KZT",), "₦": ("NGN",), "₲": ("PYG",),
    "₡": ("CRC",), "₭": ("LAK",), "₮": ("MNT",), "₾": ("GEL",), "₼": ("AZN",), "֏": ("AMD",), "៛": ("KHR",),
    "৳": ("BDT",), "؋": ("AFN",), "₵": ("GHS",), "gh₵": ("GHS",), "ریال": ("IRR",), "﷼": ("IRR", "SAR"),
    "us$": ("USD",), "$us": ("USD",), "u$s": ("USD",), "a$": ("AUD",), "au$": ("AUD",), "$a": ("AUD",),
    "$au": ("AUD",), "c$": ("CAD", "NIO"), "ca$": ("CAD",), "$ca": ("CAD",), "cad$": ("CAD",), "nz$": ("NZD",),
    "$nz": ("NZD",), "r$": ("BRL",), "br$": ("BRL",), "mx$": ("MXN",), "$mx": ("MXN",), "hk$": ("HKD",),
    "$hk": ("HKD",), "s$": ("SGD",), "$sg": ("SGD",), "nt$": ("TWD",), "rd$": ("DOP",), "$ar": ("ARS",),
    "$cl": ("CLP",), "$co": ("COP",), "$uy": ("UYU",), "$u": ("UYU",), "mop$": ("MOP",), "t$": ("TOP",),
    "cn¥": ("CNY",), "rmb": ("CNY",), "jp¥": ("JPY",), "e£": ("EGP",), "eg£": ("EGP",), "£gb": ("GBP",),
    "kr": ("SEK", "NOK", "DKK", "ISK"), "dkr": ("DKK",), "nkr": ("NOK",), "skr": ("SEK",), "ikr": ("ISK",),
    "rs": _RUPEES, "rp": ("IDR",), "RM": ("MYR",), "R": ("ZAR",), "fr": ("CHF",), "sfr": ("CHF",), "zł": ("PLN",),
    "zl": ("PLN",), "kč": ("CZK",), "kc": ("CZK",), "Ft": ("HUF",), "lei": ("RON", "MDL"), "leu": ("RON", "MDL"),
    "лв": ("BGN",), "руб": ("RUB",), "р": ("RUB",), "грн": ("UAH",), "din": ("RSD",), "дин": ("RSD",),
    "KM": ("BAM",), "км": ("BAM",), "ден": ("MKD",), "lek": ("ALL",), "lekë": ("ALL",), "TL": ("TRY",),
    "сом": ("KGS",), "сўм": ("UZS",), "so'm": ("UZS",), "Br": ("BYN", "ETB"), "s/": ("PEN",), "b/": ("PAB",),
    "Bs": ("BOB", "VES"), "bs.s": ("VES",), "Gs": ("PYG",), "Q": ("GTQ",), "L": ("HNL",), "ksh": ("KES",),
    "tsh": ("TZS",), "ush": ("UGX",), "fcfa": ("XAF", "XOF"), "cfa": ("XAF", "XOF"), "cfpf": ("XPF",),
    "fcfp": ("XPF",), "DA": ("DZD",), "DH": ("MAD", "AED"), "Dh": ("MAD", "AED"), "Dhs": ("MAD", "AED"),
    "BD": ("BHD",), "KD": ("KWD",), "JD": ("JOD",), "RO": ("OMR",), "R.O": ("OMR",), "ID": ("IQD",), "LD": ("LYD",),
    "DT": ("TND",), "SR": ("SAR", "SCR"), "QR": ("QAR",), "NIS": ("ILS",), "K": ("ZMW", "PGK", "MMK", "LAK"),
    "MK": ("MWK",), "P": ("BWP",), "Kz": ("AOA",),
    "د.إ": ("AED",), "د.ب": ("BHD",), "د.ج": ("DZD",), "ج.م": ("EGP",), "د.ع": ("IQD",), "د.أ": ("JOD",),
    "د.ا": ("JOD",), "د.ك": ("KWD",), "ل.ل": ("LBP",), "د.ل": ("LYD",), "د.م": ("MAD",), "ر.ع": ("OMR",),
    "ر.ق": ("QAR",), "ر.س": ("SAR",), "د.ت": ("TND",), "ر.ي": ("YER",), "ل.س": ("SYP",),
}  # fmt: skip
"""Symbol, without spaces and its last dot -> the currencies that use it. Lower-case symbols match in any case."""

_BLANKS = re.compile(r"[\s\u200b\u200e\u200f\u061c]+")
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_SIGN = re.compile(r"[$€£¥₩₹₽₺₫₪₱฿₴₸₦₲₡₭₮₾₼֏៛৳؋₵﷼円元원]")


@lru_cache(1024)
def named(text: str) -> tuple[str, ...]:
    """Return the currencies that the words around an amount may mean: one, several, or none.

    >>> named("€"), named("eur"), named("Rp."), named("kr")[:2], named("incl. VAT, CHF"), named("points")
    (('EUR',), ('EUR',), ('IDR',), ('SEK', 'NOK'), ('CHF',), ())
    """
    found = _one(text)
    if found:
        return found
    tokens = [*(each for each in map(_one, text.split()) if each), *((code,) for code in _CODE.findall(text))]
    tokens = [each for each in tokens if each[0] in CODES] or [SYMBOLS[sign] for sign in _SIGN.findall(text)]
    for each in tokens:
        found = tuple(code for code in found if code in each) if found else each
    return found


def _one(text: str) -> tuple[str, ...]:
    key = _BLANKS.sub("", text)
    if len(key) == 3 and key.isascii() and key.upper() in CODES and (key.isupper() or text.strip() == text):
        return (key.upper(),)
    key = key.rstrip(".")
    return SYMBOLS.get(key) or SYMBOLS.get(key.lower(), ())


@lru_cache(1024)
def code_of(text: str) -> str:
    """Return the ISO 4217 code of a currency; unknown text in capital letters.

    >>> code_of("eur"), code_of("€"), code_of(" US$"), code_of("$"), code_of("gems")
    ('EUR', 'EUR', 'USD', '$', 'GEMS')
    """
    code = text.strip().upper()
    if code in CODES or not code:
        return code
    found = _one(text)
    return found[0] if len(found) == 1 else code


@lru_cache(512)
def digits(code: str) -> int:
    """Return the number of decimals in prices of a currency; 2 for an unknown one.

    >>> digits("EUR"), digits("KWD"), digits("XOF"), digits("RSD")
    (2, 3, 0, 0)
    """
    fractions = get_global("currency_fractions")
    return int(fractions.get(code, fractions["DEFAULT"])[0])


def most_digits(code: str) -> int:
    """Return the maximum number of decimals of an amount, by ISO 4217.

    >>> most_digits("EUR"), most_digits("RSD"), most_digits("JPY")
    (2, 2, 0)
    """
    return MINOR.get(code) or digits(code)


def rounded(amount: float, code: str) -> float:
    """Return a sum of amounts without floating-point noise: rounded to two decimals, or to as many as the currency has.

    >>> rounded(0.1 + 0.2, "EUR"), rounded(1.2551, "KWD")
    (0.3, 1.255)
    """
    return round(amount, max(2, most_digits(code)))
