"""Routes on the grid from `paymaster.planners` against the slow reference's queue, on random states.

A state is one pose on one map with targets and occupied cells of its own. B states on one map, L the longest route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import paymaster
from paymaster.planners import GridPath, grid_path
from reference.cases import MAPS
from reference.grid_map import GridMap
from reference.planner import search
from reference.random_states import random_map
from reference.rules import DIG, HEADINGS, MOVE, STOP, TURN_LEFT, TURN_RIGHT

Ints = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class States:
    """B states: position [B, 2], heading [B], targets and blocked [B, R, C]."""

    text: str
    position: Ints
    heading: Ints
    targets: Mask
    blocked: Mask

    @property
    def wall(self) -> Mask:
        return wall_of(self.text)

    def route(self) -> GridPath:
        return grid_path(self.text, self.position, self.heading, self.targets, self.blocked)

    def closed(self) -> Mask:
        """Cells that each state's follower cannot enter, [B, R, C]."""
        closed = self.wall | self.targets | self.blocked
        closed[np.arange(len(closed)), self.position[:, 0], self.position[:, 1]] = False
        return closed


def wall_of(text: str) -> Mask:
    return np.array([[sign == "#" for sign in row] for row in text.strip("\n").split("\n")])


def random_states(rng: np.random.Generator, text: str, count: int) -> States:
    """None to six targets, anything from an empty to a crowded field; the follower may stand on either."""
    wall = wall_of(text)
    free = np.argwhere(~wall)
    position = free[rng.integers(len(free), size=count)]
    taken = rng.random((count, *wall.shape)) < rng.choice([0.0, 0.05, 0.2, 0.4], size=(count, 1, 1))
    targets = np.zeros_like(taken)
    for b in range(count):
        places = free[rng.integers(len(free), size=rng.integers(7))]
        targets[b, places[:, 0], places[:, 1]] = True
    return States(text, position, rng.integers(4, size=count), targets, taken)


def random_maps(rng: np.random.Generator, count: int) -> list[str]:
    """Half are the tasks' own map, half have random walls and 25 to 484 cells."""
    sizes = rng.integers(5, 23, size=(count, 2))
    sizes[::2] = 11
    shares = rng.choice([0.0, 0.1, 0.3, 0.4], size=count)
    shares[::2] = 0
    return [random_map(rng, *size, share) for size, share in zip(sizes, shares, strict=True)]


def reference_route(grid: GridMap, closed: Mask, targets: Mask, position: Ints, heading: int) -> tuple[int, int]:
    """Distance and first action from the queue; closed and targets [R, C]."""
    goal_at = [0 if target else -1 for target in targets.flat] + [-1]
    found = search(grid, 1, grid.cell(*position), heading, [*closed.flat, True], goal_at)
    return found.distance[0], found.action[0]


def assert_equals_reference(states: States, route: GridPath) -> None:
    grid, closed = GridMap(states.text), states.closed()
    for b in range(len(closed)):
        position, heading = states.position[b].tolist(), int(states.heading[b])
        expected = reference_route(grid, closed[b], states.targets[b], position, heading)
        assert (route.distance[b], route.first_action[b]) == expected, (states.text, b)


def assert_follows_the_rules(states: States, route: GridPath) -> None:
    """Plays every route: it is of the length that was said, enters nothing, ends in place, and poses say the same."""
    rows, closed = np.arange(len(states.position)), states.closed()
    position, heading = states.position.copy(), states.heading.copy()
    length = np.maximum(route.distance, 0)
    assert route.actions.shape == (len(rows), length.max(initial=0))
    assert route.poses.shape == (len(rows), length.max(initial=0) + 1, 3)
    for t in range(route.actions.shape[1] + 1):
        on_the_way = t <= length
        here = np.concatenate([position, heading[:, None]], axis=1)
        assert np.array_equal(route.poses[:, t], np.where(on_the_way[:, None], here, -1))
        ahead = position + np.array(HEADINGS)[heading]
        in_place = states.targets[rows, ahead[:, 0], ahead[:, 1]]
        assert np.array_equal(in_place[on_the_way], (t == route.distance)[on_the_way])
        if t == route.actions.shape[1]:
            break
        action = route.actions[:, t]
        assert np.array_equal(action == -1, t >= length)
        moves = action == MOVE
        assert not closed[rows, ahead[:, 0], ahead[:, 1]][moves].any()
        position = np.where(moves[:, None], ahead, position)
        heading = (heading + np.select([action == TURN_LEFT, action == TURN_RIGHT], [1, 3], 0)) % 4
    first = np.select([route.distance < 0, route.distance == 0], [STOP, DIG], route.actions[:, :1].sum(axis=1))
    assert np.array_equal(route.first_action, first)


def compare(seed: int, maps: int, states_per_map: int) -> None:
    """Distances, first actions and whole routes of maps * states_per_map random states."""
    rng = np.random.default_rng(seed)
    distances = []
    for text in random_maps(rng, maps):
        states = random_states(rng, text, states_per_map)
        route = states.route()
        assert_equals_reference(states, route)
        assert_follows_the_rules(states, route)
        distances.append(route.distance)
    seen = np.concatenate(distances)
    assert len(seen) == maps * states_per_map
    assert (seen > 4).mean() > 0.3  # that something was compared
    assert seen.max() > 15
    assert (seen < 0).mean() > 0.05


def test_random_states_equal_the_reference() -> None:
    compare(0, maps=40, states_per_map=50)


@pytest.mark.slow
def test_100_000_random_states_equal_the_reference() -> None:
    compare(1, maps=2000, states_per_map=50)


@pytest.mark.parametrize("name", MAPS)
def test_named_maps_equal_the_reference(name: str) -> None:
    """Among them one of exactly 128 cells and one of 129, where a set of cells starts to take more words."""
    states = random_states(np.random.default_rng(2), MAPS[name], 30)
    route = states.route()
    assert_equals_reference(states, route)
    assert_follows_the_rules(states, route)


@pytest.mark.parametrize("size", [(64, 64), (16, 255), (255, 16), (30, 30)])
def test_large_maps_equal_the_reference(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    states = random_states(rng, random_map(rng, *size, wall_share=0.2), 20)
    route = states.route()
    assert_equals_reference(states, route)
    assert_follows_the_rules(states, route)
    assert route.distance.max() > 20


def test_the_longest_way_there_is() -> None:
    """A maze without forks through the largest map: 255 x 16 cells, every corridor walked."""
    height, width = 255, 16
    wall = np.ones((height, width), dtype=bool)
    wall[1:-1:2, 1:-1] = False
    wall[2:-1:4, -2] = False
    wall[4:-1:4, 1] = False
    text = "\n".join("".join("#" if cell else "." for cell in row) for row in wall)
    targets = np.zeros((1, height, width), dtype=bool)
    corridors = height // 2
    end = (height - 2, width - 2 if corridors % 2 else 1)
    targets[(0, *end)] = True
    states = States(text, np.array([[1, 1]]), np.array([3]), targets, np.zeros_like(targets))
    route = states.route()
    assert_follows_the_rules(states, route)
    # 13 moves a corridor and the last one stops a cell short; between two of them two turns and two moves.
    assert route.distance[0] == 13 * corridors - 1 + 4 * (corridors - 1)


def test_planning_again_on_the_way_gives_the_rest_of_the_route() -> None:
    """Ours from every pose of every route; the reference too."""
    rng = np.random.default_rng(4)
    for text in random_maps(rng, 12):
        states = random_states(rng, text, 25)
        route = states.route()
        who, when = np.nonzero(route.actions >= 0)
        poses = route.poses[who, when]
        blocked = states.blocked.copy()  # a follower that moved on leaves its cell
        blocked[np.arange(len(blocked)), states.position[:, 0], states.position[:, 1]] = False
        later = States(text, poses[:, :2], poses[:, 2], states.targets[who], blocked[who])
        again = later.route()
        assert np.array_equal(again.distance, route.distance[who] - when)
        assert np.array_equal(again.first_action, route.actions[who, when])
        assert_equals_reference(later, again)


def test_distances_are_those_the_environment_reports() -> None:
    env = paymaster.make_vec("resource_collection", num_envs=200, seed=0, map=MAPS["rooms"])
    seen, _ = env.reset()
    state = env.state()
    games = np.arange(200)[:, None]
    resource = np.zeros((4, 200, *wall_of(MAPS["rooms"]).shape), dtype=bool)
    place = state["resource_position"]
    resource[state["resource_type"], games, place[..., 0], place[..., 1]] = True
    occupied = resource.any(axis=0)
    occupied[games, state["position"][..., 0], state["position"][..., 1]] = True
    for follower in range(4):
        for goal in range(4):
            position, heading = state["position"][:, follower], state["heading"][:, follower]
            route = grid_path(MAPS["rooms"], position, heading, resource[goal], occupied)
            assert np.array_equal(route.distance, seen["distance"][:, follower, goal])


def test_one_array_for_all_is_that_array_for_each() -> None:
    states = random_states(np.random.default_rng(5), MAPS["rooms"], 40)
    one, each = states.targets[7], states.targets
    for targets, blocked in [(one, states.blocked), (each, states.blocked[7]), (one, states.blocked[7])]:
        shared = grid_path(states.text, states.position, states.heading, targets, blocked)
        full = [np.broadcast_to(array, each.shape).copy() for array in (targets, blocked)]
        apart = grid_path(states.text, states.position, states.heading, *full)
        assert all(np.array_equal(a, b) for a, b in zip(vars(shared).values(), vars(apart).values(), strict=True))


def test_arguments_are_taken_in_any_layout_and_left_alone() -> None:
    states = random_states(np.random.default_rng(6), MAPS["rooms"], 20)
    expected = states.route()
    targets = np.asfortranarray(states.targets)
    position = states.position.astype(np.uint8)
    before = targets.copy(), position.copy()
    route = grid_path(states.text, position, states.heading.tolist(), targets, states.blocked)
    assert np.array_equal(route.actions, expected.actions)
    assert np.array_equal(before[0], targets) and np.array_equal(before[1], position)
