"""Mosaics: JPEGs put together from parts that were encoded before, with restart markers between them.

After a restart marker a JPEG begins anew (ITU-T T.81, section E.1.4), so what stands between two of them depends on no
pixel of any other place. A page of tiles is cut into cells, each with all the tiles that reach into it: a cell whose
tiles were seen in that place before is encoded already, and what is joined is, byte for byte, what all of it encoded at
once would be.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, combinations, pairwise
from typing import TypeAlias

import msgspec
import numpy as np

from wetink.render.compose import Pixels
from wetink.render.encode import QUALITIES, turbo

SIDE = 8
"""Device pixels along a side of a JPEG's blocks, as long as color is at full resolution."""
MOST_SEGMENTS = 20
"""Segments of one row of blocks. Each weighs about four bytes more: at this many, a picture weighs a twentieth more."""

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_MARKERS = tuple(bytes((0xFF, 0xD0 + turn)) for turn in range(8))
_END = b"\xff\xd9"
_FRAME, _SCAN = b"\xff\xc0", b"\xff\xda"

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in device pixels."""


class Cell(msgspec.Struct, frozen=True):
    """A part of a picture: segments `left` to `right` of the rows of blocks `top` to `bottom`, the ends not among them.

    `tiles` says, by their number, which boxes reach into it.
    """

    left: int
    right: int
    top: int
    bottom: int
    tiles: tuple[int, ...]

    @property
    def rect(self) -> tuple[int, int, int, int]:
        """Where it is, without its tiles."""
        return self.left, self.right, self.top, self.bottom


class Grid(msgspec.Struct, frozen=True):
    """How a picture of `width` by `height` device pixels is cut: cells from left to right and from top to bottom."""

    width: int
    height: int
    blocks: int
    """Blocks of one segment."""
    segments: int
    """Segments of one row of blocks."""
    cells: tuple[Cell, ...]

    def box(self, cell: Cell) -> Box:
        """Return the pixels of a cell."""
        step = self.blocks * SIDE
        left, top = cell.left * step, cell.top * SIDE
        return left, top, min(cell.right * step, self.width) - left, min(cell.bottom * SIDE, self.height) - top


@lru_cache(maxsize=512)
def grid(width: int, height: int, boxes: tuple[Box, ...]) -> Grid:
    """Return how a picture is best cut whose tiles lie in these boxes: if that can be, no two tiles into one cell."""
    across, down = -(-width // SIDE), -(-height // SIDE)
    spans = [_blocks(box) for box in boxes]
    fit = [each for each in range(1, MOST_SEGMENTS + 1) if across % each == 0]
    segments = min(fit, key=lambda each: _conflicts(spans, across // each))
    blocks = across // segments
    edges = sorted({0, down, *(edge for _, _, top, bottom in spans for edge in (top, bottom))})
    cells: list[Cell] = []
    for top, bottom in pairwise(edges):
        at = 0
        for left, right, tiles in _runs(spans, blocks, top):
            if left > at:
                cells.append(Cell(at, left, top, bottom, ()))
            cells.append(Cell(left, right, top, bottom, tiles))
            at = right
        if at < segments:
            cells.append(Cell(at, segments, top, bottom, ()))
    return Grid(width, height, blocks, segments, tuple(cells))


def _blocks(box: Box) -> Box:
    """Return the blocks a box reaches into: left, right, top and bottom, the ends not among them."""
    left, top, width, height = box
    return left // SIDE, -(-(left + width) // SIDE), top // SIDE, -(-(top + height) // SIDE)


def _conflicts(spans: Sequence[Box], blocks: int) -> int:
    """Return how many pairs of tiles reach into the same segment, if segments have so many blocks."""
    return sum(
        one[2] < other[3]
        and other[2] < one[3]
        and one[0] // blocks <= (other[1] - 1) // blocks
        and other[0] // blocks <= (one[1] - 1) // blocks
        for one, other in combinations(spans, 2)
    )


def _runs(spans: Sequence[Box], blocks: int, row: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return the segments of a row of blocks that tiles reach into, those together that share one, with the tiles."""
    found: list[tuple[int, int, tuple[int, ...]]] = []
    met = (
        (left // blocks, -(-right // blocks), tile)
        for tile, (left, right, top, bottom) in enumerate(spans)
        if top <= row < bottom
    )
    for left, right, tile in sorted(met):
        if found and left < found[-1][1]:
            start, end, others = found.pop()
            found.append((start, max(end, right), (*others, tile)))
        else:
            found.append((left, right, (tile,)))
    return found


def encoded(grid: Grid, cell: Cell, pixels: Pixels) -> tuple[bytes, ...]:
    """Return the pixels of a cell as a JPEG has them: for each row of blocks its segments, each with its marker."""
    segments = _RESTART.split(_scan(turbo(pixels, QUALITIES[0], restart=grid.blocks)))
    across = cell.right - cell.left
    rows: list[bytes] = []
    for number, row in enumerate(range(cell.top, cell.bottom)):
        first = row * grid.segments + cell.left
        mine = segments[number * across : (number + 1) * across]
        rows.append(b"".join([part for turn, each in enumerate(mine, first) for part in (each, _MARKERS[turn % 8])]))
    if across == grid.segments:  # as wide as the picture, they follow each other
        rows = [b"".join(rows)]
    return tuple(rows)


def joined(grid: Grid, parts: Sequence[tuple[bytes, ...]]) -> bytes:
    """Return the JPEG whose cells, in the grid's order, are `encoded` so."""
    body = [_head(grid.width, grid.height, grid.blocks)]
    at = 0
    while at < len(parts):
        beside = at + 1
        while beside < len(parts) and grid.cells[beside].top == grid.cells[at].top:
            beside += 1
        body += chain.from_iterable(zip(*parts[at:beside], strict=True))
        at = beside
    whole = b"".join(body)
    return whole[: -len(_END)] + _END  # in place of the last marker


@lru_cache(maxsize=64)
def _head(width: int, height: int, blocks: int) -> bytes:
    """Return what stands in a JPEG before its first block: the same as in one that is one row high, but for that."""
    row = turbo(np.zeros((1, width, 4), np.uint8), QUALITIES[0], restart=blocks)
    head = row[: len(row) - len(_scan(row)) - len(_END)]
    at = head.index(_FRAME) + 5  # after the marker, the length and the precision of eight bits
    return head[:at] + height.to_bytes(2) + head[at + 2 :]


def _scan(body: bytes) -> bytes:
    """Return what stands in a JPEG between its headers and its end."""
    at = body.index(_SCAN) + 2
    return body[at + int.from_bytes(body[at : at + 2]) : -len(_END)]
