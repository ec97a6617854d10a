"""What grows, and what waters it: plants, vases, cans."""

import math

from wetink.demo.drawing.canvas import Canvas, Drawing, arc, dim, flat_light, lit, round_light, rounded, smooth, turned

Palette = tuple[str, str, str]


def plant(canvas: Canvas, palette: Palette) -> None:
    """A fig with broad leaves in a clay pot."""
    main, accent, _ = palette
    canvas.shadow(400, 664, 116)
    stem = smooth([(400, 520), (396, 420), (404, 320), (398, 200)], closed=False)
    canvas.stroke(stem, 10, round_light("#7a5b41"), "across")
    leaves = (
        (398, 440, 200, 150, 84, 0.16), (402, 430, -18, 150, 84, 0.1), (399, 360, 214, 168, 96, 0.08),
        (403, 350, -36, 166, 96, 0.0), (398, 290, 236, 158, 92, 0.06), (402, 270, -54, 158, 92, -0.06),
        (399, 230, 262, 142, 82, 0.02), (400, 300, -88, 150, 86, -0.1),
    )  # fmt: skip
    for x, y, angle, length, width, shade in leaves:
        _leaf(canvas, x, y, angle, length, width, dim(main, shade) if shade > 0 else lit(main, -shade))
    _pot(canvas, accent)


def sansevieria(canvas: Canvas, palette: Palette) -> None:
    """A snake plant: upright blades with pale edges."""
    main, accent, _ = palette
    canvas.shadow(400, 664, 116)
    blades = (
        (352, -17, 300, 52), (448, 16, 320, 54), (378, -6, 400, 60), (426, 7, 380, 58),
        (338, -28, 220, 44), (466, 27, 230, 46), (402, 1, 330, 58),
    )  # fmt: skip
    for i, (x, lean, length, width) in enumerate(blades):
        turn = math.radians(lean - 90)
        tip = (x + length * math.cos(turn), 530 + length * math.sin(turn))
        middle = (x + length * 0.55 * math.cos(turn) + lean * 0.3, 530 + length * 0.55 * math.sin(turn))
        tone = dim(main, 0.18) if i % 2 else main
        for share, color in ((1.0, "#c8cf8a"), (0.74, tone)):
            half = width * share / 2
            side = [
                (x - half * 0.8, 540),
                (middle[0] - half, middle[1]),
                tip,
                (middle[0] + half, middle[1]),
                (x + half * 0.8, 540),
            ]
            canvas.fill(
                smooth(side, closed=False),
                ((0, dim(color, 0.12)), (0.4, lit(color, 0.24)), (1, dim(color, 0.25))),
                "across",
            )
        for band in range(7):
            share = 0.12 + band * 0.11
            bx, by = x + (tip[0] - x) * share, 530 + (tip[1] - 530) * share
            half = width * 0.3 * (1 - share * 0.5)
            canvas.stroke(
                smooth([(bx - half, by + 4), (bx, by - 3), (bx + half, by + 4)], closed=False),
                4,
                dim(tone, 0.42),
                alpha=0.34,
            )
    _pot(canvas, accent)


def hanging(canvas: Canvas, palette: Palette) -> None:
    """A trailing plant in a hanging pot."""
    main, accent, _ = palette
    canvas.soft(arc(450, 672, 150, 16), "#2a2a30", 26, 0.28)
    for end in (296, 400, 504):
        canvas.stroke([(400, -10), (end, 280)], 4, dim(accent, 0.3))
    for i in range(7):
        _leaf(canvas, 320 + i * 27, 282, -160 + i * 23, 92, 60, lit(main, 0.08 * (i % 3)))
    pot = turned(400, [(118, 270), (120, 320), (104, 390), (70, 430), (30, 436)])
    canvas.fill(pot, round_light(accent), "across")
    canvas.within(
        pot,
        lambda: canvas.fill(
            [(260, 316), (540, 316), (540, 340), (260, 340)], round_light(dim(accent, 0.3)), "across", 0.7
        ),
    )
    vines = (
        [(320, 280), (270, 320), (262, 420), (282, 520), (262, 610)],
        [(360, 284), (330, 360), (346, 460), (326, 560)],
        [(440, 284), (466, 350), (452, 450), (474, 540), (462, 640)],
        [(486, 280), (536, 330), (546, 430), (526, 500), (540, 570)],
        [(404, 290), (402, 380), (392, 470)],
    )
    for number, vine in enumerate(vines):
        line = smooth(vine, closed=False, steps=8)
        canvas.stroke(line, 3.4, dim(main, 0.25))
        for i in range(2, len(line), 5):
            x, y = line[i]
            size = 58 - 26 * i / len(line)
            angle = 90 + (58 if (i // 5 + number) % 2 else -58)
            _leaf(canvas, x, y, angle, size, size * 0.72, lit(main, 0.12) if i % 2 else dim(main, 0.06))


def vase(canvas: Canvas, palette: Palette) -> None:
    """A vase with dried reed."""
    main, accent, _ = palette
    canvas.shadow(400, 654, 104)
    for x, top, lean in (
        (388, 110, -96),
        (404, 70, -18),
        (412, 120, 84),
        (396, 160, -150),
        (410, 176, 142),
        (402, 96, 40),
    ):
        stem = smooth([(x, 400), (x + lean * 0.35, 280), (x + lean, top)], closed=False)
        canvas.stroke(stem, 3.4, dim(accent, 0.12))
        for i in range(24):
            share = 0.52 + i * 0.02
            px, py = stem[min(len(stem) - 1, int(share * len(stem)))]
            reach = 17 * math.sin(math.pi * (i + 2) / 27)
            tone = lit(accent, 0.2 + 0.25 * (i % 2))
            canvas.stroke([(px, py), (px - reach, py - 20)], 3.2, tone, alpha=0.8)
            canvas.stroke([(px, py), (px + reach, py - 20)], 3.2, lit(accent, 0.1), alpha=0.8)
    body = turned(400, [(36, 374), (32, 400), (40, 436), (90, 500), (108, 560), (98, 620), (70, 652), (30, 656)])
    canvas.fill(body, round_light(main), "across")

    def grooves() -> None:
        for y in (512, 526, 540):
            canvas.stroke(arc(400, y, 112, 16, 0, 180), 2.4, dim(main, 0.4), alpha=0.4)

    canvas.within(body, grooves)
    canvas.ellipse(400, 374, 36, 8, ((0, dim(main, 0.6)), (1, lit(main, 0.1))))
    canvas.soft(arc(346, 550, 10, 44), "#ffffff", 9, 0.5)


def can(canvas: Canvas, palette: Palette) -> None:
    """A watering can with a long spout."""
    main, accent, _ = palette
    canvas.shadow(420, 650, 160, 18)
    handle = smooth([(506, 442), (600, 372), (668, 440), (650, 540), (546, 600)], closed=False)
    canvas.stroke(handle, 19, ((0, lit(accent, 0.3)), (1, dim(accent, 0.3))))
    spout = smooth([(330, 600), (250, 520), (186, 384), (140, 300), (156, 288), (212, 370), (276, 470), (340, 512)])
    canvas.fill(spout, ((0, lit(main, 0.25)), (0.5, main), (1, dim(main, 0.32))), "slant")
    canvas.fill(
        smooth([(112, 318), (132, 282), (168, 262), (182, 276), (158, 304), (126, 332)]),
        flat_light(dim(main, 0.08), 0.26),
        "slant",
    )
    body = turned(430, [(96, 424), (112, 450), (128, 560), (134, 640), (90, 654)])
    canvas.fill(body, round_light(main), "across")

    def seams() -> None:
        for y in (456, 604):
            canvas.stroke(arc(430, y, 150, 22, 0, 180), 4, dim(main, 0.4), alpha=0.4)

    canvas.within(body, seams)
    canvas.ellipse(430, 424, 96, 20, ((0, lit(main, 0.4)), (1, main)), "across")
    canvas.ellipse(430, 426, 84, 15, ((0, dim(main, 0.65)), (1, dim(main, 0.3))))
    bow = arc(430, 424, 82, 118, 180, 360)
    canvas.stroke(bow, 15, ((0, lit(accent, 0.3)), (1, dim(accent, 0.25))))
    canvas.soft(turned(352, [(8, 470), (10, 540), (7, 620)]), "#ffffff", 8, 0.5)


def _pot(canvas: Canvas, color: str) -> None:
    canvas.ellipse(400, 512, 112, 20, dim("#5b4030", 0.35))
    body = turned(400, [(108, 512), (102, 580), (88, 650), (70, 664), (30, 666)])
    canvas.fill(body, round_light(color), "across")
    canvas.within(body, lambda: canvas.soft(rounded(280, 540, 520, 560, 8), dim(color, 0.7), 10, 0.4))
    lip = [*arc(400, 500, 122, 20, 180, 0)[::-1], *arc(400, 536, 116, 20, 180, 0)]
    canvas.ellipse(400, 502, 122, 20, dim(color, 0.2))
    canvas.ellipse(400, 504, 108, 14, "#4a3629")
    front = [*arc(400, 502, 122, 20, 0, 180), *arc(400, 536, 116, 20, 180, 0)]
    canvas.fill(front, round_light(lit(color, 0.08)), "across")
    canvas.stroke(lip[: len(lip) // 2], 2, lit(color, 0.4), alpha=0.5)


def _leaf(canvas: Canvas, x: float, y: float, angle: float, length: float, width: float, color: str) -> None:
    turn = math.radians(angle)
    cos, sin = math.cos(turn), math.sin(turn)

    def at(along: float, aside: float) -> tuple[float, float]:
        return x + length * along * cos - width * aside * sin, y + length * along * sin + width * aside * cos

    rib = [at(0, 0), at(0.35, 0.03), at(0.7, 0.02), at(1, 0)]
    upper = smooth([at(0, 0), at(0.22, 0.24), at(0.52, 0.5), at(0.82, 0.36), at(1, 0)], closed=False)
    lower = smooth([at(0, 0), at(0.22, -0.24), at(0.52, -0.5), at(0.82, -0.36), at(1, 0)], closed=False)
    if length > 80:
        canvas.soft([(px + 6, py + 10) for px, py in [*upper, *reversed(lower)]], "#14241c", 9, 0.28)
    canvas.fill([*upper, *reversed(rib)], ((0, lit(color, 0.26)), (1, color)))
    canvas.fill([*lower, *reversed(rib)], ((0, lit(color, 0.06)), (1, dim(color, 0.3))))
    canvas.stroke(smooth(rib, closed=False), 2.2, lit(color, 0.5), alpha=0.7)
    if length > 80:
        for i in range(1, 5):
            along = 0.12 + i * 0.16
            for aside in (0.36, -0.36):
                canvas.stroke(
                    [at(along, 0), at(along + 0.12, aside * math.sin(math.pi * (along + 0.08)))],
                    1.3,
                    lit(color, 0.45),
                    alpha=0.4,
                )


SHAPES: dict[str, Drawing] = {"plant": plant, "sansevieria": sansevieria, "hanging": hanging, "vase": vase, "can": can}
