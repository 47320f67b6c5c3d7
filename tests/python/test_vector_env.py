"""The vector environment: spaces, results, Gymnasium's wrappers, copies."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import gymnasium.wrappers.vector as wrappers
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

import paymaster
from paymaster._core import Field
from play import INFO, MB, MODES, RC, SMALL, leaves, make, offer_stream, same, trace
from worlds import GRIDS, PARTICLES, TASKS, fitting

# ---- spaces, results


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_followers": 1, "num_resources": 64, "horizon": 1},
        {"num_followers": 16, "num_bonuses": 7, "abstain": True, "noise": 0.5},
        {"num_goals": 8, "payment": "advance", "population_size": 5, "horizon": 40},
        {"num_goals": 1, "skills_per_follower": 1, "num_bonuses": 1},
        {"map": "#" * 40 + "\n" + ("#" + "." * 38 + "#\n") * 3 + "#" * 40, "horizon": 45},
        SMALL,
    ],
    ids=["default", "one follower", "sixteen", "eight goals", "one goal", "wide map", "small"],
)
def test_spaces_contain_what_is_seen_and_done(task: str, parameters: dict[str, Any]) -> None:
    env = make(task, autoreset_mode=AutoresetMode.SAME_STEP, **fitting(task, parameters))
    env.action_space.seed(1)
    seen, info = env.reset(seed=5)
    assert info == {}
    n, goals = env.num_followers, env.parameters["num_goals"]
    assert env.action_space.shape == (3, n, 2)
    assert env.single_action_space.nvec[0].tolist() == [
        goals + env.parameters["abstain"],
        env.parameters["num_bonuses"],
    ]
    for _ in range(env.parameters["horizon"] + 2):
        assert env.observation_space.contains(seen)
        assert all(space.shape == seen[name].shape[1:] for name, space in env.single_observation_space.items())
        real = {"float32"} if task in PARTICLES else set()
        assert {array.dtype.name for array in seen.values()} == {"int16"} | real
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert (reward.dtype, terminated.dtype, truncated.dtype) == (np.float64, np.bool_, np.bool_)
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        assert not truncated.any()
        assert {name: (info[name].dtype.name, info[name].shape) for name in INFO} == {
            "committed": ("bool", (3, n)),
            "completed": ("int16", (3, n)),
            "payment": ("float32", (3, n)),
            "follower_reward": ("float32", (3, n)),
            "follower_action": ("int16", (3, n)),
        }
        results = {"reward": reward, "terminated": terminated, **{name: info[name] for name in INFO}}
        expect_fields(env._core.result_fields, results)
        expect_fields(env._core.total_fields, info["totals"])
    for name in ("gain", "payments", "incentive", "follower_reward", "new_offers", "length"):
        assert info["totals"][name].shape == (3,)
    assert info["totals"]["completions"].shape == (3, goals)


def expect_fields(fields: Sequence[Field], arrays: dict[str, np.ndarray]) -> None:
    """The arrays of three games are what the core lists: names, dtypes, shapes, bounds."""
    assert [field.name for field in fields] == list(arrays)
    for field in fields:
        array = arrays[field.name]
        assert (array.dtype.name, array.shape) == (field.dtype, (3, *field.shape))
        assert (array >= field.low).all() and (array <= field.high).all()
        assert field.meaning


@pytest.mark.parametrize("followers", ["meta", "primitive"])
def test_what_followers_see_is_in_its_space(followers: str) -> None:
    env = paymaster.make_vec(MB, 3, 0, 1, followers=followers, max_reservation=5, abstain=True)
    env.reset()
    env.action_space.seed(1)
    env.follower_action_space.seed(1)
    for _ in range(40):
        seen = env.offer(env.action_space.sample())
        assert env.follower_observation_space.contains(seen)
        expect_fields(env._core.follower_fields, {field.name: seen[field.name] for field in env._core.follower_fields})
        env.act(env.follower_action_space.sample())


def test_none_is_an_action_only_where_the_leader_may_abstain() -> None:
    env = make(abstain=True)
    env.reset()
    assert env.action_space.contains(np.full((3, 4, 2), [4, 0]))
    seen, reward, *_, info = env.step(np.full((3, 4, 2), [4, 1]))
    assert (seen["offer"] == -1).all()
    assert not info["committed"].any()
    assert not reward.any()
    assert not make().action_space.contains(np.full((3, 4, 2), [4, 0]))


def test_meanings_name_every_field() -> None:
    env = make()
    seen, _ = env.reset()
    assert list(env.observation_meanings) == list(seen)
    assert set(env.observation_space) == set(seen)
    state = env.state()
    assert list(env.state_meanings) == list(state)
    for name, array in state.items():
        assert env.state_meanings[name].startswith(f"{array.dtype}[")
    assert list(env.state("step", "identity")) == ["step", "identity"]


@pytest.mark.parametrize("task", GRIDS)
def test_a_game_on_the_grid_takes_at_most_two_kib(task: str) -> None:
    assert 500 < make(task)._core.bytes_per_game <= 2048


def test_tasks_are_copies_of_the_presets() -> None:
    first = paymaster.tasks()
    assert {GRIDS[0], MB, "navigation", "predator_prey"} <= {task.name for task in first}
    first[0].parameters["num_followers"] = 9
    assert paymaster.tasks()[0].parameters["num_followers"] == 4
    for task in paymaster.tasks():
        assert make(task.name).parameters == task.parameters
        assert make(task.name, **task.parameters).parameters == task.parameters


@pytest.mark.parametrize("mode", MODES)
def test_mode_is_declared(mode: AutoresetMode) -> None:
    for argument in (mode, mode.value):
        env = make(autoreset_mode=argument)
        assert isinstance(env, VectorEnv)
        assert env.metadata["autoreset_mode"] is mode
        assert env.autoreset_mode is mode
    assert paymaster.make_vec(RC).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


# ---- Gymnasium's wrappers


@pytest.mark.parametrize("mode", MODES)
def test_record_episode_statistics(mode: AutoresetMode) -> None:
    env = wrappers.RecordEpisodeStatistics(make(autoreset_mode=mode, **SMALL))
    env.reset(seed=2)
    ended = 0
    for offers in offer_stream(env.unwrapped, 40):
        *_, terminated, _, info = env.step(offers)
        if terminated.any():
            episode, totals = info["episode"], info["totals"]
            ended += int(terminated.sum())
            same(episode["r"][terminated], totals["gain"][terminated].astype(np.float64))
            same(episode["l"][terminated], totals["length"][terminated])
        if mode is AutoresetMode.DISABLED and terminated.any():
            env.reset(options={"reset_mask": terminated.copy()})
    assert ended == env.episode_count > 6


def test_wrappers_of_observation_reward_and_info() -> None:
    base = make(autoreset_mode="NextStep", horizon=4)
    env = wrappers.DictInfoToList(wrappers.TransformReward(wrappers.FlattenObservation(base), lambda r: 2 * r))
    plain = make(autoreset_mode="NextStep", horizon=4)
    seen, _ = env.reset(seed=3)
    plain.reset(seed=3)
    for offers in offer_stream(base, 9):
        assert env.observation_space.contains(seen)
        seen, reward, terminated, _, info = env.step(offers)
        _, expected, expected_terminated, _, expected_info = plain.step(offers)
        same(reward, 2 * expected)
        same(terminated, expected_terminated)
        same([one["payment"] for one in info], list(expected_info["payment"]))
    only = wrappers.FilterObservation(make(), ["distance", "step"])
    assert list(only.reset()[0]) == ["distance", "step"]
    assert only.observation_space.contains(only.reset()[0])


# ---- copies


def test_returned_arrays_never_change_afterwards() -> None:
    env = make(autoreset_mode="SameStep", horizon=5, noise=0.2)
    kept: list[Any] = [env.reset(seed=1), env.state(), env.statistics.arrays(), env.population, env.observe()]
    for t, offers in enumerate(offer_stream(env, 12)):
        handed = offers.copy()
        kept.append(env.step(handed))
        same(handed, offers)
        handed[:] = -7  # nor does the environment keep what it was given
        kept.append((env.observe(), env.state(), env.statistics.arrays()))
        if t == 6:
            snapshot = env.snapshot()
    before = [array.copy() for array in leaves(kept)]
    trace(env, 20)
    kept.append(env.restore(snapshot))
    env.set_state(heading=np.zeros((3, 4), dtype=int))
    env.statistics.clear()
    env.reset()
    del env
    gc.collect()
    after = list(leaves(kept))
    assert len(after) > 500
    for array, copy in zip(after, before, strict=False):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("mode", MODES)
def test_without_copies_the_same_arrays_come_again(mode: AutoresetMode) -> None:
    env = make(copy=False, autoreset_mode=mode, horizon=5)
    twin = make(autoreset_mode=mode, horizon=5)
    first, _ = env.reset(seed=1)
    same(first, twin.reset(seed=1)[0])
    for offers in offer_stream(env, 14):
        *results, info = env.step(offers)
        *expected, expected_info = twin.step(offers)
        same(results, expected)
        same({name: info[name] for name in (*INFO, "totals")}, {n: expected_info[n] for n in (*INFO, "totals")})
        assert all(np.shares_memory(first[name], array) for name, array in results[0].items())
        same(first, results[0])
    assert "copy" in paymaster.LeaderVectorEnv.__doc__
