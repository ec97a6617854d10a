"""Placeholder: text in the place of an ID that identifies nobody and nothing.

An email service did not fill in a merge tag, a program printed a null value, a shop uses one ID for all its guests:
many people send the same text, and using it as an ID would join them. This is the only list, for people, products,
orders and events.

Sources: the IDs that PostHog and Mixpanel refuse for a person; how these print a null value: C, Objective-C, Swift,
Java, Kotlin, Scala, C#, Visual Basic, Go, Rust, JavaScript, Python and pandas, Ruby, PHP, Perl, Lua, R, Julia, Haskell,
Erlang, Elixir, Dart and SQL; Excel's error values; Google Analytics' "(not set)"; the merge tags of the email services
in `core.blocks.esp`, and of Acoustic, Adobe Campaign, AWeber, Brevo, Campaign Monitor, Constant Contact, Cordial,
dotdigital, Drip, Eloqua, Emarsys, GetResponse, Keap, Mailjet, MailerLite, MailPoet, Mandrill, Marketo, Mautic, Moosend,
Omnisend, phpList, Responsys, Sailthru, Selligent, Sendy, SparkPost and Zoho; the template languages Liquid, Handlebars,
Jinja, Go, ERB, JSP, PHP, Razor, FreeMarker, Velocity, Thymeleaf, Smarty and AMPscript.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from html import unescape
from urllib.parse import unquote

import msgspec

KEPT = 16_384
"""Texts whose result is cached."""

LONGEST = 512
"""Maximum length of text that is examined, in characters."""


def _words(text: str) -> frozenset[str]:
    """Return words separated by commas. Those of several parts are also included as one word."""
    words = [" ".join(each.split()) for each in text.split(",") if each.strip()]
    return frozenset(words) | frozenset(each.replace(" ", "") for each in words)


NULLS = _words(r"""
    null, nil, none, nan, na, n/a, n.a, n.a., undefined, undef, nullptr, dbnull, nsnull, none type, nil class,
    nothing, not set, not provided, not defined, not applicable, no value, no data, null value, empty string, is null,
    infinity, +infinity, inf, +inf, +nan, nan(ind), 1.#ind, 1.#qnan, 1.#inf, void 0,
    #n/a, #n/a n/a, #na, #nv, #null!, #ref!, #value!, #name?, #div/0!, #num!, #error!, #calc!, #spill!, #n/d,
    #getting_data,
    #bezug!, #wert!, #zahl!, #nom?, #valeur!, #nombre!, na_character_, na_integer_, na_real_, character(0), integer(0),
    numeric(0), list(), optional.empty, optional(nil), optional(null), optional[null], some(null), some(none),
    just nothing, \n, ~, $null, optional(""), some(""), kotlin.unit, nsnull null, maybe nothing, option.none,
    python none
""")
"""Null values as programs print them. They are placeholders everywhere."""

WORDS = _words("""
    unknown, true, false, empty, missing, unset, string, object, array, not available, unavailable, not specified,
    unspecified, unassigned, not found, tbd, unknown id, no id, no sku, no name,
    ffffffff ffff ffff ffff ffffffffffff,
    unbekannt, inconnu, desconocido, desconhecido, sconosciuto, onbekend, okänd, ukendt, ukjent, tuntematon, nieznany,
    neznámý, неизвестно, неизвестный, 未知, 不明, 알 수 없음, bilinmiyor,
    keine angabe, k.a, k. a, nicht verfügbar, nicht vorhanden, non disponible, non renseigné, aucun, aucune,
    sin datos, no disponible, ninguno, ninguna, n.d, s/d, não disponível, nenhum, nenhuma, non disponibile, nessuno,
    nessuna, n.v.t, niet beschikbaar, geen gegevens, brak danych, ej angivet, ikke oplyst, ikke angitt, ei tiedossa,
    není k dispozici, нет данных, yok, なし, 無し, 無, 无, 暂无, 없음, ไม่มี, không có
""")
"""Words for an unknown ID. As the name of an event, they may mean something."""

NOBODIES = _words("""
    anonymous, anon, anonymous user, anonymous visitor, anonymous customer, guest, guest user, guest customer,
    guest checkout, guest visitor, guest id, is guest, no user, no one, no user id, no customer, void,
    not authenticated, unauthenticated, not logged in, logged out, logged off, signed out, not signed in,
    not identified, unidentified, not registered, unregistered, unknown user, unknown visitor, unknown customer,
    unknown device,
    new user, default user, empty user, null user, redacted, filtered, removed, hidden, masked,
    sensitive, anonymized, anonymised, denied, consent denied, opt out, opted out, blank,
    gast, invité, invitado, invitada, convidado, ospite, misafir, гость, ゲスト, 访客, 游客, 손님
""")
"""Words that shops use for unknown people, and for names that they must not send."""

FIELDS = _words("""
    id, uid, uuid, guid, distinct id, anonymous id, anon id, user id, user uuid, user uid, user key, customer id,
    customer key, customer number, client id, contact id, contact key, member id, person id, profile id, visitor id,
    subscriber id, subscriber key, recipient id, account id, external id, device id, advertising id, session id,
    email, e mail, email address, email addr, emailaddr, user email, customer email, contact email, user name,
    user number, ajs user id, ajs anonymous id, amplitude id, mixpanel id, braze id, klaviyo id, hubspot id, shopify id,
    ga id, gaid, idfa, idfv, web id, login id, loyalty id, crm id, sub id, tracking id, uniqid,
    first name, last name, full name, sku, sku id, product id, product sku, product number, item id,
    item sku, item number, article id, article number, variant id, order id, order number, order no, transaction id,
    checkout id, cart id, your id, your user id, your email
""")
"""Names of fields, sent instead of their values."""

PARTS = FIELDS | _words("""
    user, customer, client, contact, member, person, people, profile, visitor, subscriber, recipient, lead, account,
    external, name, fname, lname, first, last, mail, key, code, token, number, hash, order, product, item, variant,
    article, transaction, merge, fallback, contactfield, subtag, custom, attribute, var, data, field, campaign, mid, cid
""")
"""Words that make text between single marks, such as `[SUBSCRIBER_ID]`, the name of a field."""

_LOCAL_PARTS = re.compile(
    r"(?:no|do[.\-_]?not)[.\-_]?reply(?:\+.*)?|guest|anonymous|unknown|none|nil|undefined|n[./]?a|[(<\[]?null[)>\]]?"
)
"""Local parts of email addresses that belong to nobody."""


def is_nobodys(local: str) -> bool:
    """Return whether an email address with this local part belongs to nobody.

    >>> is_nobodys("Do.Not.Reply"), is_nobodys("no-reply+7"), is_nobodys("jane.guest"), is_nobodys("guest+7")
    (True, True, False, False)
    """
    return _LOCAL_PARTS.fullmatch(local.lower()) is not None


_TAG = re.compile(
    r"""
    \{\s*\{ | \{[%#$!@?^&=~] | \[\[ | \[% | \[= | <\?          # {{id}} {%id%} {$id} {!id} [[id]] [%id%] [=id] <?=id?>
    | <%(?![a-z0-9][^\s@<>]*@[^\s@<>%]+>)                      # <%=id%>, but not the address <%id@shop.example>
    | [$#@*~%]\{ | \$!\{ | \$\[ | [$@]\([a-z]                 # ${id} #{id} @{id} *{id} ~{id} %{id} $!{id} $[id]$ $(id)
    | \*\|[^|]*\|\* | ^\*\| | \|\*$                            # *|UNIQID|*
    | %%[^%]+%% | ^%%[a-z_=\[@] | %![a-z]?\(                   # %%_subscriberkey%% %%=v(@id)=%% %!s(<nil>)
    | \$\$[a-z_][\w.]*\$\$ | \#\#[a-z_][\w.:\ ]*\#\# | @@\w+@@ # $$id$$ ##id## @@id@@
    | <<[^<>]+>> | ^<span\ class= | ^<eloqua\b | ^~~[^~]+~~$    # ~~EmailAddress~~
    | \b(?:urlencode|redirectto|concat|attributevalue)\(       # AMPscript's functions
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A merge tag or its beginning, anywhere in the text: an ID that contains a tag is the same for all people."""

_SINGLE = re.compile(
    r"""
    %[a-z_][\w.:\ \-]*(?:\|[^%]*)?% | %\d*\$?[sdiufgxpv@] | \$[a-z_][\w.]*(?:\([^$]*\))?\$ | \#[a-z_][\w.:\ \-]*\#
    | @[a-z_][\w.]*@ | ~[a-z_][\w.]*~ | \{\d\} | @model\.[\w.]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Tags between single marks that no ID has at both ends."""

_PRINTED = re.compile(
    r"""
    \[object\ \w+\] | \#<[a-z].*>? | <.*\ at\ 0x[0-9a-f]+> | <class\ .*> | <built-in\ .*> | instance\ of\ .*
    | (?:hash|array|scalar|code|glob|ref)\(0x[0-9a-f]+\) | (?:table|function|userdata):\ 0x[0-9a-f]+
    | \[l[\w.$]+;@[0-9a-f]+ | (?:java|javax|kotlin|scala|groovy|clojure)\.\w+\.[\w.$]+(?:@[0-9a-f]+)?
    | system\.(?:object|string|dbnull|guid|void|nullable|collections|byte|char|int\d\d|lazy|func|threading|linq)\b.*
    | resource\ id\ \#\d+ | (?:array|map|set|list|dict|hash|object)(?:\(\)|\[\]|\{\}) | stdclass\ object
    | symbol\(.*\) | \[getter.*\] | <promise.*> | typeof\ .*
    | \[function.*\] | function\ ?\w*\(.*  | promise\ \{.* | \#ref(?:erence)?<.* | \[circular.*\] | \[native\ code\]
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Text that programs print instead of a value."""

_EXAMPLE = re.compile(
    r"(?:your|insert|enter|replace)[_ \-](?:\w+[_ \-])*(?:id|uid|key|email|name|sku)(?:[_ \-]here)?", re.IGNORECASE
)
"""Examples of IDs in manuals. As the name of an event, `Enter Email` means something."""

_PLAIN = re.compile(r"[A-Za-z0-9][\w.\-/+]*", re.ASCII)
_DIGIT = re.compile(r"[1-9]")
_BETWEEN = re.compile(r"[\s_\-]+")
_APART = re.compile(r"[\s_\-:/,;|@.=]+")
_NO_LETTER = re.compile(r"[^a-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ZEROS = re.compile(r"(?:0x)?[0\-.,:+ ]*0[0\-.,:+ ]*|-1(?:\.0)?", re.IGNORECASE)
_TWICE = re.compile(r"(null|nil|none|undefined|nan)\1+", re.IGNORECASE)
"""Two values that were joined: a first and a last name."""
_MASK = re.compile(r"x{3,}(?:[ -]x{3,})*", re.IGNORECASE)
_CODED = re.compile(r"%(?:25|7[b-e]|5[bdf]|3[a-e]|2[0-9a-e]|40|c2%[ab]b|e2%80%b[9a])", re.IGNORECASE)
"""Encoded marks of tags. Two letters after a percent sign may also begin a tag's own name: `%address%`."""
_CODINGS = 6
"""Maximum number of times that a tag was encoded."""
_QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a\u300c\u300d "
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2212"), "-")
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">", "\u00ab": "\u00bb"}
_ENDS = ",;:."
_NESTED = 4
"""Maximum number of nested quotes and brackets that are removed."""


class _Read(msgspec.Struct):
    """Text as it is compared: without quotes; without quotes and brackets; and its words separated by single spaces.

    `plain` text has no marks of templates and programs.
    """

    text: str
    bare: str
    words: str
    plain: bool = False


def _read(text: str) -> _Read:
    if _PLAIN.fullmatch(text):
        bare = text.rstrip(_ENDS)
        return _Read(text, bare, _BETWEEN.sub(" ", bare.lower()).strip(), plain=True)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_DASHES)
        text = "".join(char for char in text if unicodedata.category(char) != "Cf").strip()
    for _ in range(_CODINGS if "%" in text else 0):
        text = _CODED.sub(lambda code: unquote(code[0]), text)
    if "&" in text:
        text = unescape(text)
    text = text.strip(_QUOTES)
    if text.lower() != r"\n":
        text = text.replace("\\", "").strip(_QUOTES)
    bare = text
    for _ in range(_NESTED):
        inner = bare.strip(_QUOTES).rstrip(_ENDS)
        if len(inner) > 1 and _PAIRS.get(inner[0]) == inner[-1]:
            inner = inner[1:-1]
        if inner == bare:
            break
        bare = inner
    words = _BETWEEN.sub(" ", bare.lower())
    return _Read(text, bare, words if len(words) == 1 else words.strip())


def _is_null(it: _Read) -> bool:
    """Return whether this is a null value of a programming language, once or repeated."""
    if it.words in NULLS or it.bare.lower() in NULLS or it.text.lower() in NULLS or it.bare == "NaT":
        return True
    if _ZEROS.fullmatch(it.bare) or _PRINTED.fullmatch(it.bare):
        return True
    if not it.plain and (_PRINTED.fullmatch(it.text) or not any(map(_distinguishes, it.bare))):
        return True
    parts = _parts(it.bare)
    if len(parts) > 1:
        return all(part in NULLS for part in parts)
    return _TWICE.fullmatch(it.bare) is not None


def _distinguishes(character: str) -> bool:
    """Return whether a character can distinguish things: a letter, a digit or a picture, but not a mark."""
    return unicodedata.category(character)[0] not in "PZC" and character not in "$+<=>^`|~"


def _parts(text: str) -> list[str]:
    return [part for part in _APART.split(text.lower()) if part]


def _is_tag(it: _Read) -> bool:
    """Return whether this is or contains a template's placeholder."""
    text = it.text
    if it.plain:
        return False
    return bool(_TAG.search(text) or _SINGLE.fullmatch(text) or _SINGLE.fullmatch(it.bare)) or _is_field(text)


def _is_field(text: str) -> bool:
    """Return whether this is the name of a field between single marks: `[SUBSCRIBER_ID]`, `<userId>`, `-id-`, `:id`."""
    inner = text.strip("[]{}<>():$_-@~|=!&\u00ab\u00bb\u2039\u203a")
    if len(inner) == len(text) or text[0].isalnum() or "@" in inner or re.search(r"\d\d", inner):
        return False
    parts = [part for part in _NO_LETTER.split(_HUMP.sub(" ", inner).lower()) if part]
    if "".join(parts) in FIELDS:
        return True
    known = [part in PARTS for part in parts]
    return any(known) if _PAIRS.get(text[0]) == text[-1] else bool(known) and all(known)


_SHOWN_TAG = re.compile(r"\{\{|\{%|\*\||[$#]\{|<%|%%[^%]+%%")
_SHOWN_NULLS = frozenset("null NULL undefined UNDEFINED NaN nil N/A n/a #N/A nullptr".split())  # noqa: SIM905


def is_unfilled(text: str) -> bool:
    """Return whether text that people would read is none: a merge tag, or a null value as only programs write it.

    >>> is_unfilled("{{ contact.first_name }}"), is_unfilled("(null)"), is_unfilled("[FIRST NAME]"), is_unfilled("NULL")
    (True, True, True, True)
    >>> is_unfilled("Null"), is_unfilled("Nil"), is_unfilled("None"), is_unfilled("Your Name."), is_unfilled("[A] B")
    (False, False, False, False, False)
    """
    it = _read(text)
    if it.bare in _SHOWN_NULLS or (not it.plain and it.text[:1] in _PAIRS and it.bare != it.text and it.words in NULLS):
        return True
    if it.plain:
        return False
    if _SHOWN_TAG.search(it.text) or (_PRINTED.fullmatch(it.text) and not it.text[0].isalpha()):
        return True
    inner = it.text.strip("[]{}<>()$%*|~#@-_: \u00ab\u00bb")
    parts = [part for part in _NO_LETTER.split(_HUMP.sub(" ", inner).lower()) if part]
    framed = not it.text[:1].isalnum() and not it.text[-1:].isalnum() and "@" not in inner
    return framed and bool(parts) and ("".join(parts) in FIELDS or all(part in PARTS for part in parts))


def is_no_name(text: str) -> bool:
    """Return whether this cannot be the name of an event."""
    it = _read(text)
    return _is_null(it) or _is_tag(it)


def is_nothing(text: str) -> bool:
    """Return whether this cannot be the ID of a thing."""
    it = _read(text)
    return _is_null(it) or _is_tag(it) or _is_no_id(it, WORDS | FIELDS)


def is_nobody(text: str) -> bool:
    """Return whether this cannot be the ID of a person."""
    it = _read(text)
    return _is_null(it) or _is_tag(it) or _is_no_id(it, _PEOPLE) or _MASK.fullmatch(it.bare) is not None


_PEOPLE = WORDS | FIELDS | NOBODIES
_BESIDE = PARTS | NOBODIES | NULLS


def _is_no_id(it: _Read, words: frozenset[str]) -> bool:
    """Return whether this is one of these words, or a null value with filler words: `user_null`, `guest-undefined`."""
    if it.words in words or _EXAMPLE.fullmatch(it.bare) or _EXAMPLE.fullmatch(it.text):
        return True
    parts = _parts(it.bare)
    return len(parts) > 1 and any(part in NULLS for part in parts) and all(part in _BESIDE for part in parts)


class Placeholders:
    """The list, with the operator's additions and exceptions. Text is compared trimmed and in lower case.

    >>> USUAL.nobody("(null)"), USUAL.nobody("{{ customer.id }}"), USUAL.nobody("Guest"), USUAL.nobody("none-such")
    (True, True, True, False)
    >>> USUAL.nothing("N/A"), USUAL.nothing("0"), USUAL.nothing("007"), USUAL.nothing("-A-"), USUAL.nothing("guest")
    (True, True, False, False, False)
    >>> Placeholders(["till-*", "!unknown"]).nobody("Till-4"), Placeholders(["!unknown"]).nobody("unknown")
    (True, False)
    """

    def __init__(self, additions: Iterable[str] = ()) -> None:
        """Take the operator's list. In it, `*` matches any characters, and an entry with `!` is an exception."""
        words = [each.strip().lower() for each in additions if each.strip("! ")]
        self._more = _pattern(each for each in words if not each.startswith("!"))
        self._none = _pattern(each[1:].strip() for each in words if each.startswith("!"))
        self.nobody = self._kept(is_nobody)
        """Return whether text in the place of a person's ID identifies nobody."""
        self.nothing = self._kept(is_nothing)
        """Return whether text in the place of a product's or order's ID identifies nothing."""
        self.unfilled = self._kept(is_unfilled)
        """Return whether text that people would read is none."""
        self.no_name = self._kept(is_no_name)
        """Return whether text in the place of an event's name is none."""

    def no_variant(self, text: str) -> bool:
        """Return whether this text cannot be the variant of a product. Sizes 0, 00 and ½ exist."""
        if text.isdecimal() or not (any(map(str.isalpha, text)) or text.strip("-\u2013\u2014 ") == ""):
            return False
        return self.no_name(text)

    def _kept(self, usual: Callable[[str], bool]) -> Callable[[str], bool]:
        more, none = self._more, self._none

        def found(text: str) -> bool:
            text = text.strip()
            if none is not None and none.fullmatch(text.lower()):
                return False
            if more is not None and more.fullmatch(text.lower()):
                return True
            if len(text) > LONGEST:
                return False
            if _PLAIN.fullmatch(text) and _DIGIT.search(text):  # most IDs: no entry of the list looks like this
                return False
            return not text or usual(text)

        return lru_cache(maxsize=KEPT)(found)


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that matches any of these words; None without words."""
    each = [translate(word) for word in words]
    return re.compile("|".join(each)) if each else None


USUAL = Placeholders()
"""The built-in list."""
