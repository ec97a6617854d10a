"""Snippet: the HTML to paste into an email for a block."""

from html import escape
from urllib.parse import urlencode

from wetink.core.block import Block


def snippet(block: Block, picture_token: str, click_token: str, address: str, campaign: str = "") -> str:
    """Return one linked picture for each slot, with its size and alternative text."""
    query = f"?{urlencode({'c': campaign})}" if campaign else ""
    ending = "png" if block.transparent else "jpg"
    lines = []
    for slot in range(1, block.slots + 1):
        source = escape(f"{address}/o/{block.name}/{slot}/{picture_token}.{ending}{query}")
        target = escape(f"{address}/c/{block.name}/{slot}/{click_token}{query}")
        alt = escape(block.alt or block.title or block.fallback.title)
        lines.append(
            f'<a href="{target}"><img src="{source}" width="{block.width}" height="{block.height}" alt="{alt}" '
            f'border="0" style="display:inline-block;border:0;max-width:100%;height:auto"></a>'
        )
    return "\n".join(lines)
