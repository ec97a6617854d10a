"""Embed: a block's HTML for emails and pages, with an ESP's merge tags or for one person."""

import logging
from collections.abc import Sequence
from html import escape
from ipaddress import ip_address
from typing import Literal
from urllib.parse import quote_plus, urlencode, urlsplit

from wetink.content.content import Content
from wetink.core.blocks.block import Block, alt_of
from wetink.core.blocks.esp import BY_NAME, HOLE, Esp
from wetink.core.errors import BadRequest, NotFound, WetinkError
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.open import Opens
from wetink.opens.recipient import Seals

logger = logging.getLogger(__name__)

RATIOS = (1, 2, 3)
STYLE = "display:inline-block;border:0;max-width:100%;height:auto"

_LOCAL = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")
_TAGS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "{}[]%*|"})
"""The characters that begin ESPs' tags, as HTML entities: an alternative text must never act as a template."""


class Embed:
    """Writes the HTML and the alternative texts of blocks."""

    def __init__(self, opens: Opens, seals: Seals, address: str) -> None:
        """Take the service that decides, the seals for recipients, and the public URL of this server."""
        self._opens, self._seals, self.address = opens, seals, address.rstrip("/")

    async def words(self, content: Content, block: str, slot: int, who: Identifier | None, moment: Moment) -> str:
        """Return the alternative text of a slot's picture. Never raises; empty for an unknown block."""
        found = content.answering(block)
        if found is None:
            return ""
        try:
            decision = await self._opens.preview(content, found, who, moment) if slot <= found.slots else None
        except WetinkError as error:
            logger.warning("%s answers with less: %s", block, error)
            decision = None
        except Exception:
            logger.exception("%s answers with less", block)
            decision = None
        return alt_of(found, decision, slot, moment.language)

    async def fragment(self, content: Content, block: str, who: Identifier | None, moment: Moment) -> str:
        """Return a block's linked pictures as HTML for a page, with alternative texts. Never raises."""
        found = content.answering(block)
        if found is None or who is None:
            return ""
        words = [await self.words(content, found.name, slot, who, moment) for slot in range(1, found.slots + 1)]
        picture, click = self._seals.seal(who, found.name, "picture"), self._seals.seal(who, found.name, "click")
        return snippet(found, picture, click, self.address, moment.campaign, words, ratios=RATIOS)

    def snippet(self, content: Content, block: str, who: Identifier, base_url: str, campaign: str = "") -> str:
        """Return the HTML to paste into an email to `who`. Raises NotFound."""
        there = content.block(block)
        picture, click = self._seals.seal(who, there.name, "picture"), self._seals.seal(who, there.name, "click")
        return snippet(there, picture, click, base_url.rstrip("/"), campaign)

    def esp_snippet(
        self,
        content: Content,
        block: str,
        esp: str,
        campaign: str = "",
        kind: Literal["user", "email"] | None = None,
    ) -> str:
        """Return the HTML to paste into an email that an ESP sends to many people. Raises NotFound and BadRequest."""
        if esp not in BY_NAME:
            raise NotFound(f"there is no ESP called {esp[:40]!r}", hint=", ".join(BY_NAME))
        return esp_snippet(content.block(block), BY_NAME[esp], self.address, campaign, kind)


def snippet(
    block: Block,
    picture_token: str,
    click_token: str,
    address: str,
    campaign: str = "",
    words: Sequence[str] = (),
    *,
    ratios: Sequence[int] = (),
) -> str:
    """Return one linked picture for each slot, with its size and alternative text: from `words`, else from the block.

    `ratios` are the pixel ratios that `srcset` offers to a browser. Mail clients get a single picture.
    """
    query = f"?{urlencode({'c': campaign})}" if campaign else ""
    lines = []
    for slot in range(1, block.slots + 1):
        source = f"{address}/o/{block.name}/{slot}/{picture_token}.{_ending(block)}{query}"
        target = f"{address}/c/{block.name}/{slot}/{click_token}{query}"
        alt = words[slot - 1] if slot <= len(words) else ""
        each = ", ".join(f"{source}{'&' if query else '?'}r={ratio} {ratio}x" for ratio in ratios)
        lines.append(_linked(block, escape(source), escape(target), alt, escape(each)))
    return "\n".join(lines)


def is_local(address: str) -> bool:
    """Return whether an address is unreachable from the internet: this machine, a private network, or a bare name.

    >>> [is_local(f"http://{host}/") for host in ("localhost:8200", "10.0.0.7", "[::1]", "ink", "ink.local")]
    [True, True, True, True, True]
    >>> is_local("https://ink.shop.example"), is_local("http://8.8.8.8:8080"), is_local("http://[2606:4700::1]")
    (False, False, False)
    """
    host = ""
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_LOCAL)


def esp_snippet(
    block: Block, esp: Esp, address: str, campaign: str = "", kind: Literal["user", "email"] | None = None
) -> str:
    """Return one linked picture for each slot, with the ESP's tags for the recipient and the campaign in its URLs.

    `kind` is the kind of identifier in the URLs; without it, the first that the block allows. A given `campaign`
    replaces the ESP's campaign tag. Raises BadRequest if the block allows no plain recipient, or not this kind.
    """
    chosen = kind or next(iter(block.recipients), None)
    if chosen is None or chosen not in block.recipients:
        raise BadRequest(
            f"block {block.name} allows no plain {chosen or 'recipient'} in its URLs",
            hint=f"add `recipients: [{chosen or 'user'}]` to the block",
            where=f"{block.name}.recipients",
        )
    field = esp.user if chosen == "user" else esp.email
    link_tag = esp.link_tag or esp.tag
    lines = []
    for slot in range(1, block.slots + 1):
        source = f"{address}/o/{block.name}/{slot}.{_ending(block)}{_query(chosen, field, esp, esp.tag, campaign)}"
        target = f"{address}/c/{block.name}/{slot}{_query(chosen, field, esp, link_tag, campaign)}"
        lines.append(_linked(block, source, esp.link.replace(HOLE, target)))
    return "\n".join(lines)


def _query(kind: str, field: str, esp: Esp, tag: str, campaign: str) -> str:
    # A bare & is valid before "c=", and unlike &amp; it is the same inside a template's own quotes.
    query = f"?{kind}={tag.replace(HOLE, field)}"
    if campaign:
        return f"{query}&c={quote_plus(campaign)}"
    return f"{query}&c={tag.replace(HOLE, esp.campaign)}" if esp.campaign else query


def _ending(block: Block) -> str:
    return "gif" if block.moving else "png" if block.transparent else "jpg"


def _linked(block: Block, source: str, target: str, words: str = "", srcset: str = "") -> str:
    alt = escape(words or block.alt or block.title or block.fallback.title).translate(_TAGS)
    sizes = f' srcset="{srcset}"' if srcset else ""
    return (
        f'<a href="{target}"><img src="{source}"{sizes} width="{block.width}" '
        f'height="{block.height}" alt="{alt}" border="0" style="{STYLE}"></a>'
    )
