"""Canvas: filled shapes with painted light on a studio backdrop, drawn at twice the size and reduced at the end.

Coordinates are in an 800 x 800 frame, y down. Blurred things (shadows, glows) are drawn at an eighth of the working
size, which no eye can tell and which costs next to nothing.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from PIL import Image, ImageColor, ImageDraw, ImageFilter

SIZE, OVER, COARSE = 800, 2, 8
FLOOR = 610

Point = tuple[float, float]
Path = Sequence[Point]
Color = tuple[int, int, int]
Stops = Sequence[tuple[float, str]]
Drawing = Callable[["Canvas", tuple[str, str, str]], None]
"""Draws a product in (main, accent, backdrop) colors."""


def mix(one: str, other: str, share: float) -> str:
    """Return `one` with `share` (0..1) of `other` in it.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def lit(color: str, share: float = 0.3) -> str:
    """Return the color in warm light."""
    return mix(color, "#fffaf0", share)


def dim(color: str, share: float = 0.3) -> str:
    """Return the color in cool shade."""
    return mix(color, "#1b2230", share)


def round_light(color: str) -> Stops:
    """Return the light across something round, the window being on the left."""
    return (
        (0, dim(color, 0.22)),
        (0.14, color),
        (0.32, lit(color, 0.34)),
        (0.5, lit(color, 0.08)),
        (0.78, dim(color, 0.22)),
        (0.94, dim(color, 0.38)),
        (1, dim(color, 0.3)),
    )


def flat_light(color: str, depth: float = 0.16) -> Stops:
    """Return the light over something flat."""
    return ((0, lit(color, depth)), (0.45, color), (1, dim(color, depth)))


def smooth(points: Path, *, closed: bool = True, steps: int = 14) -> list[Point]:
    """Return a Catmull-Rom curve through the points."""
    count = len(points)
    curve: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_cubic(a[0], b[0], c[0], d[0], t), _cubic(a[1], b[1], c[1], d[1], t)))
    if not closed:
        curve.append(points[-1])
    return curve


def _cubic(a: float, b: float, c: float, d: float, t: float) -> float:
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def turned(center: float, profile: Path) -> list[Point]:
    """Return the outline of something turned on a lathe: (half width, y) from top to bottom."""
    side = smooth(profile, closed=False)
    return [(center + half, y) for half, y in side] + [(center - half, y) for half, y in reversed(side)]


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> list[Point]:
    """Return a rectangle with round corners."""
    right, left, top, foot = x1 - radius, x0 + radius, y0 + radius, y1 - radius
    corners = ((right, top, -90), (right, foot, 0), (left, foot, 90), (left, top, 180))
    return [point for x, y, start in corners for point in arc(x, y, radius, radius, start, start + 90)]


def arc(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> list[Point]:
    """Return the points of an arc around (x, y), angles in degrees clockwise from the right."""
    steps = max(8, int(abs(end - start) / 5))
    turns = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns]


class Canvas:
    """A picture being drawn."""

    def __init__(self, backdrop: str) -> None:
        """Set up the studio: a wall, a floor, and a window's light from the upper left."""
        wall = _ramp(((0, lit(backdrop, 0.3)), (1, dim(backdrop, 0.03))), "down", (SIZE * OVER, SIZE * OVER))
        self._image = wall
        floor = dim(backdrop, 0.1)
        self.fill(
            [(0, FLOOR - 34), (800, FLOOR - 34), (800, 800), (0, 800)], ((0, lit(floor, 0.1)), (1, lit(floor, 0.34)))
        )
        self.soft(
            [(0, FLOOR - 60), (800, FLOOR - 60), (800, FLOOR - 20), (0, FLOOR - 20)], dim(backdrop, 0.22), 30, 0.35
        )
        self.soft([(60, -60), (420, -60), (560, 520), (260, 520)], "#ffffff", 110, 0.4)

    def fill(self, outline: Path, paint: str | Stops, direction: str = "down", alpha: float = 1.0) -> None:
        """Fill an outline with a color, or with a gradient running `down`, `across` or `slant`."""
        box = self._box(outline)
        if box is None:
            return
        x, y, width, height = box
        mask = Image.new("L", (width, height), 0)
        ImageDraw.Draw(mask).polygon([(px * OVER - x, py * OVER - y) for px, py in outline], fill=round(255 * alpha))
        self._image.paste(_paint(paint, direction, (width, height)), (x, y), mask)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, paint: str | Stops, direction: str = "down", alpha: float = 1.0
    ) -> None:
        """Fill an ellipse."""
        self.fill(arc(x, y, rx, ry), paint, direction, alpha)

    def stroke(self, line: Path, width: float, paint: str | Stops, direction: str = "down", alpha: float = 1.0) -> None:
        """Draw a line with round ends."""
        spread = [(x + dx, y + dy) for x, y in line for dx in (-width, width) for dy in (-width, width)]
        box = self._box(spread)
        if box is None:
            return
        x, y, wide, high = box
        mask = Image.new("L", (wide, high), 0)
        draw, tone = ImageDraw.Draw(mask), round(255 * alpha)
        points = [(px * OVER - x, py * OVER - y) for px, py in line]
        draw.line(points, fill=tone, width=max(1, round(width * OVER)), joint="curve")
        radius = width * OVER / 2
        for px, py in (points[0], points[-1]):
            draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=tone)
        self._image.paste(_paint(paint, direction, (wide, high)), (x, y), mask)

    def soft(self, outline: Path, color: str, blur: float, alpha: float) -> None:
        """Lay a blurred shape over the picture: a shadow or a glow."""
        reach = 3 * blur
        box = self._box([(x + dx, y + dy) for x, y in outline for dx in (-reach, reach) for dy in (-reach, reach)])
        if box is None:
            return
        x, y, width, height = box
        scale = OVER / COARSE
        mask = Image.new("L", (width // COARSE + 1, height // COARSE + 1), 0)
        points = [(px * scale - x / COARSE, py * scale - y / COARSE) for px, py in outline]
        ImageDraw.Draw(mask).polygon(points, fill=round(255 * alpha))
        mask = mask.filter(ImageFilter.GaussianBlur(blur * scale))
        mask = mask.resize((mask.width * COARSE, mask.height * COARSE), Image.Resampling.BICUBIC)
        self._image.paste(ImageColor.getrgb(color), (x, y, x + width, y + height), mask.crop((0, 0, width, height)))

    def shadow(self, x: float, y: float, half: float, height: float = 16, color: str = "#2a2a30") -> None:
        """Put something on the floor: a wide soft shadow to the right and a tight dark one at the foot."""
        self.soft(arc(x + half * 0.35, y + 4, half * 1.3, height * 1.5), color, 26, 0.34)
        self.soft(arc(x + 6, y, half * 1.02, height * 0.62), color, 8, 0.55)

    def within(self, outline: Path, draw: Callable[[], None]) -> None:
        """Run `draw`, whose marks stay inside the outline."""
        box = self._box(outline)
        if box is None:
            return
        before = self._image.copy()
        x, y, width, height = box
        draw()
        inside = self._image.crop((x, y, x + width, y + height))
        mask = Image.new("L", (width, height), 0)
        ImageDraw.Draw(mask).polygon([(px * OVER - x, py * OVER - y) for px, py in outline], fill=255)
        self._image = before
        self._image.paste(inside, (x, y), mask)

    def finish(self, frame: tuple[int, int, int] = (0, 0, SIZE)) -> Image.Image:
        """Return the picture at its true size; `frame` (left, top, side) brings a small thing nearer."""
        x, y, side = (each * OVER for each in frame)
        if side == SIZE * OVER:
            return self._image.reduce(OVER)
        return self._image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, (x, y, x + side, y + side))

    def _box(self, outline: Path) -> tuple[int, int, int, int] | None:
        edge = SIZE * OVER
        x0 = max(0, math.floor(min(x for x, _ in outline) * OVER))
        y0 = max(0, math.floor(min(y for _, y in outline) * OVER))
        x1 = min(edge, math.ceil(max(x for x, _ in outline) * OVER) + 1)
        y1 = min(edge, math.ceil(max(y for _, y in outline) * OVER) + 1)
        return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _paint(paint: str | Stops, direction: str, size: tuple[int, int]) -> Image.Image:
    if isinstance(paint, str):
        return Image.new("RGB", size, paint)
    return _ramp(paint, direction, size)


def _ramp(stops: Stops, direction: str, size: tuple[int, int]) -> Image.Image:
    colors = [_at(stops, i / 255) for i in range(256)]
    if direction == "slant":
        tile = Image.new("RGB", (64, 64))
        tile.putdata([colors[(x + y) * 2] for y in range(64) for x in range(64)])
    else:
        tile = Image.new("RGB", (256, 1) if direction == "across" else (1, 256))
        tile.putdata(colors)
    return tile.resize(size, Image.Resampling.BILINEAR)


def _at(stops: Stops, place: float) -> Color:
    for (left, one), (right, other) in pairwise(stops):
        if place <= right:
            share = (place - left) / (right - left) if right > left else 0
            color = ImageColor.getrgb(mix(one, other, max(0.0, share)))
            return color[0], color[1], color[2]
    color = ImageColor.getrgb(stops[-1][1])
    return color[0], color[1], color[2]
