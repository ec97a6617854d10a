"""Snippets: filled in as each ESP would, every URL gives back the very recipient and campaign."""

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, urlsplit

import liquid
import pytest

from wetink.core.blocks.block import Block, Fallback
from wetink.core.blocks.esp import BY_NAME, ESPS, Esp
from wetink.core.errors import BadRequest
from wetink.opens.embed import esp_snippet, snippet
from wetink.opens.recipient import mended

ADDRESS = "https://open.shop.example"
ADDRESSES = ("jane+tag@shop.example", "o'brien@shop.example", "ü@shop.example", "a.b_c-d@shop.example")
IDS = ("42", "a&b", "x/y z", 'say "hi" it\'s me', "50% + 5#1?=;", "Zoë{{1}}", "*|X|*")
CAMPAIGN = "Spring & more, 50%"

Fill = Callable[[str, dict[str, str]], str]


# Each reader fills a template with the recipient's fields: "email", "user" and "campaign".


def _django(template: str, fields: dict[str, str]) -> str:
    """Klaviyo: Django's variables and filters, autoescaped, `/` left alone by urlencode."""

    def value(found: re.Match[str]) -> str:
        name, *filters = [part.strip() for part in found[1].split("|")]
        known: Any = {"person": {"email": fields["email"], "external_id": fields["user"]}}
        for part in name.split("."):
            known = known[part]
        for each in filters:
            if each == "urlencode":
                known = quote(known, safe="/")
            else:
                looked_up = re.fullmatch(r"lookup:'(\w+)'", each)
                assert looked_up, each
                known = known[looked_up[1]]
        return html.escape(known)

    return re.sub(r"{{(.+?)}}", value, template)


def _mailchimp(template: str, fields: dict[str, str]) -> str:
    known = {"EMAIL": fields["email"], "USERID": fields["user"], "CAMPAIGN_UID": fields["campaign"]}

    def value(found: re.Match[str]) -> str:
        name = found[1].removeprefix("URL:")
        return quote_plus(known[name]) if name != found[1] else html.escape(known[name])

    return re.sub(r"\*\|(.+?)\|\*", value, template)


def _braze(template: str, fields: dict[str, str]) -> str:
    """Liquid, once Braze has put its own ${names} into it."""
    plain = re.sub(r"\$\{(\w+)\}", r"\1", template)
    known = {"email_address": fields["email"], "user_id": fields["user"], "campaign": {"api_id": fields["campaign"]}}
    return liquid.Environment(undefined=liquid.StrictUndefined).from_string(plain).render(**known)


def _customer_io(template: str, fields: dict[str, str]) -> str:
    known = {"customer": {"email": fields["email"], "id": fields["user"]}, "campaign": {"id": fields["campaign"]}}
    return liquid.Environment(undefined=liquid.StrictUndefined).from_string(template).render(**known)


def _ampscript(template: str, fields: dict[str, str]) -> str:
    """Evaluate `%%=…=%%`: functions, names, 'texts' and numbers."""
    known = {"emailaddr": fields["email"], "_subscriberkey": fields["user"], "jobid": fields["campaign"]}

    def evaluate(tokens: list[str]) -> str:
        token = tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1]
        if token.isdigit():
            return token
        if not tokens or tokens[0] != "(":
            return known[token]
        given = []
        while tokens.pop(0) != ")":
            given.append(evaluate(tokens))
        return apply(token.lower(), given)

    def apply(function: str, given: list[str]) -> str:
        if function == "concat":
            return "".join(given)
        if function == "redirectto":
            [url] = given
            return url  # what the redirect of a tracked link leads to
        assert (function, given[1:]) == ("urlencode", ["1", "1"])
        return quote(given[0], safe="").replace("%20", "+")

    def value(found: re.Match[str]) -> str:
        tokens = re.findall(r"'[^']*'|\w+|[(),]", found[1])
        assert "".join(tokens) == found[1]
        result = evaluate(tokens)
        assert not tokens
        return result

    return re.sub(r"%%=(.+?)=%%", value, template)


def _handlebars(template: str, fields: dict[str, str]) -> str:
    """Iterable and SendGrid: two braces escape HTML, three do not; #urlEncode encodes what its block came to."""
    known = {"email": fields["email"], "userId": fields["user"], "user_id": fields["user"]}
    known |= {"campaignId": fields["campaign"], "campaign": fields["campaign"]}

    def escaped(text: str) -> str:
        marks = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
        return "".join(marks.get(mark, mark) for mark in text)

    def plain(text: str) -> str:
        return re.sub(
            r"{{{(\w+)}}}|{{(\w+)}}", lambda found: known[found[1]] if found[1] else escaped(known[found[2]]), text
        )

    parts = re.split(r"{{#urlEncode}}(.+?){{/urlEncode}}", template)
    return "".join(quote_plus(plain(part)) if index % 2 else plain(part) for index, part in enumerate(parts))


def _mustachio(template: str, fields: dict[str, str]) -> str:
    known = {"email": fields["email"], "user_id": fields["user"], "campaign": fields["campaign"]}
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: html.escape(known[found[1]]), template)


def _hubspot(template: str, fields: dict[str, str]) -> str:
    """Contact tokens stand alone: a filter on one would fail here, as it does in an email."""
    known = {"contact.email": fields["email"], "contact.user_id": fields["user"]}
    return re.sub(r"{{(.+?)}}", lambda found: html.escape(known[found[1].strip()]), template)


def _mailgun(template: str, fields: dict[str, str]) -> str:
    known = {"email": fields["email"], "user_id": fields["user"], "campaign": fields["campaign"]}
    return re.sub(r"%recipient\.(\w+)%", lambda found: known[found[1]], template)


def _active_campaign(template: str, fields: dict[str, str]) -> str:
    known = {"EMAIL": fields["email"], "USER_ID": fields["user"], "CAMPAIGNID": fields["campaign"]}
    return re.sub(r"%([A-Z_]+)%", lambda found: known[found[1]], template)


def _go(template: str, fields: dict[str, str]) -> str:
    """html/template, which leaves a value alone that ends in urlquery inside a URL's query."""
    known = {".Subscriber.Email": fields["email"], ".Subscriber.Attribs.user_id": fields["user"]}
    known[".Campaign.UUID"] = fields["campaign"]

    def value(found: re.Match[str]) -> str:
        name, function = found[1].strip().split(" | ")
        assert function == "urlquery"
        return quote_plus(known[name])

    return re.sub(r"{{(.+?)}}", value, template)


FILL: dict[str, Fill] = {
    "klaviyo": _django,
    "mailchimp": _mailchimp,
    "braze": _braze,
    "salesforce": _ampscript,
    "sendgrid": _handlebars,
    "hubspot": _hubspot,
    "customerio": _customer_io,
    "iterable": _handlebars,
    "mailgun": _mailgun,
    "activecampaign": _active_campaign,
    "postmark": _mustachio,
    "listmonk": _go,
}


class _Pictures(HTMLParser):
    """The linked pictures of a snippet: link, source and the picture's other attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._link = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            assert list(given) == ["href"]
            self._link = given["href"]
        else:
            assert tag == "img"
            self.found.append((self._link, given))

    def handle_endtag(self, tag: str) -> None:
        assert tag == "a"
        self._link = ""

    def handle_data(self, data: str) -> None:
        assert not data.strip(), data


def _asked(url: str) -> tuple[SplitResult, dict[str, str]]:
    """What a mail client asks for, and the query as our door reads it."""
    asked = urlsplit(quote(url, safe="!#$%&'()*+,/:;=?@[]~-._"))
    assert (asked.scheme, asked.netloc) == ("https", "open.shop.example")
    assert not asked.fragment
    query = dict(parse_qsl(asked.query, strict_parsing=True))
    return asked, {name: mended(name, value) for name, value in query.items()}


def _block(**more: Any) -> Block:
    return Block("hero", Fallback("https://shop.example/", title="Come in"), recipients=("user", "email"), **more)


@pytest.mark.parametrize("esp", ESPS, ids=[esp.name for esp in ESPS])
@pytest.mark.parametrize(("slots", "transparent"), [(1, False), (3, True)])
@pytest.mark.parametrize(
    ("kind", "value"), [*(("email", each) for each in ADDRESSES), *(("user", each) for each in IDS)]
)
def test_every_url_names_the_recipient_and_the_campaign(
    esp: Esp, slots: int, transparent: bool, kind: Any, value: str
) -> None:
    block = _block(slots=slots, transparent=transparent, width=480, height=200)
    text = esp_snippet(block, esp, ADDRESS, kind=kind)
    fields = {"email": "", "user": "", "campaign": CAMPAIGN, kind: value}
    if not esp.encodes:  # as the note beside the snippet asks
        fields |= {"user": quote(fields["user"], safe=""), "campaign": "c-2026.11"}

    pictures = _Pictures(FILL[esp.name](text, fields)).found

    expected = {kind: value}
    if esp.campaign:
        expected["c"] = html.unescape(fields["campaign"])
    ending = "png" if transparent else "jpg"
    assert len(pictures) == slots
    for slot, (link, picture) in enumerate(pictures, 1):
        target, named = _asked(link)
        assert (target.path, named) == (f"/c/hero/{slot}", expected)
        source, named = _asked(picture["src"])
        assert (source.path, named) == (f"/o/hero/{slot}.{ending}", expected)
        assert (picture["width"], picture["height"], picture["alt"]) == ("480", "200", "Come in")


@pytest.mark.parametrize("esp", ESPS, ids=[esp.name for esp in ESPS])
def test_a_campaign_that_is_given_stands_in_place_of_the_esps_own(esp: Esp) -> None:
    text = esp_snippet(_block(), esp, ADDRESS, campaign=CAMPAIGN, kind="email")
    [(link, picture)] = _Pictures(FILL[esp.name](text, {"email": "j@x.example", "user": "", "campaign": "own"})).found
    for url in (link, picture["src"]):
        assert _asked(url)[1] == {"email": "j@x.example", "c": CAMPAIGN}


@pytest.mark.parametrize("esp", ESPS, ids=[esp.name for esp in ESPS])
def test_an_alternative_text_is_never_a_template(esp: Esp) -> None:
    alt = '{{email}} {% if %} *|EMAIL|* %EMAIL% %recipient.email% %%=jobid=%% <b> & "50%" o\'clock [[feed]]'
    text = esp_snippet(_block(alt=alt), esp, ADDRESS)
    [(_, picture)] = _Pictures(FILL[esp.name](text, {"email": "", "user": "42", "campaign": "c"})).found
    assert picture["alt"] == alt


def test_the_recipient_is_named_by_what_the_block_names_first() -> None:
    by_user = esp_snippet(_block(), BY_NAME["braze"], ADDRESS)
    assert "?user={{${user_id}" in by_user
    assert "email" not in by_user
    first = Block("hero", Fallback("https://shop.example/"), recipients=("email", "user"))
    assert "?email={{${email_address}" in esp_snippet(first, BY_NAME["braze"], ADDRESS)


@pytest.mark.parametrize(("recipients", "kind"), [((), None), ((), "email"), (("user",), "email")])
def test_a_block_that_allows_no_plain_recipient_says_what_to_do(recipients: Any, kind: Any) -> None:
    block = Block("hero", Fallback("https://shop.example/"), recipients=recipients)
    with pytest.raises(BadRequest, match="block hero allows no plain") as caught:
        esp_snippet(block, BY_NAME["klaviyo"], ADDRESS, kind=kind)
    assert "recipients: [" in caught.value.hint


def test_an_esp_that_does_not_encode_says_so_beside_its_snippet() -> None:
    assert {esp.name for esp in ESPS} == set(FILL)
    for esp in ESPS:
        for kind in ("user", "email"):
            assert ("does not URL-encode" in esp.notes_for(kind)) is not esp.encodes


def test_what_is_told_of_an_esp_is_about_the_kind_of_recipient_in_the_snippet() -> None:
    for esp in ESPS:
        about_ids, about_addresses = esp.notes_for("user"), esp.notes_for("email")
        assert "address" not in about_ids.replace("SUBSCRIBERID", ""), esp.name
        for word in ("your user ID", "IDs", "USER_ID", "USERID", "external ID", "subscriber key"):
            assert word not in about_addresses, esp.name


def test_one_persons_snippet_has_the_sealed_tokens() -> None:
    text = snippet(_block(slots=2, alt='A "mug" & 5% off'), "PPP", "CCC", ADDRESS, campaign="a&b")
    pictures = _Pictures(text).found
    assert [link for link, _ in pictures] == [f"{ADDRESS}/c/hero/{slot}/CCC?c=a%26b" for slot in (1, 2)]
    assert [each["src"] for _, each in pictures] == [f"{ADDRESS}/o/hero/{slot}/PPP.jpg?c=a%26b" for slot in (1, 2)]
    assert {each["alt"] for _, each in pictures} == {'A "mug" & 5% off'}
