"""What a store says of everybody, as a value that can be compared."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tests.contracts.loop import run
from wetink.core.events.clock import parse
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.ports import Profiles, Record

ONE = Endpoint(body_bytes=1 << 20, message_bytes=1 << 20)
LATE = parse("2026-11-23T12:00:00Z") or 0


def received(message: dict[str, Any], level: Any = "server", source: str = "test") -> Record:
    """Return the record of a message, received when it says, else late enough for any of its times."""
    found, _ = pieces(msgspec.json.encode(message), ONE)
    return normalize(found[0], source, level, parse(message.get("receivedAt")) or LATE)


def everybody(store: Profiles, mentioned: Iterable[Identifier]) -> list[dict[str, list[str]]]:
    """Return all profiles that own events: who leads to each, and which messages it owns."""

    async def look() -> list[dict[str, list[str]]]:
        found: dict[Identifier, dict[str, list[str]]] = {}
        for who in mentioned:
            root = await store.resolve(who, FOREVER - 1)
            if root in found:
                continue
            profile = await store.profile(root, FOREVER - 1)
            events = await store.history(root, FOREVER - 1)
            if events:
                found[root] = {
                    "means": sorted(map(str, profile.identifiers)),
                    "events": sorted(event.message_id for event in events),
                }
        return sorted(found.values(), key=lambda each: (each["events"], each["means"]))

    return run(look())


def mentioned(records: Sequence[Record]) -> set[Identifier]:
    """Return every identifier these records carry."""
    found: set[Identifier] = set()
    for each in records:
        if each.filed is not None:
            found.add(each.filed)
        for claim in each.claims:
            found |= {claim.weaker, claim.stronger}
        found |= set(each.joins or ())
    return found
