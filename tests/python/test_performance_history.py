"""M3RL's performance history (`cpp/features/performance.cpp`, `paymaster.envs.performance`)."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster.envs.vector import LeaderVectorEnv
from reference.performance import PerformanceReference

DIG, STOP = 3, 4


def games(num_envs: int = 1, task: str = "resource_collection", **parameters: Any) -> LeaderVectorEnv:
    env = paymaster.make_vec(task, num_envs, 0, autoreset_mode="Disabled", **parameters)
    assert isinstance(env, LeaderVectorEnv)
    env.statistics.keep_performance()
    return env


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_resources": 2, "num_followers": 2},  # ends early
        {"payment": "advance", "num_bonuses": 4, "noise": 0.3, "horizon": 12, "population_size": 5},
        {"task": "crafting"},
        {"task": "multi_bonus_crafting", "decision": "employment_squared", "noise": 0.1},
    ],
)
def test_it_is_what_a_slow_reference_says(parameters: dict[str, Any]) -> None:
    env = games(3, **parameters)
    sizes = env.parameters
    slow = PerformanceReference(*(sizes[f] for f in ("population_size", "num_goals", "num_bonuses", "horizon")))
    random = np.random.default_rng(0)
    shape = (3, env.num_followers)
    for _ in range(12):
        observation, _ = env.reset()
        slow.begin()
        playing = np.ones(3, bool)
        actions = np.zeros((*shape, 2), np.int64)
        while playing.any():
            # Now and then another goal or another bonus: so contracts run, change their price, switch and break.
            for part, sides, rate in ((0, sizes["num_goals"], 0.15), (1, sizes["num_bonuses"], 0.3)):
                drawn = random.integers(sides, size=shape)
                actions[..., part] = np.where(random.random(shape) < rate, drawn, actions[..., part])
            identity = observation["identity"].copy()
            observation, _, ended, _, info = env.step(actions)
            slow.add(playing, identity, actions, info)
            playing = ~ended
    arrays = env.statistics.arrays()
    assert (slow.success > 0).any() and ((slow.success > 0) & (slow.success < 0.1)).any()  # failures after successes
    np.testing.assert_allclose(arrays["performance_acceptance"], slow.acceptance, atol=1e-6)
    np.testing.assert_allclose(arrays["performance_success"], slow.success, atol=1e-6)


def one_follower() -> tuple[LeaderVectorEnv, int]:
    """A follower in a corridor that prefers nothing within reach: it takes any offer of type 0, five steps away."""
    env = games(
        num_followers=1,
        num_resources=2,
        num_goals=2,
        skills_per_follower=1,
        horizon=9,
        population_size=1,
        map="#########\n#.......#\n#########",
    )
    env.reset()
    env.set_state(
        identity=[[0]], skill=[[[True, True]]], preference=[[1]], reservation=[[1.5]], position=[[[1, 1]]],
        heading=[[3]], resource_type=[[0, 1]], resource_position=[[[1, 7], [1, 6]]], resource_present=[[True, False]],
    )  # fmt: skip
    return env, 0


def success_after(env: LeaderVectorEnv, offers: list[tuple[int, int]]) -> NDArray[np.float32]:
    for offer in offers:
        env.step(np.array([[offer]]))
    return env.statistics.arrays()["performance_success"][0]


def test_a_changed_bonus_goes_on_counting() -> None:
    """Five moves, then the dig: six steps of one contract, whatever its price."""
    env, _ = one_follower()
    expected = np.zeros((2, 9))
    expected[0, 5] = 0.1
    np.testing.assert_allclose(success_after(env, [(0, 1), (0, 0), (0, 1), (0, 1), (0, 0), (0, 1)]), expected)


def test_a_contract_that_is_left_fails_at_the_steps_it_had() -> None:
    env, _ = one_follower()
    env.statistics.set(performance_success=np.full((1, 2, 9), 0.5, np.float32))
    expected = np.full((2, 9), 0.5)
    expected[0, 1] = 0.45  # type 1 is gone, so the follower is found uncommitted in the third step
    np.testing.assert_allclose(success_after(env, [(0, 1), (0, 1), (1, 1), (1, 1)]), expected)


def test_at_the_horizon_a_running_contract_fails() -> None:
    env, _ = one_follower()
    env.statistics.set(performance_success=np.full((1, 2, 9), 0.5, np.float32))
    expected = np.full((2, 9), 0.5)
    expected[0, 3] = 0.45
    np.testing.assert_allclose(success_after(env, [(1, 1)] * 5 + [(0, 1)] * 4), expected)


def test_acceptance_moves_at_every_step() -> None:
    env, _ = one_follower()
    success_after(env, [(0, 1), (0, 1), (1, 0)])
    accepted = env.statistics.arrays()["performance_acceptance"][0]
    np.testing.assert_allclose(accepted, [[0, 0.19], [0, 0]], atol=1e-7)


def test_frozen_averages_stay() -> None:
    env, _ = one_follower()
    env.statistics.frozen = True
    assert not success_after(env, [(0, 1)] * 6).any()


def test_copies_have_their_own() -> None:
    env, _ = one_follower()
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert success_after(other, [(0, 1)] * 6).any()
        other.statistics.clear()
        assert not other.statistics.arrays()["performance_success"].any()
    assert not env.statistics.arrays()["performance_success"].any()


def test_who_leaves_leaves_an_empty_row() -> None:
    env = games(2)
    env.statistics.set(performance_success=np.full((40, 4, 30), 0.5, np.float32))
    env.replace_followers([3], seed=5)
    rows = env.statistics.arrays()["performance_success"]
    assert not rows[3].any() and (np.delete(rows, 3, 0) == 0.5).all()


def test_other_entries_are_refused() -> None:
    env = games(2)
    with pytest.raises(ValueError, match="performance_success"):
        env.statistics.set(performance_success=np.full((40, 4, 30), 1.5, np.float32))
    plain = paymaster.make_vec("resource_collection", 2, 0)
    assert "performance_success" not in plain.statistics.arrays()  # nobody asked for it
    with pytest.raises(ValueError, match="statistics: expected names among acceptance"):
        plain.statistics.set(performance_success=np.zeros((40, 4, 30), np.float32))
