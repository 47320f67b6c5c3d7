"""Environments in other processes, spawned or from a fork server: what arrives there plays on as it would have here."""

from __future__ import annotations

import copy
import multiprocessing
import warnings
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv

import paymaster
from paymaster import integrations
from play import RC, same
from played_elsewhere import begun, played

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # old names in libraries
    import supersuit
    import torch
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

NAME = "paymaster/ResourceCollection-v0"
SHORT: dict[str, Any] = {"seed": 4, "horizon": 6, "noise": 0.2}
STARTS = ("spawn", pytest.param("forkserver", marks=pytest.mark.slow))
starts = pytest.mark.parametrize("start", STARTS)


@starts
def test_a_game_goes_on_in_another_process(start: str) -> None:
    envs = [
        begun(paymaster.make_vec(RC, 3, **SHORT)),
        begun(integrations.BatchedLeaderVectors(paymaster.make_vec("navigation", 2, **SHORT))),
    ]
    with multiprocessing.get_context(start).Pool(1) as pool:
        there = pool.map(played, envs)
        back = pool.map(begun, envs)  # and comes back
    for env, came, returned in zip(envs, there, back, strict=True):
        same(played(returned), played(begun(copy.deepcopy(env))))
        same(came, played(env))


@starts
def test_gymnasiums_processes(start: str) -> None:
    arguments: dict[str, Any] = {"num_envs": 2, "vectorization_mode": "async", "vector_kwargs": {"context": start}}
    there, here = (
        gymnasium.make_vec(NAME, **arguments, **SHORT),
        gymnasium.make_vec(NAME, 2, vectorization_mode="sync", **SHORT),
    )
    try:
        same(there.reset(seed=[3, 8]), here.reset(seed=[3, 8]))
        here.action_space.seed(0)
        for _ in range(9):
            actions = here.action_space.sample()
            same(there.step(actions), here.step(actions))
    finally:
        there.close(), here.close()


def test_gymnasiums_processes_without_a_seed_play_different_games() -> None:
    games = AsyncVectorEnv([partial(paymaster.make, RC)] * 2, context="fork")
    try:
        seen, _ = games.reset()
        assert any(not np.array_equal(value[0], value[1]) for value in seen.values())
    finally:
        games.close()


@pytest.mark.slow
@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_stable_baselines3s_processes(start: str) -> None:
    makes = [partial(integrations.FollowerEnv, RC, "random", index=i, **SHORT) for i in range(2)]
    there, here = SubprocVecEnv(makes, start_method=start), DummyVecEnv(makes)
    rng = np.random.default_rng(0)
    try:
        for env in (there, here):
            env.seed(5)
        same(there.reset(), here.reset())
        for _ in range(15):
            actions = rng.integers(0, 5, size=2)
            same(there.step(actions)[:3], here.step(actions)[:3])
    finally:
        there.close()


class Episodes(torch.utils.data.IterableDataset[Any]):
    """Observations of a game that plays on in the loader's worker."""

    def __init__(self, env: Any) -> None:
        self.env = env

    def __iter__(self) -> Any:
        for _ in range(9):
            seen, *_ = self.env.step(self.env.action_space.sample())
            yield torch.from_numpy(seen)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_torchs_data_loader(start: str) -> None:
    env = begun(integrations.BatchedLeaderVectors(paymaster.make_vec(RC, 2, **SHORT)))
    loader = torch.utils.data.DataLoader(Episodes(env), batch_size=None, num_workers=1, multiprocessing_context=start)
    there = [seen.numpy() for seen in loader]
    same(there, [seen.numpy() for seen in Episodes(env)])


@pytest.mark.parametrize("cpus", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_supersuits_vectors(cpus: int) -> None:
    env = integrations.followers_env(RC, "random", **SHORT)
    vector = supersuit.pettingzoo_env_to_vec_env_v1(env)
    assert vector.num_envs == 4
    games = supersuit.concat_vec_envs_v1(vector, 2, num_cpus=cpus, base_class="gymnasium")
    twin = integrations.followers_env(RC, "random", **SHORT)
    try:
        seen, _ = games.reset(seed=5)
        same(seen[:4], np.stack(list(twin.reset(seed=5)[0].values())))
        assert not np.array_equal(seen[:4], seen[4:])
        rng = np.random.default_rng(0)
        for _ in range(SHORT["horizon"]):
            answers = rng.integers(0, 5, size=8)
            *_, reward, ended, _, _ = games.step(answers)
            _, expected, over, _, _ = twin.step(dict(zip(twin.agents, answers[:4], strict=True)))
            assert reward[:4].tolist() == list(expected.values())
            assert ended[:4].tolist() == list(over.values())
        assert ended.all()
    finally:
        games.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_supersuits_vectors_for_stable_baselines3() -> None:
    vector = supersuit.pettingzoo_env_to_vec_env_v1(integrations.followers_env("navigation", **SHORT))
    games = supersuit.concat_vec_envs_v1(vector, 2, num_cpus=1, base_class="stable_baselines3")
    assert games.reset().shape == (8, *vector.observation_space.shape)
    for _ in range(9):
        seen, reward, _, _ = games.step(np.zeros(8, dtype=int))
        assert np.isfinite(seen).all() and reward.shape == (8,)
    games.close()
