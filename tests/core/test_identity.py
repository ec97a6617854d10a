"""Identity: the scenarios, as a table, and the laws that hold for any messages in any order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from wetink.core.identifier import Identifier
from wetink.core.identity import (
    FOREVER,
    MAX_CLAIMERS,
    Claim,
    anonymous,
    changes_nothing,
    claims,
    contested,
    email,
    holder,
    holdings,
    strongest,
    user,
)

VISITOR = Identifier("anonymous", "a-1")
ADDRESS = Identifier("email", "home@shop.example")
OWNERS = [Identifier("user", name) for name in "UVW"]

TIMES = st.integers(0, 12)
CLAIMS = st.lists(
    st.builds(
        Claim,
        TIMES,
        st.sampled_from(["web", "app"]),
        st.text("abc", min_size=1, max_size=2),
        st.sampled_from([VISITOR, ADDRESS]),
        st.sampled_from(OWNERS),
        st.sampled_from(["server", "browser"]),
    ),
    max_size=12,
)


def test_a_number_and_its_digits_are_one_user():
    assert user(42) == user("42") == user(" 42 ") == user(42.0)
    assert user(10**20 + 1) != user(10**20)


def test_what_names_nobody_is_no_identifier():
    for value in [
        "",
        "  ",
        "null",
        "NULL",
        "n/a",
        "0",
        "000-000",
        "-1",
        "undefined",
        None,
        True,
        [],
        {},
        "x" * 600,
        "a\ufffd",
    ]:
        assert user(value) is None, value
        assert anonymous(value) is None, value


def test_addresses_are_cleaned():
    jane = Identifier("email", "jane@bücher.example")
    for spelling in [" Jane@Bücher.example ", "jane@xn--bcher-kva.example", "ja\u200bne@bücher.example"]:
        assert email(spelling) == jane
    for value in ["n/a", "jane", "jane@", "@shop.example", "a b@shop.example", "guest@shop.example", 42, None]:
        assert email(value) is None, value


def test_each_weaker_identifier_is_claimed_by_the_strongest_only():
    made, joins = claims(
        "identify", OWNERS[0], ADDRESS, VISITOR, None, at=5, source="s", message_id="m", level="server"
    )
    assert {(claim.weaker, claim.stronger) for claim in made} == {(ADDRESS, OWNERS[0]), (VISITOR, OWNERS[0])}
    assert joins is None
    assert strongest(None, ADDRESS, VISITOR) == ADDRESS


def test_an_alias_to_itself_does_nothing():
    assert claims("alias", OWNERS[0], None, None, "U", at=5, source="s", message_id="m", level="server") == ((), None)


def test_a_server_key_silences_browser_keys_on_an_address():
    forged = Claim(900, "web", "m2", ADDRESS, OWNERS[1], "browser")
    true = Claim(100, "crm", "m1", ADDRESS, OWNERS[0], "server")
    assert holder(holdings(ADDRESS, [forged]), 1000) == OWNERS[1]
    assert holder(holdings(ADDRESS, [forged, true]), 1000) == OWNERS[0]


def test_only_the_first_distinct_claimers_count():
    made = [Claim(at, "s", f"m{at}", VISITOR, Identifier("user", str(at))) for at in range(1, MAX_CLAIMERS + 6)]
    assert holder(holdings(VISITOR, made), FOREVER - 1) == Identifier("user", str(MAX_CLAIMERS))
    assert contested(VISITOR, made) is not None
    assert contested(VISITOR, made[:MAX_CLAIMERS]) is None


@given(CLAIMS, st.randoms())
def test_the_order_of_arrival_does_not_matter(made, random):
    """The same claims, however shuffled and repeated, give the same holdings."""
    shuffled = random.sample(made, len(made)) + made[:2]
    assert holdings(VISITOR, set(shuffled)) == holdings(VISITOR, set(made))


@given(CLAIMS)
def test_holdings_tile_time(made):
    """Every instant is held by exactly one claimer, as the last claim at or before it says."""
    held = holdings(VISITOR, made)
    if held:
        assert (held[0].since, held[-1].until) == (-FOREVER, FOREVER)
        assert all(one.until == two.since and one.owner != two.owner for one, two in itertools.pairwise(held))
    mine = sorted(claim for claim in made if claim.weaker == VISITOR)
    for at in range(-1, 14):
        before = [claim.stronger for claim in mine if claim.at <= at]
        assert holder(held, at) == (before[-1] if before else mine[0].stronger if mine else None)


@given(
    CLAIMS,
    st.builds(
        Claim,
        TIMES,
        st.just("web"),
        st.just("z"),
        st.just(ADDRESS),
        st.sampled_from(OWNERS),
        st.sampled_from(["server", "browser"]),
    ),
)
def test_the_short_cut_is_right(made, new):
    """Where a claim is said to change nothing, working everything out anew gives the same."""
    held = holdings(ADDRESS, made)
    around = next((each for each in held if each.since <= new.at < each.until), None)
    if around is not None and changes_nothing(new, around):
        assert holdings(ADDRESS, [*made, new]) == held
