"""A world that only the core knows (CONTRIBUTING.md, "A world"): its spaces need no line of Python. (Its features:
`tests/cpp/toy/line_test.cpp`.)"""

from __future__ import annotations

from typing import Any

import numpy as np

import play
from paymaster.envs.spaces import observation_space

OF_GRID = ("position", "heading", "resource_type", "resource_position", "resource_claimant")


def without_its_world() -> tuple[Any, dict[str, Any]]:
    """A batch of the grid in mid-episode and its options, less those of the grid."""
    env = play.make()
    env.reset(seed=1)
    play.trace(env, 5)
    return env, {name: value for name, value in env.options.items() if name not in ("map", "num_resources")}


def test_fields_that_are_not_known_may_hold_anything() -> None:
    env, options = without_its_world()
    fields = [(name, space.dtype.name, space.shape, "") for name, space in env.single_observation_space.items()]
    space = observation_space([*fields, ("height", "float32", (4,), ""), ("cell", "int16", (4,), "")], options)
    whole = np.iinfo(np.int16)
    for name in (*OF_GRID, "cell"):
        assert (space[name].low == whole.min).all()
        assert (space[name].high == whole.max).all()
    assert space["height"].dtype == np.float32
    assert space["height"].is_bounded()
    seen = {name: np.asarray(array[0]) for name, array in env.observe().items()}
    assert space.contains({**seen, "height": np.full(4, -7.5, np.float32), "cell": np.full(4, -300, np.int16)})
    for name in ("offer", "committed", "completed", "step"):  # what all games have in common keeps its bounds
        assert space[name] == env.single_observation_space[name]
