"""What one sits on: chairs, armchairs, stools."""

from wetink.demo.drawing.canvas import Canvas, Drawing, arc, dim, flat_light, lit, round_light, rounded, smooth

Palette = tuple[str, str, str]


def chair(canvas: Canvas, palette: Palette) -> None:
    """A wooden chair with a corded seat."""
    main, accent, _ = palette
    canvas.shadow(400, 700, 170, 20)
    for x, foot in ((304, 286), (496, 514)):
        _leg(canvas, (x, 470), (foot, 664), 17, 12, dim(main, 0.28))
    for x, top in ((300, 276), (500, 524)):
        _leg(canvas, (top, 150), (x, 474), 15, 20, main)
    for i in range(5):
        x = 340 + i * 30
        canvas.stroke([(x + (x - 400) * 0.12, 186), (x, 452)], 8, round_light(main), "across")
    rail = smooth(
        [
            (262, 150),
            (330, 128),
            (400, 122),
            (470, 128),
            (538, 150),
            (534, 200),
            (468, 182),
            (400, 177),
            (332, 182),
            (266, 200),
        ]
    )
    canvas.fill(rail, flat_light(main, 0.24))
    canvas.stroke(
        smooth([(272, 154), (334, 136), (400, 130), (466, 136), (528, 154)], closed=False),
        4,
        lit(main, 0.55),
        alpha=0.6,
    )
    for x, foot in ((262, 244), (538, 556)):
        _leg(canvas, (x, 500), (foot, 706), 22, 13, main)
    canvas.stroke([(262, 604), (538, 604)], 11, flat_light(main, 0.3))
    seat = smooth(
        [(284, 444), (400, 438), (516, 444), (548, 486), (556, 512), (400, 524), (244, 512), (252, 486)], steps=10
    )
    canvas.fill([(x, y + 16) for x, y in seat], flat_light(dim(main, 0.24), 0.2))
    canvas.fill(seat, ((0, dim(accent, 0.12)), (1, lit(accent, 0.25))))

    def cord() -> None:
        for i in range(24):
            y = 440 + i * 3.6
            canvas.stroke([(230, y), (570, y)], 1.3, dim(accent, 0.4), alpha=0.35)
        canvas.stroke([(284, 440), (400, 482)], 2.4, dim(accent, 0.5), alpha=0.45)
        canvas.stroke([(516, 440), (400, 482)], 2.4, dim(accent, 0.5), alpha=0.45)
        canvas.stroke([(240, 520), (400, 482)], 2.4, dim(accent, 0.5), alpha=0.45)
        canvas.stroke([(560, 520), (400, 482)], 2.4, dim(accent, 0.5), alpha=0.45)

    canvas.within(seat, cord)


def armchair(canvas: Canvas, palette: Palette) -> None:
    """A deep armchair on wooden feet."""
    main, accent, _ = palette
    canvas.shadow(400, 690, 240, 22)
    for x, lean in ((236, -14), (564, 14)):
        _leg(canvas, (x, 610), (x + lean, 694), 22, 12, accent)
    back = smooth(
        [(214, 560), (204, 380), (222, 250), (290, 206), (400, 198), (510, 206), (578, 250), (596, 380), (586, 560)]
    )
    canvas.fill(back, ((0, lit(main, 0.24)), (0.5, main), (1, dim(main, 0.3))))
    canvas.within(back, lambda: canvas.soft(arc(310, 300, 110, 80), "#fffaf0", 50, 0.32))
    canvas.stroke(smooth([(400, 204), (397, 320), (400, 470)], closed=False), 3, dim(main, 0.4), alpha=0.5)
    canvas.soft(rounded(250, 440, 550, 490, 20), dim(main, 0.8), 20, 0.55)
    canvas.fill(rounded(214, 540, 586, 632, 26), flat_light(dim(main, 0.12), 0.2))
    cushion = smooth(
        [(252, 476), (330, 456), (470, 456), (548, 476), (556, 520), (546, 560), (400, 570), (254, 560), (244, 520)]
    )
    canvas.fill(cushion, ((0, lit(main, 0.36)), (0.4, lit(main, 0.1)), (1, dim(main, 0.24))))
    canvas.stroke(smooth([(252, 536), (400, 546), (548, 536)], closed=False), 3, dim(main, 0.42), alpha=0.55)
    for mirror in (1, -1):
        arm = [
            (400 + mirror * (x - 400), y)
            for x, y in ((150, 430), (196, 404), (248, 430), (258, 500), (254, 630), (160, 632), (146, 520))
        ]
        outline = smooth(arm)
        canvas.soft([(x + 10, y + 8) for x, y in outline], dim(main, 0.8), 12, 0.32)
        tone = main if mirror == 1 else dim(main, 0.1)
        canvas.fill(outline, ((0, lit(tone, 0.34)), (0.3, tone), (1, dim(tone, 0.3))))
        canvas.stroke(
            smooth([(400 + mirror * (x - 400), y) for x, y in ((158, 448), (198, 424), (240, 448))], closed=False),
            3,
            lit(tone, 0.5),
            alpha=0.5,
        )

    def wool() -> None:
        for i in range(320):
            x, y = 180 + (i * 89 + i // 7) % 440, 220 + (i * 53 + i * i // 3) % 400
            canvas.ellipse(x, y, 2.2, 1.6, lit(main, 0.6) if i % 2 else dim(main, 0.5), alpha=0.13)

    canvas.within(back, wool)


def stool(canvas: Canvas, palette: Palette) -> None:
    """A three-legged stool."""
    main, accent, _ = palette
    canvas.shadow(400, 690, 150, 18)
    _leg(canvas, (402, 420), (404, 648), 20, 14, dim(accent, 0.32))
    canvas.stroke([(300, 574), (500, 574)], 10, flat_light(dim(accent, 0.1), 0.3))
    _leg(canvas, (318, 420), (250, 694), 27, 15, accent)
    _leg(canvas, (482, 420), (550, 694), 27, 15, dim(accent, 0.08))
    seat = [*arc(400, 386, 186, 46, 180, 0), *arc(400, 430, 180, 48, 0, 180)]
    canvas.fill(seat, round_light(dim(main, 0.12)), "across")
    canvas.ellipse(400, 392, 187, 46, ((0, dim(main, 0.05)), (1, lit(main, 0.34))))
    for i in range(4):
        canvas.stroke(arc(400 + i * 4, 393 - i, 150 - i * 36, 35 - i * 9, 20, 330), 1.8, dim(main, 0.4), alpha=0.28)
    canvas.soft(arc(330, 382, 80, 14), "#ffffff", 14, 0.4)


def _leg(
    canvas: Canvas, top: tuple[float, float], foot: tuple[float, float], wide: float, narrow: float, color: str
) -> None:
    (x, y), (fx, fy) = top, foot
    shape = [(x - wide / 2, y), (x + wide / 2, y), (fx + narrow / 2, fy), (fx - narrow / 2, fy)]
    canvas.fill(shape, ((0, lit(color, 0.12)), (0.4, lit(color, 0.2)), (1, dim(color, 0.28))), "across")


SHAPES: dict[str, Drawing] = {"chair": chair, "armchair": armchair, "stool": stool}
