"""The followers' common inventory in the crafting world, and what is made of what."""

from __future__ import annotations

from paymaster import _core
from paymaster.rendering.canvas import Box, Canvas
from paymaster.rendering.palette import CARD, INK, MUTED
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip

__all__ = ["INVENTORY_HEIGHT", "draw_inventory"]

INVENTORY_HEIGHT = 58.0
_TITLE = 78.0
_CHIP = 20.0


def draw_inventory(canvas: Canvas, box: Box, scene: Scene) -> None:
    """Draws a card into the box (x, y, width, height): a count for each goal type, and under an item its materials."""
    x, y, width, height = box
    canvas.rectangle((x, y, width, height), CARD, radius=8.0)
    canvas.text(x + 10, y + height / 2, "inventory", 13, MUTED)
    counts = [int(count) for count in scene.state["inventory"]]
    pitch = (width - _TITLE - 8) / len(counts)
    for kind, count in enumerate(counts):
        left, made = x + _TITLE + 12 + pitch * kind, kind in _core.CRAFTING_RECIPES
        middle = y + height / 2 - (9 if made else 0)
        chip(canvas, left + _CHIP / 2, middle, _CHIP, kind, solid=count > 0)
        canvas.text(left + _CHIP + 7, middle, str(count), 16, INK if count else MUTED)
        if made:
            for i, part in enumerate(_core.CRAFTING_RECIPES[kind]):
                chip(canvas, left + 7 + 17 * i, y + height - 13, 13, part)
