"""The plan: whatever comes in whatever order, the rows that are kept say what all claims would have said."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from wetink.core.identity import holding as holding_module
from wetink.core.identity.holding import changes_nothing, holdings
from wetink.core.identity.identifier import Claim, Identifier
from wetink.core.identity.plan import ALWAYS, Held, claims_to_read, claims_to_read_without, plan, runs

VISITOR, ADDRESS = Identifier("anonymous", "a"), Identifier("email", "home@shop.example")
USERS = [Identifier("user", name) for name in "UVWXY"]


class Engine:
    """An engine in memory, as the one in SQLite is: a log of claims, and the rows that plans tell it to keep."""

    def __init__(self, of: Identifier, told: set[Identifier]) -> None:
        self.of, self.told = of, told
        self.log: set[Claim] = set()
        self.held = Held()
        self.uncounted: set[Identifier] = set()
        self.aliases: set[Claim] = set()
        self.written = 0

    def make(self, batch: Iterable[Claim]) -> None:
        batch = list(batch)
        self.log |= {each for each in batch if not each.alias}
        if len(self.held.holdings) == 1 and len({each.stronger for each in self.held.claims}) == 1:
            batch = [each for each in batch if each.alias or not changes_nothing(each, self.held.holdings)]
        if batch:
            self.settle(batch)

    def take_back(self, gone: Claim) -> None:
        self.log.discard(gone)
        self.aliases.discard(gone)
        if gone not in self.held.claims:
            return
        if self.uncounted:
            everybody = {each.stronger for each in self.held.claims} | self.uncounted
            rows = {each for each in self.held.claims if not each.alias}
            self.settle([], {*rows, gone}, dict.fromkeys(everybody, ALWAYS))
        else:
            self.settle([], {gone}, claims_to_read_without(self.held, gone))

    def settle(self, made, gone=frozenset(), asked=None) -> None:
        made, known = list(made), {}
        asking = {**(asked or {}), **claims_to_read(self.held, made)}
        while asking:
            for claimer, (since, until) in asking.items():
                made += [each for each in self.log if each.stronger == claimer and since <= each.at <= until]
                made += [each for each in self.aliases if each.stronger == claimer]
            known |= asking
            asking = {
                claimer: span
                for claimer, span in claims_to_read(self.held, made).items()
                if known.get(claimer) not in (span, ALWAYS)
            }
        changes = plan(self.of, self.held, made, gone, self.told)
        rows = (set(self.held.claims) - set(changes.claims_removed)) | set(changes.claims_added)
        now = (set(self.held.holdings) - set(changes.holdings_removed)) | set(changes.holdings_added)
        assert now == set(changes.holdings)
        self.held = Held(tuple(rows), changes.holdings)
        self.uncounted = (self.uncounted - set(changes.counted)) | {each.stronger for each in changes.uncounted}
        self.aliases = {each for each in self.aliases if each.stronger not in changes.counted}
        self.aliases |= {each for each in changes.uncounted if each.alias}
        self.written = len(changes.claims_added) + len(changes.claims_removed)
        self.written += len(changes.holdings_added) + len(changes.holdings_removed)


@st.composite
def claims_on(draw, of: Identifier):
    alias = of.kind == "anonymous" and draw(st.integers(0, 5)) == 0
    level = draw(st.sampled_from(["server", "browser", "verified"]))
    stronger = draw(st.sampled_from(USERS))
    number = draw(st.integers(0, 30))
    return Claim(draw(st.integers(0, 9)), "s", f"m{number}", of, stronger, level, alias)


STORIES = st.sampled_from([VISITOR, ADDRESS]).flatmap(
    lambda of: st.tuples(
        st.just(of),
        st.lists(st.tuples(claims_on(of), st.sampled_from([False, False, False, True])), max_size=25),
        st.sets(st.sampled_from([of, *USERS])),
    )
)


@pytest.mark.parametrize("most", [1, 2, 3, 25])
@settings(max_examples=examples(120), deadline=None)
@given(STORIES, st.randoms(use_true_random=False))
def test_rows_kept_claim_by_claim_say_what_all_claims_say(most, story, chance: Random):
    of, listed, told = story
    before, holding_module.MAX_CLAIMERS = holding_module.MAX_CLAIMERS, most
    try:
        engine, standing = Engine(of, told), set()
        waiting = [each for each, _ in listed]
        while waiting:
            size = chance.randint(1, 3)
            batch, waiting = waiting[:size], waiting[size:]
            standing |= set(batch)
            engine.make(batch)
            for each, back in listed:
                if back and each in batch:
                    standing.discard(each)
                    engine.take_back(each)
            assert engine.held.holdings == plan(of, Held(), standing, server_known=told).holdings
        other = Engine(of, told)
        mixed = [*standing, *chance.choices([*standing], k=3)] if standing else []
        chance.shuffle(mixed)
        for each in mixed:
            other.make([each])
        assert other.held.holdings == engine.held.holdings
    finally:
        holding_module.MAX_CLAIMERS = before


@given(STORIES)
def test_runs_say_what_all_claims_say(story):
    of, listed, told = story
    made = {each for each, _ in listed}
    assert holdings(of, runs(made), told) == holdings(of, made, told)


@pytest.mark.parametrize("count", [10, 1_000])
def test_a_hand_over_writes_as_many_rows_whatever_came_before(count):
    engine = Engine(VISITOR, set())
    for n in range(count):
        engine.make([Claim(n, "s", f"m{n}", VISITOR, USERS[0])])
    engine.make([Claim(count // 2, "z", "m", VISITOR, USERS[1])])
    assert [each.owner for each in engine.held.holdings] == [USERS[0], USERS[1], USERS[0]]
    assert engine.written == 6


@pytest.mark.parametrize("count", [30, 1_000])
def test_a_further_claimer_writes_no_claim_once_enough_have_come(count):
    engine = Engine(VISITOR, set())
    for n in range(count):
        engine.make([Claim(n, "s", f"m{n}", VISITOR, Identifier("user", str(n)))])
    engine.make([Claim(count, "s", "m", VISITOR, USERS[0])])
    assert (engine.written, len(engine.held.claims), len(engine.held.holdings)) == (0, 25, 25)
