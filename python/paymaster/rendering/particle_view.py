"""The particle worlds as a picture: landmarks or preys, obstacles, followers and where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, CARD, INK, LINE, MUTED, OBSTACLE, goal_colour, goal_letter, mix
from paymaster.rendering.record import Step
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, follower_body, offer_marks, result
from paymaster.rendering.worlds import arena_half_width

__all__ = ["draw_particles"]

_TRAIL = 12  # steps
_MARGIN = 0.16  # shown beyond the arena, in half widths: followers may leave it
_LEAST_BODY = 7.0  # units on the sheet
_AHEAD = 0.2  # time that a velocity's stroke looks ahead: two steps
_LONGEST = 44.0  # units on the sheet, of such a stroke


class _Arena:
    """Where points are on the sheet: [-half, half] squared with its margin in a square."""

    def __init__(self, x: float, y: float, side: float, half: float) -> None:
        self.x, self.y, self.side, self.half = x, y, side, half
        self.unit = side / (2.0 * half * (1.0 + _MARGIN))

    def place(self, point: Sequence[float]) -> tuple[float, float]:
        middle = self.side / 2.0
        return self.x + middle + float(point[0]) * self.unit, self.y + middle - float(point[1]) * self.unit

    def clamp(self, x: float, y: float, inset: float) -> tuple[float, float]:
        high_x, high_y = self.x + self.side - inset, self.y + self.side - inset
        return min(max(x, self.x + inset), high_x), min(max(y, self.y + inset), high_y)


def draw_particles(
    canvas: Canvas,
    box: tuple[float, float, float],
    scene: Scene,
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    past: Sequence[Step],
) -> None:
    """Draws the world into a square; arguments as for the grid's."""
    arena = _Arena(*box, arena_half_width(parameters))
    _draw_ground(canvas, arena)
    for point in state.get("obstacle_position", ()):  # no such field without obstacles
        canvas.circle(*arena.place(point), float(parameters["obstacle_size"]) * arena.unit, OBSTACLE)
    _draw_trails(canvas, arena, past)
    if scene.world == "predator_prey":
        _draw_preys(canvas, arena, state, parameters)
    else:
        _draw_landmarks(canvas, arena, state, parameters)
    _draw_followers(canvas, arena, scene, state, parameters, past)


def _draw_ground(canvas: Canvas, arena: _Arena) -> None:
    canvas.rectangle(arena.x, arena.y, arena.side, arena.side, CARD, radius=6)
    x, y = arena.place((-arena.half, arena.half))
    canvas.rectangle(x, y, 2 * arena.half * arena.unit, 2 * arena.half * arena.unit, BACKGROUND, LINE, 1.2)


def _draw_trails(canvas: Canvas, arena: _Arena, past: Sequence[Step]) -> None:
    recent = past[-_TRAIL:]
    for age, (earlier, later) in enumerate(pairwise(recent)):
        colour = mix(LINE, 0.3 + 0.7 * age / _TRAIL)
        assert earlier.position is not None and later.position is not None
        for start, end in zip(earlier.position, later.position, strict=True):
            ends = [arena.clamp(*arena.place(point), 2.0) for point in (start, end)]
            canvas.line(ends, colour, 2.5)


def _draw_landmarks(canvas: Canvas, arena: _Arena, state: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    reach = float(parameters["reach_distance"]) * arena.unit
    size = max(12.0, min(24.0, 2.4 * float(parameters["target_size"]) * arena.unit))
    for kind, point in zip(state["goal_type"], state["goal_position"], strict=True):
        x, y = arena.place(point)
        canvas.circle(x, y, reach, mix(goal_colour(int(kind)), 0.12), mix(goal_colour(int(kind)), 0.35), 1.0)
    for kind, point in zip(state["goal_type"], state["goal_position"], strict=True):
        chip(canvas, *arena.place(point), size, int(kind))


def _draw_preys(canvas: Canvas, arena: _Arena, state: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    radius = max(5.5, float(parameters["target_size"]) * arena.unit)
    for kind, point, velocity in zip(state["goal_type"], state["goal_position"], state["goal_velocity"], strict=True):
        x, y = arena.place(point)
        colour = goal_colour(int(kind))
        _draw_velocity(canvas, arena, (x, y), velocity, mix(colour, 0.6), radius)
        canvas.circle(x, y, radius + 1.0, BACKGROUND)
        canvas.circle(x, y, radius, colour)
        canvas.text(x, y, goal_letter(int(kind)), 1.45 * radius, BACKGROUND, "mm")


def _draw_followers(
    canvas: Canvas,
    arena: _Arena,
    scene: Scene,
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    past: Sequence[Step],
) -> None:
    size = float(parameters["body_size"]) * arena.unit
    radius = max(_LEAST_BODY, size / 1.3)  # with its ring a body has its true size
    places = []
    for follower, point, velocity in zip(scene.followers, state["position"], state["velocity"], strict=True):
        x, y = arena.place(point)
        inside = arena.clamp(x, y, 1.6 * radius)
        if inside != (x, y):
            canvas.arrow(*inside, math.atan2(y - inside[1], x - inside[0]), 2.2 * radius, 0.6 * radius, MUTED)
        else:
            _draw_velocity(canvas, arena, inside, velocity, INK, 1.3 * radius)
        follower_body(canvas, *inside, radius, follower)
        places.append(inside)
    if len(places) <= 16:
        for follower, place in zip(scene.followers, places, strict=True):
            offer_marks(canvas, *place, radius, follower)
            if past:
                result(canvas, *place, radius, follower.completed >= 0, float(past[-1].payment[follower.number]))


def _draw_velocity(
    canvas: Canvas,
    arena: _Arena,
    place: tuple[float, float],
    velocity: Sequence[float],
    colour: tuple[int, int, int],
    radius: float,
) -> None:
    """A stroke from the body's rim to where it would be a little later."""
    dx, dy = float(velocity[0]) * arena.unit * _AHEAD, -float(velocity[1]) * arena.unit * _AHEAD
    length = math.hypot(dx, dy)
    if length < 2.0:
        return
    far = (radius + min(length, _LONGEST)) / length
    tip = (place[0] + dx * far, place[1] + dy * far)
    canvas.line([place, tip], colour, 2.2)
    canvas.arrow(*place, math.atan2(dy, dx), far * length + 3.0, 6.0, colour)
