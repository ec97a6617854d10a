"""Drawing: a small vector studio on Pillow, and one hand-made drawing for each kind of product."""

from wetink.demo.drawing import cloth, green, light, rest, table, trail
from wetink.demo.drawing.canvas import Canvas, Drawing

SHAPES: dict[str, Drawing] = {
    **table.SHAPES,
    **light.SHAPES,
    **rest.SHAPES,
    **cloth.SHAPES,
    **green.SHAPES,
    **trail.SHAPES,
}
"""Every kind of product we can draw."""

FRAMES: dict[str, tuple[int, int, int]] = {
    "mug": (96, 152, 640),
    "enamel": (80, 150, 650),
    "bowl": (80, 150, 640),
    "candle": (80, 130, 640),
    "teapot": (60, 70, 720),
    "blanket": (60, 120, 680),
    "cushion": (50, 70, 700),
    "can": (50, 110, 690),
    "stool": (60, 120, 680),
}
"""Small things are looked at from nearer: left, top and side of what is seen of them."""

__all__ = ["FRAMES", "SHAPES", "Canvas", "Drawing"]
