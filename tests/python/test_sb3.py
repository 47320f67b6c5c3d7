"""The batch as a `VecEnv` of Stable-Baselines3: the numbers of single copies, and what SB3's own code asks of it."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

import paymaster
from paymaster import integrations
from play import RC, SMALL, same

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of versions
    from stable_baselines3 import A2C, PPO
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import (
        DummyVecEnv,
        VecCheckNan,
        VecEnv,
        VecFrameStack,
        VecMonitor,
        VecNormalize,
    )

GAMES, SHORT = 3, {"horizon": 7, "noise": 0.2}


def single_copy(index: int, task: str, **parameters: Any) -> Monitor:
    """Return what SB3's ``make_vec_env`` makes a copy of; its history stays empty."""
    env = integrations.LeaderVectors(paymaster.make(task, 4, index, **parameters))
    env.unwrapped.batch.statistics.frozen = True
    return Monitor(env)


def actions_for(env: VecEnv, steps: int, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.integers(env.action_space.nvec, size=(env.num_envs, *env.action_space.shape)) for _ in range(steps)]


@pytest.mark.parametrize(("task", "parameters"), [(RC, SHORT), (RC, SMALL), ("navigation", {**SHORT, "abstain": True})])
@pytest.mark.parametrize("seed", [None, 11])
def test_it_plays_the_games_of_single_copies(task: str, parameters: dict[str, Any], seed: int | None) -> None:
    """With a history that stays as it is, since the batch has one and the copies have one each."""
    batch = integrations.sb3_vec_env(task, GAMES, 4, **parameters)
    batch.games.statistics.frozen = True
    copies = DummyVecEnv([partial(single_copy, i, task, **parameters) for i in range(GAMES)])
    if seed is not None:
        assert batch.seed(seed) == copies.seed(seed)
    same(batch.reset(), copies.reset())
    ended = 0
    for actions in actions_for(batch, 40):
        seen, reward, over, infos = batch.step(actions)
        expected, expected_reward, expected_over, expected_infos = copies.step(actions)
        same((seen, over), (expected, expected_over))
        np.testing.assert_allclose(reward, expected_reward)
        assert seen.dtype == np.float32 and reward.dtype == np.float32 and over.dtype == np.bool_
        for info, other, ends in zip(infos, expected_infos, over, strict=True):
            if not ends:
                assert info == {}
                continue
            ended += 1
            same(info["terminal_observation"], other["terminal_observation"])
            assert info["TimeLimit.truncated"] is other["TimeLimit.truncated"] is False
            assert info["episode"]["l"] == other["episode"]["l"]
            assert info["episode"]["r"] == pytest.approx(other["episode"]["r"], abs=1e-4)
            same(info["totals"], other["totals"])
    assert ended >= 3 * GAMES


def test_what_a_step_returned_stays_as_it_was() -> None:
    env = integrations.sb3_vec_env(RC, GAMES, 4, **SHORT)
    env.reset()
    returned = [env.step(actions) for actions in actions_for(env, 9)]
    again = integrations.sb3_vec_env(RC, GAMES, 4, **SHORT)
    again.reset()
    for (*came, infos), actions in zip(returned, actions_for(env, 9), strict=True):
        *expected, expected_infos = again.step(actions)
        same(came, expected)
        for info in (*infos, *expected_infos):
            info.get("episode", {}).pop("t", None)
        same(infos, expected_infos)


def test_a_seed_counts_for_one_reset_and_empties_the_history() -> None:
    env = integrations.sb3_vec_env(RC, GAMES, 4, **SHORT)
    env.seed(5)
    first, second = env.reset(), env.reset()
    for actions in actions_for(env, 20):
        env.step(actions)
    assert env.games.statistics.acceptance_count.any()
    env.seed(5)
    same(env.reset(), first)
    assert not env.games.statistics.acceptance_count.any()
    same(env.reset(), second)
    assert not np.array_equal(first, second)
    env.seed()
    assert not np.array_equal(env.reset(), first)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_has_games_of_its_own(way: Any) -> None:
    env = integrations.sb3_vec_env(RC, GAMES, 4, **SHORT)
    env.reset()
    *first, rest = np.split(np.array(actions_for(env, 20)), [1, 2, 3])
    for actions in np.concatenate(first):
        env.step(actions)
    twin = way(env)
    there = [twin.step(actions)[:3] for actions in rest]
    same(there, [env.step(actions)[:3] for actions in rest])


def test_attributes_and_methods_of_single_games() -> None:
    env = integrations.sb3_vec_env(RC, GAMES, 4, render_mode="rgb_array", **SHORT)
    env.reset()
    assert env.get_attr("task", [0, 2]) == [RC, RC]
    assert env.get_attr("render_mode") == ["rgb_array"] * GAMES
    assert env.has_attr("statistics") and not env.has_attr("tennis")
    whole = env.games.state("reservation")["reservation"]
    (state,) = env.env_method("state", "reservation", indices=1)
    same(state, {"reservation": whole[1]})
    env.env_method("set_state", indices=[1], reservation=np.ones_like(whole[1]))
    changed = env.games.state("reservation")["reservation"]
    same(changed, np.stack([whole[0], np.ones_like(whole[1]), whole[2]]))
    (one,) = env.env_method("render", indices=2)
    pictures = env.get_images()
    same(one, pictures[2])
    tiled = env.render()
    assert tiled.shape == (2 * one.shape[0], 2 * one.shape[1], 3)  # three games in a square of four
    same(tiled[: one.shape[0], : one.shape[1]], pictures[0])
    env.set_attr("note", 3)
    assert env.get_attr("note", 1) == [3]
    assert env.env_is_wrapped(Monitor) == [True] * GAMES  # infos have its episodes
    assert env.env_is_wrapped(integrations.LeaderVectors, 0) == [False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda env: env.step(np.zeros((GAMES, 7), dtype=int)), ValueError, r"actions: expected shape \(3, 8\)"),
        (lambda env: env.step(np.full((GAMES, 8), 9)), ValueError, "actions"),
        (lambda env: env.step(np.zeros((GAMES, 8))), TypeError, "actions"),
        (lambda env: env.set_attr("note", 1, [0]), ValueError, "indices: expected all 3 games, which share note"),
        (lambda env: env.env_method("snapshot"), AttributeError, "method_name: expected one of render, set_state, st"),
        (
            lambda env: env.env_method("set_state", indices=0, reservation=np.zeros(3)),
            ValueError,
            r"reservation: expected shape \(4,\), got \(3,\)",
        ),
        (lambda env: env.env_method("set_state", indices=0, height=1), ValueError, "height"),
        (lambda env: (env.set_options({"level": 3}), env.reset()), ValueError, "options: expected none, got 'level'"),
    ],
)
def test_what_is_refused_changes_nothing(call: Any, error: type[Exception], message: str) -> None:
    env = integrations.sb3_vec_env(RC, GAMES, 4, **SHORT)
    env.reset()
    before = env.games.snapshot()
    with pytest.raises(error, match=message):
        call(env)
    assert env.games.snapshot() == before
    env.reset()


@pytest.mark.parametrize("name", ["autoreset_mode", "copy"])
def test_what_sb3_fixes_is_no_argument(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected none, since SB3 fixes it"):
        integrations.sb3_vec_env(RC, **{name: True})


def test_sb3s_wrappers_and_algorithms_take_it() -> None:
    """A2C learns through all wrappers, PPO without any; SB3 finds the episodes; evaluation warns of nothing."""
    make = partial(integrations.sb3_vec_env, RC, 4, 4, **SHORT)
    with pytest.warns(UserWarning, match="already wrapped with a `Monitor`"):  # whose numbers infos have
        monitored = VecMonitor(make())
    wrapped = VecNormalize(VecFrameStack(VecCheckNan(monitored, raise_exception=True), 2))
    A2C("MlpPolicy", wrapped, n_steps=8, seed=0, device="cpu").learn(64)
    model = PPO("MlpPolicy", make(), n_steps=14, batch_size=28, n_epochs=2, seed=0, device="cpu")
    model.learn(168)
    gains = [episode["r"] for episode in model.ep_info_buffer]
    assert len(gains) == 24 and all(episode["l"] == 7 for episode in model.ep_info_buffer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, _ = evaluate_policy(model, make(), n_eval_episodes=8)
    assert np.isfinite(mean) and np.std(gains) > 0


def test_ppo_repeats_with_a_seed() -> None:
    def learned() -> list[Any]:
        env = integrations.sb3_vec_env(RC, 4, **SHORT)
        model = PPO("MlpPolicy", env, n_steps=14, batch_size=28, n_epochs=1, seed=3, device="cpu").learn(56)
        return [weights.numpy() for weights in model.policy.state_dict().values()]

    same(learned(), learned())
