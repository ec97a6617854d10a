"""What gives light: lamps, pendants, a lantern, candles."""

from wetink.demo.drawing.canvas import (
    Canvas,
    Drawing,
    arc,
    dim,
    flat_light,
    lit,
    mix,
    round_light,
    rounded,
    smooth,
    turned,
)

Palette = tuple[str, str, str]
GLOW = "#ffd99a"


def lamp(canvas: Canvas, palette: Palette) -> None:
    """A table lamp, switched on."""
    main, accent, _ = palette
    canvas.soft(arc(400, 300, 260, 240), GLOW, 70, 0.6)
    canvas.shadow(400, 650, 100)
    canvas.soft(arc(400, 656, 250, 22), GLOW, 26, 0.5)
    canvas.stroke([(400, 380), (400, 470)], 12, round_light("#c9a35f"), "across")
    foot = turned(400, [(15, 440), (24, 470), (66, 516), (84, 566), (74, 616), (56, 640), (58, 652), (30, 654)])
    canvas.fill(foot, round_light(accent), "across")
    canvas.soft(arc(362, 560, 9, 34), "#ffffff", 9, 0.55)
    shade = [(296, 176), (504, 176), (578, 408), (222, 408)]
    warm = mix(main, GLOW, 0.45)
    canvas.fill(shade, ((0, dim(warm, 0.14)), (0.3, lit(warm, 0.4)), (0.6, warm), (1, dim(main, 0.22))), "across")
    canvas.within(shade, lambda: canvas.soft(arc(390, 330, 96, 92), "#fff3d6", 40, 0.9))

    def weave() -> None:
        for i in range(25):
            top, foot_x = 296 + i * 208 / 24, 222 + i * 356 / 24
            canvas.stroke([(top, 176), (foot_x, 408)], 1.2, dim(main, 0.4), alpha=0.22)

    canvas.within(shade, weave)
    canvas.fill([(292, 170), (508, 170), (511, 184), (289, 184)], round_light(dim(main, 0.12)), "across")
    canvas.fill([(218, 400), (582, 400), (586, 416), (214, 416)], round_light(dim(main, 0.12)), "across")


def pendant(canvas: Canvas, palette: Palette) -> None:
    """A pendant over a table, lit from within."""
    main, accent, _ = palette
    canvas.soft([(250, 440), (550, 440), (720, 760), (80, 760)], GLOW, 60, 0.55)
    canvas.soft(arc(400, 676, 260, 34), "#fff1d0", 30, 0.9)
    canvas.stroke([(400, -10), (400, 190)], 5, "#3a3a3c")
    canvas.fill(turned(400, [(14, 168), (20, 180), (24, 214), (30, 236)]), round_light("#c2a05a"), "across")
    canvas.ellipse(400, 452, 216, 42, ((0, dim(accent, 0.1)), (1, lit(accent, 0.6))))
    canvas.ellipse(400, 452, 60, 26, "#fffbe9")
    canvas.soft(arc(400, 452, 120, 30), "#fff6d8", 18, 0.95)
    dome = turned(400, [(28, 228), (74, 240), (142, 290), (190, 366), (214, 440), (217, 452)])
    bowl = arc(400, 452, 217, 42, 180, 0)
    top = [point for point in dome if point[1] < 450]
    right = [p for p in top if p[0] >= 400]
    left = [p for p in top if p[0] < 400]
    canvas.fill([*right, *reversed(_under(bowl)), *left], round_light(main), "across")
    canvas.stroke(arc(400, 452, 217, 42, 180, 0), 5, lit(main, 0.35), alpha=0.7)
    canvas.stroke(arc(400, 452, 217, 42, 0, 180), 6, ((0, lit(main, 0.2)), (1, dim(main, 0.2))), "across")
    canvas.soft(smooth([(320, 300), (270, 360), (238, 424), (262, 424), (296, 360), (336, 310)]), "#ffffff", 12, 0.4)


def _under(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return sorted(points, key=lambda point: point[0])


def lantern(canvas: Canvas, palette: Palette) -> None:
    """A storm lantern with a small flame."""
    main, accent, _ = palette
    canvas.soft(arc(400, 470, 250, 230), accent, 80, 0.5)
    canvas.shadow(400, 650, 128)
    canvas.stroke(arc(400, 272, 112, 132, 180, 360), 9, ((0, lit(main, 0.25)), (1, dim(main, 0.2))))
    for x in (286, 514):
        canvas.stroke([(x, 300), (x, 600)], 13, round_light(main), "across")
    glass = turned(400, [(58, 356), (86, 400), (98, 470), (88, 540), (66, 586)])
    canvas.fill(glass, ((0, "#fff3d8"), (0.6, lit(accent, 0.35)), (1, accent)), alpha=0.55)
    canvas.within(glass, lambda: canvas.soft(arc(400, 500, 50, 66), "#fff7df", 22, 1))
    flame = smooth([(400, 420), (416, 468), (422, 512), (400, 540), (378, 512), (386, 466)])
    canvas.fill(flame, ((0, "#ffd36b"), (0.6, "#ffb347"), (1, "#e9822f")))
    canvas.fill(smooth([(400, 468), (409, 505), (400, 532), (391, 505)]), "#fff6d6")
    canvas.stroke([*glass, glass[0]], 3, lit(main, 0.6), alpha=0.6)
    canvas.soft(smooth([(342, 410), (322, 470), (330, 540), (340, 470)]), "#ffffff", 5, 0.8)
    canvas.fill(rounded(268, 584, 532, 648, 14), round_light(main), "across")
    canvas.fill(rounded(296, 566, 504, 590, 8), round_light(lit(main, 0.1)), "across")
    canvas.fill(
        turned(400, [(30, 250), (40, 262), (44, 290), (96, 318), (124, 330), (126, 348)]), round_light(main), "across"
    )
    canvas.fill(rounded(262, 340, 538, 362, 8), round_light(lit(main, 0.12)), "across")
    canvas.ellipse(532, 616, 15, 15, round_light("#c9a35f"), "across")


def candle(canvas: Canvas, palette: Palette) -> None:
    """A candle in a glass, with a paper label."""
    main, accent, _ = palette
    canvas.soft(arc(400, 300, 150, 150), GLOW, 60, 0.6)
    canvas.shadow(400, 648, 134)
    glass = turned(400, [(136, 372), (136, 460), (135, 600), (128, 640), (104, 652), (50, 654)])
    canvas.fill(glass, round_light(main), "across")
    canvas.within(glass, lambda: canvas.soft(arc(400, 420, 100, 60), GLOW, 30, 0.55))
    canvas.ellipse(400, 372, 136, 28, ((0, lit(main, 0.5)), (1, main)), "across")
    canvas.ellipse(400, 378, 124, 22, ((0, lit(accent, 0.1)), (1, mix(accent, GLOW, 0.5))))
    canvas.soft(arc(400, 374, 58, 10), "#fffdf2", 8, 1)
    canvas.stroke([(400, 376), (402, 350), (398, 338)], 4, "#3a2f2a")
    flame = smooth([(400, 262), (414, 302), (418, 330), (400, 350), (382, 330), (388, 302)])
    canvas.fill(flame, ((0, "#ffdc85"), (0.7, "#ffb54d"), (1, "#ef8a35")))
    canvas.fill(smooth([(400, 302), (407, 328), (400, 344), (393, 328)]), "#fff8de")
    label = rounded(318, 466, 482, 590, 4)
    canvas.fill(label, ((0, dim(accent, 0.06)), (0.35, lit(accent, 0.3)), (1, dim(accent, 0.12))), "across")
    ink = dim(main, 0.35)
    canvas.stroke(smooth([(372, 508), (386, 498), (400, 508), (414, 498), (428, 508)], closed=False), 4, ink)
    canvas.stroke([(356, 536), (444, 536)], 5, ink)
    canvas.stroke([(370, 556), (430, 556)], 3, ink, alpha=0.6)
    canvas.fill(rounded(274, 400, 286, 610, 6), flat_light("#ffffff"), alpha=0.35)


SHAPES: dict[str, Drawing] = {"lamp": lamp, "pendant": pendant, "lantern": lantern, "candle": candle}
