"""Client classification: whether a person, a mail provider or a scanner requested a picture or followed a link.

wetink stores neither the address nor the User-Agent, only `Facts`: the few values that the rules below read, so that
better rules can be applied to past requests.

Sources: Gmail's image proxy is called `GoogleImageProxy`, Yahoo's `YahooMailProxy`. Apple Mail Privacy Protection
prefetches with the bare `Mozilla/5.0`, through relays at Akamai, Cloudflare and Fastly. Apple Mail itself is WebKit
without the name or version of a browser. Link scanners send HEAD, follow all links of an email at once, or request from
a data center within seconds of the first fetch. Gmail prefetches as an Edge 12 with a second `Mozilla/5.0`. HEY
documents its proxy at hey.com/image-proxy, and Slack its robots at api.slack.com/robots. Crawlers are those on
crawlerdetect's list, and programs have the names that ua-parser gives them.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Literal

import msgspec
from msgspec.structs import replace

Kind = Literal["person", "proxy", "prefetch", "scanner", "unknown"]
Group = Literal["proxy", "prefetch", "scanner", "robot", "program", "mail", "browser", ""]
Device = Literal["mobile", "tablet", "desktop", ""]

MACHINES: tuple[Kind, ...] = ("prefetch", "scanner")
"""Classes that are neither an open nor a click, because nobody looked."""

RULES_VERSION = 2
"""Increase this when CLIENTS, the networks or RULES classify the same facts differently."""

INSTANT_MS = 300
"""Nobody sees a picture and follows its link faster."""
EARLY_MS = 5_000
"""A data center's click this soon after the first fetch is a machine's."""
TOGETHER_MS = 2_000
"""The period in which an email's links count as followed at once."""
TOGETHER_LINKS = 3
"""Nobody follows this many different links of one email within TOGETHER_MS."""

LONGEST_AGENT = 512
"""Characters of a User-Agent that are examined."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What wetink stores about a request for a picture or a click. It identifies nobody."""

    client: str = ""
    """A family of CLIENTS, LISTED or OTHERS; empty if none matches."""
    device: Device = ""
    owner: str = ""
    """The operator of the network, from the operator's GeoIP file."""
    method: str = "GET"
    click: bool = False
    delay: int | None = None
    """Milliseconds since the recipient's first fetch of this email; None for the first."""
    together: int = 1
    """Different links of this email that were followed within TOGETHER_MS, including this one."""


class Fetch(msgspec.Struct, frozen=True, gc=False):
    """The class of a request, and the rule and version that decided it."""

    kind: Kind
    rule: str
    version: int = RULES_VERSION


CLIENTS: tuple[tuple[str, Group, str], ...] = (
    # Mail providers that fetch pictures for their readers, or ahead of them.
    ("gmail-prefetch", "prefetch", r"edge/12\.246 mozilla/5\.0$"),
    ("gmail-proxy", "proxy", "googleimageproxy"),
    ("yahoo-proxy", "proxy", "yahoomailproxy"),
    ("hey-proxy", "proxy", r"^hey\.com/imageproxy"),
    (
        "mail-proxy",
        "proxy",
        r"(?:superhuman|fastmail|proton|icloud|outlook|duckduckgo|mailru|mail\.ru|yandex|zoho|gmx|aol|tuta)[^()]{0,40}proxy",
    ),
    # Mail security: they name themselves, or the product that follows links before a person may.
    ("barracuda", "scanner", "barracuda"),
    ("mimecast", "scanner", "mimecast"),
    ("proofpoint", "scanner", "proofpoint|urldefense"),
    ("safelinks", "scanner", "safelinks|safe links"),
    ("trend-micro", "scanner", "trend ?micro|tmufe"),
    ("symantec", "scanner", "symantec|messagelabs"),
    ("cisco", "scanner", r"ironport|\bcisco\b"),
    ("sophos", "scanner", "sophos"),
    ("forcepoint", "scanner", "forcepoint|websense"),
    ("fortinet", "scanner", "fortinet|fortiguard|fortimail"),
    ("bitdefender", "scanner", "bitdefender"),
    ("virustotal", "scanner", "virustotal"),
    ("urlscan", "scanner", "urlscan"),
    (
        "mail-security",
        "scanner",
        "fireeye|trellix|hornetsecurity|zscaler|checkpoint|ironscales|vipre|cloudmark|trustwave",
    ),
    # Robots that fetch a picture for others than its recipient: Office, and previews in chats and on code hosts.
    (
        "office-discovery",
        "robot",
        "(?:existence|protocol) discovery|microsoft office (?:powerpoint|excel|onenote|mobile|upload)",
    ),
    ("googlebot", "robot", "googlebot|google-(?:safety|inspectiontool|read-aloud)|adsbot|apis-google"),
    ("bingbot", "robot", "bingbot|bingpreview"),
    ("applebot", "robot", "applebot"),
    (
        "link-preview",
        "robot",
        r"facebookexternalhit|\bslack(?:bot|-imgproxy)|github-camo|twitterbot|linkedinbot|skypeuripreview|^whatsapp"
        "|telegrambot|discordbot",
    ),
    # Programs, such as the shop's own checks.
    ("headless-browser", "program", "headless|phantomjs|puppeteer|playwright|selenium"),
    ("python-requests", "program", "python-requests"),
    ("python", "program", "python|aiohttp|httpx"),
    ("curl", "program", r"^curl/|^wget|libcurl"),
    (
        "program",
        "program",
        r"go-http-client|^(?:java|ruby|php|perl|dart|node|deno|bun|okhttp|axios|got|undici|reqwest|insomnia|restsharp)\b"
        r"|libwww|node-fetch|guzzle|apache-httpclient|(?:http|rest)[-_. ]?client|postmanruntime|winhttp|powershell"
        r"|faraday|^aws-sdk|urllib|mechanize|^ureq\b|^hyper/|^jakarta|\.net (?:framework|core)/|typhoeus|httpie"
        "|lua-resty-http",
    ),
    # Mail programs. Outlook's names come before the Internet Explorer that classic Outlook says it is.
    ("outlook-ios", "mail", "outlook-ios"),
    ("outlook-android", "mail", "outlook-android"),
    (
        "outlook",
        "mail",
        r"microsoft outlook|ms-office|msoffice|microsoft office|\boutlook/|macoutlook/|outlook-express",
    ),
    ("apple-mail", "mail", r"^(?:mobile)?mail/[\d.]+ cfnetwork/"),
    ("thunderbird", "mail", "thunderbird|betterbird"),
    ("em-client", "mail", "em ?client"),
    ("samsung-mail", "mail", "samsung ?e?mail"),
    ("spark", "mail", "readdle|sparkdesktop"),
    ("mail-program", "mail", "airmail|yahoomobilemail|k-9 ?mail|bluemail|fairemail|canarymail|mailmate|edison mail"),
    ("bare-mozilla", "", r"^mozilla/5\.0$"),
    ("no-agent", "", r"^-?$"),
)
"""wetink's own rules, mainly about mail: family, group, and a pattern for the lower-cased User-Agent. The first match
applies, before the public lists."""

LISTED: dict[str, tuple[str, Group]] = {
    **dict.fromkeys(("Mobile Safari UI/WKWebView", "Apple Mail"), ("apple-mail", "mail")),
    **dict.fromkeys(("Outlook", "Outlook-iOS", "Word", "Windows Live Mail"), ("outlook", "mail")),
    **dict.fromkeys(
        ("Airmail", "Postbox", "Lotus Notes", "Superhuman", "Barca", "BarcaPro", "Evolution", "The Bat!", "Lightning"),
        ("mail-program", "mail"),
    ),
    **dict.fromkeys(("Edge", "Edge Mobile"), ("edge", "browser")),
    **dict.fromkeys(
        ("Opera", "Opera Mobile", "Opera Mini", "Opera GX", "Opera Touch", "Opera Tablet", "Opera Neon"),
        ("opera", "browser"),
    ),
    "Samsung Internet": ("samsung-internet", "browser"),
    **dict.fromkeys(
        ("Firefox", "Firefox Mobile", "Firefox iOS", "Firefox Alpha", "Firefox Beta"), ("firefox", "browser")
    ),
    **dict.fromkeys(
        ("Chrome", "Chromium", "Chrome Mobile", "Chrome Mobile iOS", "Chrome Mobile WebView", "Chrome Frame"),
        ("chrome", "browser"),
    ),
    **dict.fromkeys(("Safari", "Mobile Safari", "WebKit Nightly"), ("safari", "browser")),
    **dict.fromkeys(("IE", "IE Mobile", "IE Large Screen"), ("internet-explorer", "browser")),
}
"""ua-parser's name of a program -> our family and group. Any other browser is `browser`."""

OTHERS: dict[str, Group] = {"robot": "robot", "browser": "browser"}
"""Families of crawlers on crawlerdetect's list, and of browsers without a family of their own."""

DEVICES: tuple[tuple[Device, str], ...] = (
    ("tablet", r"ipad|tablet|kindle|silk/|android(?!.*mobile)(?=.*webkit)"),
    ("mobile", r"iphone|ipod|android|mobile|windows phone"),
    ("desktop", r"windows|macintosh|mac os x|x11|linux|cros"),
)
"""Device and its pattern; the first match applies. An iPad that claims to be a Macintosh counts as one."""

RELAYS = ("akamai", "cloudflare", "fastly")
"""Networks that Apple's relays use."""
DATA_CENTERS = ("microsoft", "amazon", "google", "digitalocean", "ovh", "hetzner", "linode", "oracle", "alibaba")
HOMES = ("google fiber", "google-fiber")
"""Networks of people that match the name of a data center."""
MAIL_SECURITY = ("barracuda", "mimecast", "proofpoint", "messagelabs", "ironport", "trend micro", "trendmicro")
"""Networks with scanners only. Networks of web filters, where people browse, are not listed."""

MAIL_PROXIES = ("proton ag", "protonmail", "fastmail")
"""Networks that fetch pictures for their readers, with the User-Agent of a browser."""

_CLIENTS = tuple((family, re.compile(pattern)) for family, _, pattern in CLIENTS)
_PHONE = re.compile(r"^([^()]*)\(([^()]*(?:\bandroid\b|\blinux; u;)[^()]*(?:\([^()]*\)[^()]*)*)\)", re.IGNORECASE)
_SIGNED = re.compile(r"compatible|http|www\.|@|\+", re.IGNORECASE)
_SAYS_BROWSER = ("mozilla/", "opera/", "ucweb/")
_DEVICES = tuple((device, re.compile(pattern)) for device, pattern in DEVICES)
_GROUPS: dict[str, Group] = {family: group for family, group, _ in CLIENTS} | dict(LISTED.values()) | OTHERS


def facts_of(user_agent: str, owner: str = "", *, method: str = "GET", click: bool = False) -> Facts:
    """Return the facts of a request. The User-Agent is not stored."""
    client, device = _read(user_agent[:LONGEST_AGENT])
    return Facts(client, device, owner.strip(), method.upper(), click)


def classify(facts: Facts) -> Fetch:
    """Return the class of a request, by the first rule that matches.

    >>> classify(facts_of("Mozilla/5.0")).kind, classify(facts_of("curl/8.5.0")).kind
    ('prefetch', 'unknown')
    >>> classify(facts_of("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0"))
    Fetch(kind='person', rule='a mail program', version=2)
    """
    return next(Fetch(kind, name) for name, holds, kind in RULES if holds(facts))


def in_hindsight(fetches: Sequence[tuple[int, bool, str, Facts]]) -> list[Facts]:
    """Return the facts of all fetches of one email by one recipient, completed with what all of them together show.

    Each item of `fetches` has a time (Unix ms), whether it is a click, the link, and its facts, in the order of time.
    """
    opens = [at for at, click, _, _ in fetches if not click]
    completed = []
    for at, click, link, facts in fetches:
        near = {other for when, clicked, other, _ in fetches if clicked and abs(when - at) < TOGETHER_MS} | {link}
        delay = at - opens[0] if opens and opens[0] < at else facts.delay
        completed.append(replace(facts, delay=delay, together=len(near) if click else facts.together))
    return completed


def _group(facts: Facts) -> Group:
    return _GROUPS.get(facts.client, "")


def _on(facts: Facts, networks: tuple[str, ...]) -> bool:
    owner = facts.owner.lower()
    return any(network in owner for network in networks)


def _in_data_center(facts: Facts) -> bool:
    return _on(facts, DATA_CENTERS) and not _on(facts, HOMES)


def _center_clicks(facts: Facts) -> bool:
    return facts.click and _in_data_center(facts)


def _apple_shows(facts: Facts) -> bool:
    return facts.client in ("apple-mail", "safari") and not facts.click


def _within(facts: Facts, span: int) -> bool:
    return facts.delay is not None and facts.delay < span


RULES: tuple[tuple[str, Callable[[Facts], bool], Kind], ...] = (
    ("asked by HEAD", lambda facts: facts.method == "HEAD", "scanner"),
    ("a scanner's name", lambda facts: _group(facts) == "scanner", "scanner"),
    ("a robot's name", lambda facts: _group(facts) == "robot", "scanner"),
    ("a mail security network", lambda facts: _on(facts, MAIL_SECURITY), "scanner"),
    ("links followed at once", lambda facts: facts.click and facts.together >= TOGETHER_LINKS, "scanner"),
    ("a click sooner than seen", lambda facts: facts.click and _within(facts, INSTANT_MS), "scanner"),
    ("a data center's early click", lambda facts: _center_clicks(facts) and _within(facts, EARLY_MS), "scanner"),
    ("a program's click", lambda facts: facts.click and _group(facts) == "program", "scanner"),
    ("a click without an agent", lambda facts: facts.click and facts.client == "no-agent", "scanner"),
    ("a proxy's name", lambda facts: _group(facts) == "proxy", "proxy"),
    ("Apple Mail Privacy", lambda facts: facts.client == "bare-mozilla" and not facts.click, "prefetch"),
    ("Gmail's prefetch", lambda facts: _group(facts) == "prefetch" and not facts.click, "prefetch"),
    ("a mail provider's network", lambda facts: _on(facts, MAIL_PROXIES) and not facts.click, "proxy"),
    ("Apple's relay", lambda facts: _apple_shows(facts) and _on(facts, RELAYS), "proxy"),
    ("a data center's picture", lambda facts: _in_data_center(facts) and not facts.click, "unknown"),
    ("a data center's click, nothing seen", lambda facts: _center_clicks(facts) and facts.delay is None, "unknown"),
    ("a mail program", lambda facts: _group(facts) == "mail", "person"),
    ("a browser", lambda facts: _group(facts) == "browser", "person"),
    ("nothing known", lambda _: True, "unknown"),
)
"""Name, condition, and the resulting class; the first match applies. People also tap links through Apple's relay, so
the relay means nothing for a click."""


@lru_cache(maxsize=4_096)
def classify_request(user_agent: str, owner: str, method: str, click: bool) -> tuple[Facts, Fetch]:
    """Return the facts of a new request, and its class before later evidence."""
    facts = facts_of(user_agent, owner, method=method, click=click)
    return facts, classify(facts)


@lru_cache(maxsize=4_096)
def _read(user_agent: str) -> tuple[str, Device]:
    """Return the client's family, and the device if a person uses that program."""
    agent = without_model(user_agent.strip())
    lowered = agent.lower()
    family = next((family for family, pattern in _CLIENTS if pattern.search(lowered)), None)
    if family is None or (
        "://" in lowered and _GROUPS[family] == "mail"
    ):  # a mail program's User-Agent contains no URL
        family = _listed(agent)
    if _GROUPS.get(family) not in ("mail", "browser"):
        return family, ""
    lowered = user_agent.lower()
    return family, next((device for device, pattern in _DEVICES if pattern.search(lowered)), "")


def without_model(agent: str) -> str:
    """Return a User-Agent without the model of an Android phone, which may have any name. A robot's stays as it is.

    >>> without_model("Mozilla/5.0 (Linux; Android 7.0; M bot 60) Chrome/99 Mobile")
    'Mozilla/5.0 (Android) Chrome/99 Mobile'
    """
    found = _PHONE.match(agent)
    if found is None or _SIGNED.search(found[2]):
        return agent
    return f"{found[1]}(Android){agent[found.end() :]}"


def _listed(agent: str) -> str:
    """Return the family of a User-Agent from the public lists; empty if it names nothing."""
    is_crawler, name_of = _lists()
    if is_crawler(agent):
        return "robot"
    name = name_of(agent)
    if name in LISTED:
        return LISTED[name][0]
    return "browser" if name and agent.lower().startswith(_SAYS_BROWSER) else ""


@cache
def _lists() -> tuple[Callable[[str], bool], Callable[[str], str]]:
    """Return the functions that recognize crawlers (crawlerdetect) and name programs (ua-parser), loaded once."""
    from crawlerdetect import CrawlerDetect
    from ua_parser.core import Domain
    from ua_parser.re2 import Resolver
    from ua_parser_builtins.lazy import MATCHERS

    resolve = Resolver((list(MATCHERS[0]), [], []))  # devices and systems are not needed

    def name_of(agent: str) -> str:
        found = resolve(agent, Domain.USER_AGENT).user_agent
        return found.family if found is not None else ""

    return CrawlerDetect().is_crawler, name_of


def prepare() -> None:
    """Load the lists, which takes a third of a second, before a request needs them."""
    _listed("Mozilla/5.0 (X11; Linux x86_64)")
