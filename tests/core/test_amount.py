"""Amounts: whatever senders write is read exactly, or said to be unreadable; never a different number."""

import json
import warnings
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from babel.core import Locale, UnknownLocaleError, get_global
from babel.languages import get_official_languages
from babel.localedata import locale_identifiers
from babel.numbers import format_currency, get_territory_currencies
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.message import Endpoint, pieces
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record
from wetink.core.units.currency import CODES, COMMA, MINOR, code_of, digits, most_digits, named, rounded
from wetink.core.units.money import Amount, number, read

READ: list[tuple[str, str, float]] = [
    # A word's dot is not the number's.
    ("Rs. 499", "", 499), ("Rs.499", "", 499), ("Rs.1,299.50", "", 1299.5), ("kr. 100", "", 100),
    ("kr.123.45", "", 123.45), ("Fr. 50", "", 50), ("Fr.50.–", "", 50), ("Bs. 7,5", "", 7.5), ("S/.12.50", "", 12.5),
    ("S/ 12.50", "", 12.5), ("B/. 5", "", 5), ("din. 1.299,00", "", 1299), ("499 zł.", "", 499), ("Lei 5", "", 5),
    ("د.إ. 12.50", "", 12.5), ("ر.س.‏ 123", "", 123), ("$.50", "", 0.5), (".5", "", 0.5), ("499.", "", 499),
    # No cents.
    ("Rs. 499/-", "", 499), ("₹ 1,29,900/-", "", 129900), ("UGX 1,000/=", "", 1000), ("1,000/= TSh", "", 1000),
    ("1.299,- €", "", 1299), ("1.299,-", "", 1299), ("1,299.-", "", 1299), ("499:-", "", 499), ("499,-- kr", "", 499),
    ("CHF 50.—", "", 50), ("CHF 1’299.–", "", 1299), ("€ 5,-", "", 5),
    # Thousands.
    ("129.990 CLP", "", 129990), ("$129.990", "CLP", 129990), ("Rp 150.000", "", 150000), ("Rp150.000", "", 150000),
    ("₹1,29,900.00", "", 129900), ("₹ 1,29,900", "", 129900), ("12,34,56,789", "", 123456789),
    ("1.299.000", "", 1299000), ("1,299,000", "", 1299000), ("1,299,000.5", "", 1299000.5),
    ("1.299.000,50", "", 1299000.5),
    ("1'299'000.50", "", 1299000.5), ("1’299", "", 1299), ("1ʼ299", "", 1299), ("1 299,50", "", 1299.5),
    ("1\u00a0299,50 €", "", 1299.5), ("1\u202f299,50\u00a0€", "", 1299.5), ("1\u2009299 kr", "", 1299),
    ("1\u3000299", "", 1299), ("1.299 €", "", 1299), ("€1.299", "", 1299), ("1,299 €", "", 1299), ("$1,299", "", 1299),
    ("1,250", "", 1250), ("1.299", "EUR", 1299), ("1.299", "€", 1299), ("1,299", "USD", 1299), ("¥1.299", "JPY", 1299),
    ("1.299 kr", "", 1299), ("R$ 1.299", "", 1299), ("1.299 ₫", "", 1299), ("1.299 FCFA", "", 1299),
    # Decimals.
    ("12.50", "", 12.5), ("12,50 €", "", 12.5), ("12,5", "", 12.5), ("0.125", "", 0.125), ("0,125", "", 0.125),
    ("1299.125", "", 1299.125), ("1.2345", "", 1.2345), ("1,299.000", "", 1299), ("1.255", "KWD", 1.255),
    ("KWD 1.255", "", 1.255), ("1.255", "BHD", 1.255), ("1e3", "", 1000), ("1.5E-1", "", 0.15), ("£5·50", "", 5.5),
    # Signs.
    ("-$5", "", -5), ("-$5.00", "", -5), ("$-5", "", -5), ("$ -5", "", -5), ("- 5", "", -5), ("(5.00)", "", -5),
    ("($5.00)", "", -5), ("$(5.00)", "", -5), ("（5）", "", -5), ("5.00-", "", -5), ("5,00- €", "", -5),
    ("5 €-", "", -5),
    ("−5", "", -5), ("\u20135 €", "", -5), ("－5", "", -5), ("€\u00a0-9,00", "", -9), ("CHF-5.00", "", -5),
    ("+5", "", 5),
    ("\u200e-\u200e5", "", -5), ("\u200f-9.00\u00a0€", "", -9), ("US-$ 5", "", 5),
    # Digits of other scripts, bidirectional marks.
    ("١٬٢٣٤٫٥٠ د.إ.", "", 1234.5), ("۱۲۳٫۴", "", 123.4), ("₹१,२९,९००", "", 129900), ("৳১,২৩৪.৫০", "", 1234.5),
    ("๑,๒๓๔.๕๐ ฿", "", 1234.5), ("５００円", "", 500), ("￥１，２００", "", 1200), ("\u2067‎$5.00\u2069", "", 5),
    # Codes and words.
    ("USD 5", "", 5), ("5 USD", "", 5), ("5usd", "", 5), ("EUR5", "", 5), ("5,00 EUR inkl. MwSt", "", 5),
    ("7 kg", "", 7),
    ("12,99 &euro;", "", 12.99), ("1&nbsp;299,00&nbsp;&#8364;", "", 1299), ("&pound;1,299", "", 1299),
    ("1.299 VNĐ", "", 1299), ("USD(5)", "", -5), ("P 99", "", 99), ("99 P", "", 99), ("CRC 5", "", 5),
    ("from $5", "", 5), ("  9.5\n", "", 9.5), ("K 50", "", 50), ("50 K", "MMK", 50),
]  # fmt: skip

AMBIGUOUS = [
    ("1.299", ""), ("12.345", ""), ("1.299", "USD"), ("$1.299", ""), ("£1.299", ""), ("¥1.299", ""), ("1.299 km", ""),
    ("1,299", "KWD"), ("KWD 1,299", ""), ("1.255", "TND"), ("1,299 IQD", ""), ("Rs .50", ""), ("USD.50", ""),
]  # fmt: skip
"""Two numbers could be meant, and nothing decides."""

NONE: list[Any] = [
    "", " ", "-", "free", "n/a", "NaN", "Infinity", "1/2", "12:30", "2 for 9", "5-10", "5 - 10 €", "20.11.2026",
    "1.2.3",
    "2026-11-20", "10%", "10 %", "5k", "1.5M", "3 Mio. €", "5K", "10万円", "1½", "²", "1_000", "0x10", "--5", "-(5)",
    "(-5)",
    "SKU-5", "12 50", "1  299", "1,29,90", "1.299,00.5", "0.123.456", "1'299,900.50", "9" * 20, "1e400",
    "x" * 99, "5 € 50",
    "99p", "99 pence", "99¢", "¢99", "50 cents", "5 Cent", "20 centimes", "5 centavos", "50 öre", "50 коп.", "99 paise",
    "5.00 CR", "CR 5.00", "5.00 DR", "5.00CR", "Decimal('5.00')", "Money(5.00 USD)", "MRP (₹1,299)", "Float(5)",
    True, None, [], [5], {}, {"amount": None}, {"amount": 5, "value": 6}, {"amount": {"amount": 5}},
    {"amount": 1250, "currency": "EUR", "precision": 2}, {"amount": 1250, "currency_minor_unit": 2},
    {"value": 1250, "minorUnits": 2}, {"amount": 1250, "unit": "cents"}, {"unit_amount": 1250, "currency": "usd"},
    {"centAmount": 1250}, {"centAmount": 12.5, "currencyCode": "EUR"}, {"amountMicros": "x"}, {"units": 5, "nanos": -1},
    {"min": 1, "max": 2}, {"shop_money": {"shop_money": {"amount": 1}}}, float("nan"), float("inf"), 10**400,
]  # fmt: skip


@pytest.mark.parametrize(("said", "currency", "amount"), READ, ids=lambda each: repr(each))
def test_an_amount_is_read_however_it_is_written(said: str, currency: str, amount: float) -> None:
    assert read(said, currency).value == amount
    assert number(said, currency) == amount


@pytest.mark.parametrize(("said", "currency"), AMBIGUOUS)
def test_two_readings_that_nothing_decides_between_have_no_value(said: str, currency: str) -> None:
    assert read(said, currency) == Amount(fault="ambiguous_number")


@pytest.mark.parametrize("said", NONE, ids=lambda each: repr(each)[:20])
def test_text_that_is_no_amount_is_not_read_as_one(said: Any) -> None:
    assert read(said).fault == "not_a_number"
    assert number(said) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"amount": 12.5, "currency": "EUR"}, Amount(12.5, "EUR")),
        ({"value": "1.299", "currency": "eur"}, Amount(1299, "EUR")),
        ({"amount": "12.0", "currencyCode": "USD"}, Amount(12, "USD")),
        ({"amount": "12,50 €"}, Amount(12.5, "EUR")),
        ({"amount": 5}, Amount(5)),
        (
            {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 1299, "fractionDigits": 2},
            Amount(12.99, "EUR"),
        ),
        (
            {
                "type": "highPrecision",
                "currencyCode": "EUR",
                "centAmount": 13,
                "preciseAmount": 12999,
                "fractionDigits": 5,
            },
            Amount(0.13, "EUR"),
        ),
        ({"centAmount": 1299, "currencyCode": "JPY"}, Amount(1299, "JPY")),
        ({"amountMicros": "12990000", "currencyCode": "USD"}, Amount(12.99, "USD")),
        ({"currencyCode": "USD", "units": "-1", "nanos": -750_000_000}, Amount(-1.75, "USD")),
        ({"shopMoney": {"amount": "12.99", "currencyCode": "USD"}}, Amount(12.99, "USD")),
        ({"value": 12.99, "currencyIso": "USD", "formattedValue": "$12.99", "priceType": "BUY"}, Amount(12.99, "USD")),
        ("5 €", Amount(5, "EUR")),
        ("US$ 5", Amount(5, "USD")),
        ("$5 USD", Amount(5, "USD")),
        ("$5", Amount(5)),
        ("kr 5", Amount(5)),
        ("5 points", Amount(5)),
    ],
)
def test_an_amount_says_its_currency_where_it_names_one_alone(said: Any, found: Amount) -> None:
    assert read(said) == found


def test_of_shopifys_two_amounts_the_one_in_the_orders_currency_counts() -> None:
    bag = {
        "shop_money": {"amount": "12.99", "currency_code": "USD"},
        "presentment_money": {"amount": "11.99", "currency_code": "EUR"},
    }
    assert [read(bag, currency).value for currency in ("", "USD", "EUR", "GBP")] == [12.99, 12.99, 11.99, 12.99]


FIGURES = (0, 0.5, 5, -9, 12.34, 999.99, 1299, 1299.5, -1299000, 129990, 1234567.89, 100_000_000)
EVERYWHERE = ("EUR", "USD", "KWD", "TND", "JPY", "IDR")
"""Currencies with which each locale writes: of two, three and no decimals, at home with a comma and with a dot."""


def written() -> Iterator[tuple[str, str, float]]:
    """Yield texts as CLDR's locales write them: all locales, currencies, patterns, numbering systems, and figures."""
    codes, turn = sorted(CODES), 0
    for name in sorted(locale_identifiers()):
        locale = Locale.parse(name)
        some = [codes[(turn + step * 31) % len(codes)] for step in range(4)]
        for code in (*EVERYWHERE, *some):
            for style in ("standard", "accounting"):
                turn += 1
                figure = FIGURES[turn % len(FIGURES)]
                exact = Decimal(str(figure)).quantize(Decimal(1).scaleb(-digits(code)), ROUND_HALF_EVEN)
                system = "latn" if turn % 3 else "default"
                yield (
                    format_currency(figure, code, locale=locale, format_type=style, numbering_system=system),
                    code,
                    float(exact),
                )


def test_every_locale_and_currency_is_read_back_exactly_or_said_to_be_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texts = set(written())
    assert len(texts) > 8_000
    assert {code for _, code, _ in texts} == CODES
    wrong, open_ = [], 0
    for text, code, figure in texts:
        for hint in (code, ""):
            found = read(text, hint)
            if found.value is None:
                open_ += 1
            elif found.value != figure:
                wrong.append((text, hint, figure, found))
    assert wrong == []
    assert open_ < len(texts) * 0.2  # of those with three decimals and one separator alone


@given(st.decimals(-1_000_000, 1_000_000, places=2), st.sampled_from(["en", "de", "fr_CH", "hi", "pl", "ar_EG", "fa"]))
def test_any_price_comes_back_from_the_text_of_any_language(price: Decimal, name: str) -> None:
    for system in ("latn", "default"):
        for style in ("standard", "accounting"):
            text = format_currency(price, "EUR", locale=name, numbering_system=system, format_type=style)
            assert number(text, "EUR") == float(price)
            assert number(text) == float(price)


@given(st.text(max_size=70), st.text(max_size=9))
def test_any_text_is_read_or_has_a_fault(said: str, currency: str) -> None:
    found = read(said, currency)
    assert (found.value is None) == bool(found.fault)
    assert found.value is None or abs(found.value) < 1e15


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_json_number_is_its_own_amount(value: float) -> None:
    assert number(value) == (float(value) if abs(value) < 1e15 else None)
    if abs(value) < 1e15 and isinstance(value, int):
        assert number(str(value)) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [("€", "EUR"), ("eur", "EUR"), ("US$", "USD"), ("Rp.", "IDR"), ("Kč", "CZK"), ("$", "$"), ("kr", "KR"), ("", "")],
)
def test_a_currency_goes_by_its_code(text: str, code: str) -> None:
    assert code_of(text) == code


def test_currencies_have_the_digits_of_iso_4217() -> None:
    assert [digits(code) for code in ("EUR", "KWD", "XOF", "CLP", "JPY", "CLF", "RSD", "xyz")] == [
        2,
        3,
        0,
        0,
        0,
        4,
        0,
        2,
    ]
    assert all(digits(code) == 0 and most_digits(code) == MINOR[code] for code in MINOR)
    assert rounded(1.2555, "KWD") == 1.256
    assert named("incl. VAT") == ()


def test_the_currencies_with_a_comma_are_those_whose_languages_write_one() -> None:
    seen: dict[str, set[str]] = {}
    for territory in get_global("territory_currencies"):
        for code in get_territory_currencies(territory)[:1]:
            for language in get_official_languages(territory, de_facto=True):
                try:
                    symbols = Locale.parse(f"{language}_{territory}").number_symbols["latn"]
                except (UnknownLocaleError, ValueError):
                    continue
                seen.setdefault(code, set()).add(symbols["decimal"])
    assert not [code for code in COMMA if "," not in seen.get(code, {","})]


def kept(**properties: Any) -> Record:
    body = {
        "type": "track",
        "event": "Order Completed",
        "userId": "jane",
        "properties": {"order_id": "O", **properties},
    }
    [piece] = pieces(json.dumps(body).encode(), Endpoint())[0]
    return normalize(piece, source="shop", level="server", received=1_800_000_000_000)


def test_an_order_is_read_by_its_own_currency_or_takes_that_of_its_text() -> None:
    items = [{"sku": "A", "price": "1.299"}]
    event = kept(total="1.299", currency="EUR", tax={"amount": "12,50"}, products=items).event
    assert event is not None
    assert event.order is not None
    assert (event.order.total, event.order.tax, event.products[0].price, event.usable) == (1299, 12.5, 1299, True)
    event = kept(total="1.299,- €", products=[{"sku": "A", "price": "9 €"}]).event
    assert event is not None
    assert event.order is not None
    assert (event.order.total, event.order.currency, event.products[0].currency) == (1299, "EUR", "EUR")


def test_amounts_that_stay_open_are_problems_at_their_paths_and_have_no_value() -> None:
    found = kept(total="1.299", tax="n/a", shipping="$1.299", products=[{"sku": "A", "price": "2.500"}])
    assert {(each.property, each.code) for each in found.problems} == {
        ("total", "ambiguous_number"),
        ("tax", "not_a_number"),
        ("shipping", "ambiguous_number"),
        ("products[0].price", "ambiguous_number"),
    }
    assert found.event is not None
    assert found.event.order is not None
    assert (found.event.order.total, found.verdict) == (None, "unusable")
    assert found.event.properties["tax"] == "n/a"
