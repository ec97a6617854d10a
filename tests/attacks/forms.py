"""Forms: every route that takes something in, with what it usually takes, and each value that cannot be kept."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from tests.attacks.hostile import Sent, query
from tests.attacks.hostile_values import TEXTS
from tests.content.test_kept import VALUES as YAML_VALUES
from wetink.apps import load
from wetink.core.app.app import App
from wetink.core.app.setting import fields_of
from wetink.core.identity.identifier import Identifier

Kind = Literal["form", "query", "json", "file"]
FORM = "application/x-www-form-urlencoded"
JANE = Identifier("email", "jane@shop.example")

CONTENT = {
    "blocks/tea.yaml": "slots: 2\nvariants: [{name: ask, app: poll, settings: {question: T, options: [Tea, Coffee]}}]\n"
    'fallback: {link: "https://shop.example/", title: Thanks}\n',
    "blocks/ends.yaml": "variants: [{name: soon, app: countdown, settings: {ends: after_first_open, hours: 48}}]\n"
    'fallback: {link: "https://shop.example/", title: Thanks}\n',
    "blocks/news.yaml": "variants: [{name: all, app: live-feed, settings: {feed: news, note: a}}]\n"
    'fallback: {link: "https://shop.example/", title: Thanks}\n',
    "feeds/news.yaml": "file: news.json\nformat: json\nevery: 1d\n",
    "feeds/stores.yaml": "file: stores.json\nformat: json\nevery: 1d\n",
    "feeds/weather.yaml": "file: weather.json\nformat: json\nevery: 1d\n",
    "audiences/doomed.yaml": "rule: {done: X}\n",
    "audiences/told.yaml": "rule: {trait: plan, equals: gold}\nhook: {url: 'https://hooks.shop.example/'}\n",
}
"""What stands in the content folder before anything is sent."""

QUOTED = {
    "half a character in quotes": r'"\ud800"',
    "the other half in quotes": r'"a\udfffb"',
    "NUL in quotes": r'"\u0000"',
    "10^26 in quotes": f'"{10**26}"',
    "a letter in quotes, escaped": r'"\u00e9"',
    "NaN": "NaN",
    ".inf": ".inf",
    "1e308": "1e308",
    "2^64": str(2**64),
    "4,000 digits": "1" * 4_000,
}
"""What a field reads as JSON or YAML would."""

SPOTS = (
    "title: %s\nrule: {done: A}\n",
    "rule: {trait: plan, equals: %s}\n",
    "rule: {trait: plan, one_of: [%s]}\n",
    "rule: {trait: %s, equals: 1}\n",
    "rule: {done: %s}\n",
    "rule: {done: A, at_least: %s}\n",
    "rule: {done: A, within: %s}\n",
    "rule: {done: A, where: {price: {above: %s}}}\n",
    "rule: {done: A, where: {%s: {above: 1}}}\n",
    "rule: {share: %s}\n",
    "rule: {done: A}\nhook: {url: %s}\n",
    "rule: {done: A}\nhook: {url: 'https://x.example/', send: track, write_key: %s}\n",
    "rule: {done: A}\n%s: 1\n",
)
"""Where a value can stand in an audience's file."""

JSON_VALUES = {
    "half a character": r'"\ud800"',
    "the other half": r'"a\udfffb"',
    "NUL": r'"a\u0000b"',
    "10^26": f"{10**26}",
    "2^64": f"{2**64}",
    "-2^63 - 1": f"{-(2**63) - 1}",
    "1e400": "1e400",
    "400 digits": "1" + "0" * 400,
    "NaN": "NaN",
    "1e308": "1e308",
    "-1": "-1",
    "10^18": f"{10**18}",
    "65 levels": "[" * 65 + "]" * 65,
    "500 levels": "[" * 500 + "]" * 500,
    "200 levels of mappings": '{"a": ' * 200 + "1" + "}" * 200,
    "10^5 letters": f'"{"a" * 100_000}"',
    "letters of four bytes": '"' + "\U0001f600" * 20_000 + '"',
    "bidi": '"\u202eabc\u2066"',
    "the last day": '"9999-12-31"',
    "a list": "[]",
    "null": "null",
    "true": "true",
}
TELLING = r'{"event": "Product Viewed", "userId": "1", "timestamp": %s, "properties": {"sku": %s, "price": %s}}'
"""A message, as the what-if forms and the mappings' page read it."""

TABLES = {
    "half a character": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe\x80",
    "NUL": b"a\0b",
    "10^26": b"1" + b"0" * 26,
    "4,000 digits": b"1" * 4_000,
    "1e400": b"1e400",
    "infinity": b"-Infinity",
    "a half escaped": b"&#xD800;",
    "a NUL escaped": b"&#0;",
    "10^5 letters": b"a" * 100_000,
    "deep": b"<a>" * 500 + b"</a>" * 500,
    "quotes": b'"' * 1_001,
}
ENTRY = b"<item><title>%s</title><link>https://shop.example/1</link><description>x</description></item>"
RSS = b'<rss version="2.0"><channel><title>x</title>' + ENTRY + b"</channel></rss>"
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>%s</title><id>1</id></entry></feed>'
MERCHANT = (
    b'<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><item><g:id>%s</g:id><title>T</title>'
    b"<link>https://shop.example/1</link><g:price>9.50 USD</g:price></item></channel></rss>"
)
FILES: dict[str, tuple[tuple[bytes, ...], bytes]] = {
    "json": ((b'[{"id": "x", "title": "T", "a": %s}]', b'[{"id": "x", "title": "T", %s: 1}]'), b'"b"'),
    "jsonl": (
        (b'{"id": "x", "title": "T", "a": %s}\n{"id": "y", "title": "U"}\n', b'{"title": %s, "sku": %s}'),
        b'"b"',
    ),
    "csv": ((b"id,title,a\nx,T,%s\ny,U,1\n", b"id,title,%s\nx,T,1\n"), b"b"),
    "xml": ((b"<a><b c='%s'>T</b><b><d>%s</d></b></a>",), b"b"),
    "rss": ((RSS,), b"b"),
    "atom": ((ATOM,), b"b"),
    "merchant": ((MERCHANT, b"id\ttitle\tprice\nA-1\tT\t%s\n"), b"b"),
}
"""Format -> files with holes, and what usually fills those."""


class Form(NamedTuple):
    """What is sent where. `words` also name a field in an answer; `shown` pages have what was taken."""

    method: str
    path: str
    fields: Mapping[str, str] = {}
    kind: Kind = "form"
    holes: Mapping[str, str] = {}
    query: str = ""
    words: Mapping[str, str] = {}
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = self.query or self.fields.get("change") or " ".join(self.holes.values())
        return f"{self.method} {self.path} {more}".strip()

    @property
    def target(self) -> str:
        path = self.path
        for hole, value in self.holes.items():
            path = path.replace(hole, value)
        return f"{path}?{self.query}" if self.query else path

    def sent(self, csrf: str, field: str = "", value: str | bytes = "") -> Sent:
        """Return it as it is usually sent, but for `value` in one field."""
        rest = {name: usual for name, usual in self.fields.items() if name != field}
        if self.kind == "form":
            said = urlencode({**rest, **({} if field == "csrf" else {"csrf": csrf})})
            body = f"{said}&{query([field], value) if field else ''}".encode()
            return Sent(self.method, self.target, body, FORM, csrf=field != "csrf")
        if self.kind == "query":
            return Sent(self.method, f"{self.path}?{urlencode(rest)}&{query([field], value) if field else ''}")
        if self.kind == "file":
            return Sent(self.method, self.target, bytes(value) if field else self.usual, "application/octet-stream")
        names: dict[str, str] = {**rest, **({field: str(value)} if field else {})}
        body = "{" + ", ".join(f'"{name}": {each}' for name, each in names.items()) + "}"
        return Sent(self.method, self.target, body.encode(), "application/json")

    @property
    def usual(self) -> bytes:
        bodies, value = FILES[self.fields["body"]]
        return filled(bodies[0], value)

    def attacks(self) -> Iterator[tuple[str, str, str | bytes]]:
        """Yield each field, the name of what is put into it, and that."""
        if self.kind == "file":
            yield from (("body", name, body) for name, body in in_files(self.fields["body"]))
        else:
            values = in_json if self.kind == "json" else in_text
            yield from ((field, name, value) for field in self.fields for name, value in values(field))

    def names(self, field: str, told: str) -> bool:
        """Whether what is told says which field it is about."""
        words = ("larger than", *field.split("."), field.replace("-", "."), *self.words.get(field, "").split("|"))
        return any(word.casefold() in told.casefold() for word in words if word and not word.isdecimal())


def filled(body: bytes, value: bytes) -> bytes:
    return body.replace(b"%s", value)


def in_files(kind: str) -> Iterator[tuple[str, bytes]]:
    values = {name: each.encode() for name, each in JSON_VALUES.items()} if kind.startswith("json") else TABLES
    for number, body in enumerate(FILES[kind][0]):
        yield from ((f"{name} {number}", filled(body, raw)) for name, raw in values.items())


def in_json(field: str) -> Iterator[tuple[str, str]]:
    yield from JSON_VALUES.items()
    for place in INNER.get(field, ()):
        yield from ((f"{place}: {name}", place.replace("%s", each)) for name, each in JSON_VALUES.items())


def in_text(field: str) -> Iterator[tuple[str, str | bytes]]:
    yield from {**TEXTS, **QUOTED}.items()
    for spot in SPOTS if field == "yaml" else ():
        yield from ((f"{spot}: {name}", spot.replace("%s", each)) for name, each in YAML_VALUES.items())
    if field in ("suppose", "message"):
        yield from ((f"JSON, {name}", TELLING.replace("%s", each)) for name, each in JSON_VALUES.items())


MOMENT = (
    *("now", "ratio", "latitude", "longitude", "language", "currency", "time_zone", "campaign", "scheme", "city"),
    *("parameters", "moving"),
)
EVENT = ("event", "timestamp", "ago", "userId", "messageId", "type", "properties", "context")
PRODUCT = ("sku", "price", "quantity", "name", "currency", "image_url", "category")
INNER = {
    "moment": [f'{{"{name}": %s}}' for name in MOMENT],
    "events": [
        *(f'[{{"event": "Product Viewed", "properties": {{"sku": "A"}}, "{name}": %s}}]' for name in EVENT),
        *(f'[{{"event": "Product Viewed", "properties": {{"product_id": "A", "{name}": %s}}}}]' for name in PRODUCT),
    ],
}
"""Field of a program's form -> what stands inside of it."""

PREVIEW = {"block": '"ends"', "who": '"user:42"', "moment": '{"scheme": "dark"}', "events": "[]"}
WORDS = {
    "block": "no block|byte",
    "who": "names nobody|byte",
    "moment": "moment|byte",
    "events": "events|byte",
    "body": "byte|line|item|column|header|it is|feed|root",
    "version": "byte|version",
    "by": "byte|by",
}
YAML = "title: T\nrule:\n- {done: Product Viewed, within: 7d}\n"
LINES = "line|rule|title|hook|unknown name|no audience|aliases"
RULE = {
    "yaml": YAML,
    "title": "T",
    "rule.kind": "all",
    **{"rule.of.0.kind": "done", "rule.of.0.event": "Product Viewed", "rule.of.0.count": "at_least"},
    **{"rule.of.0.times": "2", "rule.of.0.when": "within", "rule.of.0.span": "7d"},
    **{"rule.of.0.where.0.name": "price", "rule.of.0.where.0.operator": "above", "rule.of.0.where.0.value": "3"},
    **{"rule.of.1.kind": "trait", "rule.of.1.trait": "plan", "rule.of.1.tests.0.operator": "equals"},
    "rule.of.1.tests.0.value": '"gold"',
    **{"hook.url": "https://hooks.shop.example/", "hook.send": "webhook", "do": "", "name": "made", "was": ""},
}
KEYS = {"name": "made", "sure": "yes", "verify": "on", "orders": "wait", "per_second": "50", "burst": "100"}
CHANGE_WORDS = {
    "name": "no source|nothing was changed",
    "sure": "check the box",
    "per_second": "events a second",
    "burst": "events at once",
    "change": "unknown change",
}
EDITED = {
    **{"title": "T", "width": "300", "recipients": "user", "data": "on", "fallback.link": "https://shop.example/"},
    **{
        "utm.0.name": "utm_source",
        "utm.0.value": "mail",
        "schedule.from": "2026-11-20T10:00",
        "rest": '[[["gone"], ""]]',
    },
    **{"fetches.proxy.show": "fallback", "fetches.proxy.count": "false", "order": "0", "do": "", "v.0.rest": ""},
    **{"v.0.name": "soon", "v.0.app": "countdown", "v.0.settings.title": "Soon", "v.0.settings.hours": "4"},
    **{"v.0.rule.kind": "all", "v.0.rule.of.0.kind": "trait", "v.0.rule.of.0.trait": "plan"},
    **{"v.0.rule.of.0.tests.0.operator": "equals", "v.0.rule.of.0.tests.0.value": '"gold"'},
    **{
        "removed": '[0, {"name": "x", "app": "trending"}]',
        "base": "",
        "revision": "0",
        "was": "",
        "who": "user:42",
        "at": "2026-11-20T10:00",
        "if_event": "",
    },
}
EDITOR_WORDS = {"rest": "title|gone|number|nested|aliases|line", "v.0.rest": "variants|line|number|nested"}
MADE_FILE = ("/api/content", "/api/content/versions")


VOTE = "a sealed token"
"""What stands for the token of a vote, which each wetink seals by itself."""


def forms(apps: tuple[str, ...] = ()) -> list[Form]:
    """Return every form; of the gallery's those of some apps, of all without names."""
    audience = ("/dashboard/audiences/made", "/dashboard/audiences/made.csv", *MADE_FILE)
    return [
        Form("POST", "/dashboard/sources", {"name": "made", "hosts": "shop.example", "level": "browser"},
             words={"hosts": "not a host"}),
        *(
            Form("POST", "/dashboard/sources/change", {"change": change, **KEYS}, words=CHANGE_WORDS)
            for change in ("set", "rotate", "retire", "disable", "enable", "renew", "delete")
        ),
        Form("POST", "/dashboard/audiences/save", {"yaml": YAML, "name": "made", "was": "made"}, shown=audience,
             words={"yaml": LINES, "was": "there is an audience"}),
        Form("POST", "/dashboard/scenarios/{name}/edit",
             {"title": "Made", "block": "tea", "at": "2026-06-17T12:00:00Z", "e.0.event": "Product Viewed",
              "e.0.ago": "2h", "e.0.product": "S-1", "e.0.raw": '{"sku": "S-1", "url": "https://shop.example/1"}',
              "expect-variant": "on", "do": "try"}, holes={"{name}": "new"}, words={"do": "scenario", "e.0": "event"}),
        Form("POST", "/dashboard/audiences/edit", RULE),
        Form("POST", "/dashboard/audiences/tried", {"yaml": YAML, "name": "made"}),
        Form("POST", "/dashboard/audiences/tried", RULE, query="from=form"),
        Form("POST", "/dashboard/audiences/found", {"yaml": YAML, "who": "user:42", "at": "2026-11-20"}),
        Form("POST", "/dashboard/audiences/{name}/again", holes={"{name}": "told"},
             shown=("/dashboard/audiences/told",)),
        Form("POST", "/dashboard/audiences/{name}/delete", holes={"{name}": "doomed"}),
        *(
            Form("POST", path, EDITED, holes={"{name}": "ends"}, words=EDITOR_WORDS,
                 shown=("/dashboard/blocks/ends/edit",))
            for path in ("/dashboard/blocks/{name}/edit", "/dashboard/blocks/{name}/edit/copy")
        ),
        Form("POST", "/dashboard/blocks/{name}/edit/discard", {"revision": "0"}, holes={"{name}": "news"},
             words={"revision": "revision|saved"}),
        Form("POST", "/dashboard/blocks/new", {"title": "Made", "app": "countdown"}),
        *(_gallery(app) for app in load().values() if app.template and app.name in (apps or load())),
        *(
            Form("PUT", path, {"body": kind}, "file", {"{name}": f"made-{kind}"}, f"format={kind}&purpose=data",
                 WORDS, (f"/dashboard/feeds/made-{kind}", "/api/feeds"))
            for path in ("/api/feeds/{name}", "/dashboard/feeds/{name}/file")
            for kind in FILES
        ),
        Form("PUT", "/api/feeds/{name}", {"body": "json"}, "file", {"{name}": "news"}, words=WORDS,
             shown=("/dashboard/feeds/news", "/dashboard/preview/news/1.img", "/d/news.json?user=42", "/api/opens")),
        Form("POST", "/api/preview", PREVIEW, "json", words=WORDS),
        Form("POST", "/api/preview/{slot:slot}", PREVIEW, "json", {"{slot:slot}": "1"}, words=WORDS),
        Form("POST", "/api/content/rollback", {"version": "1", "by": '"me"'}, "json", words=WORDS, shown=MADE_FILE),
        Form("POST", "/v/{block}/{slot:slot}/{token}", {"option": "1"}, words={"option": "Choose an answer"},
             holes={"{block}": "tea", "{slot:slot}": "1", "{token}": VOTE},
             shown=("/dashboard/blocks/tea",)),
        Form("POST", "/dashboard/login", {"token": "", "next": "/dashboard/sources"}, words={"token": "token"}),
        Form("POST", "/dashboard/theme", {"theme": "dark", "next": "/dashboard/sources"}),
        Form("POST", "/dashboard/logout", {"csrf": ""}, words={"csrf": "this form"}),
        Form("GET", "/dashboard/mappings", {"message": TELLING.replace("%s", "1"), "source": "shop"}, "query"),
        Form("GET", "/dashboard/reports", {"since": "2026-11-01", "until": "2026-11-20", "by": "block", "days": "7",
             "block": "tea", "goal": "order", "model": "last-click", "currency": "USD"}, "query",
             words={"goal": "goal|model", "model": "model|goal", "by": "by", "until": "since|until"}),
        *(
            Form("GET", path, {"from": "2026-11-01", "to": "2026-11-20", "compare": "before", "by": "block",
                 "block": "tea", "variant": "ends", "campaign": "may", "email": "weekly", "show": "rate",
                 "sort": "orders", "view": "table", "before": "5 5", "fetched": "proxy"}, "query",
                 words={"from": "from|to", "to": "from|to", "by": "by", "compare": "compare"})
            for path in ("/dashboard/reports", "/dashboard/conversions", "/dashboard/opens")
        ),
        Form("POST", "/dashboard/reports/views", {"title": "Weekly", "query": "range=7d&by=campaign"},
             words={"title": "title"}, shown=("/dashboard/reports",)),
        Form("POST", "/dashboard/reports/summary", {"to": "team@shop.example", "webhook": "https://8.8.8.8/hook",
             "day": "friday", "hour": "9"}, words={"to": "to|email address", "webhook": "webhook|URL", "day": "day",
             "hour": "hour"}, shown=("/dashboard/reports/summary",)),
        Form("POST", "/dashboard/reports/views/delete", {"title": "Kept"}, words={"title": "title"}),
        Form("GET", "/api/report", {"since": "2026-11-01", "until": "2026-11-20", "by": "block", "days": "7",
             "goal": "order", "model": "last-click"}, "query",
             words={"goal": "goal|model|Goal", "model": "model|goal|Model", "by": "by|By", "days": "days|Days",
                    "since": "since|Since", "until": "since|Since|Until|until"}),
        *(
            Form("GET", path, {"suppose": TELLING.replace("%s", '"2026-11-20"'), "if_event": "Product Viewed",
                 "if_product": "MUG-1", "who": "user:42", "at": "2026-11-20T10:00", "device": "mobile"}, "query")
            for path in ("/dashboard/preview/ends/1.img", "/dashboard/preview/ends/1/weight", "/dashboard/blocks/ends",
                         "/dashboard/people/user:42", "/dashboard/opens", "/dashboard/people")
        ),
    ]  # fmt: skip


def _gallery(app: App) -> Form:
    """Return the editor's form of a block with this app."""
    settings = {f"v.0.settings.{field.name}": field.value for field in fields_of(app, app.sample.settings)}
    own = {"title": "T", "fallback.link": "https://shop.example/", "order": "0", "v.0.name": "it", "v.0.app": app.name}
    return Form(
        *("POST", "/dashboard/blocks/{name}/edit", {**own, **settings, "revision": "0", "who": "", "do": ""}),
        holes={"{name}": "tea"},
        words={name: "variants|number|line" for name in settings},
        shown=("/dashboard/blocks/tea/edit",),
    )


def told_in(body: bytes) -> str:
    """Return what an answer says is wrong: the errors on a page with the fields that they stand at, or in JSON."""
    text = body.decode("utf-8", "replace")
    if not text.lstrip().startswith("<"):
        return text
    found = re.findall(r'class="(?:[\w-]* )*(?:field-)?error[^"]*"[^>]*>(.*?)</(?:p|li|span)>', text, re.DOTALL)
    found += re.findall(r'<input[^>]* name="([\w-]+)"[^>]* aria-invalid="true"', text)
    found += re.findall(r'class="soft code">.*?</main>', text, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(found)))
