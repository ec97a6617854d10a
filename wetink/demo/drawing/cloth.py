"""What is woven: blankets and cushions."""

from wetink.demo.drawing.canvas import Canvas, Drawing, arc, dim, lit, rounded, smooth

Palette = tuple[str, str, str]


def blanket(canvas: Canvas, palette: Palette) -> None:
    """A folded blanket with stripes and a fringe."""
    main, accent, _ = palette
    canvas.shadow(400, 648, 230, 20)
    for i in range(4):
        y = 580 - i * 58
        wide = 224 - i * 5
        fold = rounded(400 - wide, y, 400 + wide, y + 66, 32)
        canvas.soft([(x, py + 8) for x, py in fold], dim(main, 0.8), 10, 0.4)
        tone = dim(main, 0.05) if i % 2 else main
        canvas.fill(fold, ((0, lit(tone, 0.34)), (0.4, tone), (1, dim(tone, 0.32))))
        canvas.stroke([(400 - wide + 40, y + 36), (400 + wide - 10, y + 38)], 3, dim(tone, 0.45), alpha=0.45)
    drape = smooth(
        [(232, 404), (400, 396), (470, 404), (474, 500), (468, 590), (352, 596), (238, 588), (228, 500)], steps=10
    )
    top = smooth([(206, 412), (262, 372), (540, 372), (594, 412), (560, 432), (240, 432)], steps=8)
    canvas.fill(top, ((0, lit(main, 0.44)), (1, lit(main, 0.14))))
    for i in range(26):
        x = 240 + i * 9
        canvas.stroke(
            smooth([(x, 586), (x + (i % 3 - 1) * 3, 604), (x + (i % 4 - 1.5) * 3, 624)], closed=False),
            3.4,
            lit(accent, 0.1) if i % 2 else dim(accent, 0.1),
        )
    canvas.soft([(x + 12, y + 8) for x, y in drape], dim(main, 0.8), 12, 0.45)
    canvas.fill(drape, ((0, lit(main, 0.3)), (0.3, main), (0.65, lit(main, 0.14)), (1, dim(main, 0.2))), "across")

    def stripes() -> None:
        for y, height in ((470, 8), (490, 26), (528, 8), (560, 12)):
            canvas.fill(
                [(220, y), (480, y - 3), (480, y + height - 3), (220, y + height)],
                ((0, lit(accent, 0.2)), (0.5, accent), (1, dim(accent, 0.18))),
                "across",
            )
        for i in range(66):
            canvas.stroke([(226 + i * 4, 390), (226 + i * 4, 600)], 0.9, dim(main, 0.5), alpha=0.14)

    canvas.within(drape, stripes)
    canvas.soft(smooth([(290, 410), (286, 500), (292, 588), (304, 588), (302, 500), (306, 410)]), "#ffffff", 8, 0.25)


def cushion(canvas: Canvas, palette: Palette) -> None:
    """A plump cushion, leaning."""
    main, accent, _ = palette
    canvas.shadow(404, 640, 200, 22)
    corners = [
        (196, 236),
        (300, 262),
        (400, 256),
        (500, 258),
        (606, 222),
        (590, 330),
        (594, 430),
        (590, 530),
        (614, 636),
    ]
    corners += [(500, 622), (400, 632), (300, 624), (188, 650), (208, 540), (204, 440), (210, 340)]
    body = smooth(corners)
    canvas.fill(body, ((0, lit(main, 0.3)), (0.45, main), (1, dim(main, 0.36))), "slant")
    canvas.within(body, lambda: canvas.soft(arc(340, 380, 130, 100), "#fffaf0", 54, 0.42))
    canvas.within(body, lambda: canvas.soft([(180, 610), (620, 600), (620, 680), (180, 680)], dim(main, 0.8), 26, 0.4))

    def stitch() -> None:
        for offset in (-92, 0, 92):
            line = smooth(
                [(400 + offset * 1.16, 200), (400 + offset, 330), (400 + offset, 540), (400 + offset * 1.16, 680)],
                closed=False,
            )
            canvas.stroke(line, 12, ((0, lit(accent, 0.1)), (1, dim(accent, 0.2))), alpha=0.92)
            canvas.stroke([(x + 12, y) for x, y in line], 3, accent, alpha=0.7)
        for i in range(60):
            canvas.stroke([(180, 220 + i * 7.4), (620, 216 + i * 7.4)], 0.9, dim(main, 0.5), alpha=0.13)

    canvas.within(body, stitch)
    for x, y, dx, dy in ((214, 254, 60, 44), (588, 244, -56, 50), (206, 630, 58, -50), (594, 618, -54, -52)):
        canvas.soft(
            smooth([(x, y), (x + dx, y + dy * 0.5), (x + dx * 1.3, y + dy * 1.2), (x + dx * 0.5, y + dy)]),
            dim(main, 0.8),
            10,
            0.22,
        )
    canvas.stroke([*body, body[0]], 5, dim(main, 0.22), alpha=0.75)


SHAPES: dict[str, Drawing] = {"blanket": blanket, "cushion": cushion}
