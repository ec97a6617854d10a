"""Credentials: the values of feeds' request headers, which are secrets of the store."""

from collections.abc import Mapping

import msgspec

from wetink.core.outbound.feed import Feed
from wetink.feeds.guard import Refused

PREFIX = "feed."
"""The start of the names of feeds' secrets in the store."""

Headers = list[tuple[bytes, bytes]]


def credentials_in(secrets: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return the header values of each feed among the store's secrets. Damaged ones are left out.

    >>> credentials_in({"feed.news": '{"X-Key": "1"}', "hooks.key": "k", "feed.old": "?"})
    {'news': {'X-Key': '1'}}
    """
    found: dict[str, Mapping[str, str]] = {}
    for name, text in secrets.items():
        if name.startswith(PREFIX):
            try:
                found[name.removeprefix(PREFIX)] = msgspec.json.decode(text, type=dict[str, str])
            except (msgspec.DecodeError, ValueError):
                continue
    return found


class Credentials:
    """The values that this process knows, by feed."""

    def __init__(self) -> None:
        self._known: Mapping[str, Mapping[str, str]] = {}

    def use(self, known: Mapping[str, Mapping[str, str]]) -> None:
        """Use these values from now on."""
        self._known = known

    def of(self, feed: Feed, given: Mapping[str, str] | None = None) -> Headers:
        """Return the private headers of a feed, with the `given` values in place of those that the store has.

        Raises Refused if one has no value.
        """
        if not feed.headers:
            return []
        values = {**self._known.get(feed.name, {}), **(given or {})}
        for name in feed.headers:
            if not values.get(name):
                raise Refused(f"the header {name} has no value; enter it on the feed's page")
        return [(name.encode("ascii"), values[name].encode("latin-1", "replace")) for name in feed.headers]

    def known(self, feed: str) -> Mapping[str, str]:
        """Return the values of a feed by header."""
        return self._known.get(feed, {})
