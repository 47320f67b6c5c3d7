"""Gymnasium spaces of the leader's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from paymaster.rendering.worlds import arena_half_width

__all__ = ["NUM_ACTIONS", "action_space", "follower_space", "num_goal_objects", "observation_space"]

NUM_ACTIONS = 5
"""Primitive actions: move, turn left, turn right, dig, stop on the grid; noop, left, right, down, up in the plane."""

_Bounds = dict[str, tuple[float, float]]
_INT16_MAX = np.iinfo(np.int16).max
_FAR = 1e6  # more than any game comes to: followers have no walls (MPE), and Gymnasium wants a finite Box


def num_goal_objects(options: Mapping[str, Any]) -> int | None:
    """M: resources on the grid, landmarks or preys in the plane; None in a world that has no such option."""
    count: int | None = options.get("num_resources", options.get("num_targets"))
    return count


def _common_bounds(options: Mapping[str, Any]) -> _Bounds:
    goals, bonuses, horizon = options["num_goals"], options["num_bonuses"], options["horizon"]
    return {
        "identity": (0, options["population_size"] - 1),
        "action": (-1, NUM_ACTIONS - 1),
        "offer": (-1, max(goals, bonuses) - 1),
        "committed": (0, 1),
        "contract_running": (0, 1),
        "contract_age": (0, horizon),
        "completed": (-1, goals - 1),
        "distance": (-1, _INT16_MAX),
        "route": (0, NUM_ACTIONS - 1),
        "available": (0, num_goal_objects(options) or _INT16_MAX),
        "step": (0, horizon),
    }


def _grid_bounds(options: Mapping[str, Any]) -> _Bounds:
    lines = options["map"].splitlines()
    side = max(11, len(lines), *(len(line) for line in lines)) - 1
    return {
        "position": (0, side),
        "heading": (0, 3),
        "resource_type": (-1, options["num_goals"] - 1),
        "resource_position": (-1, side),
        "resource_claimant": (-1, options["num_followers"] - 1),
    }


def _particle_bounds(options: Mapping[str, Any]) -> _Bounds:
    half = arena_half_width(options)
    rounded = 1 + 1e-6  # a capped speed may round up
    speed, goal_speed = (options[name] * rounded or _FAR for name in ("body_max_speed", "target_max_speed"))
    return {
        "position": (-_FAR, _FAR),
        "velocity": (-speed, speed),
        "goal_type": (0, options["num_goals"] - 1),
        "goal_position": (-half, half),
        "goal_velocity": (-goal_speed, goal_speed),
        "obstacle_position": (-half, half),
    }


def observation_space(
    fields: Sequence[tuple[str, str, tuple[int, ...], str]], options: Mapping[str, Any]
) -> spaces.Dict:
    """A Box for each field of one game's observation: int16 or, for what is continuous, float32.

    A field of a world that is not known here gets all the numbers it can hold.
    """
    bounds = _common_bounds(options)
    if "map" in options:
        bounds |= _grid_bounds(options)
    if "num_targets" in options:
        bounds |= _particle_bounds(options)
    boxes: dict[str, spaces.Space[Any]] = {}
    for name, dtype, shape, _ in fields:
        if dtype == "float32":
            boxes[name] = spaces.Box(*bounds.get(name, (-_FAR, _FAR)), shape=shape, dtype=np.float32)
        else:
            boxes[name] = spaces.Box(*bounds.get(name, (-_INT16_MAX - 1, _INT16_MAX)), shape=shape, dtype=np.int16)
    return spaces.Dict(boxes)


def follower_space(leaders: spaces.Space[Any], options: Mapping[str, Any]) -> spaces.Dict:
    """What the followers see: the leader's observation, the offers and their own traits."""
    assert isinstance(leaders, spaces.Dict)
    n, goals = options["num_followers"], options["num_goals"]
    offered = max(goals, options["num_bonuses"]) - 1
    own: dict[str, spaces.Space[Any]] = {
        "offered": spaces.Box(-1, offered, shape=(n, 2), dtype=np.int16),
        "asked": spaces.Box(0, 1, shape=(n,), dtype=np.bool_),
        "skill": spaces.Box(0, 1, shape=(n, goals), dtype=np.bool_),
        "preference": spaces.Box(0, goals - 1, shape=(n,), dtype=np.int16),
        "reservation": spaces.Box(0, 1e6, shape=(n,), dtype=np.float32),
        "due": spaces.Box(0, options["num_bonuses"], shape=(n,), dtype=np.float32),
    }
    return spaces.Dict({**leaders.spaces, **own})


def action_space(options: Mapping[str, Any]) -> spaces.MultiDiscrete:
    """(goal, bonus) for each of N followers; goal G is "none" where the leader may abstain."""
    goals = options["num_goals"] + bool(options["abstain"])
    return spaces.MultiDiscrete(np.tile([goals, options["num_bonuses"]], (options["num_followers"], 1)))
