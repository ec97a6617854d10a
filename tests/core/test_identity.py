"""Identity: the scenarios, as a table, and the laws that hold for any messages in any order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.identity.holding import FOREVER, MAX_CLAIMERS, changes_nothing, contested, holdings
from wetink.core.identity.identifier import Claim, Identifier, anonymous, claims, email, strongest, user

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
        st.sampled_from(["server", "browser", "verified"]),
    ),
    max_size=12,
)


def holder(held, at, level="server"):
    """Return the owner of an event of this level at `at` (Unix ms); None if it belongs to its own identifier."""
    moved = ("all", "browser" if level == "browser" else "server")
    return next((each.owner for each in held if each.since <= at < each.until and each.moves in moved), None)


def resolves_to(held, at):
    """Return the identifier that a lookup leads to at `at` (Unix ms); None if it leads nowhere else."""
    return next((each.owner for each in held if each.since <= at < each.until and each.followed), None)


def test_a_number_and_its_digits_are_one_user():
    assert user(42) == user("42") == user(" 42 ") == user(42.0)
    assert user(10**20 + 1) != user(10**20)


def test_a_placeholder_is_no_identifier():
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


def test_an_address_of_nobody_is_no_user_either():
    for written in ("noreply@x.example", "Do_Not_Reply@x.example", "none@none.com", "Guest@x.example"):
        assert user(written) is None
        assert email(written) is None
    for written in ("guest+7@x.example", "jane.none@x.example", "noreplyjane@x.example"):
        assert str(user(written)) == f"user:{written}"


def test_invisible_characters_around_an_id_do_not_make_another():
    for written in ("\ufeff42", "42\u200b", "\u202a42\u202c", "\u00ad 42 \u2060"):
        assert user(written) == user("42")
        assert anonymous(written) == anonymous("42")
    assert user("4\u200b2") != user("42")


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


def test_a_proven_user_outranks_pages_on_an_address_and_yields_to_servers():
    page = Claim(900, "web", "m3", ADDRESS, OWNERS[1], "browser")
    proven = Claim(500, "web", "m2", ADDRESS, OWNERS[2], "verified")
    true = Claim(100, "crm", "m1", ADDRESS, OWNERS[0], "server")
    assert holder(holdings(ADDRESS, [page, proven]), 1000) == OWNERS[2]
    assert holder(holdings(ADDRESS, [page, proven, true]), 1000) == OWNERS[0]


@pytest.mark.parametrize("level", ["browser", "verified"])
def test_only_a_servers_alias_joins_users(level):
    kept = {"at": 5, "source": "s", "message_id": "m"}
    made, joins = claims("alias", OWNERS[0], None, None, "V", **kept, level=level)
    assert joins is None
    assert [str(claim.weaker) for claim in made] == ["anonymous:V"]
    assert claims("alias", OWNERS[0], None, None, "V", **kept, level="server")[1] == (OWNERS[1], OWNERS[0])


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


@given(CLAIMS, st.sets(st.sampled_from(OWNERS)))
def test_holdings_tile_time_for_what_servers_told_and_for_what_pages_told(made, told):
    """Every instant has one holder, as the last claim at or before it says: of servers' claims, or of all."""
    held = holdings(VISITOR, made, told)
    mine = sorted(claim for claim in made if claim.weaker == VISITOR)
    for level, counted in (
        ("server", [claim for claim in mine if claim.level != "browser"]),
        ("browser", mine),
    ):
        others = {"server": "browser", "browser": "server"}[level]
        tiles = [each for each in held if each.moves != others]
        if level == "browser" and tiles:
            assert (tiles[0].since, tiles[-1].until) == (-FOREVER, FOREVER)
            assert all(one.until == two.since and one.owner != two.owner for one, two in itertools.pairwise(tiles))
        for at in range(-1, 14):
            before = [claim.stronger for claim in counted if claim.at <= at]
            expected = before[-1] if before else counted[0].stronger if counted else None
            if counted or level == "browser":
                assert holder(held, at, level) == expected


@given(CLAIMS, st.sets(st.sampled_from([VISITOR, ADDRESS, *OWNERS])), st.integers(-1, 14))
def test_a_lookup_follows_no_page_to_or_from_what_a_server_told(made, told, at):
    for of in (VISITOR, ADDRESS):
        believed = [claim for claim in made if claim.weaker == of and claim.level != "browser"]
        leads = resolves_to(holdings(of, made, told), at)
        if believed:
            assert leads == resolves_to(holdings(of, believed, told), at)
        elif of in told:
            assert leads is None
        else:
            assert leads not in told


@given(
    CLAIMS,
    st.builds(
        Claim,
        TIMES,
        st.just("web"),
        st.just("z"),
        st.sampled_from([VISITOR, ADDRESS]),
        st.sampled_from(OWNERS),
        st.sampled_from(["server", "browser", "verified"]),
    ),
    st.sets(st.sampled_from([VISITOR, ADDRESS, *OWNERS])),
)
def test_a_claim_that_is_said_to_change_nothing_changes_nothing(made, new, told):
    """Where a claim is said to change nothing, working everything out anew gives the same."""
    held = holdings(new.weaker, made, told)
    if changes_nothing(new, held):
        assert holdings(new.weaker, [*made, new], told) == held
