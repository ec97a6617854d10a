"""Own host: a host that a shop can name as its own, for what its links and photos may name.

Whatever lies under such a host is allowed, too, so it must not be one that strangers get names under: no top level, no
`co.uk`, no hosting that gives each customer a name. The facts of the two tables are those of the Public Suffix List
(publicsuffix.org, November 2026), as far as shops come across them; it has thousands more.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from wetink.core.errors import BadSettings

SECOND_LEVEL: Final = frozenset(
    ["ac", "co", "com", "edu", "firm", "gen", "go", "gob", "gouv", "gov", "gv", "info", "ltd", "mil", "ne", "net",
     "nom", "or", "org", "plc", "res", "sch", "web"]
)  # fmt: skip
"""What stands before a country's two letters where people get names below that: `co.uk`, `com.br`, `or.jp`."""

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
"""Hosting that gives each customer a name of their own below it."""

LONGEST: Final = 253
_LABEL = re.compile(r"(?!-)(?:[^\W_]|-){1,63}(?<!-)")
_PORT = re.compile(r":(\d{1,5})$")


def own_host(text: str) -> str:
    """Return a host as it is kept, lower-cased, with its port if it names one. Raises ValueError, saying what is wrong.

    >>> own_host(" Shop.Example "), own_host("127.0.0.1:8000")
    ('shop.example', '127.0.0.1:8000')
    """
    host = text.strip().lower()
    if "://" in host or host.startswith("//"):
        raise ValueError("write the host alone, without https://")
    if "/" in host or "?" in host or "#" in host or "@" in host:
        raise ValueError("write the host alone, without a path or a user")
    if "*" in host:
        raise ValueError("hosts under it are allowed as well, so it needs no *")
    port = _PORT.search(host)
    if port is not None and not 0 < int(port[1]) < 65_536:
        raise ValueError("its port is a number from 1 to 65535")
    name = host[: port.start()] if port is not None else host
    if name == "localhost" or _is_address(name):
        return host
    labels = name.split(".")
    if len(name) > LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("a host is names with dots between, such as shop.example")
    if labels[-1].isdecimal():
        raise ValueError("this is no IP address, nor a name")
    if len(labels) == 1 or name in SHARED or (len(labels) == 2 and labels[0] in SECOND_LEVEL and len(labels[1]) == 2):
        raise ValueError("anybody can have a name under it; write a host of your own, such as www.shop.example")
    return host


def own_hosts(given: Iterable[str]) -> list[str]:
    """Return hosts as they are kept, each once, without empty ones. Raises BadSettings, naming the first wrong one."""
    kept: dict[str, None] = {}
    for text in given:
        if not text.strip():
            continue
        try:
            kept[own_host(text)] = None
        except ValueError as error:
            raise BadSettings(
                f"{text.strip()[:80]!r} is no host for a source", hint=str(error), where="host"
            ) from error
    return list(kept)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return name.startswith("[") or ":" not in name
