"""What a program that uses the environments may rely on: seeds, specifications, the order of calls, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

import paymaster
from paymaster import integrations
from play import RC, leaves, same

NAME, FOLLOWER = "paymaster/ResourceCollection-v0", "paymaster/ResourceCollectionFollower-v0"
MAKERS: dict[str, Callable[..., Any]] = {
    "single": partial(paymaster.make, RC),
    "batch": partial(paymaster.make_vec, RC, 2),
    "two phases": partial(paymaster.make_vec, RC, 2, followers="meta"),
    "vectors": lambda **parameters: integrations.LeaderVectors(paymaster.make(RC, **parameters)),
    "batched vectors": lambda **parameters: integrations.BatchedLeaderVectors(paymaster.make_vec(RC, 2, **parameters)),
    "follower": partial(integrations.FollowerEnv, RC),
    "parallel": partial(integrations.parallel_env, RC),
    "turns": partial(integrations.aec_env, RC),
    "followers": partial(integrations.followers_env, RC, "random"),
    "name": partial(gymnasium.make, NAME),
    "follower's name": partial(gymnasium.make, FOLLOWER),
    "batch by name": partial(gymnasium.make_vec, NAME, 2),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def first_seen(env: Any, **reset: Any) -> Any:
    """The first observation after a reset."""
    seen = env.reset(**reset)
    return env.observe("leader") if hasattr(env, "agent_selection") else seen[0]


def differ(one: Any, other: Any) -> bool:
    return any(not np.array_equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


# ---- seeds


@makers
def test_environments_without_a_seed_differ(make: Any) -> None:
    assert differ(first_seen(make()), first_seen(make()))
    assert differ(first_seen(make(seed=None)), first_seen(make(seed=None)))


@makers
def test_environments_with_a_seed_repeat(make: Any) -> None:
    same(first_seen(make(seed=3)), first_seen(make(seed=3)))
    assert differ(first_seen(make(seed=3)), first_seen(make(seed=4)))
    same(first_seen(make(), seed=3), first_seen(make(), seed=3))
    same(first_seen(make(seed=0)), first_seen(make(), seed=0))


def test_an_environment_without_a_seed_keeps_the_one_that_it_took() -> None:
    env = paymaster.make(RC)
    twin = paymaster.make(RC, seed=env.np_random_seed)
    for _ in range(3):
        same(env.reset(), twin.reset())
    assert 0 <= env.np_random_seed < 2**63


@pytest.mark.parametrize("kind", ["single", "batch", "two phases", "vectors", "batched vectors", "follower", "name"])
def test_the_seed_is_said_as_gymnasium_says_it(kind: str) -> None:
    make = MAKERS[kind]
    env = make(seed=np.uint64(2**64 - 1))
    assert (env.np_random_seed, type(env.np_random_seed)) == (2**64 - 1, int)
    env.reset()
    assert env.np_random_seed == 2**64 - 1
    env.reset(seed=np.int32(5))
    assert (env.np_random_seed, type(env.np_random_seed)) == (5, int)
    same(env.np_random.random(4), np.random.default_rng(5).random(4))
    env.reset()
    assert env.np_random_seed == 5
    env.unwrapped.np_random = np.random.default_rng(1)
    assert env.np_random_seed == -1


def test_seeds_of_several_games() -> None:
    env = paymaster.make_vec(RC, 2, seed=1)
    env.reset(seed=np.array([4, 9]))
    assert env.np_random_seed == (4, 9)
    env.reset(options={"reset_mask": np.array([True, False])})
    assert env.np_random_seed == (4, 9)
    env.reset(seed=[7, 7])
    assert env.np_random_seed == 7
    with pytest.raises(ValueError, match="seed: expected a value"):
        env.reset(seed=[1, -1])
    assert env.np_random_seed == 7


# ---- specifications


@pytest.mark.parametrize("name", [NAME, FOLLOWER])
def test_a_specification_knows_the_horizon_and_cuts_nothing(name: str) -> None:
    env = gymnasium.make(name, seed=1, horizon=4)
    for spec in (env.spec, env.unwrapped.spec, env.get_wrapper_attr("spec")):
        assert (spec.id, spec.max_episode_steps) == (name, 4)
    env.reset(), env.action_space.seed(0)
    ends = [env.step(env.action_space.sample())[2:4] for _ in range(4)]
    assert ends == [(False, False)] * 3 + [(True, False)]
    # Made of a specification, Gymnasium cuts where it says; -1 is its word for "not at all".
    again = gymnasium.make(env.spec, max_episode_steps=-1)
    again.reset(), again.action_space.seed(0)
    assert [again.step(again.action_space.sample())[2:4] for _ in range(4)] == ends
    again = gymnasium.make(env.spec)
    same(again.reset(), gymnasium.make(name, seed=1, horizon=4).reset())
    assert [again.step(again.action_space.sample())[2] for _ in range(4)] == [False, False, False, True]
    assert gymnasium.make(name).spec.max_episode_steps == 30


@pytest.mark.parametrize("name", [NAME, FOLLOWER])
def test_gymnasiums_time_limit_cuts_where_it_is_asked_to(name: str) -> None:
    env = gymnasium.make(name, seed=1, max_episode_steps=3)
    assert env.spec.max_episode_steps == 3
    env.reset(), env.action_space.seed(0)
    ends = [env.step(env.action_space.sample())[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


def test_the_specification_of_a_batch() -> None:
    env = gymnasium.make_vec(NAME, 2, horizon=4)
    assert (env.spec.id, env.spec.max_episode_steps) == (NAME, 4)
    assert gymnasium.make_vec(env.spec).parameters["horizon"] == 4
    assert gymnasium.make_vec(NAME, 2, max_episode_steps=30).spec.max_episode_steps == 30
    with pytest.raises(ValueError, match=r"max_episode_steps: expected None or at least the horizon 30, .* got 5"):
        gymnasium.make_vec(NAME, 2, max_episode_steps=5)
    with pytest.raises(TypeError, match="max_episode_steps: expected an int, got str"):
        paymaster.make_vec(RC, max_episode_steps="5")
    assert paymaster.make_vec(RC).spec is None and paymaster.make(RC).spec is None


# ---- the order of calls


def test_before_the_first_reset_a_view_says_what_to_do() -> None:
    turns, parallel = integrations.aec_env(RC), integrations.parallel_env(RC)
    for call, name in (
        (turns.last, "last"),
        (turns.agent_iter, "agent_iter"),
        (turns.state, "state"),
        (partial(turns.observe, "leader"), "observe"),
        (partial(turns.observe, "follower_1"), "observe"),
        (partial(turns.step, 0), "step"),
        (partial(parallel.step, {}), "step"),
        (parallel.state, "state"),
        (partial(integrations.followers_env(RC).step, {}), "step"),
        (partial(integrations.FollowerEnv(RC).step, 0), "step"),
    ):
        with pytest.raises(gymnasium.error.ResetNeeded, match=rf"^{name}: expected reset\(\) first, since no episode"):
            call()
    for name in ("agent_selection", "rewards", "terminations", "truncations", "infos"):
        with pytest.raises(AttributeError, match=rf"^{name}: expected reset\(\) first, since no episode has begun"):
            getattr(turns, name)
    with pytest.raises(AttributeError, match="has no attribute 'reward'"):
        _ = turns.reward
    assert turns.agents == parallel.agents == []


def test_after_the_last_step_too() -> None:
    turns = integrations.aec_env(RC, horizon=1)
    turns.reset()
    for agent in turns.agent_iter():
        turns.step(None if turns.terminations[agent] else turns.action_space(agent).sample())
    assert list(turns.agent_iter()) == []
    for call in (turns.last, partial(turns.step, 0)):
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"expected reset\(\) first"):
            call()
    turns.reset()
    assert turns.last()[2] is False


@makers
def test_closing_twice_and_playing_on(make: Any) -> None:
    env = make(seed=1)
    env.close(), env.close()
    same(first_seen(env), first_seen(make(seed=1)))
    env.close()


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_a_game_is_drawn_before_its_first_reset(mode: str) -> None:
    """As the reset will start it."""
    for make in (paymaster.make, integrations.FollowerEnv, integrations.parallel_env, integrations.aec_env):
        env = make(RC, seed=1, render_mode=mode)
        before = env.render()
        if make is not integrations.FollowerEnv:  # which skips episodes
            env.reset()
        same(env.render(), before)


# ---- what is refused


@pytest.mark.parametrize("make", [MAKERS[name] for name in ("single", "vectors", "follower")])
def test_options_of_a_reset_that_has_none(make: Any) -> None:
    env = make(seed=1)
    for options, error in (({"mask": 1}, ValueError), (5, TypeError), ("mask", TypeError), ([], TypeError)):
        with pytest.raises(error, match=r"^options: expected .*, got "):
            env.reset(options=options)
    same(first_seen(env, options={}), first_seen(make(seed=1), options=None))


def test_actions_that_are_none() -> None:
    env, followers = integrations.parallel_env(RC, seed=1), integrations.followers_env(RC, seed=1)
    for view in (env, followers):
        view.reset()
        before = view.state()
        for actions in (None, [0] * 5, 3, "stay"):
            with pytest.raises(TypeError, match=r"^actions: expected a dict of agents' actions, got "):
                view.step(actions)
        same(view.state(), before)


def test_agents_that_are_not_there() -> None:
    env = integrations.aec_env(RC, seed=1)
    env.reset()
    for call in (env.observe, env.action_space, env.observation_space):
        with pytest.raises(ValueError, match=r"^agent: expected one of leader, follower_0, .* got 'follower_9'"):
            call("follower_9")
