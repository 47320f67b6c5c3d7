"""A game drawn as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from paymaster.rendering.palette import goal_letter
from paymaster.rendering.scene import price_of
from paymaster.rendering.worlds import ON_GRID, arena_half_width, map_lines, own_fields, resources, stations, world_of

__all__ = ["draw"]

_HEADINGS = "^<v>"
_SIDE = 21  # cells that the plane is drawn with, either way
_SLOW = 0.05  # below this speed a body counts as at rest


def draw(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Draw the world, two characters a cell, then a line a follower.

    On the grid: walls ``##``, goal types ``a``, ``b``, ... (capital with the claimant's number once claimed), and
    followers ``^0`` by heading and number; in the crafting world also stations ``e=`` by item, and the inventory below.
    In the plane: a border ``##`` around the arena, obstacles ``::``, goal types, and followers by direction and number
    (``o0`` at rest; with more than 16, number only), those outside at the nearest border. Numbers are hexadecimal. A
    world that is not known here has a line for each of its fields.

    Args:
        state: of one game, as ``LeaderEnv.state()`` returns it.
        parameters: of the game.
    """
    world = world_of(state, parameters)
    if world == "other":
        lines = [f"{name}: {text}" for name, text in own_fields(state).items()]
    else:
        rows = _grid(state, parameters) if world in ON_GRID else _plane(state, parameters)
        lines = ["".join(row).rstrip() for row in rows]
    if world == "crafting":
        counts = (f"{goal_letter(g)} {count}" for g, count in enumerate(state["inventory"]))
        lines.append("inventory: " + ", ".join(counts))
    lines.append(f"step {state['step']} of {parameters['horizon']}" + (", over" if state["done"] else ""))
    lines.extend(_describe(state, parameters, k) for k in range(len(state["identity"])))
    return "\n".join(lines) + "\n"


def _grid(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[list[str]]:
    rows = [["##" if c == "#" else ". " for c in line] for line in map_lines(parameters)]
    for kind, (row, column), present, claimant in resources(state):
        if present:
            letter = goal_letter(kind)
            rows[row][column] = f"{letter.upper()}{claimant:x}" if claimant >= 0 else f"{letter} "
    for item, (row, column), claimant in stations(state):
        letter = goal_letter(item)
        rows[row][column] = f"{letter.upper()}{claimant:x}" if claimant >= 0 else f"{letter}="
    for k, ((row, column), heading) in enumerate(zip(state["position"], state["heading"], strict=True)):
        rows[row][column] = f"{_HEADINGS[heading]}{k:x}"
    return rows


def _plane(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[list[str]]:
    half = arena_half_width(parameters)
    unit = 2 * half / _SIDE

    def cell(point: Any) -> tuple[int, int]:
        column, row = (
            math.floor((half + sign * float(value)) / unit) for sign, value in zip((1, -1), point, strict=True)
        )
        return min(max(row, -1), _SIDE) + 1, min(max(column, -1), _SIDE) + 1

    border = ["##"] * (_SIDE + 2)
    rows = [border[:], *(["##", *[". "] * _SIDE, "##"] for _ in range(_SIDE)), border[:]]
    for row in range(_SIDE):
        for column in range(_SIDE):
            x, y = (column + 0.5) * unit - half, half - (row + 0.5) * unit
            centres = state.get("obstacle_position", ())  # no such field without obstacles
            if any(math.hypot(x - a, y - b) < parameters["obstacle_size"] for a, b in centres):
                rows[row + 1][column + 1] = "::"
    for kind, point in zip(state["goal_type"], state["goal_position"], strict=True):
        row, column = cell(point)
        rows[row][column] = f"{goal_letter(kind)} "
    for k, (point, velocity) in enumerate(zip(state["position"], state["velocity"], strict=True)):
        row, column = cell(point)
        rows[row][column] = f"{k:02x}" if len(state["position"]) > 16 else f"{_direction(*velocity)}{k:x}"
    return rows


def _direction(x: float, y: float) -> str:
    if math.hypot(x, y) < _SLOW:
        return "o"
    if abs(x) > abs(y):
        return ">" if x > 0 else "<"
    return "^" if y > 0 else "v"


def _describe(state: Mapping[str, Any], parameters: Mapping[str, Any], k: int) -> str:
    skills = "".join(goal_letter(g) for g, can in enumerate(state["skill"][k]) if can)
    goal, bonus = state["offer"][k]
    offer = "no offer" if goal < 0 else f"offered {goal_letter(goal)} for {price_of(int(bonus), parameters):g}"
    if goal >= 0:
        offer += ", committed" if state["committed"][k] else ", declined"
    if state["contract_running"][k]:
        offer += f", contract for {state['contract_age'][k]} steps"
    return (
        f"{k:x} is {state['identity'][k]}: can {skills or 'nothing'}, prefers {goal_letter(state['preference'][k])} "
        f"at {state['reservation'][k]:g}; {offer}"
    )
