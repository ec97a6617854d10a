"""Mosaics: JPEGs joined from parts that were encoded before, with restart markers between them.

After a restart marker a JPEG starts over (ITU-T T.81, section E.1.4), so the data between two of them depends on no
pixel of any other place. A page of tiles is divided into cells, each with all the tiles that reach into it. A cell
whose tiles were drawn in that place before is encoded already, and the joined parts equal, byte for byte, the whole
picture encoded at once.
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
"""Device pixels along a side of a JPEG's blocks, while color keeps its full resolution."""
MOST_SEGMENTS = 20
"""Segments of one row of blocks. Each adds about four bytes: at this many, a picture weighs a twentieth more."""

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_MARKERS = tuple(bytes((0xFF, 0xD0 + turn)) for turn in range(8))
_END = b"\xff\xd9"
_FRAME, _SCAN = b"\xff\xc0", b"\xff\xda"

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in device pixels."""


class Cell(msgspec.Struct, frozen=True):
    """A part of a picture: segments `left` to `right` of the rows of blocks `top` to `bottom`, both ends excluded.

    `tiles` are the numbers of the boxes that reach into it.
    """

    left: int
    right: int
    top: int
    bottom: int
    tiles: tuple[int, ...]

    @property
    def rect(self) -> tuple[int, int, int, int]:
        """Its place, without its tiles."""
        return self.left, self.right, self.top, self.bottom


class Grid(msgspec.Struct, frozen=True):
    """The division of a picture of `width` by `height` device pixels into cells, from left to right, top to bottom."""

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
    """Return the best division of a picture with tiles in these boxes: if possible, no two tiles share a cell."""
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
    """Return the blocks that a box reaches into: left, right, top and bottom, with right and bottom excluded."""
    left, top, width, height = box
    return left // SIDE, -(-(left + width) // SIDE), top // SIDE, -(-(top + height) // SIDE)


def _conflicts(spans: Sequence[Box], blocks: int) -> int:
    """Return the number of pairs of tiles that reach into the same segment, for segments of `blocks` blocks."""
    return sum(
        one[2] < other[3]
        and other[2] < one[3]
        and one[0] // blocks <= (other[1] - 1) // blocks
        and other[0] // blocks <= (one[1] - 1) // blocks
        for one, other in combinations(spans, 2)
    )


def _runs(spans: Sequence[Box], blocks: int, row: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return the runs of segments of a row of blocks that tiles reach into, each with its tiles."""
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
    """Return a cell's pixels encoded for a JPEG: for each row of blocks its segments, each with its marker."""
    segments = _RESTART.split(_scan(turbo(pixels, QUALITIES[0], restart=grid.blocks)))
    across = cell.right - cell.left
    rows: list[bytes] = []
    for number, row in enumerate(range(cell.top, cell.bottom)):
        first = row * grid.segments + cell.left
        mine = segments[number * across : (number + 1) * across]
        rows.append(b"".join([part for turn, each in enumerate(mine, first) for part in (each, _MARKERS[turn % 8])]))
    if across == grid.segments:  # as wide as the picture: its rows follow each other
        rows = [b"".join(rows)]
    return tuple(rows)


def joined(grid: Grid, parts: Sequence[tuple[bytes, ...]]) -> bytes:
    """Return the JPEG of a grid from its cells, each as `encoded` returns it, in the grid's order."""
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
    """Return the headers of a JPEG: those of a JPEG that is one row high, with the height replaced."""
    row = turbo(np.zeros((1, width, 4), np.uint8), QUALITIES[0], restart=blocks)
    head = row[: len(row) - len(_scan(row)) - len(_END)]
    at = head.index(_FRAME) + 5  # after the marker, the length and the precision of eight bits
    return head[:at] + height.to_bytes(2) + head[at + 2 :]


def _scan(body: bytes) -> bytes:
    """Return the data of a JPEG between its headers and its end."""
    at = body.index(_SCAN) + 2
    return body[at + int.from_bytes(body[at : at + 2]) : -len(_END)]
