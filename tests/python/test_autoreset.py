"""The three autoreset modes, against Gymnasium's own vector environment of single games."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

import paymaster
from play import INFO, RC, SMALL, make, offer_stream, row, same, trace


def twins(mode: AutoresetMode, **parameters: Any) -> tuple[Any, SyncVectorEnv]:
    """Five games of ours, and Gymnasium's of the same games."""
    ours = make(num_envs=5, seed=3, autoreset_mode=mode, **parameters)
    games = [lambda i=i: paymaster.make(RC, seed=3, index=i, **parameters) for i in range(5)]
    return ours, SyncVectorEnv(games, autoreset_mode=mode)


def same_info(ours: dict[str, Any], theirs: dict[str, Any], present: NDArray[np.bool_]) -> None:
    """Equal entries for the games in ``present``, the only ones of which Gymnasium's info says something."""
    for name in INFO:
        same(ours[name][present], theirs[name][present])
    for name, values in ours["totals"].items():
        same(values[present], theirs["totals"][name][present])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset_as_gymnasium_does_it(mode: AutoresetMode) -> None:
    ours, theirs = twins(mode, **SMALL)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    same(ours.reset()[0], theirs.reset()[0])
    ended, lengths = np.zeros(5, dtype=np.bool_), set()
    for offers in offer_stream(ours, 60):
        fresh = ended if mode is AutoresetMode.NEXT_STEP else np.zeros(5, dtype=np.bool_)
        *results, info = ours.step(offers)
        *expected, expected_info = theirs.step(offers)
        same(results, expected)
        ended = results[2]
        lengths |= set(info["totals"]["length"][ended].tolist())
        same_step = mode is AutoresetMode.SAME_STEP
        same_info(info, expected_info, ~fresh & ~(ended & same_step))
        assert ("final_obs" in info) == (same_step and ended.any())
        if "final_obs" in info:
            same(info["_final_obs"], expected_info["_final_obs"])
            same(info["final_obs"].tolist(), expected_info["final_obs"].tolist())
            same(info["_final_info"], expected_info["_final_info"])
            same_info(info["final_info"], expected_info["final_info"], ended)
    assert len(lengths) > 3, "the games were to end at different steps"


def test_disabled_autoreset_with_reset_mask_as_gymnasium_does_it() -> None:
    ours, theirs = twins(AutoresetMode.DISABLED, **SMALL)
    same(ours.reset(seed=[4] * 5)[0], theirs.reset(seed=[4] * 5)[0])
    resets = 0
    for offers in offer_stream(ours, 60):
        *results, info = ours.step(offers)
        *expected, expected_info = theirs.step(offers)
        same(results, expected)
        same_info(info, expected_info, np.ones(5, dtype=np.bool_))
        if (ended := results[2]).any():
            got, got_info = ours.reset(options={"reset_mask": ended.copy()})
            same(got, theirs.reset(options={"reset_mask": ended.copy()})[0])
            assert got_info == {}
            resets += 1
    assert resets > 10


def test_next_step_ignores_the_offer_that_only_resets() -> None:
    env = make(autoreset_mode="NextStep", horizon=3)
    env.reset(seed=1)
    offers = np.full((3, 4, 2), [1, 1])
    results = [env.step(offers) for _ in range(4)]
    assert [result[2].tolist() for result in results] == [[False] * 3, [False] * 3, [True] * 3, [False] * 3]
    assert results[2][4]["totals"]["length"].tolist() == [3, 3, 3]
    seen, reward, *_, info = results[3]
    assert not reward.any()
    assert not seen["step"].any()
    assert (seen["offer"] == -1).all()
    assert (info["follower_action"] == -1).all()
    assert not info["committed"].any()
    assert not info["totals"]["length"].any()
    assert env.state("episode")["episode"].tolist() == [1, 1, 1]


def test_same_step_shows_the_next_episode_and_keeps_the_last_observation() -> None:
    env, twin = make(autoreset_mode="SameStep", horizon=3), make(horizon=3)
    env.reset(seed=1)
    twin.reset(seed=1)
    for offers in offer_stream(env, 3):
        seen, reward, terminated, _, info = env.step(offers)
        last, expected, *_, expected_info = twin.step(offers)
    assert terminated.all()
    same(reward, expected)
    same({name: info[name] for name in INFO}, {name: expected_info[name] for name in INFO})
    same(info["totals"], expected_info["totals"])
    same(info["final_obs"].tolist(), [row(last, i) for i in range(3)])
    same(seen, twin.reset()[0])


def test_final_observations_are_in_the_space_of_one_game() -> None:
    env = make(autoreset_mode="SameStep", horizon=2)
    env.reset()
    *_, info = trace(env, 2)[-1]
    assert all(env.single_observation_space.contains(final) for final in info["final_obs"])


def test_finished_game_stays_as_it_is_until_it_is_reset() -> None:
    env = make(horizon=2)
    env.reset(seed=1)
    *_, last = trace(env, 2)
    before = env.snapshot()
    seen, reward, terminated, _, info = env.step(np.zeros((3, 4, 2), dtype=int))
    assert terminated.all()
    assert not reward.any()
    assert (info["completed"] == -1).all()
    assert (info["follower_action"] == -1).all()
    same(seen, last[0])
    same(info["totals"], last[4]["totals"])
    assert env.snapshot() == before
