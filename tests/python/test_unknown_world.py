"""A world that only the core knows (CONTRIBUTING.md, "A world"): its pictures need no line of Python. (Its
features: `tests/cpp/line_world_test.cpp`; spaces, and a real one: `test_cpp_world.py`.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import play
from paymaster.rendering import EpisodeRecord, draw_frame
from paymaster.rendering.text import draw
from paymaster.rendering.worlds import own_fields

OF_GRID = ("position", "heading", "resource_type", "resource_position", "resource_claimant")


def without_its_world() -> tuple[Any, dict[str, Any]]:
    """A batch of the grid in mid-episode and its parameters, less those of the grid."""
    env = play.make()
    env.reset(seed=1)
    play.trace(env, 5)
    return env, {name: value for name, value in env.parameters.items() if name not in ("map", "num_resources")}


def unknown_game() -> tuple[dict[str, Any], dict[str, Any], EpisodeRecord]:
    """One game's state after a step, its parameters and its record, as another world would have them."""
    env, parameters = without_its_world()
    record = EpisodeRecord(start=5)
    _, reward, _, _, info = env.step(np.zeros((env.num_envs, env.num_followers, 2), dtype=int))
    state = {name: values[0] for name, values in env.state().items() if name not in (*OF_GRID, "resource_present")}
    state |= {"cell": np.array([3, -1]), "height": np.array([[0.25, 1e-9], [2, 3]]), "open": np.array(True)}
    record.add(state, info["payment"][0], float(reward[0]))
    return state, {**parameters, "goal_reward": 3.0}, record


def test_what_all_games_have_in_common_is_not_the_worlds() -> None:
    env = play.make()
    assert tuple(own_fields(env.state())) == ("position", "heading", *OF_GRID[2:4], "resource_present", OF_GRID[4])


def test_it_is_drawn_as_text() -> None:
    state, parameters, _ = unknown_game()
    lines = draw(state, parameters).splitlines()
    assert lines[:3] == ["cell: 3 -1", "height: [0.25 1e-09] [2 3]", "open: True"]
    assert lines[3].startswith("step 6 of 30") and lines[4].startswith("0 is ")
    assert len(lines) == 4 + len(state["identity"])


@pytest.mark.parametrize("add", [{}, {"map_of_heat": np.arange(4000.0).reshape(50, 80)}, {"heading": np.zeros(2)}])
def test_it_is_drawn_as_a_picture(add: dict[str, Any]) -> None:
    state, parameters, record = unknown_game()
    state |= add
    picture = draw_frame(state, parameters, record)
    known = play.make(num_envs=1)
    known.reset()
    other = draw_frame({name: values[0] for name, values in known.state().items()}, known.parameters)
    assert picture.shape == other.shape
    drawn = (picture != picture[-1, -1]).any(-1)
    assert drawn[100:560, 40:500].any() and drawn[100:560, 600:1240].any() and drawn[620:840].any()
    changed = draw_frame({**state, "cell": np.array([4, -1])}, parameters, record) != picture
    rows, columns = np.nonzero(changed.any(-1))
    assert rows.max() < 560 and columns.max() < 504 and len(rows) > 5  # the world's square, nothing else
    without = draw_frame(state, parameters)
    assert (without != picture).any()  # the time line
