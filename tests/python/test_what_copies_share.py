"""Every adapter against docs/integrations.md, "What copies share": population, history of followers, draws."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray

import paymaster
from paymaster import integrations
from paymaster.envs.vector import LeaderVectorEnv
from play import RC

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # old names in libraries, versions
    import supersuit
    import torch
    from stable_baselines3.common.env_util import make_vec_env
    from torchrl.envs import GymWrapper, PettingZooWrapper, SerialEnv

GAMES, SHORT = 3, {"horizon": 6}
NAME = "paymaster/ResourceCollection-v0"
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version"),
]


class Adapted(NamedTuple):
    """Games in a library's hands: the batch of each, and how the library plays a few episodes of all of them."""

    batches: list[LeaderVectorEnv]
    play: Callable[[], object]


def vector_env(env: Any, batches: Callable[[Any], list[LeaderVectorEnv]]) -> Adapted:
    def play() -> None:
        env.action_space.seed(0)
        env.reset()
        for _ in range(20):
            env.step(env.action_space.sample())

    return Adapted(batches(env), play)


def one_space(env: Any, batches: Callable[[Any], list[LeaderVectorEnv]], **seed: int) -> Adapted:
    """With the space of a single game's actions, as SB3 and SuperSuit have it."""

    def play() -> None:
        env.action_space.seed(0)
        env.reset(**seed)
        for _ in range(20):
            env.step(np.array([env.action_space.sample() for _ in range(env.num_envs)]))

    return Adapted(batches(env), play)


def torchrl(env: Any, batches: list[LeaderVectorEnv]) -> Adapted:
    def play() -> None:
        torch.manual_seed(0)
        env.rollout(20, break_when_any_done=False)

    return Adapted(batches, play)


def pettingzoo(env: Any) -> Callable[[], None]:
    def play() -> None:
        env.reset()
        for agent in env.agents:
            env.action_space(agent).seed(0)
        while env.agents:
            env.step({agent: env.action_space(agent).sample() for agent in env.agents})

    return play


def in_turn(env: Any) -> Callable[[], None]:
    def play() -> None:
        env.reset()
        for agent in env.agents:
            env.action_space(agent).seed(0)
        for agent in env.agent_iter(20):
            env.step(env.action_space(agent).sample())

    return play


def several(make: Callable[..., Any], play: Callable[[Any], Callable[[], None]]) -> Adapted:
    """Environments beside each other."""
    envs = [make(RC, index=i, seed=1, **SHORT) for i in range(GAMES)]
    return Adapted([env.game.env for env in envs], lambda: [play(env)() for env in envs])


def batch_of(env: Any) -> list[LeaderVectorEnv]:
    return [env.unwrapped] * GAMES


def vectors_of_one(index: int = 0, seed: int | None = None) -> integrations.LeaderVectors:
    return integrations.LeaderVectors(paymaster.make(RC, seed, index, **SHORT))


def torchrl_batch() -> Adapted:
    batch = paymaster.make_vec(RC, GAMES, 1, autoreset_mode="Disabled", **SHORT)
    wrapped = GymWrapper(integrations.BatchedLeaderVectors(batch), categorical_action_encoding=True)
    return torchrl(wrapped, [batch] * GAMES)


def torchrl_copies() -> Adapted:
    singles = [vectors_of_one(i, 1) for i in range(GAMES)]
    env = SerialEnv(GAMES, [partial(GymWrapper, one, categorical_action_encoding=True) for one in singles])
    return torchrl(env, [one.unwrapped.batch for one in singles])


def torchrl_views() -> Adapted:
    games = [integrations.parallel_env(RC, index=i, seed=1, **SHORT) for i in range(GAMES)]
    envs = [PettingZooWrapper(game) for game in games]
    return Adapted([game.game.env for game in games], lambda: [torchrl(env, []).play() for env in envs])


def supersuit_copies() -> Adapted:
    vector = supersuit.pettingzoo_env_to_vec_env_v1(integrations.followers_env(RC, "random", seed=1, **SHORT))
    games = supersuit.concat_vec_envs_v1(vector, GAMES, num_cpus=1, base_class="gymnasium")
    batches = [one.par_env.unwrapped.game.env for one in games.vec_envs]
    return one_space(games, lambda _: batches, seed=1)  # without it all copies play the same games


SHARED: dict[str, Callable[[], Adapted]] = {
    "make_vec": lambda: vector_env(paymaster.make_vec(RC, GAMES, 1, **SHORT), batch_of),
    "gymnasium.make_vec": lambda: vector_env(gymnasium.make_vec(NAME, GAMES, seed=1, **SHORT), batch_of),
    "BatchedLeaderVectors": lambda: vector_env(
        integrations.BatchedLeaderVectors(paymaster.make_vec(RC, GAMES, 1, **SHORT)), batch_of
    ),
    "sb3_vec_env": lambda: one_space(integrations.sb3_vec_env(RC, GAMES, 1, **SHORT), lambda env: [env.games] * GAMES),
    "TorchRL, GymWrapper of BatchedLeaderVectors": torchrl_batch,
}
OWN: dict[str, Callable[[], Adapted]] = {
    "gymnasium.make_vec, sync": lambda: vector_env(
        gymnasium.make_vec(NAME, GAMES, vectorization_mode="sync", **SHORT),
        lambda env: [one.unwrapped.batch for one in env.envs],
    ),
    "SyncVectorEnv of LeaderVectors": lambda: vector_env(
        SyncVectorEnv([partial(vectors_of_one, i, 1) for i in range(GAMES)]),
        lambda env: [one.unwrapped.batch for one in env.envs],
    ),
    "SB3, make_vec_env of LeaderVectors": lambda: one_space(
        make_vec_env(vectors_of_one, GAMES, seed=0), lambda env: [one.unwrapped.batch for one in env.envs]
    ),
    "SB3, make_vec_env of FollowerEnv": lambda: one_space(
        make_vec_env(integrations.FollowerEnv, GAMES, seed=0, env_kwargs={"task": RC, **SHORT}),
        lambda env: [one.unwrapped.game.env for one in env.envs],
    ),
    "TorchRL, SerialEnv of LeaderVectors": torchrl_copies,
    "TorchRL, PettingZooWrapper": torchrl_views,
    "parallel_env": lambda: several(integrations.parallel_env, pettingzoo),
    "aec_env": lambda: several(integrations.aec_env, in_turn),
    "followers_env": lambda: several(integrations.followers_env, pettingzoo),
    "SuperSuit, concat_vec_envs": supersuit_copies,
}


def trials(batch: LeaderVectorEnv) -> int:
    return int(batch.statistics.acceptance_count.sum())


def rows_met(batch: LeaderVectorEnv) -> NDArray[Any]:
    """Return which followers the history has met."""
    return batch.statistics.acceptance_count.any(axis=(1, 2))


@pytest.mark.parametrize("name", SHARED)
def test_games_of_a_batch_share_one_history(name: str) -> None:
    """All in one table: several games have met more different followers than there are seats in a game."""
    batches, play = SHARED[name]()
    assert len({id(batch) for batch in batches}) == 1
    (batch, *_) = batches
    batch.reset()
    seats = batch.state("identity")["identity"]
    play()
    assert trials(batch) > 0
    assert seats.shape == (GAMES, 4) and rows_met(batch).sum() > 4


@pytest.mark.parametrize("name", OWN)
def test_single_copies_have_a_history_each(name: str) -> None:
    """Each table grows by what its own game plays, and no other."""
    batches, play = OWN[name]()
    assert len({id(batch) for batch in batches}) == GAMES
    assert [trials(batch) for batch in batches] == [0] * GAMES
    play()
    tables = [batch.statistics.arrays() for batch in batches]
    assert all(table["acceptance_count"].any() for table in tables)
    before = [table["acceptance_count"] for table in tables]
    first, *others = batches
    first.statistics.clear()
    assert trials(first) == 0 and [trials(batch) for batch in others] == [int(count.sum()) for count in before[1:]]
    assert not np.array_equal(before[0], before[1])


@pytest.mark.parametrize("name", {**SHARED, **OWN})
def test_all_copies_play_with_the_same_population(name: str) -> None:
    batches, _ = {**SHARED, **OWN}[name]()
    expected = paymaster.make_vec(RC).population
    for batch in batches:
        if "FollowerEnv" not in name and batch.parameters["followers"] == "rule":
            np.testing.assert_array_equal(batch.population["learns"], expected["learns"])
        for trait in ("skill", "preference", "reservation"):
            np.testing.assert_array_equal(batch.population[trait], expected[trait])


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("name", ["make_vec", "sb3_vec_env"])
def test_a_copied_object_begins_with_the_history_and_goes_on_with_its_own(name: str, way: Any) -> None:
    make = {
        "make_vec": lambda: paymaster.make_vec(RC, GAMES, 1, **SHORT),
        "sb3_vec_env": lambda: integrations.sb3_vec_env(RC, GAMES, 1, **SHORT),
    }[name]
    env = make()
    of = (lambda one: one) if name == "make_vec" else (lambda one: one.games)
    env.reset()
    actions = np.zeros((GAMES, *((4, 2) if name == "make_vec" else (8,))), dtype=int)
    for _ in range(7):
        env.step(actions)
    twin = way(env)
    assert trials(of(twin)) == trials(of(env)) > 0
    env.step(actions)
    assert trials(of(twin)) < trials(of(env))


@pytest.mark.parametrize("seeded", [True, False])
def test_draws_repeat_only_with_seed_and_index(seeded: bool) -> None:
    """Of single copies: the same seed and index are the same game; without a seed none is another's."""
    one, other, beside = (vectors_of_one(index, 5 if seeded else None) for index in (0, 0, 1))
    equal = np.array_equal(one.reset()[0], other.reset()[0])
    assert equal is seeded
    assert not np.array_equal(other.reset()[0], beside.reset()[0])


def test_a_seed_empties_the_history_of_vectors_and_views_alone() -> None:
    """Of those in ``integrations``; environments keep it, and so does what is frozen."""
    zeros = np.zeros((GAMES, 4, 2), dtype=int)
    plain, vectors = (paymaster.make_vec(RC, GAMES, 1, **SHORT) for _ in range(2))
    env = integrations.BatchedLeaderVectors(vectors)
    plain.reset(), env.reset()
    for _ in range(7):
        plain.step(zeros), env.step(zeros.reshape(GAMES, 8))
    assert trials(plain) == trials(vectors) > 0
    vectors.statistics.frozen = True
    plain.reset(seed=2), env.reset(seed=2)
    assert trials(plain) == trials(vectors) > 0
    vectors.statistics.frozen = False
    env.reset(seed=2)
    assert trials(vectors) == 0
