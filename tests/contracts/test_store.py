"""The contract of a store: whatever passes is an engine."""

import asyncio
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
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
from wetink.core.signals.conversion import ConversionEvent
from wetink.ports import Record, Storage

SCENARIOS = json.loads((Path(__file__).parents[1] / "facts" / "identity_scenarios.json").read_text())["scenarios"]
Another = Callable[[], Storage]
SHOP = "https://shop.example"


def append(store: Storage, records: list[Record]) -> list[bool]:
    return list(run(store.log.append(records)))


def view(message_id: str, sku: str = "S", **more: Any) -> dict[str, Any]:
    properties = {"sku": sku, "url": f"{SHOP}/{sku}", "price": 5, **more.pop("properties", {})}
    return {"type": "track", "event": "Product Viewed", "messageId": message_id, "properties": properties, **more}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
@pytest.mark.parametrize("order", ["as sent", "backwards", "shuffled", "one by one", "twice"])
def test_identity_comes_out_the_same_in_any_order(store: Storage, scenario: dict[str, Any], order: str) -> None:
    records = [received(message) for message in scenario["messages"]]
    arriving = list(records)
    if order == "backwards":
        arriving.reverse()
    elif order == "shuffled":
        random.Random(scenario["name"]).shuffle(arriving)
    elif order == "twice":
        arriving += records
    batches = [[each] for each in arriving] if order == "one by one" else [arriving]
    for batch in batches:
        append(store, batch)
    expected = sorted(scenario["expect"], key=lambda each: (sorted(each["events"]), sorted(each["means"])))
    expected = [{"means": sorted(each["means"]), "events": sorted(each["events"])} for each in expected]
    assert everybody(store.profiles, mentioned(records)) == [each for each in expected if each["events"]]


IDS = {
    "userId": ["u", "v", "jane@shop.example"],
    "anonymousId": ["a", "b"],
    "email": ["jane@shop.example", "bob@x.example"],
}


@st.composite
def message(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["track", "track", "identify", "alias"]))
    made: dict[str, Any] = {"type": kind, "timestamp": LATE - 1000 * draw(st.integers(1, 6)), "event": "X"}
    if draw(st.booleans()):
        made["userId"] = draw(st.sampled_from(IDS["userId"]))
    if draw(st.booleans()):
        made["anonymousId"] = draw(st.sampled_from(IDS["anonymousId"]))
    if draw(st.booleans()):
        made["context"] = {"traits": {"email": draw(st.sampled_from(IDS["email"]))}}
    if kind == "alias":
        made["previousId"] = draw(st.sampled_from([*IDS["userId"], *IDS["anonymousId"]]))
    return made


MESSAGES = st.lists(st.tuples(message(), st.sampled_from(["server", "browser"])), min_size=1, max_size=8)


@settings(max_examples=examples(60))
@given(MESSAGES, st.randoms(use_true_random=False))
def test_same_messages_in_any_order_with_any_duplicates_make_the_same_profiles(
    sent: list[tuple[dict[str, Any], str]], chance: random.Random
) -> None:
    records = [received({**each, "messageId": f"m{index}"}, level=level) for index, (each, level) in enumerate(sent)]
    everyone = mentioned(records)
    seen = []
    for make in ENGINES.values():
        with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as place:
            first, second = make(Path(place) / "1"), make(Path(place) / "2")
            try:
                append(first, records)
                mixed = records + chance.choices(records, k=3)
                chance.shuffle(mixed)
                while mixed:
                    size = chance.randint(1, len(mixed))
                    append(second, mixed[:size])
                    mixed = mixed[size:]
                seen += [everybody(first.profiles, everyone), everybody(second.profiles, everyone)]
            finally:  # a draw may end the test
                run(first.close())
                run(second.close())
    assert all(each == seen[0] for each in seen)
    owned = [event for profile in seen[0] for event in profile["events"]]
    assert len(owned) == len(set(owned)), "an event is on one profile only"
    assert set(owned) == {each.message_id for each in records if each.filed is not None}


def test_a_message_sent_again_is_a_duplicate_and_stands_once(store: Storage) -> None:
    first = received(view("m1", userId="u", timestamp=LATE - 5000))
    assert append(store, [first, first]) == [False, True]
    assert append(store, [first]) == [True]
    assert len(run(store.profiles.history(Identifier("user", "u"), LATE))) == 1
    assert len(run(store.log.messages())) == 1


def test_a_duplicate_without_a_time_of_its_own_is_found_as_well(store: Storage) -> None:
    once, again = received(view("m1", userId="u")), received(view("m1", userId="u", receivedAt=LATE + 9000))
    assert append(store, [once]) == [False]
    assert append(store, [again]) == [True]


def test_history_sees_what_was_appended_up_to_its_moment_oldest_first(store: Storage) -> None:
    append(store, [received(view(f"m{n}", userId="u", timestamp=LATE - n * 1000)) for n in (3, 1, 2)])
    user = Identifier("user", "u")
    assert [event.message_id for event in run(store.profiles.history(user, LATE))] == ["m3", "m2", "m1"]
    assert [event.message_id for event in run(store.profiles.history(user, LATE - 2000))] == ["m3", "m2"]
    assert [event.message_id for event in run(store.profiles.history(user, LATE, limit=2))] == ["m2", "m1"]


def test_earlier_events_of_a_later_owner_are_read_with_the_time_of_the_owner(store: Storage) -> None:
    append(store, [received(view("m1", anonymousId="d", timestamp=LATE - 9000))])
    append(store, [received({**view("m2", anonymousId="d", userId="u", timestamp=LATE - 1000), "type": "track"})])
    device = Identifier("anonymous", "d")
    assert run(store.profiles.resolve(device, LATE)) == Identifier("user", "u")
    earlier = run(store.profiles.history(device, LATE - 1001, owner_at=LATE))
    assert [event.message_id for event in earlier] == ["m1"]
    assert [event.message_id for event in run(store.profiles.history(device, LATE, owner_at=LATE))] == ["m1", "m2"]


def test_an_append_of_another_process_is_seen_at_once(another: Another) -> None:
    here, there = another(), another()
    user = Identifier("user", "u")
    assert not run(here.profiles.history(user, LATE))
    append(there, [received(view("m1", userId="u"))])
    assert len(run(here.profiles.history(user, LATE))) == 1


def test_parked_messages_are_kept_and_in_no_profile(store: Storage) -> None:
    append(store, [received({"type": "track", "event": "X", "messageId": "lost"})])
    [kept] = run(store.log.messages(verdict="parked"))
    assert (kept.message_id, kept.problems[0].code) == ("lost", "no_identifier")
    assert not run(store.profiles.profiles())


def test_the_catalog_learns_from_servers_only_and_keeps_the_newest_word(store: Storage) -> None:
    old = view("m1", userId="u", timestamp=LATE - 900_000, properties={"name": "Mug", "image_url": f"{SHOP}/mug.jpg"})
    new = view("m2", userId="u", timestamp=LATE - 100_000, properties={"name": "Big Mug", "price": 7})
    lie = view("m3", userId="u", timestamp=LATE, properties={"name": "Free!", "price": 0})
    append(store, [received(new), received(old), received(lie, level="browser")])
    known = run(store.catalog.products(["S", "nothing"]))
    assert set(known) == {"S"}
    assert (known["S"].name, known["S"].price, known["S"].image_url) == ("Big Mug", 7, f"{SHOP}/mug.jpg")


ORDER = {"order_id": "O", "total": 20, "currency": "EUR", "products": [{"sku": "S", "price": 20}]}
BOUGHT = {"type": "track", "event": "Order Completed", "anonymousId": "a", "properties": ORDER}


def told(store: Storage, names: set[str], since: int = 0, until: int = LATE + 1) -> dict[str, ConversionEvent]:
    async def read() -> dict[str, ConversionEvent]:
        batches = store.conversions.outcomes(names, since, until)
        return {each.event.message_id: each async for batch in batches for each in batch}

    return run(read())


def test_events_of_an_order_come_in_one_batch_and_no_batch_holds_all_orders(store: Storage) -> None:
    orders = [received({**BOUGHT, "messageId": f"m{n}", "timestamp": LATE - n,
                        "properties": {**ORDER, "order_id": f"O{n}"}}) for n in range(1_100)]  # fmt: skip
    refunds = [received({**BOUGHT, "messageId": f"r{n}", "event": "Order Refunded", "timestamp": LATE + 1_000,
                         "properties": {"order_id": f"O{n}"}}) for n in range(1_100)]  # fmt: skip
    nameless = [received({**BOUGHT, "messageId": f"n{n}", "event": "Signed Up", "timestamp": LATE - n,
                          "properties": {}}) for n in range(1_100)]  # fmt: skip
    append(store, [*orders, *refunds, *nameless])

    async def read() -> list[list[str]]:
        names = {"Order Completed", "Order Refunded", "Signed Up"}
        batches = store.conversions.outcomes(names, 0, LATE + 1)
        return [[each.event.message_id for each in batch] async for batch in batches]

    batches = run(read())
    assert sorted(each for batch in batches for each in batch) == sorted(
        f"{kind}{n}" for kind in "mrn" for n in range(1_100)
    )
    for batch in batches:
        assert {each[1:] for each in batch if each[0] == "m"} == {each[1:] for each in batch if each[0] == "r"}
    assert max(map(len, batches)) < 1_100


def test_outcomes_are_usable_events_of_whoever_owns_them_now(store: Storage) -> None:
    append(store, [received({**BOUGHT, "messageId": f"m{n}", "timestamp": LATE - n}) for n in (1, 2)])
    append(store, [received({**BOUGHT, "messageId": "bad", "properties": {"total": 3}})])
    append(store, [received({"type": "identify", "messageId": "i", "userId": "u", "anonymousId": "a"})])
    found = told(store, {"Order Completed"})
    assert set(found) == {"m1", "m2"}
    assert found["m1"].owner == Identifier("user", "u")
    assert Identifier("anonymous", "a") in found["m1"].members
    assert told(store, {"Order Completed"}, 0, LATE - 2) == {}
    assert told(store, {"Order Refunded"}) == {}


def test_an_outcome_comes_with_all_that_is_ever_told_of_the_same_order(store: Storage) -> None:
    append(store, [received({**BOUGHT, "messageId": "m", "timestamp": LATE - 1000})])
    back = {"order_id": "O", "total": 5}
    later = {"type": "track", "event": "Order Refunded", "anonymousId": "a", "messageId": "r", "properties": back}
    other = {**later, "messageId": "other", "properties": {"order_id": "P", "total": 5}}
    append(store, [received({**each, "timestamp": LATE - 10}) for each in (later, other)])
    names = {"Order Completed", "Order Refunded"}
    assert set(told(store, names, LATE - 2000, LATE - 500)) == {"m", "r"}
    assert set(told(store, names, LATE - 100)) == {"m", "r", "other"}
    assert set(told(store, {"Order Completed"}, LATE - 2000)) == {"m"}


def test_a_goal_that_is_made_today_finds_what_came_before_it_and_what_comes_after(store: Storage) -> None:
    quiz = {"type": "track", "event": "Quiz Taken", "userId": "u"}
    append(store, [received({**quiz, "messageId": f"q{n}", "timestamp": LATE - n}) for n in range(3)])
    assert set(told(store, {"Quiz Taken"})) == {"q0", "q1", "q2"}
    append(store, [received({**quiz, "messageId": "q3", "timestamp": LATE - 3})])
    append(store, [received({**quiz, "messageId": "q3", "timestamp": LATE - 3})])
    assert set(told(store, {"Quiz Taken"})) == {"q0", "q1", "q2", "q3"}


def test_an_order_of_a_duplicate_that_was_received_earlier_happened_then(store: Storage) -> None:
    sent = {**BOUGHT, "messageId": "m", "timestamp": "2026-11-01T10:00:00Z"}
    append(store, [received({**sent, "sentAt": "2026-11-01T10:00:00Z", "receivedAt": "2026-11-01T10:09:00Z"})])
    append(store, [received({**sent, "sentAt": "2026-11-01T10:00:00Z", "receivedAt": "2026-11-01T10:01:00Z"})])
    [outcome] = told(store, {"Order Completed"}).values()
    at = outcome.event.at
    assert list(told(store, {"Order Completed"}, at, at + 1)) == ["m"]
    assert told(store, {"Order Completed"}, at + 1) == {}


def test_profiles_are_found_by_the_start_of_any_identifier(store: Storage) -> None:
    append(
        store,
        [received({"type": "identify", "messageId": "i", "userId": "u42", "traits": {"email": "Jane@x.example"}})],
    )
    append(store, [received(view("m", anonymousId="zed"))])
    assert [str(each.root) for each in run(store.profiles.profiles())] == ["anonymous:zed", "user:u42"]
    for start in ("u4", "jane@"):
        [found] = run(store.profiles.profiles(search=start))
        assert str(found.root) == "user:u42"


def test_many_that_append_at_once_are_all_answered(store: Storage) -> None:
    async def rush() -> int:
        waiting = []
        for number in range(8_000):
            waiting.append(asyncio.create_task(store.log.append([received(view(f"m{number}", userId="u"))])))
            if number > 6_000:  # a long queue first, then more while it is worked off
                await asyncio.sleep(0)
        return sum(not duplicate for (duplicate,) in await asyncio.gather(*waiting))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns all the time, so that what two of them share is put to the test
    try:
        assert run(asyncio.wait_for(rush(), 60)) == 8_000
    finally:
        sys.setswitchinterval(before)


def test_a_claim_that_was_repeated_counts_when_another_claimer_comes(store: Storage) -> None:
    """Jane is on the device at 10 and again at 30; that Bob was there at 20 is heard of last."""

    def on_the_device(user: str, at: int) -> Record:
        return received(view(f"{user}{at}", userId=user, anonymousId="d", timestamp=LATE - 100 + at))

    append(store, [on_the_device("jane", 10)])
    append(store, [on_the_device("jane", 30)])
    append(store, [on_the_device("bob", 20)])
    device = Identifier("anonymous", "d")
    owners = [run(store.profiles.resolve(device, LATE - 100 + at)).value for at in (5, 15, 25, 35)]
    assert owners == ["jane", "jane", "bob", "jane"]


def test_a_claim_of_another_process_is_seen_by_one_that_knew_better(another: Another) -> None:
    """Each process remembers who holds a device; what it remembers must end when another process learns otherwise."""

    def on_the_device(user: str, at: int) -> Record:
        return received(view(f"{user}{at}", userId=user, anonymousId="d", timestamp=LATE - 100 + at))

    here, there = another(), another()
    append(here, [on_the_device("jane", 10)])
    append(there, [on_the_device("jane", 15)])
    append(there, [on_the_device("bob", 20)])
    append(here, [on_the_device("jane", 30)])
    append(there, [on_the_device("bob", 40)])
    device = Identifier("anonymous", "d")
    owners = [run(here.profiles.resolve(device, LATE - 100 + at)).value for at in (5, 15, 25, 35, 45)]
    assert owners == ["jane", "jane", "bob", "jane", "bob"]


def test_a_device_an_alias_named_is_the_persons_own_once_they_carry_it(store: Storage) -> None:
    alias = {"type": "alias", "messageId": "a", "previousId": "d", "userId": "u", "timestamp": LATE - 9}
    append(store, [received(alias)])
    device, person = Identifier("anonymous", "d"), Identifier("user", "u")
    assert device not in run(store.profiles.profile(person, LATE)).identifiers
    append(store, [received(view("m", userId="u", anonymousId="d", timestamp=LATE - 5))])
    assert device in run(store.profiles.profile(person, LATE)).identifiers


def test_a_pages_event_that_an_address_owns_is_on_no_other_profile(store: Storage) -> None:
    told = {"type": "track", "event": "X", "timestamp": LATE - 1_000}
    jane = {"context": {"traits": {"email": "jane@shop.example"}}}
    records = [
        received({**told, **jane, "messageId": "m0"}),
        received({**told, "anonymousId": "b", "messageId": "m1"}, level="browser"),
        received({**told, **jane, "anonymousId": "b", "messageId": "m2"}, level="browser"),
    ]
    append(store, records)
    means = ["anonymous:b", "email:jane@shop.example"]
    assert everybody(store.profiles, mentioned(records)) == [{"means": means, "events": ["m0", "m1", "m2"]}]
