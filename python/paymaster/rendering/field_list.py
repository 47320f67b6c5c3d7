"""A world that has no picture here: its fields as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import CARD, INK, MUTED
from paymaster.rendering.worlds import own_fields

__all__ = ["draw_field_list"]

_SIZE = 13.0
_LINE = 19.0
_INSET = 16.0


def draw_field_list(canvas: Canvas, box: tuple[float, float, float], state: Mapping[str, Any]) -> None:
    """Draws the names and values of the world's fields into a square; what does not fit is left out, with a mark."""
    x, y, side = box
    canvas.rectangle((x, y, side, side), CARD, radius=6)
    room = int((side - 2 * _INSET) / _LINE)
    lines = []
    for name, text in own_fields(state).items():
        lines.append((name, MUTED, 0.0))
        lines.extend((part, INK, _INSET) for part in _wrapped(canvas, text, side - 3 * _INSET, room))
    if len(lines) > room:
        lines = [*lines[: room - 1], ("...", MUTED, 0.0)]
    for i, (text, colour, inset) in enumerate(lines):
        canvas.text(x + _INSET + inset, y + _INSET + (i + 0.5) * _LINE, text, _SIZE, colour)


def _wrapped(canvas: Canvas, text: str, width: float, room: int) -> list[str]:
    """Lines of whole words that are no wider, as many as there is room for and one more."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and canvas.text_width(longer, _SIZE) <= width:
            lines[-1] = longer
        elif len(lines) > room:
            break
        else:
            lines.append(word)
    return lines
