"""Weight: what a picture weighs, and what had to give for it, in the words of a decision's trace."""

from wetink.core.blocks.block import Block
from wetink.opens.render_request import MOVING_SHARE
from wetink.ports import Picture


def weight(block: Block, picture: Picture) -> str:
    """Return what a block's picture weighs beside what it may.

    >>> from wetink.core.blocks.block import Fallback
    >>> hero = Block("hero", Fallback("https://shop.example/"), kilobytes=40)
    >>> weight(hero, Picture(bytes(38_200), "image/jpeg"))
    '38 KB, of 40 KB at most'
    >>> weight(hero, Picture(bytes(39_900), "image/jpeg", note="JPEG at quality 74, to weigh no more than 40 KB"))
    '40 KB: JPEG at quality 74, to weigh no more than 40 KB'
    >>> weight(hero, Picture(bytes(51_000), "image/png"))
    '51 KB, more than the 40 KB it may weigh'
    """
    most = block.kilobytes * 1000
    if picture.content_type == "image/gif":
        most = round(most * MOVING_SHARE)
    size = f"{len(picture.body) / 1000:.0f} KB"
    if picture.note:
        return f"{size}: {picture.note}"
    if len(picture.body) > most:
        return f"{size}, more than the {most // 1000} KB it may weigh"
    return f"{size}, of {most // 1000} KB at most"
