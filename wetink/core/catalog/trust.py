"""Trust: the data from a browser's key that may be shown.

The key on a page is public, and anyone who copies it can send anything, in any words, in anybody's name. Rules may use
all of it. A picture, or any other output to a person, may show

- a product in the catalog's words, which come only from servers' keys, or not at all;
- the numbers of an order, without its texts;
- a trait that only pages sent, if it reads as a name, or is a small number, a date, or a boolean;
- a search, if the catalog has all of its words;
- an event's name, if a server sent it, if it is one of Segment's, or if the template itself has it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, get_args
from unicodedata import category, normalize

from msgspec.structs import replace

from wetink.core.catalog.catalog import FIELDS
from wetink.core.events.ecommerce import EVENTS
from wetink.core.events.event import MessageType, Product
from wetink.core.profile.fold import named
from wetink.core.profile.person import Cart, Person, Purchase, Search, Seen, Views
from wetink.core.text.placeholder import USUAL

_words = attrgetter(*FIELDS)

LONGEST_NAME: Final = 40
"""Longest text that reads as a name, in characters."""
GREATEST: Final = 999_999
"""The largest absolute value of a page's number that is shown: it is shorter than any telephone number."""
_MOST_PARTS: Final = 20
"""Parts of a page's list or object that are shown."""

_ADDRESS_LIKE = re.compile(r"\.\w{2}")
_NUMBER = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,4})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_TOKEN = re.compile(r"\w+")
_HIDDEN = object()
_OURS = frozenset((*EVENTS, *get_args(MessageType)))


def reads_as_name(text: str) -> bool:
    """Return whether a text can be a person's name: letters with accents, spaces, `-'.`, at most 40 characters.

    >>> reads_as_name("J. R. O'Neill-Løvås"), reads_as_name("YOU WON! Call 555-0100"), reads_as_name("evil.example")
    (True, False, False)
    """
    if not 0 < len(text) <= LONGEST_NAME or _ADDRESS_LIKE.search(text):
        return False
    return all(char in " -'.\u2019" or category(char)[0] in "LM" for char in text) and any(map(str.isalpha, text))


def shown(person: Person, found: Mapping[str, Sequence[Product]] | None = None, template: str = "") -> Person:
    """Return the person with the data that pictures may show.

    `found` has the catalog's results by search. `template` is the text to fill in.
    """
    untrusted = not all([search.trusted for search in person.searches])
    if not (person.page_traits or person.page_events or untrusted):
        return person
    traits = person.traits
    if person.page_traits:
        traits = {name: value for name, value in traits.items() if name not in person.page_traits}
        from_pages = {name: person.traits[name] for name in person.page_traits}
        traits |= kept if (kept := _showable(from_pages)) is not _HIDDEN else {}
    searches = person.searches
    if untrusted:
        searches = tuple(
            each for each in searches if each.trusted or _answered(each, (found or {}).get(each.query, ()))
        )
    done = person.done
    if person.page_events:
        hidden = {name for name in person.page_events if name not in _OURS and name not in template}
        done = {name: times for name, times in done.items() if name not in hidden} if hidden else done
    return replace(person, traits=traits, searches=searches, done=done)


def filled(value: Any) -> Any:
    """Return a trait's value as pictures show it: None for blank text, for a merge tag and for a null that was printed.

    >>> filled({"first": "{{ contact.name }}", "last": "Null", "plan": " ", "tags": ["a", "undefined"]})
    {'first': None, 'last': 'Null', 'plan': None, 'tags': ['a', None]}
    """
    if isinstance(value, str):
        return None if not value or value.isspace() or USUAL.unfilled(value) else value
    if isinstance(value, Mapping):
        return {name: filled(each) for name, each in value.items()}
    return [filled(each) for each in value] if isinstance(value, list | tuple) else value


def _showable(value: Any) -> Any:
    """Return the part of a page's value that may be shown; _HIDDEN for none."""
    if isinstance(value, str):
        text = value.strip()
        plain = reads_as_name(text) or _NUMBER.fullmatch(text, re.ASCII) or _DATE.fullmatch(text)
        return value if plain else _HIDDEN
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if -GREATEST <= value <= GREATEST else _HIDDEN
    if isinstance(value, Mapping):
        inner = {name: _showable(each) for name, each in list(value.items())[:_MOST_PARTS] if _reads_as_key(name)}
        kept = {name: each for name, each in inner.items() if each is not _HIDDEN}
        return kept or _HIDDEN
    if isinstance(value, list | tuple):
        parts = [part for each in value[:_MOST_PARTS] if (part := _showable(each)) is not _HIDDEN]
        return parts or _HIDDEN
    return _HIDDEN


def _reads_as_key(name: Any) -> bool:
    """Return whether a text can be a trait's name: `first_name`, `address2`."""
    return isinstance(name, str) and reads_as_name(re.sub(r"\d{1,2}$", "", name, flags=re.ASCII).replace("_", " "))


def _answered(search: Search, products: Iterable[Product]) -> bool:
    """Return whether the catalog has all words of a page's search."""
    query = search.query
    if len(query) > LONGEST_NAME or not all(char in " -'." or category(char)[0] in "LMN" for char in query):
        return False
    words = _tokens(query)
    return bool(words) and any(
        all(any(known.startswith(word) for known in there) for word in words)
        for there in (_tokens(f"{each.name} {each.brand} {each.category}") for each in products)
    )


def _tokens(text: str) -> set[str]:
    """Return the words of a text in a search's form: without case and accents."""
    plain = "".join(char for char in normalize("NFKD", text.casefold()) if category(char) != "Mn")
    return set(_TOKEN.findall(plain))


def doubtful(person: Person) -> list[str]:
    """Return the keys of products known only from a browser's key. An order without products adds an empty key."""
    views = () if isinstance(person.views, Views) and person.views.trusted else person.views
    if not (views or person.cart.lines or person.wishlist or person.orders):
        return []
    seen = (*views, *person.cart.lines, *person.wishlist)
    keys = [each.product.key for each in seen if not each.trusted]
    doubted = [order.products for order in person.orders if not order.trusted]
    keys += [key for products in doubted for key in ([product.key for product in products] or [""])]
    return list(dict.fromkeys(keys))


def believed(person: Person, catalog: Mapping[str, Product]) -> Person:
    """Return the person with each doubtful product in the catalog's words, and without unknown products."""
    if not doubtful(person) and all(order.trusted for order in person.orders):
        return person
    views, more = _believed(person.views, catalog), isinstance(person.views, Views) and person.views.more
    return replace(
        person,
        views=Views(iter(views), trusted=False, more=True) if more else views,
        cart=Cart(_believed(person.cart.lines, catalog), person.cart.changed_at),
        wishlist=_believed(person.wishlist, catalog),
        orders=tuple(each if each.trusted else _numbers_only(each, catalog) for each in person.orders),
    )


def refreshed(product: Product, known: Product | None) -> Product:
    """Return a product with the catalog's values, which are the newest of each field.

    The catalog has one entry for a product with all its variants. For another variant than its own, it only fills in
    missing values.
    """
    if known is None or known == product:
        return product
    said, words = _words(product), _words(known)
    if said == words:
        return product
    if product.variant and known.variant and named(product) != named(known):
        pairs = zip(said, words, strict=True)
        words = tuple([word if ours is None or ours == "" else ours for ours, word in pairs])
    better = {
        field: word
        for field, ours, word in zip(FIELDS, said, words, strict=True)
        if word is not None and word != "" and word != ours
    }
    return replace(product, **better) if better else product


def _numbers_only(order: Purchase, catalog: Mapping[str, Product]) -> Purchase:
    """Return an order without its sender's texts: products in the catalog's words, and amounts."""
    bought = [each for each in order.products if each.key in catalog]
    said = order.order.currency
    currency = said if len(said) == 3 and said.isascii() and said.isalpha() else ""
    words = dict.fromkeys(("order_id", "checkout_id", "affiliation", "coupon"), "")
    money = replace(order.order, **words, currency=currency)
    return replace(
        order,
        order=money,
        products=tuple(replace(catalog[each.key], quantity=each.quantity) for each in bought),
    )


def _believed(seen: Iterable[Seen], catalog: Mapping[str, Product]) -> tuple[Seen, ...]:
    return tuple(
        each if each.trusted else Seen(replace(catalog[each.product.key], quantity=each.product.quantity), each.at)
        for each in seen
        if each.trusted or each.product.key in catalog
    )
