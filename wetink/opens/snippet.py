"""Snippet: the HTML to paste into an email for a block, to one person or with an ESP's merge tags for all."""

from collections.abc import Sequence
from html import escape
from ipaddress import ip_address
from typing import Literal
from urllib.parse import quote_plus, urlencode, urlsplit

from wetink.core.blocks.block import Block
from wetink.core.blocks.esp import HOLE, Esp
from wetink.core.errors import BadRequest

STYLE = "display:inline-block;border:0;max-width:100%;height:auto"

_LOCAL = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")
_TAGS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "{}[]%*|"})
"""What would begin an ESP's tag, as HTML that reads the same: an alternative text is never a template."""


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
    """Return one linked picture for each slot, with its size and alternative text: `words`, else the block's.

    `ratios` are the pixel ratios a browser may choose from, by `srcset`; mail programs get the one picture.
    """
    query = f"?{urlencode({'c': campaign})}" if campaign else ""
    lines = []
    for slot in range(1, block.slots + 1):
        source = f"{address}/o/{block.name}/{slot}/{picture_token}.{_ending(block)}{query}"
        target = f"{address}/c/{block.name}/{slot}/{click_token}{query}"
        said = words[slot - 1] if slot <= len(words) else ""
        each = ", ".join(f"{source}{'&' if query else '?'}r={ratio} {ratio}x" for ratio in ratios)
        lines.append(_linked(block, escape(source), escape(target), said, escape(each)))
    return "\n".join(lines)


def is_local(address: str) -> bool:
    """Whether the world cannot reach an address: it is this machine's, a private network's, or has a name of neither.

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

    `kind` says what names the recipient; without it, what the block names first. A `campaign` that is given stands in
    the URLs in place of the ESP's own. Raises BadRequest when the block allows no plain recipient, or not this kind.
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


def mended(kind: str, value: str) -> str:
    """Return a recipient's value as it was before an ESP put it into a query without encoding.

    A bare `+` there reads as a space, and no address has a space inside.

    >>> mended("email", "jane tag@shop.example"), mended("user", "a b")
    ('jane+tag@shop.example', 'a b')
    """
    return value.strip().replace(" ", "+") if kind == "email" else value


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
