"""Directory: people as the rows of a table, newest first, of an audience, or matching a rule."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wetink.audiences.audiences import Audiences, Saved
from wetink.audiences.segment_query import people_of
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.parse import parse as rule_of
from wetink.core.rules.tree import Rule
from wetink.ports import Storage
from wetink.ports.audiences import Count

NAMING = ("name", "firstName", "first_name", "lastName", "last_name", "email")
"""Traits in which a search for people by name looks."""
WORDS = 4
"""Words of such a search; it ignores the others."""
NAMES = 20
"""Identifiers of each person among which an email address is looked for. The strongest come first."""


class Row(msgspec.Struct, frozen=True):
    """One person: names, `last_seen` in Unix ms, orders with their `value` by currency, and audiences by name."""

    root: Identifier
    name: str
    address: str
    last_seen: int
    orders: int
    value: tuple[tuple[str, float], ...]
    audiences: Sequence[str] = ()


def row_of(root: Identifier, address: str, person: Person, audiences: Sequence[str]) -> Row:
    """Return the row of a person. Orders without a total count, and add nothing to the value."""
    value: dict[str, float] = {}
    for purchase in person.orders:
        if purchase.order.total is not None:
            value[purchase.order.currency] = value.get(purchase.order.currency, 0.0) + purchase.order.total
    highest = sorted(value.items(), key=lambda each: -each[1])
    return Row(root, full_name(person.traits), address, person.last_seen, len(person.orders), (*highest,), audiences)


def full_name(traits: Mapping[str, Any]) -> str:
    """Return the name in a person's traits; empty without one.

    >>> full_name({"first_name": "Ada", "last_name": "Byron"}), full_name({"name": "Ada B."}), full_name({"name": 7})
    ('Ada Byron', 'Ada B.', '')
    """

    def text(*names: str) -> str:
        return next((value.strip() for name in names if isinstance(value := traits.get(name), str)), "")

    return text("name") or f"{text('firstName', 'first_name')} {text('lastName', 'last_name')}".strip()


class Directory:
    """Lists people. Every method may raise StoreUnavailable."""

    def __init__(self, store: Storage, audiences: Audiences) -> None:
        """Read people from `store`, and count them with `audiences`."""
        self._store, self._audiences = store, audiences

    async def newest(self, search: str, start: int, limit: int, now: int) -> Sequence[Row]:
        """Return people by their newest message, those after the first `start`.

        With `search`, return those with an identifier that begins so.
        """
        found = await self._store.profiles.profiles(limit=start + limit, search=search)
        names = {profile.root: profile.identifiers for profile in found[start:]}
        return await self._rows(list(names), now, names)

    async def named(self, words: str, limit: int, now: int) -> Sequence[Row]:
        """Return people with each of these words in their name or address."""
        each_word = [
            {"any": [{"trait": trait, "contains": word} for trait in NAMING]} for word in words.split()[:WORDS]
        ]
        if not each_word:
            return ()
        found = await self._audiences.some({}, rule_of({"all": each_word}), Moment(now), limit)
        return await self._rows(found, now)

    async def members(self, audience: str, limit: int, after: Identifier | None, now: int) -> Sequence[Row]:
        """Return members of an audience at its last computation, those after a root."""
        return await self._rows(await self._audiences.memberships.page(audience, limit, after), now)

    async def matching(
        self, saved: Saved, rule: Rule, start: int, limit: int, moment: Moment
    ) -> tuple[Count, Sequence[Row]]:
        """Return how many people a rule matches, and those after the first `start`."""
        count = await self._audiences.count(saved, rule, moment)
        found = await self._audiences.some(saved, rule, moment, start + limit)
        return count, await self._rows(found[start:], moment.now)

    async def _rows(
        self, roots: Sequence[Identifier], now: int, names: Mapping[Identifier, Sequence[Identifier]] | None = None
    ) -> Sequence[Row]:
        """Return the rows of those whose people are found. Without `names`, the store is asked for each one's."""
        people = await people_of(self._store, roots, now, frozenset(), asyncio.to_thread, brief=True)
        audiences = await self._audiences.memberships.of(roots)
        shown = [root for root in roots if root in people]
        if names is None:
            profiles = await asyncio.gather(*(self._store.profiles.profile(root, now, limit=NAMES) for root in shown))
            names = {root: profile.identifiers for root, profile in zip(shown, profiles, strict=True)}
        return [
            row_of(root, _address(names[root], people[root]), people[root], audiences.get(root, ())) for root in shown
        ]


def _address(names: Sequence[Identifier], person: Person) -> str:
    """Return a person's email address; empty without one."""
    trait = person.traits.get("email")
    return next((each.value for each in names if each.kind == "email"), trait if isinstance(trait, str) else "")
