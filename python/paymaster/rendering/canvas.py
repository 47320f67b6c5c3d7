"""A sheet to draw on in units of its own, smooth at every size, without a window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from paymaster.rendering.palette import BACKGROUND, INK, Colour

__all__ = ["Box", "Canvas", "Point"]

_OVERSAMPLE = 2  # pixels drawn a side of one kept: Pillow's shapes have no smooth edges of their own

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # x and y of its top left corner, width, height


class Canvas:
    """All lengths and places are in units, x to the right and y down; a unit is ``scale`` pixels.

    Args:
        width, height: of the sheet, in units.
        scale: pixels a unit.
    """

    def __init__(self, width: float, height: float, scale: float) -> None:
        self.width, self.height = width, height
        self._pixels = (round(width * scale), round(height * scale))
        self._scale = scale * _OVERSAMPLE
        self._image = Image.new("RGB", (self._pixels[0] * _OVERSAMPLE, self._pixels[1] * _OVERSAMPLE), BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the picture, uint8 [height, width, 3] in pixels, both even as films want them."""
        width, height = (size - size % 2 for size in self._pixels)
        return np.array(self._image.reduce(_OVERSAMPLE).crop((0, 0, width, height)), dtype=np.uint8)

    def rectangle(
        self, box: Box, fill: Colour | None, outline: Colour | None = None, line: float = 1.0, radius: float = 0.0
    ) -> None:
        """Draw a rectangle, with ``outline`` a frame inside its edge."""
        x, y, width, height = box
        s = self._scale
        corners = [x * s, y * s, (x + width) * s - 1, (y + height) * s - 1]
        if corners[2] < corners[0] or corners[3] < corners[1]:
            return
        self._draw.rounded_rectangle(corners, radius * s, fill, outline, self._line(line))

    def clear_around(self, box: Box) -> None:
        """Cut off what has been drawn outside a box."""
        x, y, width, height = box
        self.rectangle((0, 0, self.width, y), BACKGROUND)
        self.rectangle((0, y + height, self.width, self.height - y - height), BACKGROUND)
        self.rectangle((0, y, x, height), BACKGROUND)
        self.rectangle((x + width, y, self.width - x - width, height), BACKGROUND)

    def circle(
        self, x: float, y: float, radius: float, fill: Colour, outline: Colour | None = None, line: float = 1.0
    ) -> None:
        """Draw a disc, with ``outline`` a ring inside its edge."""
        self._draw.ellipse(self._around(x, y, radius), fill, outline, self._line(line))

    def dashed_circle(self, x: float, y: float, radius: float, colour: Colour, line: float) -> None:
        """Draw a ring of eight arcs with gaps about as long."""
        for angle in range(0, 360, 45):
            self._draw.arc(self._around(x, y, radius), angle, angle + 0.55 * 45, colour, self._line(line))

    def line(self, points: Sequence[Point], colour: Colour, line: float = 1.0) -> None:
        """Draw a line through ``points``."""
        s = self._scale
        self._draw.line([(x * s, y * s) for x, y in points], colour, self._line(line), joint="curve")

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """Draw a filled shape."""
        s = self._scale
        self._draw.polygon([(x * s, y * s) for x, y in points], fill)

    def text(self, x: float, y: float, text: str, size: float, colour: Colour = INK, anchor: str = "lm") -> float:
        """Write one line; ``anchor`` is Pillow's: l, m, r across, then a, m, s, d down. Return its width."""
        self._draw.text((x * self._scale, y * self._scale), text, colour, self._font(size), anchor)
        return self.text_width(text, size)

    def text_width(self, text: str, size: float) -> float:
        """Return how wide :meth:`text` would be."""
        return self._font(size).getlength(text) / self._scale

    def star(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """Draw a star of five points, the first one up."""
        turns = [(i * math.pi / 5.0, radius if i % 2 == 0 else 0.45 * radius) for i in range(10)]
        self.polygon([(x + r * math.sin(a), y - r * math.cos(a)) for a, r in turns], fill)

    def arrow(self, x: float, y: float, angle: float, reach: float, size: float, colour: Colour) -> None:
        """Draw a filled triangle whose tip is ``reach`` from (x, y) at ``angle`` (radians, 0 right, y down)."""
        base, half = reach - size, 0.62 * size
        along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
        ends = ((reach, 0.0), (base, half), (base, -half))
        self.polygon([(x + a * along[0] + b * across[0], y + a * along[1] + b * across[1]) for a, b in ends], colour)

    def _around(self, x: float, y: float, radius: float) -> list[float]:
        s = self._scale
        return [(x - radius) * s, (y - radius) * s, (x + radius) * s, (y + radius) * s]

    def _line(self, line: float) -> int:
        return max(1, round(line * self._scale))

    def _font(self, size: float) -> ImageFont.FreeTypeFont:
        return _font(max(1, round(size * self._scale)))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that pictures are the same on every machine. Raises RuntimeError without FreeType."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError(
            "pillow: expected one built with FreeType, got one without; pip install --force-reinstall pillow"
        )
    return font
