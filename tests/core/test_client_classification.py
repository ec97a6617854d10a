"""Fetches: machines that look at email are told from people, by facts that name nobody."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wetink.core.client_classification import (
    CLIENTS,
    LISTED,
    OTHERS,
    RULES,
    RULES_VERSION,
    Facts,
    classify,
    facts_of,
    in_hindsight,
)

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
CHROME = f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
SAFARI = f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 15; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0{} Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def late(agent: str, owner: str = "", *, click: bool = False, delay: int | None = None, together: int = 1) -> Facts:
    """Return facts as later fetches of the email complete them."""
    return replace(facts_of(agent, owner, click=click), delay=delay, together=together)


AGENTS = [
    (GMAIL, "gmail-proxy", ""),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "yahoo-proxy", ""),
    ("Mozilla/5.0", "bare-mozilla", ""),
    (" mozilla/5.0 ", "bare-mozilla", ""),
    (f"{MAC}", "apple-mail", "desktop"),
    (f"{IPHONE} Mobile/15E148", "apple-mail", "mobile"),
    (f"{IPHONE.replace('iPhone; CPU iPhone OS', 'iPad; CPU OS')} Mobile/15E148", "apple-mail", "tablet"),
    ("Outlook-iOS/709.2226530.prod.iphone (3.24.1)", "outlook-ios", "mobile"),
    ("Outlook-iOS/709.2226530.prod.ipad (3.24.1)", "outlook-ios", "tablet"),
    ("Outlook-Android/2.0", "outlook-android", "mobile"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)", "outlook", "desktop"),
    ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)", "outlook", "desktop"),
    (f"{WINDOWS[:-1]}; rv:140.0) Gecko/20100101 Thunderbird/140.4.0", "thunderbird", "desktop"),
    (CHROME, "chrome", "desktop"),
    (f"{CHROME} Edg/142.0.0.0", "edge", "desktop"),
    (f"{CHROME} OPR/124.0.0.0", "opera", "desktop"),
    (f"{WINDOWS[:-1]}; rv:145.0) Gecko/20100101 Firefox/145.0", "firefox", "desktop"),
    (SAFARI, "safari", "mobile"),
    (f"{MAC} Version/18.6 Safari/605.1.15", "safari", "desktop"),
    (f"{IPHONE} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1", "chrome", "mobile"),
    (f"{IPHONE} FxiOS/145.0 Mobile/15E148 Safari/605.1.15", "firefox", "mobile"),
    (ANDROID.format("Pixel 9", " Mobile"), "chrome", "mobile"),
    (ANDROID.format("SM-X910", ""), "chrome", "tablet"),
    (ANDROID.format("CUBOT X18 Plus", " Mobile"), "chrome", "mobile"),
    (ANDROID.format("S25", " Mobile").replace("Chrome", "SamsungBrowser/28.0 Chrome"), "samsung-internet", "mobile"),
    (f"{CHROME} BarracudaCentral", "barracuda", ""),
    ("Mozilla/5.0 (compatible; Mimecast URL Protect)", "mimecast", ""),
    ("Proofpoint-URL-Defense/1.0", "proofpoint", ""),
    ("Mozilla/5.0 (Windows NT 10.0) SafeLinks", "safelinks", ""),
    ("python-requests/2.32.5", "python-requests", ""),
    ("Python-urllib/3.11", "python", ""),
    ("curl/8.5.0", "curl", ""),
    ("Wget/1.24.5", "curl", ""),
    ("Go-http-client/2.0", "program", ""),
    ("Java/21.0.8", "program", ""),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "googlebot", ""),
    (f"{CHROME.replace('Chrome', 'HeadlessChrome')}", "headless-browser", ""),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0)", "robot", ""),
    ("TelegramBot (like TwitterBot)", "link-preview", ""),
    ("Microsoft Office Existence Discovery", "office-discovery", ""),
    ("", "no-agent", ""),
    ("-", "no-agent", ""),
    (f"{CHROME} Vivaldi/7.6.3797.58", "browser", "desktop"),
    ("something of our own/1.0", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "client", "device"), AGENTS)
def test_a_user_agent_tells_client_and_device(agent: str, client: str, device: str) -> None:
    facts = facts_of(agent)
    assert (facts.client, facts.device) == (client, device)


KINDS = [
    # Who does nothing but say its name.
    (facts_of(GMAIL, "GOOGLE"), "proxy", "a proxy's name"),
    (facts_of(GMAIL), "proxy", "a proxy's name"),
    (facts_of("YahooMailProxy"), "proxy", "a proxy's name"),
    (facts_of("Mozilla/5.0", "AKAMAI-ASN1"), "prefetch", "Apple Mail Privacy"),
    (facts_of("Mozilla/5.0"), "prefetch", "Apple Mail Privacy"),
    (facts_of("Mozilla/5.0 (X11) Edge/12.246 Mozilla/5.0"), "prefetch", "Gmail's prefetch"),
    (facts_of("curl/8.5.0"), "unknown", "nothing known"),
    (facts_of("curl/8.5.0", click=True), "scanner", "a program's click"),
    (late("", click=True, delay=60_000), "scanner", "a click without an agent"),
    (facts_of("something of our own/1.0", click=True), "unknown", "nothing known"),
    (facts_of("Slackbot-LinkExpanding 1.0"), "scanner", "a robot's name"),
    (late("Proofpoint-URL-Defense/1.0", click=True, delay=60_000), "scanner", "a scanner's name"),
    (facts_of(CHROME, "Deutsche Telekom AG"), "person", "a browser"),
    (facts_of("Outlook-iOS/709.2226530.prod.iphone (3.24.1)"), "person", "a mail program"),
    (facts_of(f"{IPHONE} Mobile/15E148", "Vodafone GmbH"), "person", "a mail program"),
    (facts_of(""), "unknown", "nothing known"),
    (facts_of("Mozilla/5.0", click=True), "unknown", "nothing known"),
    # How it asks.
    (facts_of(CHROME, method="HEAD"), "scanner", "asked by HEAD"),
    (facts_of(GMAIL, method="head"), "scanner", "asked by HEAD"),
    (late(CHROME, click=True, delay=299), "scanner", "a click sooner than seen"),
    (late(CHROME, click=True, delay=300), "person", "a browser"),
    (late(CHROME, delay=0), "person", "a browser"),
    (late(CHROME, click=True, delay=9_000, together=3), "scanner", "links followed at once"),
    (late(CHROME, click=True, delay=9_000, together=2), "person", "a browser"),
    (late(CHROME, together=12), "person", "a browser"),
    # From where.
    (facts_of(CHROME, "Mimecast Services Limited"), "scanner", "a mail security network"),
    (late(CHROME, "MICROSOFT-CORP-AS-BLOCK", click=True, delay=4_999), "scanner", "a data center's early click"),
    (late(CHROME, "MICROSOFT-CORP-AS-BLOCK", click=True, delay=5_000), "person", "a browser"),
    (facts_of(CHROME, "AMAZON-02", click=True), "unknown", "a data center's click, nothing seen"),
    (facts_of(CHROME, "AMAZON-02"), "unknown", "a data center's picture"),
    (late(CHROME, "GOOGLE-FIBER", click=True, delay=4_000), "person", "a browser"),
    (facts_of(CHROME, "Proton AG"), "proxy", "a mail provider's network"),
    (late(CHROME, "Proton AG", click=True, delay=9_000), "person", "a browser"),
    (facts_of(SAFARI, "CLOUDFLARENET"), "proxy", "Apple's relay"),
    (facts_of(f"{IPHONE} Mobile/15E148", "FASTLY"), "proxy", "Apple's relay"),
    (late(SAFARI, "CLOUDFLARENET", click=True, delay=4_000), "person", "a browser"),
    (facts_of(CHROME, "CLOUDFLARENET"), "person", "a browser"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "kind", "rule"), KINDS)
def test_a_fetch_is_classed_by_the_first_rule_that_holds(facts: Facts, kind: str, rule: str) -> None:
    fetch = classify(facts)
    assert (fetch.kind, fetch.rule, fetch.version) == (kind, rule, RULES_VERSION)


def test_every_rule_and_every_kind_is_reached() -> None:
    assert {rule for _, _, rule in KINDS} == {name for name, _, _ in RULES}
    assert {kind for _, kind, _ in KINDS} == {"person", "proxy", "prefetch", "scanner", "unknown"}


def test_what_is_kept_is_enough_to_judge_again_and_has_nothing_of_the_user_agent() -> None:
    for facts, kind, _ in KINDS:
        kept = msgspec.json.encode(facts)
        assert classify(msgspec.json.decode(kept, type=Facts)).kind == kind
    agent = f"{CHROME} shop-employee-jane@192.0.2.7"
    assert facts_of(agent) == Facts("chrome", "desktop")


def test_a_past_fact_of_a_client_that_is_no_longer_listed_is_unknown() -> None:
    assert classify(Facts("netscape")).kind == "unknown"


def test_names_are_given_once() -> None:
    assert len({family for family, _, _ in CLIENTS}) == len(CLIENTS)
    assert len({name for name, _, _ in RULES}) == len(RULES)


@given(
    st.text(max_size=80) | st.from_regex(r"\Amozilla/5\.0 .{0,60}\Z"),
    st.text(max_size=20),
    st.booleans(),
    st.none() | st.integers(),
    st.integers(),
)
def test_no_fetch_is_without_a_class(agent: str, owner: str, click: bool, delay: int | None, together: int) -> None:
    facts = late(agent, owner, click=click, delay=delay, together=together)
    assert classify(facts) == classify(facts)
    assert facts.client in {"", *(family for family, _, _ in CLIENTS), *dict(LISTED.values()), *OTHERS}


def test_a_long_user_agent_costs_no_more_than_its_beginning() -> None:
    assert facts_of("Mozilla/5.0 (Macintosh" * 100_000).client == ""


def test_in_hindsight_a_click_is_a_scanners_by_how_soon_it_came_and_with_how_many() -> None:
    seen, click = facts_of(CHROME), facts_of(CHROME, click=True)
    told = [(1_000, False, "a", seen), (1_100, True, "a", click), (60_000, True, "a", click)]
    assert [classify(facts).kind for facts in in_hindsight(told)] == ["person", "scanner", "person"]
    at_once = [(0, False, "a", seen), *((9_000 + n, True, block, click) for n, block in enumerate("abc"))]
    assert [classify(facts).kind for facts in in_hindsight(at_once)] == ["person", "scanner", "scanner", "scanner"]
    assert classify(in_hindsight([(5, True, "a", click)])[0]).kind == "person", (
        "nothing was seen before, nothing is told"
    )
