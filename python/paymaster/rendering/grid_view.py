"""The grid world as a picture: walls, resources, claims, followers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, FAINT, INK, LINE, OBSTACLE, goal_colour, mix
from paymaster.rendering.record import Step
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, follower_badge, follower_body, offer_marks, result

__all__ = ["draw_grid"]

_TRAIL = 8  # steps
_CROPPED = 0.6  # of the border's cells: a map is closed by wall, which needs no room
_FREE_MAP = "\n".join(["#" * 11, *["#" + "." * 9 + "#"] * 9, "#" * 11])
_ANGLES = (-math.pi / 2, math.pi, math.pi / 2, 0.0)  # of the headings up, left, down, right on the sheet


class _Grid:
    """Where cells are on the sheet: the map centred in a square with its corner at (x, y)."""

    def __init__(self, x: float, y: float, side: float, text: str) -> None:
        self.rows = (text.strip("\n") or _FREE_MAP).splitlines()
        height, width = len(self.rows), max(len(row) for row in self.rows)
        self.cell = side / (max(height, width) - 2 * _CROPPED)
        self.x = x + (side - self.cell * width) / 2
        self.y = y + (side - self.cell * height) / 2
        self.edges = (x, y, x + side, y + side)

    def centre(self, row: float, column: float) -> tuple[float, float]:
        return self.x + (column + 0.5) * self.cell, self.y + (row + 0.5) * self.cell


def draw_grid(
    canvas: Canvas,
    box: tuple[float, float, float],
    scene: Scene,
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    past: Sequence[Step],
) -> None:
    """Draws the world into a square.

    Args:
        canvas: to draw on.
        box: x, y of the top left corner, and side.
        scene, state, parameters: of the game.
        past: the steps so far, for the trails.
    """
    grid = _Grid(*box, str(parameters["map"]))
    _draw_cells(canvas, grid)
    _draw_resources(canvas, grid, state)
    _draw_trails(canvas, grid, past)
    radius = 0.28 * grid.cell
    for follower, place, heading in zip(scene.followers, state["position"], state["heading"], strict=True):
        x, y = grid.centre(*place)
        canvas.arrow(x, y, _ANGLES[heading], 0.56 * grid.cell, 0.17 * grid.cell, INK)
        follower_body(canvas, x, y, radius, follower)
    for follower, place in zip(scene.followers, state["position"], strict=True):
        offer_marks(canvas, *grid.centre(*place), radius, follower)
        if past:
            paid = float(past[-1].payment[follower.number])
            result(canvas, *grid.centre(*place), radius, follower.completed >= 0, paid)


def _draw_cells(canvas: Canvas, grid: _Grid) -> None:
    cell = grid.cell
    for r, row in enumerate(grid.rows):
        for c, sign in enumerate(row):
            x, y = grid.x + c * cell, grid.y + r * cell
            if sign == "#":
                left, top = max(x, grid.edges[0]), max(y, grid.edges[1])
                right, bottom = min(x + cell, grid.edges[2]), min(y + cell, grid.edges[3])
                canvas.rectangle(left, top, right - left, bottom - top, mix(OBSTACLE, 0.75))
            else:
                canvas.rectangle(x, y, cell, cell, BACKGROUND, FAINT, 0.5)


def _draw_resources(canvas: Canvas, grid: _Grid, state: Mapping[str, Any]) -> None:
    size = 0.62 * grid.cell
    for kind, place, present, claimant in zip(
        state["resource_type"],
        state["resource_position"],
        state["resource_present"],
        state["resource_claimant"],
        strict=True,
    ):
        x, y = grid.centre(*place)
        if not present:
            canvas.rectangle(
                x - size / 2, y - size / 2, size, size, None, mix(goal_colour(kind), 0.35), 1.2, 0.2 * size
            )
            continue
        if claimant >= 0:
            wide = size + 0.16 * grid.cell
            canvas.rectangle(x - wide / 2, y - wide / 2, wide, wide, None, INK, 2.0, 0.22 * wide)
        chip(canvas, x, y, size, int(kind))
        if claimant >= 0:
            follower_badge(
                canvas, x - 0.34 * grid.cell, y - 0.34 * grid.cell, max(4.5, 0.15 * grid.cell), int(claimant)
            )


def _draw_trails(canvas: Canvas, grid: _Grid, past: Sequence[Step]) -> None:
    recent = past[-_TRAIL:]
    for age, (earlier, later) in enumerate(pairwise(recent)):
        colour = mix(LINE, 0.4 + 0.6 * age / _TRAIL)
        assert earlier.position is not None and later.position is not None
        for start, end in zip(earlier.position, later.position, strict=True):
            if tuple(start) != tuple(end):
                canvas.line([grid.centre(*start), grid.centre(*end)], colour, 3.0)
