"""URL: reads the text in `href` and `src` as a browser does, into one absolute, encoded http(s) URL.

The rules are the WHATWG URL standard's, by the library `ada_url`. Reading is lenient and happens once, when an event, a
feed or a block arrives. `wetink.core.text.link` later decides strictly which URLs an email may contain.
"""

import re
from collections.abc import Callable, Set
from functools import lru_cache
from typing import Any

import ada_url

from wetink.core.text.link import LONGEST, allowed, host_of

REMEMBERED = 8_192
"""URLs whose reading is cached: at most 16 MB."""

ADDRESSES = 50_000
"""URLs for which wetink caches whether they are allowed."""

_ORIGIN = re.compile(r"https?://(?:(?!xn--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?!xn--)[a-z]{2,63}").fullmatch
_REST = re.compile(r"[A-Za-z0-9\-._~%!$&()*+,;=:@/?#]*").fullmatch
"""The form of nearly all URLs, which a browser leaves unchanged, except for the next pattern."""
_ENTITY = re.compile(r"&(?:amp;|#)", re.IGNORECASE).search

_AMPERSAND = re.compile(r"&(?:amp|#0*38|#[xX]0*26);", re.IGNORECASE)
"""An ampersand in HTML. Any other entity may be the name of a parameter (`&copy=1`)."""

_ENDS = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"
_IGNORED = re.compile(r"[\t\n\r]")
_ABSOLUTE = re.compile(r"https?:[/\\]{2}", re.IGNORECASE)
_HTTP, _SCHEME = re.compile(r"https?:", re.IGNORECASE), re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_SLASHES = re.compile(r"[/\\]{2}")
_FILE = re.compile(r"[^/\\?#]*[^/\\?#.\s]\.[A-Za-z0-9]{2,5}(?:[?#].*)?", re.DOTALL)
_WORDS = re.compile(r"[a-z]{1,3}/[a-z]{1,3}|[^A-Za-z0-9]*", re.IGNORECASE)
"""`N/A` and similar (n/v, s/o, k/a), and marks alone: never a path."""

_UNFILLED = re.compile(r"\{\{|\{%|\*\||[$#]\{|<%|\s[,;|]?\s*https?://|[,;|]\s+https?://", re.IGNORECASE)
"""A template that was not filled in, and a second URL: no page has such an address."""
_DAMAGED = re.compile(r"[^?#]*://|https?/", re.IGNORECASE)
"""A path that holds a whole URL, in quotes or an HTML tag, or one without its colon: never relative."""
_NO_HOSTS = frozenset(("http", "https", "undefined", "null"))
"""Hosts that nobody has: of `http://https://…`, and of a name that was not filled in."""

_LEFT = re.compile(r"[\\'`{}|^]")
"""A browser leaves these as they are in some parts of a URL. Encoded, they mean the same, and all parsers agree."""


def read(value: Any, base: str = "") -> str:
    r"""Return the URL that a browser would open; empty if the value cannot be the http(s) URL of a page or photo.

    `base` is the URL of the page around it. Without `base`, only absolute URLs are read, and those that lack only the
    scheme, which is https then. A single word is not a relative path, and neither are `www.shop.example` and `N/A`.

    >>> read(" https://Shop.Example/my mug?f=a|b&amp;g='1' ")
    'https://shop.example/my%20mug?f=a%7Cb&g=%271%27'
    >>> read("//cdn.shop.example/a.jpg"), read("../a.jpg", "https://shop.example/p/mug"), read("N/A"), read("data:,x")
    ('https://cdn.shop.example/a.jpg', 'https://shop.example/a.jpg', '', '')
    """
    if type(value) is not str:
        return ""
    found = absolute(value)
    if found or not value or len(value) > LONGEST:
        return found
    text, page = _trimmed(value), absolute(base)
    if page:
        return _on_page(text, page)
    if _SLASHES.match(text):
        return _parsed(f"https:{text}")
    return _parsed(text) if _HTTP.match(text) else ""


@lru_cache(maxsize=REMEMBERED)
def absolute(value: str) -> str:
    """Return the result of `read` for a URL that is the same on every page; empty for any other text."""
    if len(value) > LONGEST:
        return ""
    slash = value.find("/", 8)
    if (
        slash > 0
        and _usual(value[:slash])
        and _REST(value, slash)
        and "/." not in value
        and ("&" not in value or _ENTITY(value) is None)
        and ("/%2" not in value or "/%2e" not in value.lower())
    ):
        return value
    text = _trimmed(value)
    return _parsed(text) if _ABSOLUTE.match(text) else ""


@lru_cache(maxsize=1024)
def _usual(origin: str) -> bool:
    """Return whether a scheme and host have the usual form."""
    return _ORIGIN(origin) is not None


def _on_page(text: str, page: str) -> str:
    if text.startswith(("/", "\\")) or _HTTP.match(text):
        return _parsed(text, page)
    if _DAMAGED.match(text) or _SCHEME.match(text) or _WORDS.fullmatch(text) or _names_host(text, host_of(page)):
        return ""
    return _parsed(text, page) if text.startswith((".", "?")) or "/" in text or _FILE.fullmatch(text) else ""


def _names_host(text: str, host: str) -> bool:
    """Return whether text without a scheme begins with a host's name, which a browser would read as a folder."""
    first = re.split(r"[/\\?#:]", text, maxsplit=1)[0].lower()
    own = host.partition(":")[0].removeprefix("www.")
    return first.startswith("www.") or (bool(own) and (first == own or first.endswith(f".{own}")))


def _trimmed(value: str) -> str:
    text = _IGNORED.sub("", value.strip().strip(_ENDS).strip())
    return _AMPERSAND.sub("&", text) if "&" in text else text


def _parsed(text: str, base: str | None = None) -> str:
    if "\ufffd" in text or _UNFILLED.search(text):
        return ""  # a repaired character may stand for any other
    try:
        href: str = ada_url.join_url(base, text) if base is not None else ada_url.normalize_url(text)
    except ValueError:
        return ""
    if _LEFT.search(href):
        href = _LEFT.sub(lambda left: f"%{ord(left[0]):02X}", href)
    host = host_of(href) if len(href) <= LONGEST else ""
    return href if host and host.partition(":")[0] not in _NO_HOSTS else ""


@lru_cache(maxsize=1024)
def ascii_host(host: str) -> str:
    """Return a host, with its port if it has one, in the ASCII form of URLs; unchanged if it cannot be a host.

    >>> ascii_host("B\u00fccher.example:8000"), ascii_host("shop.example")
    ('xn--bcher-kva.example:8000', 'shop.example')
    """
    if host.isascii():
        return host.lower()
    return host_of(absolute(f"https://{host}/")) or host.lower()


class _Allowed(dict[str, bool]):
    """Whether some hosts allow a URL, computed when it is first asked for."""

    hosts: frozenset[str] = frozenset()

    def __missing__(self, url: str) -> bool:
        if len(self) > ADDRESSES:
            self.clear()
        known = self[url] = allowed(url if url.isascii() else absolute(url), self.hosts)
        return known


class Hosts:
    """The hosts that sources and settings name, and which URLs they allow."""

    def __init__(self) -> None:
        """Start without hosts, which allows any public host."""
        self._known = _Allowed()
        self.allowed: Callable[[str], bool] = self._known.__getitem__
        """Returns whether a link or photo may have a URL."""

    def use(self, hosts: Set[str]) -> None:
        """Replace the hosts."""
        hosts = frozenset(map(ascii_host, hosts))
        if hosts != self._known.hosts:
            self._known.hosts = hosts
            self._known.clear()

    def own_origin(self, origin: str) -> bool:
        """Return whether the origin of a page is the shop's own: a source or a setting names its host."""
        return bool(host_of(origin)) and any(allowed(origin, frozenset((each,))) for each in self._known.hosts)
