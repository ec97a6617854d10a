"""Hosts: where links may lead and photos may come from, and which pages are the shop's own."""

from collections.abc import Set

from wetink.core.text.link import allowed, host_of
from wetink.core.text.url import absolute, ascii_host

ADDRESSES = 50_000
"""Addresses of which is remembered whether they are allowed."""


class Hosts:
    """The hosts that sources and settings name, and what follows for an address."""

    def __init__(self) -> None:
        """Begin with none: then any public host will do."""
        self._hosts: frozenset[str] = frozenset()
        self._known: dict[str, bool] = {}

    def use(self, hosts: Set[str]) -> None:
        """Go on with these."""
        hosts = frozenset(map(ascii_host, hosts))
        if hosts != self._hosts:
            self._hosts, self._known = hosts, {}

    def allowed(self, url: str) -> bool:
        """Whether a link or a photo may have this address."""
        known = self._known.get(url)
        if known is None:
            if len(self._known) > ADDRESSES:
                self._known.clear()
            known = self._known[url] = allowed(url if url.isascii() else absolute(url), self._hosts)
        return known

    def own_origin(self, origin: str) -> bool:
        """Whether a page of this origin is the shop's own: its host is one that a source or a setting names."""
        return bool(host_of(origin)) and any(allowed(origin, frozenset((each,))) for each in self._hosts)
