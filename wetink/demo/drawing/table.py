"""What stands on the table: mugs, teapots, bowls, a carafe."""

import math

from wetink.demo.drawing.canvas import Canvas, Drawing, arc, dim, flat_light, lit, mix, round_light, smooth, turned

Palette = tuple[str, str, str]


def mug(canvas: Canvas, palette: Palette) -> None:
    """A stoneware mug, dipped in a second glaze."""
    main, accent, _ = palette
    canvas.shadow(392, 642, 138)
    handle = smooth([(500, 408), (572, 392), (606, 462), (580, 540), (498, 570)], closed=False)
    canvas.stroke(handle, 34, ((0, lit(main, 0.2)), (1, dim(main, 0.25))))
    canvas.stroke([(x - 3, y - 5) for x, y in handle], 8, lit(main, 0.4), alpha=0.45)
    body = turned(390, [(138, 350), (137, 420), (133, 540), (126, 612), (112, 640), (70, 650)])
    canvas.fill(body, round_light(main), "across")
    dip = [(230, 700), (230, 536)] + [(230 + i * 10, 536 + 10 * math.sin(i / 4.2)) for i in range(33)] + [(550, 700)]
    canvas.within(body, lambda: canvas.fill(dip, round_light(accent), "across"))
    _rim(canvas, 390, 350, 138, 27, main, dim(main, 0.55))
    canvas.ellipse(390, 360, 117, 18, ((0, "#4a2c1c"), (1, "#7a4a2b")))
    canvas.soft(turned(318, [(9, 390), (11, 450), (8, 560)]), "#ffffff", 9, 0.55)


def enamel(canvas: Canvas, palette: Palette) -> None:
    """A camping mug: white enamel with a colored lip and specks."""
    main, accent, _ = palette
    canvas.shadow(392, 640, 148)
    handle = smooth([(516, 420), (600, 404), (628, 476), (592, 556), (510, 566)], closed=False)
    canvas.stroke(handle, 24, accent)
    canvas.stroke(handle, 16, ((0, lit(main, 0.4)), (1, dim(main, 0.2))))
    body = turned(390, [(150, 362), (148, 440), (144, 600), (138, 634), (116, 648), (60, 650)])
    canvas.fill(body, round_light(main), "across")

    def specks() -> None:
        for i in range(150):
            x, y = 240 + (i * 97) % 300, 372 + (i * 61 + i * i) % 280
            canvas.ellipse(x, y, 1.2 + i % 3, 1.2 + i % 3, accent, alpha=0.6)

    canvas.within(body, specks)
    _rim(canvas, 390, 362, 150, 28, accent, dim(main, 0.34))
    canvas.soft(turned(306, [(8, 400), (10, 470), (7, 590)]), "#ffffff", 9, 0.8)


def teapot(canvas: Canvas, palette: Palette) -> None:
    """A round teapot with a wooden bow and knob."""
    main, accent, _ = palette
    canvas.shadow(400, 640, 176)
    bow = smooth([(262, 452), (236, 330), (300, 226), (400, 200), (500, 226), (564, 330), (538, 452)], closed=False)
    canvas.stroke(bow, 20, ((0, lit(accent, 0.25)), (1, dim(accent, 0.3))))
    canvas.stroke([(x - 2, y - 4) for x, y in bow], 4, lit(accent, 0.6), alpha=0.5)
    spout = smooth([(520, 560), (596, 520), (628, 430), (662, 388), (688, 400), (668, 470), (640, 566), (540, 632)])
    canvas.fill(spout, ((0, lit(main, 0.22)), (0.5, main), (1, dim(main, 0.35))), "slant")
    canvas.ellipse(676, 393, 15, 9, dim(main, 0.5))
    body = turned(400, [(92, 420), (150, 446), (186, 510), (184, 570), (152, 622), (108, 648), (60, 650)])
    canvas.fill(body, round_light(main), "across")
    canvas.soft(arc(398, 640, 150, 30), dim(main, 0.6), 18, 0.35)
    canvas.fill(turned(400, [(58, 390), (90, 408), (104, 428), (96, 438)]), round_light(lit(main, 0.06)), "across")
    canvas.stroke([(308, 434), (350, 444), (400, 448), (450, 444), (492, 434)], 3, dim(main, 0.5), alpha=0.6)
    canvas.fill(turned(400, [(8, 394), (9, 380), (24, 366), (24, 350), (10, 340)]), round_light(accent), "across")
    canvas.soft(arc(318, 510, 16, 48), "#ffffff", 12, 0.5)
    for x in (262, 538):
        canvas.ellipse(x, 456, 14, 14, round_light(dim(main, 0.1)), "across")


def bowl(canvas: Canvas, palette: Palette) -> None:
    """A wide bowl, another color inside."""
    main, accent, _ = palette
    canvas.shadow(400, 638, 118, 18)
    canvas.fill(turned(400, [(96, 616), (92, 640), (70, 648)]), round_light(dim(main, 0.16)), "across")
    body = turned(400, [(252, 430), (246, 470), (214, 546), (150, 606), (94, 630), (40, 634)])
    canvas.fill(body, round_light(main), "across")
    canvas.soft(arc(400, 640, 190, 44), dim(main, 0.6), 24, 0.3)
    canvas.ellipse(400, 430, 252, 64, ((0, lit(main, 0.45)), (1, main)), "across")
    inside = arc(400, 433, 238, 55)
    canvas.fill(inside, ((0, dim(accent, 0.42)), (0.5, accent), (1, lit(accent, 0.3))))
    canvas.within(inside, lambda: canvas.soft(arc(300, 404, 190, 40), dim(accent, 0.7), 30, 0.5))
    canvas.within(inside, lambda: canvas.soft(arc(470, 466, 130, 20), "#ffffff", 18, 0.4))
    for i in range(26):
        turn = i * 2.4
        canvas.ellipse(
            400 + 150 * math.cos(turn) * (0.4 + i / 40),
            540 + 50 * math.sin(turn * 1.7),
            1.6,
            1.6,
            dim(main, 0.4),
            alpha=0.5,
        )


def carafe(canvas: Canvas, palette: Palette) -> None:
    """A glass carafe with a cork and a little water."""
    main, accent, backdrop = palette
    canvas.shadow(400, 646, 132)
    canvas.soft(arc(520, 654, 80, 14), lit(main, 0.7), 12, 0.8)
    outline = [(46, 236), (44, 320), (66, 390), (122, 480), (136, 560), (128, 626), (100, 650), (40, 654)]
    body = turned(400, outline)
    canvas.fill(
        body,
        ((0, mix(main, backdrop, 0.1)), (0.3, lit(main, 0.6)), (0.6, mix(main, backdrop, 0.5)), (1, main)),
        "across",
        0.72,
    )
    water = [(200, 476), (600, 476), (600, 700), (200, 700)]
    canvas.within(body, lambda: canvas.fill(water, round_light(main), "across", 0.7))
    canvas.within(body, lambda: canvas.ellipse(400, 477, 121, 17, lit(main, 0.5), alpha=0.85))
    canvas.within(body, lambda: canvas.soft(arc(400, 650, 110, 22), lit(main, 0.8), 12, 0.6))
    canvas.stroke([*body, body[0]], 3, dim(main, 0.3), alpha=0.45)
    canvas.fill(turned(400, [(40, 196), (44, 226), (40, 268), (37, 282)]), round_light(accent), "across")
    canvas.ellipse(400, 196, 40, 9, flat_light(lit(accent, 0.3)))
    canvas.ellipse(400, 237, 46, 9, lit(main, 0.5), alpha=0.35)
    canvas.soft(
        smooth([(356, 300), (350, 360), (312, 440), (292, 540), (300, 590), (312, 540), (330, 450), (364, 370)]),
        "#ffffff",
        6,
        0.75,
    )


def _rim(canvas: Canvas, x: float, y: float, rx: float, ry: float, edge: str, inside: str) -> None:
    canvas.ellipse(x, y, rx, ry, ((0, lit(edge, 0.45)), (1, dim(edge, 0.05))), "across")
    canvas.ellipse(x, y + 2, rx - 10, ry - 6, ((0, inside), (1, mix(inside, edge, 0.5))))


SHAPES: dict[str, Drawing] = {"mug": mug, "enamel": enamel, "teapot": teapot, "bowl": bowl, "carafe": carafe}
