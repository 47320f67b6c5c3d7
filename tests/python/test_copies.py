"""Environments as objects: pickled, deep-copied and copied they have a game of their own with the same future."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordBatchStatistics

import paymaster
from paymaster import integrations
from paymaster.features.leader import FeatureEncoder
from paymaster.scripted import make_scripted
from play import MODES, RC, leaves, same
from rest_slow import rest_slow

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "cloudpickle": lambda value: pickle.loads(cloudpickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}
ways = pytest.mark.parametrize("way", WAYS)


def frozen(value: Any) -> Any:
    """A copy that later calls do not write to, without the time that it took."""
    if isinstance(value, dict):
        return {name: frozen(part) for name, part in value.items() if name != "t"}
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.dtype == object):
        return [frozen(part) for part in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def batch(env: Any, steps: int) -> list[Any]:
    """The results of random offers, by the environment's own space."""
    results = [frozen(env.step(env.action_space.sample())) for _ in range(steps)]
    return [*results, env.render() if env.render_mode else None]


def phases(env: Any, steps: int) -> list[Any]:
    """Answers to the offers that stand, then whole steps, and offers again."""
    results = []
    for _ in range(steps):
        results.append(frozen(env.act(env.follower_action_space.sample())))
        results.append(frozen(env.offer(env.action_space.sample())))
    return results


def of_sb3(env: Any, steps: int) -> list[Any]:
    """A ``VecEnv``, with the episodes' times left out, by the space of single games."""
    results = []
    for _ in range(steps):
        *result, infos = env.step(np.array([env.action_space.sample() for _ in range(env.num_envs)]))
        for info in infos:
            info.get("episode", {}).pop("t", None)
        results.append([*result, infos])
    return results


def alone(env: Any, steps: int) -> list[Any]:
    """A Gymnasium environment that is reset whenever its game is over."""
    results = []
    for _ in range(steps):
        results.append(frozen(env.step(env.action_space.sample())))
        if results[-1][2]:
            results.append(frozen(env.reset()))
    results.append(env.render() if env.render_mode else None)
    return results


def together(env: Any, steps: int) -> list[Any]:
    """A parallel environment."""
    results = []
    for _ in range(steps):
        if not env.agents:
            results.append(env.reset())
        results.append(env.step({agent: env.action_space(agent).sample() for agent in env.agents}))
        results.append(env.state())
    return results


def in_turn(env: Any, steps: int) -> list[Any]:
    """An AEC environment."""
    results: list[Any] = []
    for _ in range(steps):
        if not env.agents:
            env.reset()
        agent = env.agent_selection
        results.append([agent, env.last(), env.rewards, env.state()])
        env.step(None if env.terminations[agent] else env.action_space(agent).sample())
    return frozen(results)


def seeded(env: Any) -> Any:
    """With spaces that draw the same numbers in every test."""
    for name in ("action_space", "follower_action_space"):
        space = getattr(env, name, None)
        if space is not None and not callable(space):
            space.seed(3)
    for k, agent in enumerate(getattr(env, "possible_agents", ())):
        env.action_space(agent).seed(k)
    return env


SHORT: dict[str, Any] = {"seed": 4, "horizon": 9, "noise": 0.2}
PEOPLE = {"skill": np.eye(6, 4, dtype=bool), "preference": np.arange(6) % 4, "reservation": np.linspace(0, 2, 6)}
CASES: dict[str, tuple[Callable[[], Any], Callable[[Any, int], list[Any]]]] = {
    **{
        f"batch {mode.value}": (partial(paymaster.make_vec, RC, 3, autoreset_mode=mode, **SHORT), batch)
        for mode in MODES
    },
    "batch same arrays": (partial(paymaster.make_vec, "navigation", 3, copy=False, num_threads=2, **SHORT), batch),
    "batch population": (
        partial(paymaster.make_vec, RC, 2, population=PEOPLE, abstain=True, first_index=7, **SHORT),
        batch,
    ),
    "batch pictures": (partial(paymaster.make_vec, RC, 2, render_mode="rgb_array", **SHORT), batch),
    "batch wrapped": (lambda: RecordBatchStatistics(paymaster.make_vec(RC, 2, **SHORT)), batch),
    "batch vectors": (
        lambda: integrations.BatchedLeaderVectors(paymaster.make_vec("predator_prey", 2, **SHORT)),
        batch,
    ),
    "batch of SB3": (partial(integrations.sb3_vec_env, RC, 2, **SHORT), of_sb3),
    "two phases": (partial(paymaster.make_vec, RC, 3, followers="meta", abstain=True, **SHORT), phases),
    "two phases primitive": (
        partial(paymaster.make_vec, "navigation", 2, followers="primitive", copy=False, **SHORT),
        phases,
    ),
    "single": (partial(paymaster.make, RC, index=3, **SHORT), alone),
    "single by name": (partial(gymnasium.make, "paymaster/PredatorPrey-v0", **SHORT), alone),
    "single wrapped": (lambda: RecordEpisodeStatistics(TimeLimit(paymaster.make(RC, **SHORT), 4)), alone),
    "single vectors": (lambda: integrations.LeaderVectors(paymaster.make("navigation", **SHORT)), alone),
    "single pictures": (partial(paymaster.make, RC, render_mode="rgb_array", **SHORT), alone),
    "follower": (partial(integrations.FollowerEnv, RC, "random", **SHORT), alone),
    "follower by name": (partial(gymnasium.make, "paymaster/NavigationFollower-v0", member=2, **SHORT), alone),
    "parallel": (partial(integrations.parallel_env, RC, **SHORT), together),
    "followers": (
        partial(integrations.followers_env, "navigation", "random", followers="primitive", **SHORT),
        together,
    ),
    "followers of an object": (lambda: integrations.followers_env(RC, make_scripted("fixed", 2), **SHORT), together),
    "turns": (partial(integrations.aec_env, "navigation", **SHORT), in_turn),
}


def begun(case: str) -> tuple[Any, Callable[[Any, int], list[Any]]]:
    """In mid-episode; in two phases between them, in turns between two followers."""
    make, play = CASES[case]
    env = seeded(make())
    env.reset()
    if play is phases:
        env.offer(env.action_space.sample())
    play(env, 12 if play is in_turn else 3)
    return env, play


FEW = ("batch same arrays", "two phases", "single", "follower", "parallel", "turns")


@pytest.mark.parametrize(
    ("case", "way"),
    rest_slow(
        # Gymnasium's own wrappers share under copy.copy what they wrap, whatever that is.
        ((case, way) for case in CASES for way in WAYS if way != "copy" or not case.endswith(("wrapped", "by name"))),
        # Drawing takes half a second; and all go by the same two methods, whatever it is that is copied.
        lambda one: one[1] == "pickle" or ((one[0] in FEW or one[1] == "deepcopy") and not one[0].endswith("pictures")),
    ),
)
def test_a_copy_has_the_same_future_and_a_game_of_its_own(case: str, way: str) -> None:
    env, play = begun(case)
    twin = WAYS[way](env)
    assert type(twin) is type(env)
    same(play(twin, 14), expected := play(env, 14))  # neither has moved the other
    assert len(list(leaves(expected))) > 10
    later = WAYS[way](twin)
    same(play(env, 14), play(later, 14))


def test_a_copy_of_a_wrapper_has_a_game_of_its_own_if_the_wrapper_is_ours() -> None:
    for env in (
        integrations.LeaderVectors(paymaster.make(RC, seed=1)),
        integrations.BatchedLeaderVectors(paymaster.make_vec(RC, 2, seed=1)),
    ):
        assert copy.copy(env).unwrapped is not env.unwrapped


@ways
def test_what_an_environment_holds_goes_with_it(way: str) -> None:
    env = paymaster.make_vec(RC, 2, **SHORT)
    env.reset()
    encoder, play = FeatureEncoder(env), batch(env, 20)
    twin, statistics, encoder_too, seen = (
        WAYS[way]((env, env.statistics, encoder, play[-2][0]))
        if way != "copy"
        else (copy.deepcopy((env, env.statistics, encoder, play[-2][0])))
    )
    assert statistics is twin.statistics
    same(statistics.arrays(), env.statistics.arrays())
    same(encoder_too.encode(seen), encoder.encode(seen))
    twin.statistics.clear()
    assert not statistics.acceptance_count.any() and env.statistics.acceptance_count.any()
    assert not np.array_equal(encoder_too.encode(seen)[1], encoder.encode(seen)[1])
    twin.statistics.frozen = True
    assert WAYS[way](twin).statistics.frozen and not env.statistics.frozen


@ways
def test_replaced_followers_stay_replaced(way: str) -> None:
    env = paymaster.make_vec(RC, 2, seed=1, population_size=6)
    env.replace_followers([0, 3], seed=9)
    twin = WAYS[way](env)
    same(twin.population, env.population)
    env.reset(), twin.reset()
    same(batch(seeded(twin), 40), batch(seeded(env), 40))


@ways
def test_seeds_are_kept_given_or_not(way: str) -> None:
    for make in (paymaster.make, paymaster.make_vec, integrations.FollowerEnv):
        env = make(RC)
        twin = WAYS[way](env)
        assert twin.np_random_seed == env.np_random_seed
        same(twin.np_random.random(3), env.np_random.random(3))
        for _ in range(2):
            same(twin.reset(), env.reset())
        twin.reset(seed=5)
        assert (twin.np_random_seed, env.np_random_seed == 5) == (5, False)
    view = integrations.parallel_env(RC)
    same(WAYS[way](view).reset(), view.reset())


@ways
def test_reset_with_seeds_of_their_own_is_kept(way: str) -> None:
    env = seeded(paymaster.make_vec(RC, 2, seed=1))
    env.reset(seed=[4, 8])
    twin = WAYS[way](env)
    assert twin.np_random_seed == (4, 8)
    same(batch(twin, 40), batch(env, 40))


def test_gymnasiums_vector_environments_take_copies() -> None:
    """Of one environment: as seeds are given, the games differ."""
    env = paymaster.make(RC, seed=1, horizon=5)
    games = SyncVectorEnv([partial(copy.deepcopy, env) for _ in range(2)])
    first, _ = games.reset()
    same({name: value[0] for name, value in first.items()}, {name: value[1] for name, value in first.items()})
    seen, _ = games.reset(seed=[1, 2])
    assert any(not np.array_equal(value[0], value[1]) for value in seen.values())
    games.step(games.action_space.sample())
    again = paymaster.make(RC, seed=7, horizon=5).reset(seed=2)[0]
    same({name: value[1] for name, value in seen.items()}, again)


def test_followers_that_learn_go_with_their_batch() -> None:
    import torch

    from paymaster.algorithms.followers import FollowerActorCritic
    from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers

    env = paymaster.make_vec(RC, 2, followers="meta", **SHORT)
    config = FollowerEncoder(env, torch.device("cpu")).config(8, "embedded")
    LearningFollowers(env, FollowerActorCritic(config), torch.Generator().manual_seed(1))
    seeded(env).reset()
    batch(env, 3)
    for way in ("pickle", "deepcopy"):
        twin = WAYS[way](env)
        assert twin.answering is not env.answering
        later = WAYS[way](twin)
        same(batch(twin, 10), batch(later, 10))


def test_a_leader_with_networks_goes_with_its_view() -> None:
    import torch

    from paymaster.analysis.open_run import RunLeader
    from paymaster.training.config import TrainConfig
    from paymaster.training.setup import make_env, make_leader

    config = TrainConfig(RC)
    leader = RunLeader(make_leader(config, make_env(config, 1, 0)), torch.Generator().manual_seed(1))
    env = integrations.followers_env(RC, leader, seed=4, observe_routes=config.observe_routes)
    env.reset()
    for agent in env.agents:
        env.action_space(agent).seed(0)
    together(env, 2)
    for way in ("pickle", "deepcopy"):
        one, other = WAYS[way](env), WAYS[way](env)
        same(together(one, 5), together(other, 5))


def test_damaged_pickles_are_refused() -> None:
    env = paymaster.make_vec(RC, 2, seed=1)
    core = env._core
    whole = core.__getstate__()
    for at, wrong in ((0, "tennis"), (2, 3), (6, 9), (6, -1), (9, b"nothing"), (10, np.zeros(3, dtype=np.int32))):
        with pytest.raises((ValueError, TypeError)):
            core.__class__.__new__(core.__class__).__setstate__((*whole[:at], wrong, *whole[at + 1 :]))
    with pytest.raises((ValueError, TypeError)):
        core.__class__.__new__(core.__class__).__setstate__(whole[:-1])
