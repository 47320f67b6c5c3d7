"""Planes of a grid world (`cpp/features/planes.cpp`, `paymaster.features.planes`)."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.planes import PlaneEncoder

MAP = """
######
#...##
#....#
######
"""


def drawn(text: str) -> NDArray[np.float32]:
    """A plane: '1' where it is 1."""
    return np.array([[cell == "1" for cell in line] for line in text.split()], np.float32)


def game(task: str = "resource_collection", **parameters: Any) -> LeaderVectorEnv:
    env = paymaster.make_vec(task, 1, 0, autoreset_mode="Disabled", **parameters)
    assert isinstance(env, LeaderVectorEnv)
    return env


def small_game() -> tuple[LeaderVectorEnv, dict[str, Any]]:
    env = game(map=MAP, num_followers=2, num_resources=3, num_goals=2, skills_per_follower=1, population_size=7)
    env.reset()
    env.set_state(
        identity=[[4, 6]], position=[[[2, 1], [1, 2]]], heading=[[1, 3]], resource_type=[[0, 1, 0]],
        resource_position=[[[1, 1], [2, 3], [2, 4]]], resource_present=[[True, True, False]],
    )  # fmt: skip
    return env, env.observe()


FREE = "000000 001100 011010 000000"  # cells with resources are not free, those with followers are
WALL = "111111 100011 100001 111111"
BY_CELL = [FREE, WALL, "000000 010000 000000 000000", "000000 000000 000100 000000"]


def test_the_planes_of_a_small_state_by_hand() -> None:
    env, observation = small_game()
    encoder = PlaneEncoder(env)
    assert (encoder.rows, encoder.columns, encoder.cell_planes, encoder.planes) == (4, 6, 4, 4 + 4 + 6 + 4)
    planes = encoder.expand(observation)
    assert planes.shape == (1, 2, 18, 4, 6)
    for k, (row, column, heading) in enumerate([(2, 1, 1), (1, 2, 3)]):
        expected = [drawn(plane) for plane in BY_CELL]
        for size, place in ((4, row), (6, column), (4, heading)):
            expected += [np.full((4, 6), float(i == place)) for i in range(size)]
        np.testing.assert_array_equal(planes[0, k], expected)


def test_others_are_shown_on_demand() -> None:
    """Where another follower stands is not free; one's own cell is."""
    env, observation = small_game()
    planes = PlaneEncoder(env, see_others=True).expand(observation)
    np.testing.assert_array_equal(planes[0, 0, 0], drawn("000000 000100 011010 000000"))
    np.testing.assert_array_equal(planes[0, 1, 0], drawn("000000 001100 001010 000000"))
    np.testing.assert_array_equal(planes[0, :, 1:], PlaneEncoder(env).expand(observation)[0, :, 1:])


@pytest.mark.parametrize("task", ["multi_bonus_resource_collection", "crafting"])
@pytest.mark.parametrize("see_others", [False, True])
def test_the_compact_form_says_the_same(task: str, see_others: bool) -> None:
    env = paymaster.make_vec(task, 5, 3, autoreset_mode="Disabled")
    n, goals = env.num_followers, env.parameters["num_goals"]
    encoder = PlaneEncoder(env, see_others=see_others)
    observation, _ = env.reset()
    for _ in range(20):
        observation, *_ = env.step(env.action_space.sample())
    follower = np.empty((5, n, encoder.follower_features), np.float32)
    history = np.empty((5, n, goals, encoder.goal_features), np.float32)
    encoder.encode_into(observation, follower, history, np.empty((5, n), bool))
    codes, constant = follower[..., :121], follower[..., 121 : 121 + encoder.constant_planes]
    planes = encoder.expand(observation)
    cells = np.stack([(codes == plane + 1).reshape(5, n, 11, 11) for plane in range(encoder.cell_planes)], 2)
    np.testing.assert_array_equal(planes[:, :, : encoder.cell_planes], cells)
    np.testing.assert_array_equal(planes[:, :, encoder.cell_planes :, 4, 7], constant)
    np.testing.assert_array_equal(follower[..., -2], observation["action"])
    np.testing.assert_array_equal(follower[..., -1], observation["identity"])


def rows_of(*marked: tuple[int, int]) -> NDArray[np.float32]:
    """A plane of 11 x 11 with 1 in these cells."""
    plane = np.zeros((11, 11), np.float32)
    for cell in marked:
        plane[cell] = 1
    return plane


def test_the_planes_of_crafting_by_hand() -> None:
    """Free cells, walls, materials by type, the inventory, one's own place. Stations look free, claimed or not."""
    env = game("crafting", num_followers=2, num_resources=8)
    env.reset()
    lie = [(1, 1), (2, 1), (9, 1), (9, 2), (9, 9), (8, 9), (1, 9), (1, 8)]  # two of each type, in its corner
    there = [True, False, True, True, True, True, False, True]
    inventory = [1, 0, 0, 1, 2, 0, 13, 0]
    env.set_state(
        position=[[[2, 5], [5, 6]]], heading=[[2, 3]], resource_type=[[0, 0, 1, 1, 2, 2, 3, 3]],
        resource_position=[lie], resource_present=[there], station_claimant=[[1, -1, -1, 0]], inventory=[inventory],
    )  # fmt: skip
    encoder = PlaneEncoder(env)
    assert (encoder.cell_planes, encoder.constant_planes, encoder.planes) == (2 + 8, 8 + 11 + 11 + 4, 44)
    planes = encoder.expand(env.observe())
    assert planes.shape == (1, 2, 44, 11, 11)
    wall = np.pad(np.zeros((9, 9), np.float32), 1, constant_values=1)
    seen = [rows_of((1, 1)), rows_of((9, 1), (9, 2)), rows_of((9, 9), (8, 9)), rows_of((1, 8))]
    of_cells = [1 - wall - sum(seen), wall, *seen, *[np.zeros((11, 11), np.float32)] * 4]
    for k, (row, column, heading) in enumerate([(2, 5, 2), (5, 6, 3)]):
        constant = [*inventory, *(np.arange(11) == row), *(np.arange(11) == column), *(np.arange(4) == heading)]
        expected = [*of_cells, *(np.full((11, 11), value) for value in constant)]
        np.testing.assert_array_equal(planes[0, k], expected)
    for station in ((3, 5), (5, 3), (7, 5), (5, 7)):
        assert (planes[0, :, 0][:, station[0], station[1]] == 1).all()


def test_stations_and_claims_change_no_plane() -> None:
    env = game("crafting")
    env.reset()
    encoder = PlaneEncoder(env)
    before = encoder.expand(env.observe())
    env.set_state(station_claimant=[[3, 2, 1, 0]])
    np.testing.assert_array_equal(encoder.expand(env.observe()), before)
    env.set_state(inventory=[[0, 0, 0, 0, 0, 0, 0, 7]])
    changed = (encoder.expand(env.observe()) != before).any((0, 1, 3, 4))
    np.testing.assert_array_equal(np.flatnonzero(changed), [10 + 7])


@pytest.mark.parametrize(("task", "history"), [("crafting", 264), ("multi_bonus_crafting", 280)])
def test_crafting_has_the_originals_sizes(task: str, history: int) -> None:
    encoder = PlaneEncoder(game(task))
    assert (encoder.rows, encoder.columns, encoder.planes) == (11, 11, 44)
    assert encoder.candidates * encoder.goal_features == history


def test_collection_has_the_originals_sizes() -> None:
    encoder = PlaneEncoder(game())
    assert (encoder.rows, encoder.columns, encoder.planes) == (11, 11, 32)
    assert encoder.candidates * encoder.goal_features == 4 * (30 + 2)  # the history vector of S1


def test_the_history_is_that_of_the_start() -> None:
    env = game()
    env.statistics.keep_performance()
    entries = np.random.default_rng(0).random((40, 4, 30)).astype(np.float32)
    env.statistics.set(performance_success=entries)
    encoder = PlaneEncoder(env)
    observation, _ = env.reset()
    env.statistics.clear()
    history = np.empty((1, 4, 4, 32), np.float32)
    follower, over = np.empty((1, 4, encoder.follower_features), np.float32), np.empty((1, 4), bool)
    pickle.loads(pickle.dumps(encoder._core)).encode_into(observation, follower, over)
    encoder.encode_into(observation, follower, history, over)
    np.testing.assert_array_equal(history[0, :, :, :30], entries[observation["identity"][0]])
    assert not history[..., 30:].any() and over.all()


def test_what_has_no_planes_is_named() -> None:
    plane = paymaster.make_vec("navigation", 1, 0, autoreset_mode="Disabled")
    with pytest.raises(ValueError, match="inputs: expected a world of cells with 'planes', got one of navigation"):
        PlaneEncoder(plane)
    with pytest.raises(ValueError, match="abstain: expected False with planes"):
        PlaneEncoder(game(abstain=True))
    with pytest.raises(ValueError, match="near_goals: expected 0 with planes"):
        PlaneEncoder(game(near_goals=2))
    with pytest.raises(ValueError, match="autoreset_mode"):
        PlaneEncoder(paymaster.make_vec("resource_collection", 1, 0, autoreset_mode="SameStep"))


@pytest.mark.parametrize("field", ["inventory", "resource_type"])
def test_bad_observations_of_crafting_are_refused(field: str) -> None:
    env = game("crafting")
    observation, _ = env.reset()
    bad = {**observation, field: np.full_like(observation[field], -2)}
    with pytest.raises(ValueError, match=rf"observation\['{field}'\]: expected a value in \[.*\], got -2"):
        PlaneEncoder(env).expand(bad)
    with pytest.raises(ValueError, match=f"a field '{field}'"):
        PlaneEncoder(env).expand({name: values for name, values in observation.items() if name != field})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("position", 11, r"observation\['position'\]: expected a value in \[0, 10\], got 11"),
        ("heading", 4, r"observation\['heading'\]: expected a value in \[0, 3\], got 4"),
        ("resource_type", 4, r"observation\['resource_type'\]: expected a value in \[-1, 3\], got 4"),
        ("resource_position", 11, r"observation\['resource_position'\]: expected a value in \[0, 10\], got 11"),
        ("identity", 40, r"observation\['identity'\]: expected a value in \[0, 39\], got 40"),
        ("action", 5, r"observation\['action'\]: expected a value in \[-1, 4\], got 5"),
    ],
)
def test_bad_observations_are_refused(field: str, value: int, message: str) -> None:
    env = game()
    observation, _ = env.reset()
    bad = {**observation, field: np.full_like(observation[field], value)}
    with pytest.raises(ValueError, match=message):
        PlaneEncoder(env).expand(bad)
    with pytest.raises(ValueError, match=f"a field '{field}'"):
        PlaneEncoder(env).expand({name: values for name, values in observation.items() if name != field})
