"""Gymnasium spaces of the leader's side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

__all__ = ["NUM_ACTIONS", "action_space", "arena_half_width", "num_goal_objects", "observation_space"]

NUM_ACTIONS = 5
"""Primitive actions: move, turn left, turn right, dig, stop on the grid; noop, left, right, down, up in the plane."""

_INT16_MAX = np.iinfo(np.int16).max
_FAR = 1e6  # more than any game comes to: followers have no walls (MPE), and Gymnasium wants a finite Box


def num_goal_objects(options: Mapping[str, Any]) -> int:
    """M: resources on the grid, landmarks or preys in the plane."""
    return int(options["num_resources"] if "num_resources" in options else options["num_targets"])


def arena_half_width(options: Mapping[str, Any]) -> float:
    """Half the side of a particle world's arena: goals and obstacles lie in [-w, w]^2 (as in particle_config.hpp)."""
    return float(options["arena_half_width"]) or max(1.0, math.sqrt(options["num_followers"] / 4))


def _real_bounds(options: Mapping[str, Any]) -> dict[str, float]:
    """Largest magnitude in the fields of float32."""
    half = arena_half_width(options)
    rounded = 1 + 1e-6  # a capped speed may round up
    return {
        "position": _FAR,
        "velocity": options["body_max_speed"] * rounded or _FAR,
        "goal_position": half,
        "goal_velocity": options["target_max_speed"] * rounded or _FAR,
        "obstacle_position": half,
    }


def _bounds(options: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    goals, bonuses, horizon = options["num_goals"], options["num_bonuses"], options["horizon"]
    lines = options.get("map", "").splitlines()
    side = max(11, len(lines), *(len(line) for line in lines)) - 1
    return {
        "identity": (0, options["population_size"] - 1),
        "action": (-1, NUM_ACTIONS - 1),
        "offer": (-1, max(goals, bonuses) - 1),
        "committed": (0, 1),
        "contract_running": (0, 1),
        "contract_age": (0, horizon),
        "completed": (-1, goals - 1),
        "distance": (-1, _INT16_MAX),
        "available": (0, num_goal_objects(options)),
        "step": (0, horizon),
        "position": (0, side),
        "heading": (0, 3),
        "resource_type": (-1, goals - 1),
        "resource_position": (-1, side),
        "resource_claimant": (-1, options["num_followers"] - 1),
        "goal_type": (0, goals - 1),
    }


def observation_space(
    fields: Sequence[tuple[str, str, tuple[int, ...], str]], options: Mapping[str, Any]
) -> spaces.Dict:
    """A Box for each field of one game's observation: int16 or, for what is continuous, float32."""
    bounds: Mapping[str, tuple[float, float]] = _bounds(options)
    boxes: dict[str, spaces.Space[Any]] = {}
    for name, dtype, shape, _ in fields:
        if dtype == "float32":
            largest = _real_bounds(options)[name]
            boxes[name] = spaces.Box(-largest, largest, shape=shape, dtype=np.float32)
        else:
            boxes[name] = spaces.Box(*bounds[name], shape=shape, dtype=np.int16)
    return spaces.Dict(boxes)


def action_space(options: Mapping[str, Any]) -> spaces.MultiDiscrete:
    """(goal, bonus) for each of N followers; goal G is "none" where the leader may abstain."""
    goals = options["num_goals"] + bool(options["abstain"])
    return spaces.MultiDiscrete(np.tile([goals, options["num_bonuses"]], (options["num_followers"], 1)))
