"""Link: which URLs an email may contain, and which hosts a shop can name as its own.

Every host under an own host is allowed, so strangers must not be able to get names under it: no top-level domain, no
`co.uk`, no hosting that gives each customer a name. The two tables have the entries of the Public Suffix List
(publicsuffix.org, November 2026) that shops meet. The list has thousands more.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from urllib.parse import unquote_plus, urlencode, urlsplit

from wetink.core.errors import BadSettings

LONGEST = 2_048
"""Maximum length of a URL, in characters."""

_FORBIDDEN = re.compile(r"[\s\\\x00-\x1f\x7f<>\"'`{}|^\ufffd]")
_HOST = re.compile(r"(?:[a-z0-9._-]|[^\x00-\x7f]){1,253}|\[[0-9a-f:.]+\]")
"""No other ASCII characters: some parsers end a host where others do not."""


_PLAIN = re.compile(r"https?://([a-z0-9._-]{1,253})(?=[/?#]|$)")
"""The beginning of nearly all URLs. The text before their first slash has only one reading."""


def host_of(url: str) -> str:
    """Return the lower-cased host of an http(s) URL, with its port if it has one; empty for any other text.

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
    """Return a URL with tags in its query. They replace parameters of the same names, and everything else stays.

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
    """Return whether a URL is http(s) and its host is one of `hosts` or under one. Without hosts, any host is allowed.

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


SECOND_LEVEL: Final = frozenset(
    ["ac", "co", "com", "edu", "firm", "gen", "go", "gob", "gouv", "gov", "gv", "info", "ltd", "mil", "ne", "net",
     "nom", "or", "org", "plc", "res", "sch", "web"]
)  # fmt: skip
"""Second-level domains under which people get names, before a country's two letters: `co.uk`, `com.br`, `or.jp`."""

SHARED: Final = frozenset(
    [
        "amazonaws.com", "appspot.com", "azureedge.net", "azurewebsites.net", "b-cdn.net", "bigcartel.com",
        "blogspot.com", "cloudapp.net", "cloudfront.net", "core.windows.net", "digitaloceanspaces.com", "fastly.net",
        "firebaseapp.com", "fly.dev", "github.io", "gitlab.io", "glitch.me", "herokuapp.com", "me.uk", "myshopify.com",
        "mybigcommerce.com", "netlify.app", "ngrok.io", "onrender.com", "pages.dev", "r2.dev", "run.app",
        "s3.amazonaws.com", "shopware.store", "squarespace.com", "storage.googleapis.com", "surge.sh",
        "trafficmanager.net", "vercel.app", "web.app", "webflow.io", "windows.net", "wixsite.com", "wordpress.com",
        "workers.dev",
    ]
)  # fmt: skip
"""Hosting that gives each customer a name under this host."""

LONGEST_HOST: Final = 253
_LABEL = re.compile(r"(?!-)(?:[^\W_]|-){1,63}(?<!-)")
_PORT = re.compile(r":(\d{1,5})$")


def own_host(text: str) -> str:
    """Return a host as wetink stores it: lower-cased, with its port if it has one. Raises ValueError with the remedy.

    >>> own_host(" Shop.Example "), own_host("127.0.0.1:8000")
    ('shop.example', '127.0.0.1:8000')
    """
    host = text.strip().lower()
    if "://" in host or host.startswith("//"):
        raise ValueError("write the host alone, without https://")
    if "/" in host or "?" in host or "#" in host or "@" in host:
        raise ValueError("write the host alone, without a path or user")
    if "*" in host:
        raise ValueError("remove the *; hosts under this one are allowed as well")
    port = _PORT.search(host)
    if port is not None and not 0 < int(port[1]) < 65_536:
        raise ValueError("write a port from 1 to 65535")
    name = host[: port.start()] if port is not None else host
    if name == "localhost" or _is_address(name):
        return host
    labels = name.split(".")
    if len(name) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("write names with dots in between, such as shop.example")
    if labels[-1].isdecimal():
        raise ValueError("write an IP address or a name")
    if len(labels) == 1 or name in SHARED or (len(labels) == 2 and labels[0] in SECOND_LEVEL and len(labels[1]) == 2):
        raise ValueError("anybody can get a name under it; write your own host, such as www.shop.example")
    return host


def own_hosts(given: Iterable[str]) -> list[str]:
    """Return hosts as wetink stores them, each once, without empty ones. Raises BadSettings for the first wrong one."""
    kept: dict[str, None] = {}
    for text in given:
        if not text.strip():
            continue
        try:
            kept[own_host(text)] = None
        except ValueError as error:
            raise BadSettings(
                f"{text.strip()[:80]!r} is not a host for a source", hint=str(error), where="host"
            ) from error
    return list(kept)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return name.startswith("[") or ":" not in name
