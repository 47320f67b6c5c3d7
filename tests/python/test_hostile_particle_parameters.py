"""Impossible parameters of the particle worlds are refused: the error says argument, what was expected, what came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import paymaster
from hostile import LEGAL, RC, make, refused, unharmed
from worlds import PARTICLES

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("task", PARTICLES)
@pytest.mark.parametrize(
    ("parameters", "error", "name", "came"),
    [
        ({"num_followers": 65, "population_size": 65}, ValueError, "num_followers", "65"),
        ({"num_followers": 0}, ValueError, "num_followers", "0"),
        ({"num_targets": 0}, ValueError, "num_targets", "0"),
        ({"num_targets": 65}, ValueError, "num_targets", "65"),
        ({"num_targets": 2**40}, ValueError, "num_targets", str(2**40)),
        ({"num_targets": 6.0}, TypeError, "num_targets", "float"),
        ({"num_targets": True}, TypeError, "num_targets", "bool"),
        ({"num_obstacles": -1}, ValueError, "num_obstacles", "-1"),
        ({"num_obstacles": 65}, ValueError, "num_obstacles", "65"),
        ({"num_obstacles": "2"}, TypeError, "num_obstacles", "str"),
        ({"arena_half_width": -1}, ValueError, "arena_half_width", "-1"),
        ({"arena_half_width": 1000.5}, ValueError, "arena_half_width", "1000.5"),
        ({"arena_half_width": NAN}, ValueError, "arena_half_width", "nan"),
        ({"arena_half_width": INF}, ValueError, "arena_half_width", "inf"),
        ({"arena_half_width": "1"}, TypeError, "arena_half_width", "str"),
        ({"reach_by": "luck"}, ValueError, "reach_by", "'luck'"),
        ({"reach_by": ""}, ValueError, "reach_by", "''"),
        ({"reach_by": 1}, TypeError, "reach_by", "int"),
        ({"reach_distance": -0.1}, ValueError, "reach_distance", "-0.1"),
        ({"reach_distance": 10.5}, ValueError, "reach_distance", "10.5"),
        ({"reach_distance": NAN}, ValueError, "reach_distance", "nan"),
        ({"body_size": 0}, ValueError, "body_size", "0"),
        ({"body_size": 11}, ValueError, "body_size", "11"),
        ({"body_size": NAN}, ValueError, "body_size", "nan"),
        ({"body_acceleration": 0.0}, ValueError, "body_acceleration", "0"),
        ({"body_acceleration": INF}, ValueError, "body_acceleration", "inf"),
        ({"body_max_speed": -1}, ValueError, "body_max_speed", "-1"),
        ({"body_max_speed": NAN}, ValueError, "body_max_speed", "nan"),
        ({"body_max_speed": [1.0]}, TypeError, "body_max_speed", "list"),
        ({"target_size": 0}, ValueError, "target_size", "0"),
        ({"target_size": -INF}, ValueError, "target_size", "-inf"),
        ({"target_acceleration": -3}, ValueError, "target_acceleration", "-3"),
        ({"target_acceleration": 101}, ValueError, "target_acceleration", "101"),
        ({"target_max_speed": -0.1}, ValueError, "target_max_speed", "-0.1"),
        ({"target_max_speed": NAN}, ValueError, "target_max_speed", "nan"),
        ({"obstacle_size": 0}, ValueError, "obstacle_size", "0"),
        ({"obstacle_size": INF}, ValueError, "obstacle_size", "inf"),
        ({"prey_hold": 0}, ValueError, "prey_hold", "0"),
        ({"prey_hold": 10001}, ValueError, "prey_hold", "10001"),
        ({"prey_hold": 1.5}, TypeError, "prey_hold", "float"),
        ({"num_resources": 5}, TypeError, "num_resources", "'num_resources'"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else None,
)
def test_impossible_options(task: str, parameters: dict[str, Any], error: Any, name: str, came: str) -> None:
    with refused(error, name, came):
        paymaster.make_vec(task, **parameters)


def test_options_of_the_other_world() -> None:
    for name in ("num_targets", "reach_by", "prey_hold"):
        with refused(TypeError, name, f"'{name}'"):
            paymaster.make_vec(RC, **{name: 1})
    for task in PARTICLES:
        with refused(TypeError, "map", "'map'"):
            paymaster.make_vec(task, map="")


@pytest.mark.parametrize("task", PARTICLES)
def test_extreme_options_play(task: str) -> None:
    """A crowd of large, strong bodies in a small arena, and the opposite: every number stays finite."""
    crowd = {"body_size": 10, "target_size": 10, "obstacle_size": 10, "body_acceleration": 100, "arena_half_width": 0.1}
    alone = {"body_size": 0.001, "num_targets": 1, "num_obstacles": 0, "arena_half_width": 1000, "reach_distance": 10}
    crowd |= {"num_targets": 64, "num_obstacles": 64, "num_followers": 64, "population_size": 64}
    for parameters in (crowd, alone):
        env = paymaster.make_vec(task, 2, 0, 1, target_max_speed=0, body_max_speed=0, **parameters)
        seen, _ = env.reset(seed=1)
        env.action_space.seed(1)
        for _ in range(30):
            seen, *_ = env.step(env.action_space.sample())
            assert env.observation_space.contains(seen)
        assert all(np.isfinite(array).all() for array in env.state().values())
        env.set_state(**env.state())  # what play comes to can be set


@pytest.mark.parametrize("task", PARTICLES)
def test_impossible_actions(task: str) -> None:
    env = make(task)
    for wrong in (LEGAL + 4, LEGAL - 4, LEGAL.astype(float), LEGAL[:1]):
        error = TypeError if wrong.dtype.kind == "f" else ValueError
        with unharmed(env), refused(error, "actions"):
            env.step(wrong)
