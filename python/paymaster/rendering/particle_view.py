"""The particle worlds as a picture: landmarks or preys, obstacles, followers and where they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from paymaster.rendering.canvas import Canvas, Point
from paymaster.rendering.palette import BACKGROUND, CARD, INK, LINE, MUTED, OBSTACLE, goal_colour, goal_letter, mix
from paymaster.rendering.record import Step
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, draw_marks, draw_trails, follower_body
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

    def place(self, point: Sequence[float]) -> Point:
        middle = self.side / 2.0
        return self.x + middle + float(point[0]) * self.unit, self.y + middle - float(point[1]) * self.unit

    def inside(self, point: Sequence[float], inset: float) -> Point:
        """The nearest place that far from the edge."""
        x, y = self.place(point)
        high_x, high_y = self.x + self.side - inset, self.y + self.side - inset
        return min(max(x, self.x + inset), high_x), min(max(y, self.y + inset), high_y)


def draw_particles(canvas: Canvas, box: tuple[float, float, float], scene: Scene, past: Sequence[Step]) -> None:
    """Draws the world into a square; arguments as for the grid's."""
    arena = _Arena(*box, arena_half_width(scene.parameters))
    canvas.rectangle((arena.x, arena.y, arena.side, arena.side), CARD, radius=6)
    corner, side = arena.place((-arena.half, arena.half)), 2 * arena.half * arena.unit
    canvas.rectangle((*corner, side, side), BACKGROUND, LINE, 1.2)
    for point in scene.state.get("obstacle_position", ()):  # no such field without obstacles
        canvas.circle(*arena.place(point), float(scene.parameters["obstacle_size"]) * arena.unit, OBSTACLE)
    draw_trails(canvas, lambda point: arena.inside(point, 2.0), past, _TRAIL, 0.3, 2.5)
    (_draw_preys if scene.world == "predator_prey" else _draw_landmarks)(canvas, arena, scene)
    _draw_followers(canvas, arena, scene, past)


def _draw_landmarks(canvas: Canvas, arena: _Arena, scene: Scene) -> None:
    reach = float(scene.parameters["reach_distance"]) * arena.unit
    size = max(12.0, min(24.0, 2.4 * float(scene.parameters["target_size"]) * arena.unit))
    places = [arena.place(point) for point in scene.state["goal_position"]]
    for kind, place in zip(scene.state["goal_type"], places, strict=True):
        colour = goal_colour(int(kind))
        canvas.circle(*place, reach, mix(colour, 0.12), mix(colour, 0.35), 1.0)
    for kind, place in zip(scene.state["goal_type"], places, strict=True):
        chip(canvas, *place, size, int(kind))


def _draw_preys(canvas: Canvas, arena: _Arena, scene: Scene) -> None:
    radius = max(5.5, float(scene.parameters["target_size"]) * arena.unit)
    goals = (scene.state[f"goal_{name}"] for name in ("type", "position", "velocity"))
    for kind, point, velocity in zip(*goals, strict=True):
        x, y = arena.place(point)
        colour = goal_colour(int(kind))
        _draw_velocity(canvas, arena, (x, y), velocity, mix(colour, 0.6), radius)
        canvas.circle(x, y, radius + 1.0, BACKGROUND)
        canvas.circle(x, y, radius, colour)
        canvas.text(x, y, goal_letter(int(kind)), 1.45 * radius, BACKGROUND, "mm")


def _draw_followers(canvas: Canvas, arena: _Arena, scene: Scene, past: Sequence[Step]) -> None:
    size = float(scene.parameters["body_size"]) * arena.unit
    radius = max(_LEAST_BODY, size / 1.3)  # with its ring a body has its true size
    points = scene.state["position"]
    places = [arena.inside(point, 1.6 * radius) for point in points]
    for follower, point, inside, velocity in zip(scene.followers, points, places, scene.state["velocity"], strict=True):
        x, y = arena.place(point)
        if inside != (x, y):
            canvas.arrow(*inside, math.atan2(y - inside[1], x - inside[0]), 2.2 * radius, 0.6 * radius, MUTED)
        else:
            _draw_velocity(canvas, arena, inside, velocity, INK, 1.3 * radius)
        follower_body(canvas, *inside, radius, follower)
    if len(places) <= 16:
        draw_marks(canvas, scene.followers, places, radius, past)


def _draw_velocity(
    canvas: Canvas, arena: _Arena, place: Point, velocity: Sequence[float], colour: tuple[int, int, int], radius: float
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
