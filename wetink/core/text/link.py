"""Links: which addresses may stand in an email. Parsed once, strictly, where a decision is made."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote_plus, urlencode, urlsplit

LONGEST = 2_048
"""Characters of the longest address that is believed."""

_FORBIDDEN = re.compile(r"[\s\\\x00-\x1f\x7f<>\"'`{}|^\ufffd]")
_HOST = re.compile(r"(?:[a-z0-9._-]|[^\x00-\x7f]){1,253}|\[[0-9a-f:.]+\]")
"""No other ASCII: some readers end a host where others do not."""


_PLAIN = re.compile(r"https?://([a-z0-9._-]{1,253})(?=[/?#]|$)")
"""How nearly all addresses begin: what comes before their first slash cannot be read in two ways."""


def host_of(url: str) -> str:
    """Return the host (with its port, when one is named) of an http(s) address, lower-cased; empty for any other text.

    >>> host_of("https://Shop.Example/a?b=c"), host_of("http://127.0.0.1:8000/x")
    ('shop.example', '127.0.0.1:8000')
    >>> host_of("javascript:alert(1)"), host_of("https://shop.example@evil.example/"), host_of("//shop.example/")
    ('', '', '')
    """
    if len(url) > LONGEST or _FORBIDDEN.search(url):
        return ""
    plain = _PLAIN.match(url)
    if plain is not None:
        return plain[1]
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = parts.netloc.lower()
    if parts.scheme.lower() not in ("http", "https") or "@" in host:
        return ""
    name = host.removesuffix(f":{port}") if port is not None else host
    return host if _HOST.fullmatch(name) and port != 0 else ""


def tagged(url: str, tags: Mapping[str, str]) -> str:
    """Return an address with tags in its query, in place of those it had of the same names; all else stays.

    >>> tagged("https://shop.example/a?b=1&utm_source=x#top", {"utm_source": "wetink mail"})
    'https://shop.example/a?b=1&utm_source=wetink+mail#top'
    """
    if not tags or not host_of(url):
        return url
    address, hash_, fragment = url.partition("#")
    path, _, query = address.partition("?")
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in tags]
    return f"{path}?{'&'.join([*kept, urlencode(tags)])}{hash_}{fragment}"


def allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether an address is http(s) and its host is one of these or under one of them; with no hosts, any will do.

    >>> allowed("https://www.shop.example/a", ["shop.example"]), allowed("https://badshop.example/", ["shop.example"])
    (True, False)
    """
    host = host_of(url)
    if not host:
        return False
    if not hosts:
        return True
    name = re.sub(r":\d+$", "", host)
    return any(host == each or name == each or name.endswith(f".{each}") for each in hosts)
