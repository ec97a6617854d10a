"""Fetch: who asked for a picture or followed a link: a person, a mail provider's machine, or a scanner.

Neither the address nor the User-Agent is kept: only `Facts`, the few words that the rules below read, so that
better rules can be run over what came before.

Sources: Gmail's image proxy names itself `GoogleImageProxy`, Yahoo's `YahooMailProxy`; Apple Mail Privacy Protection
fetches ahead of anybody's look, with the bare `Mozilla/5.0`, through relays that Akamai, Cloudflare and Fastly run;
Apple Mail itself is WebKit that names neither a browser nor a version; link scanners ask by HEAD, follow all links
of an email at once, or come from a data center within seconds of the first fetch. Gmail fetches ahead as an Edge 12
with a second `Mozilla/5.0`; HEY documents its proxy at hey.com/image-proxy, Slack its robots at api.slack.com/robots.
Crawlers are those that the list of crawlerdetect has, programs are named as ua-parser names them.
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
"""What is no open and no click, so nobody looked."""

RULES_VERSION = 2
"""Goes up whenever CLIENTS, the networks or RULES change what some facts are taken for."""

INSTANT_MS = 300
"""Nobody sees a picture and follows its link sooner."""
EARLY_MS = 5_000
"""How soon after the first fetch a data center's click is a machine's."""
TOGETHER_MS = 2_000
"""The stretch in which an email's links count as followed at once."""
TOGETHER_LINKS = 3
"""How many different links of one email nobody follows within TOGETHER_MS."""

LONGEST_AGENT = 512
"""Characters of a User-Agent that are looked at."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """All that is kept of how a picture was asked for or a link followed. Names nobody."""

    client: str = ""
    """A family of CLIENTS, LISTED or OTHERS; empty when none is recognized."""
    device: Device = ""
    owner: str = ""
    """Who runs the network it came from, as the operator's GeoIP file has it."""
    method: str = "GET"
    click: bool = False
    delay: int | None = None
    """Milliseconds since the recipient's first fetch of this email; None when this is the first."""
    together: int = 1
    """How many different links of this email were followed within TOGETHER_MS, this one included."""
    links: int = 0
    """How many links this email has; 0 when that is not known."""


class Fetch(msgspec.Struct, frozen=True, gc=False):
    """What a fetch was taken for, and by which rule of which version."""

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
    # Programs: whatever somebody has written, such as the shop's own checks.
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
    ("thunderbird", "mail", "thunderbird|betterbird"),
    ("em-client", "mail", "em ?client"),
    ("samsung-mail", "mail", "samsung ?e?mail"),
    ("spark", "mail", "readdle|sparkdesktop"),
    ("mail-program", "mail", "airmail|yahoomobilemail|k-9 ?mail|bluemail|fairemail|canarymail|mailmate|edison mail"),
    ("bare-mozilla", "", r"^mozilla/5\.0$"),
    ("no-agent", "", r"^-?$"),
)
"""wetink's own rules, about mail above all: family, group, and a pattern in the lower-cased User-Agent. The first that
is found counts, before the lists that others keep."""

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
"""What ua-parser calls a program -> our family and group. Any other that says it is a browser is `browser`."""

OTHERS: dict[str, Group] = {"robot": "robot", "browser": "browser"}
"""Families of what crawlerdetect lists, and of browsers that have none of their own here."""

DEVICES: tuple[tuple[Device, str], ...] = (
    ("tablet", r"ipad|tablet|kindle|silk/|android(?!.*mobile)(?=.*webkit)"),
    ("mobile", r"iphone|ipod|android|mobile|windows phone"),
    ("desktop", r"windows|macintosh|mac os x|x11|linux|cros"),
)
"""Device and its pattern, the first that is found. An iPad that calls itself a Macintosh is taken for one."""

RELAYS = ("akamai", "cloudflare", "fastly")
"""Whose networks Apple's relays are on."""
DATA_CENTERS = ("microsoft", "amazon", "google", "digitalocean", "ovh", "hetzner", "linode", "oracle", "alibaba")
HOMES = ("google fiber", "google-fiber")
"""Networks of people that a data center's name would match."""
MAIL_SECURITY = ("barracuda", "mimecast", "proofpoint", "messagelabs", "ironport", "trend micro", "trendmicro")
"""Whose networks only their scanners are on; a web filter's, where people browse, are not listed."""

MAIL_PROXIES = ("proton ag", "protonmail", "fastmail")
"""Whose networks fetch pictures for their readers, under a browser's name."""

_CLIENTS = tuple((family, re.compile(pattern)) for family, _, pattern in CLIENTS)
_PHONE = re.compile(r"^([^()]*)\(([^()]*(?:\bandroid\b|\blinux; u;)[^()]*(?:\([^()]*\)[^()]*)*)\)", re.IGNORECASE)
_SIGNED = re.compile(r"compatible|http|www\.|@|\+", re.IGNORECASE)
_SAYS_BROWSER = ("mozilla/", "opera/", "ucweb/")
_DEVICES = tuple((device, re.compile(pattern)) for device, pattern in DEVICES)
_GROUPS: dict[str, Group] = {family: group for family, group, _ in CLIENTS} | dict(LISTED.values()) | OTHERS


def facts_of(
    user_agent: str,
    owner: str = "",
    *,
    method: str = "GET",
    click: bool = False,
    delay: int | None = None,
    together: int = 1,
    links: int = 0,
) -> Facts:
    """Return what is kept of a fetch. The User-Agent ends here."""
    client, device = _read(user_agent[:LONGEST_AGENT])
    return Facts(client, device, owner.strip(), method.upper(), click, delay, together, links)


def classify(facts: Facts) -> Fetch:
    """Return what a fetch was: by the first rule that holds.

    >>> classify(facts_of("Mozilla/5.0")).kind, classify(facts_of("curl/8.5.0")).kind
    ('prefetch', 'unknown')
    >>> classify(facts_of("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0"))
    Fetch(kind='person', rule='a mail program', version=2)
    """
    return next(Fetch(kind, name) for name, holds, kind in RULES if holds(facts))


def in_hindsight(told: Sequence[tuple[int, bool, str, Facts]]) -> list[Facts]:
    """Return the facts of all fetches of one email by one recipient, with what only all of them together tell.

    Each comes with its time (Unix ms), whether it is a click, and the link it followed, in the order of time.
    """
    opens = [at for at, click, _, _ in told if not click]
    completed = []
    for at, click, link, facts in told:
        near = {other for when, clicked, other, _ in told if clicked and abs(when - at) < TOGETHER_MS} | {link}
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


def _at_once(facts: Facts) -> bool:
    return facts.together >= TOGETHER_LINKS or (facts.links > 1 and facts.together >= facts.links)


def _within(facts: Facts, span: int) -> bool:
    return facts.delay is not None and facts.delay < span


RULES: tuple[tuple[str, Callable[[Facts], bool], Kind], ...] = (
    ("asked by HEAD", lambda facts: facts.method == "HEAD", "scanner"),
    ("a scanner's name", lambda facts: _group(facts) == "scanner", "scanner"),
    ("a robot's name", lambda facts: _group(facts) == "robot", "scanner"),
    ("a mail security network", lambda facts: _on(facts, MAIL_SECURITY), "scanner"),
    ("links followed at once", lambda facts: facts.click and _at_once(facts), "scanner"),
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
"""Name, when it holds, and what it makes of a fetch: the first that holds decides. People tap a link through
Apple's relay too, so it says nothing of a click."""


@lru_cache(maxsize=4_096)
def classify_request(user_agent: str, owner: str, method: str, click: bool) -> tuple[Facts, Fetch]:
    """Return the facts of a fetch as it comes in, and what they are taken for before more is known."""
    facts = facts_of(user_agent, owner, method=method, click=click)
    return facts, classify(facts)


@lru_cache(maxsize=4_096)
def _read(user_agent: str) -> tuple[str, Device]:
    """Return the client's family and, for a program that a person sits before, the device."""
    agent = without_model(user_agent.strip())
    lowered = agent.lower()
    family = next((family for family, pattern in _CLIENTS if pattern.search(lowered)), None)
    if family is None or ("://" in lowered and _GROUPS[family] == "mail"):  # who gives an address is no mail program
        family = _listed(agent)
    if _GROUPS.get(family) not in ("mail", "browser"):
        return family, ""
    lowered = user_agent.lower()
    return family, next((device for device, pattern in _DEVICES if pattern.search(lowered)), "")


def without_model(agent: str) -> str:
    """Return a User-Agent without the model of an Android phone, which may be called anything; a robot's stays.

    >>> without_model("Mozilla/5.0 (Linux; Android 7.0; M bot 60) Chrome/99 Mobile")
    'Mozilla/5.0 (Android) Chrome/99 Mobile'
    """
    found = _PHONE.match(agent)
    if found is None or _SIGNED.search(found[2]):
        return agent
    return f"{found[1]}(Android){agent[found.end() :]}"


def _listed(agent: str) -> str:
    """Return the family of an agent by the lists that others keep; empty for one that says nothing of itself."""
    is_crawler, name_of = _lists()
    if is_crawler(agent):
        return "robot"
    name = name_of(agent)
    if name in LISTED:
        return LISTED[name][0]
    return "browser" if name and agent.lower().startswith(_SAYS_BROWSER) else ""


@cache
def _lists() -> tuple[Callable[[str], bool], Callable[[str], str]]:
    """Return what tells crawlers (crawlerdetect) and what names programs (ua-parser). Read when first asked for."""
    from crawlerdetect import CrawlerDetect
    from ua_parser.core import Domain
    from ua_parser.re2 import Resolver
    from ua_parser_builtins.lazy import MATCHERS

    resolve = Resolver((list(MATCHERS[0]), [], []))  # devices and systems are not asked for

    def name_of(agent: str) -> str:
        found = resolve(agent, Domain.USER_AGENT).user_agent
        return found.family if found is not None else ""

    return CrawlerDetect().is_crawler, name_of


def prepare() -> None:
    """Read the lists, which takes a third of a second, before anybody waits for it."""
    _listed("Mozilla/5.0 (X11; Linux x86_64)")
