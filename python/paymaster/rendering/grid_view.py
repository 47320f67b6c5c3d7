"""A world on the grid as a picture: walls, resources, stations, claims, followers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, CARD, FAINT, INK, LINE, OBSTACLE, goal_colour, mix
from paymaster.rendering.record import Step
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, draw_marks, draw_trails, follower_badge, follower_body
from paymaster.rendering.worlds import map_lines, resources, stations

__all__ = ["draw_grid"]

_TRAIL = 8  # steps
_CHIP = 0.62  # of a cell
_CROPPED = 0.6  # of the border's cells: a map is closed by wall, which needs no room
_ANGLES = (-math.pi / 2, math.pi, math.pi / 2, 0.0)  # of the headings up, left, down, right on the sheet


class _Grid:
    """Where cells are on the sheet: the map centred in a square with its corner at (x, y)."""

    def __init__(self, x: float, y: float, side: float, rows: Sequence[str]) -> None:
        self.rows = rows
        height, width = len(rows), max(len(row) for row in rows)
        self.cell = side / (max(height, width) - 2 * _CROPPED)
        self.x = x + (side - self.cell * width) / 2
        self.y = y + (side - self.cell * height) / 2

    def centre(self, place: Sequence[float]) -> tuple[float, float]:
        row, column = place
        return self.x + (column + 0.5) * self.cell, self.y + (row + 0.5) * self.cell


def draw_grid(canvas: Canvas, box: tuple[float, float, float], scene: Scene, past: Sequence[Step]) -> None:
    """Draws the world into a square, and a part of its border beyond it.

    Args:
        canvas: to draw on.
        box: x, y of the top left corner, and side.
        scene: the game.
        past: the steps so far, for the trails.
    """
    state, grid = scene.state, _Grid(*box, map_lines(scene.parameters))
    _draw_cells(canvas, grid)
    _draw_resources(canvas, grid, state)
    _draw_stations(canvas, grid, state)
    draw_trails(canvas, grid.centre, past, _TRAIL, 0.4, 3.0)
    radius = 0.28 * grid.cell
    places = [grid.centre(place) for place in state["position"]]
    for follower, place, heading in zip(scene.followers, places, state["heading"], strict=True):
        canvas.arrow(*place, _ANGLES[heading], 0.56 * grid.cell, 0.17 * grid.cell, INK)
        follower_body(canvas, *place, radius, follower)
    draw_marks(canvas, scene.followers, places, radius, past)


def _draw_cells(canvas: Canvas, grid: _Grid) -> None:
    cell = grid.cell
    for r, row in enumerate(grid.rows):
        for c, sign in enumerate(row):
            x, y = grid.x + c * cell, grid.y + r * cell
            if sign == "#":
                canvas.rectangle((x, y, cell, cell), mix(OBSTACLE, 0.75))
            else:
                canvas.rectangle((x, y, cell, cell), BACKGROUND, FAINT, 0.5)


def _draw_resources(canvas: Canvas, grid: _Grid, state: Mapping[str, Any]) -> None:
    cell, size = grid.cell, _CHIP * grid.cell
    for kind, place, present, claimant in resources(state):
        x, y = grid.centre(place)
        if not present:
            gone = mix(goal_colour(kind), 0.35)
            canvas.rectangle((x - size / 2, y - size / 2, size, size), None, gone, 1.2, 0.2 * size)
            continue
        _draw_thing(canvas, (x, y), cell, int(kind), int(claimant))


def _draw_stations(canvas: Canvas, grid: _Grid, state: Mapping[str, Any]) -> None:
    """A bench that fills its cell, with the item that is made there."""
    cell = grid.cell
    for item, place, claimant in stations(state):
        x, y = grid.centre(place)
        canvas.rectangle((x - cell / 2, y - cell / 2, cell, cell), CARD, LINE, 1.5)
        _draw_thing(canvas, (x, y), cell, item, claimant, solid=False)


def _draw_thing(
    canvas: Canvas, at: tuple[float, float], cell: float, kind: int, claimant: int, *, solid: bool = True
) -> None:
    """Draws a goal type, and around it a frame with the follower that has claimed it."""
    (x, y), wide = at, 0.78 * cell
    if claimant >= 0:
        canvas.rectangle((x - wide / 2, y - wide / 2, wide, wide), None, INK, 2.0, 0.22 * wide)
    chip(canvas, x, y, _CHIP * cell, kind, solid=solid)
    if claimant >= 0:
        follower_badge(canvas, x - 0.34 * cell, y - 0.34 * cell, max(4.5, 0.15 * cell), claimant)
