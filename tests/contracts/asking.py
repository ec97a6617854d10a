"""What a rule says of one profile alone, asked as an open asks it: what the crowd is held to."""

from wetink.core.app.app import Shop
from wetink.core.blocks.decide import subject_of, with_locale
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import Compiled
from wetink.opens.lookup import Lookup, Lookups
from wetink.ports import Storage


async def holds(
    store: Storage, rule: Compiled, moment: Moment, root: Identifier, look: Lookup | None = None
) -> bool | None:
    """Return whether a rule holds for a profile; None for who is part of another, or has no events yet."""
    if await store.profiles.resolve(root, FOREVER - 1) != root:
        return None
    look = look or Lookups(store).begin()
    person = await look.person(root, moment.now, events=rule.needs.events)
    if not person.known:
        return None
    shop = await look.for_rules(rule.needs, Shop(root=root), person, root, moment)
    return rule.holds(subject_of(person, with_locale(moment, person), shop))
