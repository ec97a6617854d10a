"""Identity data made to hurt costs what honest data costs. Rows are counted, not time."""

import asyncio
import sys
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, everybody, mentioned, received
from tests.examples import examples
from wetink.core.identity.identifier import Identifier
from wetink.ports import NAMES, Record, Storage

JANE, BOB = Identifier("user", "jane"), Identifier("user", "bob")


def seen(number: int, ago: int, **who: str) -> Record:
    """Return what a page tells of a visitor, `ago` milliseconds before LATE."""
    told = {"type": "track", "event": "X", "messageId": f"m{number}", "timestamp": LATE - ago, **who}
    return received(told, level="browser")


def claim_devices(store: Storage, count: int) -> None:
    """Have a page claim many devices for Jane, each with an event of its own."""
    claims = [seen(n, 2 * n, anonymousId=f"d{n}", userId="jane") for n in range(count)]
    alone = [seen(count + n, 2 * n + 1, anonymousId=f"d{n}") for n in range(count)]
    run(store.log.append(claims + alone))


def test_many_devices_leave_the_event_loop_to_others(store: Storage) -> None:
    claim_devices(store, 2_000)
    # A fast machine reads all of it in three of CPython's usual turns of 5 ms.
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)

    async def turns_while_reading() -> int:
        turns, reading = 0, asyncio.ensure_future(store.profiles.load({JANE: ""}, LATE))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert len(reading.result()[JANE].entries) == 1_000
        return turns

    try:
        assert run(turns_while_reading()) > 10
    finally:
        sys.setswitchinterval(usual)


def test_the_names_of_many_devices_are_read_a_page_at_a_time(store: Storage) -> None:
    claim_devices(store, NAMES + 10)
    profile = run(store.profiles.profile(JANE, LATE))
    assert (profile.identifiers[0], len(profile.identifiers)) == (JANE, NAMES)
    rest = run(store.profiles.profile(JANE, LATE, after=profile.identifiers[-1]))
    assert len(rest.identifiers) == 11
    everything = run(store.profiles.profile(JANE, LATE, limit=None))
    assert everything.identifiers == profile.identifiers + rest.identifiers


def on_the_device(number: int, user: str, at: int, level: Any = "server") -> Record:
    """Return what tells that a user was on the device `d`, `at` milliseconds after a time that is long ago."""
    told = {"type": "track", "event": "X", "messageId": f"m{number}", "userId": user, "anonymousId": "d"}
    return received({**told, "timestamp": LATE - 10_000_000 + at}, level=level)


STORY = st.lists(
    st.tuples(st.sampled_from("vwxyz"), st.integers(0, 9), st.sampled_from(["server", "browser"]), st.booleans()),
    max_size=14,
)


@settings(max_examples=examples(8), deadline=None)
@given(STORY, st.randoms(use_true_random=False))
def test_claims_beyond_the_limit_make_the_same_profiles_in_any_order(
    story: list[tuple[str, int, Any, bool]], chance: Random
) -> None:
    records = [on_the_device(n, user, at, level) for n, (user, at, level, _) in enumerate(story)]
    earlier = [on_the_device(n, user, at - 5, level) for n, (user, at, level, again) in enumerate(story) if again]
    everyone = mentioned(records)
    seen = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("wetink.core.identity.holding.MAX_CLAIMERS", 2)
        for (name, engine), turn in product(ENGINES.items(), range(2)):
            store = engine(Path(folder) / f"{name}{turn}")
            arriving = records + records[:2]
            if turn:
                chance.shuffle(arriving)
            for each in arriving:
                run(store.log.append([each]))
            run(store.log.append(earlier))
            seen.append(everybody(store.profiles, everyone))
            run(store.close())
    assert all(each == seen[0] for each in seen)


def test_a_servers_message_far_behind_a_pages_claim_in_one_batch_ends_its_lookups(store: Storage) -> None:
    told = {"type": "track", "event": "X"}
    others = [received({**told, "messageId": f"o{n}", "userId": f"u{n}"}) for n in range(600)]
    by_server = received({**told, "messageId": "last", "userId": "jane"})
    run(store.log.append([seen(0, 9, anonymousId="d", userId="jane"), *others, by_server]))
    device = Identifier("anonymous", "d")
    assert run(store.profiles.resolve(device, LATE)) == device
