"""What goes outdoors: backpacks, bottles, a tote, a tent."""

from wetink.demo.drawing.canvas import Canvas, Drawing, arc, dim, flat_light, lit, round_light, rounded, smooth, turned

Palette = tuple[str, str, str]


def backpack(canvas: Canvas, palette: Palette) -> None:
    """A canvas backpack with leather straps."""
    main, accent, _ = palette
    canvas.shadow(400, 672, 186, 20)
    canvas.stroke(arc(400, 190, 52, 56, 180, 360), 15, ((0, lit(accent, 0.2)), (1, dim(accent, 0.2))))
    for mirror in (1, -1):
        strap = [(400 + mirror * (x - 400), y) for x, y in ((250, 300), (196, 400), (200, 540), (246, 630))]
        canvas.stroke(smooth(strap, closed=False), 24, flat_light(dim(main, 0.3), 0.2))
    body = smooth(
        [
            (252, 300),
            (270, 210),
            (400, 176),
            (530, 210),
            (548, 300),
            (566, 480),
            (560, 620),
            (520, 672),
            (400, 680),
            (280, 672),
            (240, 620),
            (234, 480),
        ]
    )
    canvas.fill(body, ((0, dim(main, 0.12)), (0.25, lit(main, 0.22)), (0.6, main), (1, dim(main, 0.36))), "across")
    canvas.within(body, lambda: canvas.soft(rounded(240, 610, 560, 720, 20), dim(main, 0.8), 26, 0.42))
    pocket = rounded(280, 486, 520, 648, 26)
    canvas.soft([(x + 4, y + 6) for x, y in pocket], dim(main, 0.8), 8, 0.45)
    canvas.fill(pocket, ((0, lit(main, 0.2)), (1, dim(main, 0.16))))
    _stitches(canvas, [(296, 630), (504, 630)], lit(main, 0.5))
    flap = smooth(
        [
            (244, 290),
            (268, 206),
            (400, 172),
            (532, 206),
            (556, 290),
            (560, 400),
            (520, 444),
            (400, 456),
            (280, 444),
            (240, 400),
        ]
    )
    canvas.soft([(x + 4, y + 12) for x, y in flap], dim(main, 0.85), 12, 0.5)
    canvas.fill(flap, ((0, lit(main, 0.3)), (0.45, lit(main, 0.06)), (1, dim(main, 0.2))), "slant")
    _stitches(
        canvas, smooth([(256, 396), (290, 428), (400, 440), (510, 428), (544, 396)], closed=False), lit(main, 0.5)
    )
    for x in (330, 470):
        canvas.soft(rounded(x - 12, 372, x + 20, 560, 8), dim(main, 0.9), 7, 0.4)
        canvas.fill(
            rounded(x - 15, 360, x + 15, 556, 10),
            ((0, lit(accent, 0.26)), (0.5, accent), (1, dim(accent, 0.28))),
            "across",
        )
        canvas.stroke([*rounded(x - 22, 486, x + 22, 518, 5), (x + 17, 486)], 5, ((0, "#e9d9a8"), (1, "#a58746")))
        canvas.stroke([(x, 490), (x, 514)], 4, "#d9c284")
        for y in (376, 540):
            canvas.ellipse(x, y, 4, 4, "#f0e0b0")
    patch = rounded(362, 262, 438, 312, 6)
    canvas.fill(patch, flat_light(accent, 0.2))
    canvas.stroke(
        smooth([(378, 292), (389, 280), (400, 292), (411, 280), (422, 292)], closed=False), 4, dim(accent, 0.55)
    )


def bottle(canvas: Canvas, palette: Palette) -> None:
    """A steel bottle with a loop on its cap."""
    main, accent, _ = palette
    canvas.shadow(400, 664, 92)
    canvas.stroke(arc(400, 178, 40, 44, 180, 360), 12, ((0, lit(accent, 0.3)), (1, dim(accent, 0.3))))
    canvas.fill(turned(400, [(50, 176), (54, 190), (54, 236), (48, 246)]), round_light(accent), "across")
    for x in range(356, 446, 10):
        canvas.stroke([(x, 196), (x, 234)], 2, dim(accent, 0.5), alpha=0.35)
    canvas.fill(turned(400, [(44, 244), (44, 262)]), round_light("#b9bdbd"), "across")
    body = turned(
        400, [(46, 260), (58, 280), (88, 320), (96, 370), (96, 480), (95, 620), (88, 656), (60, 668), (30, 669)]
    )
    canvas.fill(body, round_light(main), "across")
    foot = [(290, 622), (510, 622), (510, 690), (290, 690)]
    canvas.within(body, lambda: canvas.fill(foot, round_light(accent), "across"))
    canvas.within(body, lambda: canvas.stroke([(290, 622), (510, 622)], 3, dim(main, 0.5), alpha=0.6))
    mark = lit(main, 0.75)
    for y in (452, 472, 492):
        wave = smooth([(366, y + 8), (383, y - 4), (400, y + 8), (417, y - 4), (434, y + 8)], closed=False)
        canvas.stroke(wave, 4, mark, alpha=0.9)
    canvas.soft(turned(346, [(5, 340), (8, 400), (8, 580), (5, 612)]), "#ffffff", 6, 0.65)


def tote(canvas: Canvas, palette: Palette) -> None:
    """A canvas tote with a printed wave."""
    main, accent, _ = palette
    canvas.shadow(400, 668, 190, 18)
    canvas.stroke(
        smooth([(318, 330), (322, 200), (400, 130), (478, 200), (482, 330)], closed=False), 17, dim(main, 0.24)
    )
    body = smooth(
        [
            (236, 316),
            (400, 308),
            (564, 316),
            (572, 420),
            (584, 560),
            (588, 660),
            (400, 672),
            (212, 660),
            (216, 560),
            (228, 420),
        ],
        steps=10,
    )
    canvas.fill(
        body,
        ((0, dim(main, 0.06)), (0.28, lit(main, 0.4)), (0.55, main), (0.8, lit(main, 0.1)), (1, dim(main, 0.22))),
        "across",
    )
    canvas.within(
        body,
        lambda: canvas.soft(
            smooth([(300, 430), (284, 560), (310, 670), (330, 670), (312, 560), (320, 430)]), dim(main, 0.6), 14, 0.25
        ),
    )
    canvas.within(
        body,
        lambda: canvas.soft(
            smooth([(500, 380), (520, 520), (490, 668), (516, 668), (540, 520)]), dim(main, 0.6), 14, 0.3
        ),
    )
    canvas.stroke(smooth([(240, 340), (400, 333), (560, 340)], closed=False), 2, dim(main, 0.35), alpha=0.6)
    canvas.ellipse(400, 480, 78, 78, accent, alpha=0.95)

    def waves() -> None:
        for i, y in enumerate((472, 498, 524, 550)):
            wave = smooth([(312 + k * 22, y + (9 if k % 2 else -9)) for k in range(9)], closed=False)
            canvas.stroke(wave, 7 - i * 0.6, main)

    canvas.within(arc(400, 480, 78, 78), waves)
    front = smooth([(306, 372), (308, 280), (334, 190), (400, 158), (466, 190), (492, 280), (494, 372)], closed=False)
    canvas.stroke([(x + 4, y + 6) for x, y in front if y > 300], 17, dim(main, 0.6), alpha=0.2)
    canvas.stroke(front, 18, ((0, lit(main, 0.3)), (1, dim(main, 0.08))))
    for x in (306, 494):
        canvas.stroke([(x - 5, 352), (x + 5, 370)], 2, dim(main, 0.5), alpha=0.6)
        canvas.stroke([(x + 5, 352), (x - 5, 370)], 2, dim(main, 0.5), alpha=0.6)


def tent(canvas: Canvas, palette: Palette) -> None:
    """A small tent, pitched, with its door open."""
    main, accent, _ = palette
    canvas.soft(arc(420, 668, 330, 24), "#2a2a30", 20, 0.4)
    for line in ([(300, 262), (70, 664)], [(586, 330), (760, 640)]):
        canvas.stroke(line, 2.6, "#f4efe4")
        canvas.stroke([(line[1][0] - 4, line[1][1] - 14), (line[1][0] + 3, line[1][1] + 8)], 5, "#5b4a3a")
    side = smooth([(300, 250), (450, 272), (590, 326), (690, 630), (560, 650), (470, 664)], closed=False, steps=6)
    canvas.fill([*side, (300, 250)], ((0, main), (0.4, dim(main, 0.12)), (1, dim(main, 0.4))), "across")
    canvas.stroke(smooth([(452, 274), (548, 440), (574, 650)], closed=False), 3, dim(main, 0.5), alpha=0.5)
    canvas.soft(smooth([(470, 300), (560, 420), (600, 560), (540, 500)]), "#fffaf0", 22, 0.3)
    front = smooth([(300, 248), (380, 430), (474, 664), (300, 674), (126, 664), (222, 430)], steps=1)
    canvas.fill(front, ((0, lit(main, 0.36)), (0.5, lit(main, 0.12)), (1, dim(main, 0.08))))
    door = [(300, 300), (386, 668), (300, 672), (214, 668)]
    canvas.fill(door, ((0, dim(accent, 0.5)), (0.7, dim(accent, 0.2)), (1, lit(accent, 0.1))))
    canvas.within(door, lambda: canvas.soft(arc(300, 660, 70, 60), "#ffdd9e", 34, 0.85))
    flap = smooth(
        [(300, 300), (262, 400), (214, 460), (206, 560), (214, 668), (190, 600), (196, 470), (250, 380)], steps=6
    )
    canvas.soft([(x + 6, y + 6) for x, y in flap], dim(main, 0.9), 8, 0.35)
    canvas.fill(flap, ((0, lit(main, 0.5)), (1, dim(main, 0.06))), "across")
    canvas.stroke([(226, 478), (206, 490)], 6, accent)
    canvas.stroke([(300, 246), (300, 226)], 6, "#5b4a3a")
    canvas.stroke([(300, 250), (474, 664)], 4, lit(main, 0.5), alpha=0.7)
    canvas.stroke([(300, 250), (126, 664)], 4, lit(main, 0.5), alpha=0.7)
    canvas.fill(
        [(122, 656), (474, 656), (690, 624), (690, 638), (474, 676), (122, 676)], ((0, accent), (1, dim(accent, 0.2)))
    )


def _stitches(canvas: Canvas, line: list[tuple[float, float]], color: str) -> None:
    dense = (
        smooth(line, closed=False)
        if len(line) > 2
        else [(line[0][0] + (line[1][0] - line[0][0]) * i / 24, line[0][1]) for i in range(25)]
    )
    for one, other in zip(dense[::2], dense[1::2], strict=False):
        canvas.stroke([one, other], 2, color, alpha=0.6)


SHAPES: dict[str, Drawing] = {"backpack": backpack, "bottle": bottle, "tote": tote, "tent": tent}
