"""Gymnasium spaces of the leader's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

__all__ = ["NUM_ACTIONS", "action_space", "num_goal_objects", "observation_space"]

NUM_ACTIONS = 5
"""Primitive actions: move, turn left, turn right, dig, stop on the grid; noop, left, right, down, up in the plane."""

_INT16_MAX = np.iinfo(np.int16).max


def num_goal_objects(options: Mapping[str, Any]) -> int:
    """M: resources on the grid, landmarks or preys in the plane."""
    return int(options["num_resources"] if "num_resources" in options else options["num_targets"])


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
    """A Box for each field of one game's observation: int16 in its range, or float32 without bounds."""
    bounds = _bounds(options)
    boxes: dict[str, spaces.Space[Any]] = {}
    for name, dtype, shape, _ in fields:
        low, high = (-np.inf, np.inf) if dtype == "float32" else bounds[name]
        boxes[name] = spaces.Box(low, high, shape=shape, dtype=np.dtype(dtype).type)
    return spaces.Dict(boxes)


def action_space(options: Mapping[str, Any]) -> spaces.MultiDiscrete:
    """(goal, bonus) for each of N followers; goal G is "none" where the leader may abstain."""
    goals = options["num_goals"] + bool(options["abstain"])
    return spaces.MultiDiscrete(np.tile([goals, options["num_bonuses"]], (options["num_followers"], 1)))
