"""The upper bound of a leader's gain: no leader exceeds it, and where nobody is in the way the best one reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import paymaster
from paymaster.exact import BestPlay, episode_bounds, upper_bound
from paymaster.exact.ways import FAR, Ways
from paymaster.planners import grid_path
from paymaster.scripted import SCRIPTED, make_scripted
from rest_slow import rest_slow
from tiny_games import GAMES, TinyGame, gains
from worlds import TASKS

PAYMENTS = ("completion", "advance", "advance_once", "outcome")
PAIRS = [(payment, leader) for payment in PAYMENTS for leader in SCRIPTED]
ROUNDING = 1e-4
PARTED = "#######\n#..#..#\n#.....#\n#.#.#.#\n#######"
WALLS = "#####\n#...#\n#...#\n#####"


def played(env: Any, name: str, seed: int = 0) -> NDArray[np.float64]:
    """What a scripted leader gains in the episodes that have begun."""
    leader, seen = make_scripted(name, seed), env.observe()
    leader.start(env)
    gain, over = np.zeros(env.num_envs), np.zeros(env.num_envs, dtype=np.bool_)
    while not over.all():
        seen, _, over, _, info = env.step(leader.offers(env, seen))
        gain = info["totals"]["gain"].astype(np.float64)
    return gain


def made(task: str, games: int, seed: int = 0, **parameters: Any) -> Any:
    env = paymaster.make_vec(task, games, seed, 1, autoreset_mode="Disabled", **parameters)
    env.statistics.frozen = True
    env.reset()
    return env


# ---- no leader exceeds it


@pytest.mark.parametrize("task", TASKS)
def test_no_scripted_leader_exceeds_it(task: str) -> None:
    each = -(-2000 // len(PAIRS))
    for payment, leader in PAIRS:
        env = made(task, each, seed=21, payment=payment)
        assert (played(env, leader) <= bound_then(task, each, 21, payment=payment) + ROUNDING).all(), (payment, leader)


def bound_then(task: str, games: int, seed: int, **parameters: Any) -> NDArray[np.float64]:
    return upper_bound(made(task, games, seed, **parameters))


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": 0.3},
        {"abstain": True, "budget": 5.0},
        {"prices": [0.0, 0.5], "goal_reward": [1, 2, 3, 4]},
        {"goal_reward": 1.0},
        {"horizon": 9, "map": PARTED, "num_resources": 5},
        {"num_followers": 1},
        {"num_followers": 9},
        {"decision": "employment", "prices": [0.0, 1.0]},
        {"effort_cost": 0.2, "prices": [0.1, 0.4]},
        {"named_population": "m3rl_v1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("payment", rest_slow(PAYMENTS, {"completion"}.__contains__))
def test_no_scripted_leader_exceeds_it_in_changed_games(changes: dict[str, Any], payment: str) -> None:
    for leader in ("nearest", "told_lowest", "full_information"):
        env = made("resource_collection", 60, 3, payment=payment, **changes)
        bound = upper_bound(env)
        assert (played(env, leader) <= bound + ROUNDING).all(), leader


def test_it_holds_for_followers_that_act_at_random() -> None:
    for kind in ("meta", "primitive"):
        env = made("resource_collection_one_skill", 60, 3, followers=kind, payment="outcome")
        bound, rng = upper_bound(env), np.random.default_rng(0)
        over = np.zeros(60, dtype=np.bool_)
        while not over.all():
            shape = (60, env.num_followers)
            offers = np.stack((rng.integers(4, size=shape), np.zeros(shape, dtype=np.int64)), axis=-1)
            env.offer(offers)
            _, _, over, _, info = env.act(rng.integers(5, size=shape))
        assert (info["totals"]["gain"] <= bound + ROUNDING).all()


# ---- beside the best play


def small(rng: np.random.Generator) -> dict[str, Any]:
    """Parameters of a small game with a random population of two members."""
    goals = int(rng.integers(1, 3))
    population = {
        "skill": rng.random((2, goals)) < 0.7,
        "preference": rng.integers(goals, size=2),
        "reservation": rng.integers(0, 3, size=2).astype(np.float32),
    }
    return {
        "map": WALLS,
        "num_goals": goals,
        "num_bonuses": int(rng.integers(1, 4)),
        "goal_reward": 4.0,
        "num_followers": int(rng.integers(1, 3)) if goals == 1 else 1,
        "num_resources": int(rng.integers(1, 4)),
        "horizon": int(rng.integers(2, 9)),
        "payment": str(rng.choice(["completion", "advance", "outcome"])),
        "skills_per_follower": goals,
        "population": population,
    }


@pytest.mark.parametrize("seeds", rest_slow([range(12), range(12, 60)], {range(12)}.__contains__), ids=len)
def test_the_best_play_of_small_games_is_not_above_it(seeds: range) -> None:
    tight = total = 0
    for seed in seeds:
        parameters = small(np.random.default_rng(seed))
        env = made("resource_collection", 6, seed, **parameters)
        bound = upper_bound(env)
        best = BestPlay("resource_collection", parameters, env.state()).values(env.state())
        assert (best <= bound + ROUNDING).all(), (seed, best, bound)
        tight, total = tight + int((best >= bound - ROUNDING).sum()), total + 6
    assert tight > total / 2  # a bound that no game reaches would say little


@pytest.mark.parametrize("payment", ["completion", "advance", "outcome"])
def test_the_best_play_reaches_it_where_nothing_is_contested(payment: str) -> None:
    """One resource whose type the follower prefers: it is there in time, or not, and is paid the lowest bonus."""
    reached = set()
    for horizon in range(1, 9):
        people = {"skill": [[True]], "preference": [0], "reservation": [1.0]}
        parameters = {
            "map": WALLS, "num_goals": 1, "num_followers": 1, "num_resources": 1, "horizon": horizon,
            "skills_per_follower": 1, "payment": payment, "population": people, "abstain": True,
        }  # fmt: skip
        env = made("resource_collection", 30, horizon, **parameters)
        best = BestPlay("resource_collection", parameters, env.state()).values(env.state())
        np.testing.assert_array_equal(best, upper_bound(env))
        reached |= set(best)
    assert reached == {0.0, 2.0}


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES.keys())
def test_the_best_leaders_of_the_tiny_games_are_not_above_it(game: TinyGame) -> None:
    env = game.make(200, seed=3)
    env.reset()
    bound, best = upper_bound(env), gains(game.make(200, seed=3), game.best)
    assert (best <= bound).all()
    if game.name in ("unskilled", "hold", "switch_once"):
        np.testing.assert_array_equal(best, bound)


# ---- by counting


def test_where_everybody_is_able_every_resource_counts() -> None:
    assert set(episode_bounds("resource_collection", 300)) == {10 * (3 - 1)}
    assert set(episode_bounds("multi_bonus_resource_collection", 300)) == {10 * (5 - 1)}


def test_what_nobody_can_do_does_not_count() -> None:
    env = made("resource_collection_one_skill", 300)
    state = env.state()
    able = state["skill"].any(axis=1)
    count = np.take_along_axis(able, state["resource_type"], axis=1).sum(axis=1)
    bound = upper_bound(env)
    assert (bound <= 2 * count).all()
    assert (bound == 2 * count).mean() > 0.9
    assert len(set(bound)) > 3


def test_short_episodes_leave_less() -> None:
    means = [episode_bounds("resource_collection", 200, horizon=horizon).mean() for horizon in (1, 4, 8, 16, 30)]
    assert means == sorted(means)
    assert means[0] < 1 < 5 < means[2] < means[-1] == 20


def test_in_the_plane_each_step_counts_for_those_with_a_profit() -> None:
    assert set(episode_bounds("navigation", 4)) == {50 * 4 * 2}
    assert set(episode_bounds("navigation", 4, num_targets=1)) == {50 * 1 * 2}
    assert set(episode_bounds("navigation", 4, goal_reward=1)) == {0.0}


def test_crafted_items_need_their_materials() -> None:
    """Two top-level items end an episode, or three where two are made in the last step; each takes another item."""
    bound = episode_bounds("crafting", 500)
    assert set(bound) <= {float(10 * top - paid) for top in range(4) for paid in range(20)}
    assert 12 <= bound.min() <= bound.mean() < 20 < bound.max() <= 3 * 8
    assert episode_bounds("crafting", 200, horizon=3).max() == 0
    assert episode_bounds("crafting", 200, horizon=8).mean() < episode_bounds("crafting", 200).mean()


def test_what_is_there_already_need_not_be_made() -> None:
    env = made("crafting", 50)
    before = upper_bound(env)
    stock = np.zeros((50, 8), dtype=np.int64)
    stock[:, 4:6] = 3
    env.set_state(inventory=stock)
    assert (upper_bound(env) >= before).all()
    assert upper_bound(env).mean() > before.mean() + 1


def test_capacities_are_assigned_best() -> None:
    """The same as SciPy's assignment of resources to as many places as each follower has time for."""
    env = made("resource_collection", 200, 5, horizon=7, skills_per_follower=2, goal_reward=[2, 3, 4, 5])
    state, ways = env.state(), Ways("")
    first = np.zeros((200, 4, 10), dtype=np.int64)
    for b, k, r in np.ndindex(first.shape):
        target = np.zeros((11, 11), dtype=np.bool_)
        target[tuple(state["resource_position"][b, r])] = True
        place, heading = state["position"][b, k][None], state["heading"][b, k][None]
        first[b, k, r] = grid_path("", place, heading, target).distance[0] + 1
    cell = ways.cells(state["resource_position"])
    for b, bound in enumerate(upper_bound(env)):
        rows = []
        for k in range(4):
            kinds = state["resource_type"][b]
            profit = np.array([2, 3, 4, 5])[kinds] - 1
            value = np.where(state["skill"][b, k, kinds] & (first[b, k] <= 7), profit, 0)
            able = np.flatnonzero(value)
            after = {
                r: min((int(ways.between(cell[b, s], cell[b, r])) + 1 for s in able if s != r), default=FAR)
                for r in able
            }
            start = min((first[b, k, r] - after[r] for r in able), default=0)
            room = sum(start + sum(sorted(after.values())[: n + 1]) <= 7 for n in range(len(able)))
            rows += [value] * max(room, min(1, len(able)))
        chosen = linear_sum_assignment(np.array(rows), maximize=True) if rows else ([], [])
        assert bound == sum(rows[i][j] for i, j in zip(*chosen, strict=True))


# ---- distances


@pytest.mark.parametrize("text", ["", PARTED], ids=["open", "parted"])
def test_ways_are_the_planners_on_an_empty_map(text: str) -> None:
    ways = Ways(text)
    free = np.array([[sign == "." for sign in line] for line in (text or paymaster._core.DEFAULT_MAP).split()])
    cells = np.argwhere(free)
    for target in cells[::5]:
        poses = np.array([(*cell, h) for cell in cells if tuple(cell) != tuple(target) for h in range(4)])
        there = np.zeros(free.shape, dtype=np.bool_)
        there[tuple(target)] = True
        expected = grid_path(text, poses[:, :2], poses[:, 2], there).distance
        found = ways.to(ways.cells(target[None]), 4 * ways.cells(poses[:, :2]) + poses[:, 2])
        np.testing.assert_array_equal(np.where(found == FAR, -1, found), expected)


# ---- errors


def test_it_asks_for_games_at_their_beginning() -> None:
    env = made("resource_collection", 2)
    env.step(np.zeros((2, 4, 2), dtype=np.int64))
    with pytest.raises(ValueError, match=r"env: expected games at step 0 without contracts, got another in game 0"):
        upper_bound(env)


def test_it_asks_for_a_world_that_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs" / "examples"))
    with pytest.raises(ValueError, match=r"task: expected one of the worlds crafting, grid, .*, got 'taxi_world:Taxi'"):
        upper_bound(made("taxi_world:Taxi", 2))


def test_it_asks_for_an_episode() -> None:
    with pytest.raises(ValueError, match=r"episodes: expected a value in \[1, 2147483648\], got 0"):
        episode_bounds("resource_collection", 0)
