"""Resets and seeds: the same games whatever the threads and the batch they are played in."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import paymaster
from play import MB, RC, leaves, make, offer_stream, row, same, trace
from worlds import PARTICLES, TASKS

# ---- reset


def starts(env: Any, episodes: int) -> list[Any]:
    return [env.reset()[0] for _ in range(episodes)]


def test_unseeded_resets_are_episodes_0_1_2_under_the_constructors_seed() -> None:
    first, second, third = starts(make(seed=7), 3)
    again = make(seed=1)
    same(again.reset(seed=7)[0], first)
    same(starts(again, 2), [second, third])
    with np.testing.assert_raises(AssertionError):
        same(first, second)
    env = make(seed=7)
    env.reset()
    trace(env, 5)
    same(env.reset()[0], second)  # also in mid-episode
    assert env.state("episode")["episode"].tolist() == [1, 1, 1]
    same(env.reset(seed=7)[0], first)
    assert env.state("episode")["episode"].tolist() == [0, 0, 0]


def test_list_of_seeds_is_one_a_game() -> None:
    env = make()
    seen, _ = env.reset(seed=[5, 9, 2**64 - 1])
    for i, seed in enumerate((5, 9, 2**64 - 1)):
        same(row(seen, i), paymaster.make(RC, seed=seed, index=i).reset()[0])
    same(env.reset(seed=np.array([5, 9, 5]))[0]["identity"][:2], seen["identity"][:2])
    after = starts(env, 1)
    env.reset(seed=(5, 9, 5))
    same(env.reset(seed=[None, None, None])[0], after[0])  # no seeds: the next episode


def test_reset_mask_restarts_only_the_games_it_names() -> None:
    env, twin = make(), make()
    for each in (env, twin):
        each.reset(seed=4)
        trace(each, 6)
    before = env.state()
    seen, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
    fresh, after = twin.reset()[0], env.state()
    for i, expected in enumerate((before, twin.state(), before)):
        same(row(after, i), row(expected, i))
    same(row(seen, 1), row(fresh, 1))
    assert after["episode"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset_goes_through_the_same_episodes(mode: AutoresetMode) -> None:
    env = make(autoreset_mode=mode, horizon=3, num_envs=1)
    seen = [env.reset(seed=8)[0], *(result[0] for result in trace(env, 15))]
    begun = [one for one in seen if one["step"][0] == 0]
    assert len(begun) >= 4
    twin = make(horizon=3, num_envs=1)
    same(begun, [twin.reset(seed=8)[0], *starts(twin, len(begun) - 1)])


def test_a_refused_call_does_not_use_up_the_first_episode() -> None:
    env, twin = make(), make()
    with pytest.raises(gymnasium.error.ResetNeeded, match="step"):
        env.step(np.full((3, 4, 2), 99))
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=-1)
    with pytest.raises(ValueError, match="snapshot"):
        env.restore(b"")
    with pytest.raises(ValueError, match="heading"):
        env.set_state(heading=np.full((3, 4), 9))
    same(env.reset()[0], twin.reset()[0])
    same(env.state(), twin.state())


# ---- determinism


@pytest.mark.parametrize(
    ("task", "mode"),
    [(RC, "NextStep"), (MB, "SameStep"), (TASKS[3], "Disabled"), *((t, "NextStep") for t in PARTICLES)],
)
def test_threads_make_no_difference(task: str, mode: str) -> None:
    """Also with the live table, which all games of the batch share."""
    parameters = {"noise": 0.2, "horizon": 9, "population_size": 10, "autoreset_mode": mode}
    plays = {}
    for threads in (1, 2, 4):
        env = make(task, num_envs=37, num_threads=threads, **parameters)
        assert env.num_threads == threads
        plays[threads] = (env.reset(seed=6), trace(env, 40), env.state(), env.statistics.arrays(), env.snapshot())
    assert plays[1][3]["outcome_count"].sum() > 50
    for threads in (2, 4):
        *arrays, snapshot = plays[threads]
        *expected, expected_snapshot = plays[1]
        for values, wanted in zip(leaves(arrays), leaves(expected), strict=True):
            np.testing.assert_array_equal(values, wanted)
        assert snapshot == expected_snapshot


@pytest.mark.parametrize("task", TASKS)
def test_game_i_of_a_batch_is_the_single_game_of_that_index(task: str) -> None:
    batch = make(task, num_envs=4, seed=12, num_threads=2, noise=0.1)
    batch.statistics.frozen = True
    games = [paymaster.make(task, seed=12, index=i, noise=0.1) for i in range(4)]
    for game in games:
        game.batch.statistics.frozen = True
    for episode in range(2):
        seen, _ = batch.reset()
        same([row(seen, i) for i in range(4)], [game.reset()[0] for game in games])
        for offers in offer_stream(batch, 30, seed=episode):
            *results, info = batch.step(offers)
            for i, game in enumerate(games):
                *single, single_info = game.step(offers[i])
                same(single, [row(part, i) for part in results])
                same(single_info, row(info, i))
                same(game.state(), row(batch.state(), i))


def test_a_batch_can_be_split_by_first_index() -> None:
    whole = make(num_envs=7, seed=2, noise=0.3, first_index=100)
    parts = [make(num_envs=b, seed=2, noise=0.3, first_index=i) for i, b in ((100, 3), (103, 4))]
    slices = (slice(0, 3), slice(3, 7))
    for each in (whole, *parts):
        each.statistics.frozen = True
    seen, _ = whole.reset()
    same([part.reset()[0] for part in parts], [{name: v[s] for name, v in seen.items()} for s in slices])
    for offers in offer_stream(whole, 30):
        seen, reward, *_ = whole.step(offers)
        for part, s in zip(parts, slices, strict=True):
            got, got_reward, *_ = part.step(offers[s])
            same(got, {name: v[s] for name, v in seen.items()})
            same(got_reward, reward[s])


def test_same_seed_same_numbers_and_no_others() -> None:
    """Starts of all seeds, games and episodes differ, and each comes back."""
    seen: dict[bytes, tuple[int, int, int]] = {}
    for seed in (0, 1, 2**32, 2**63, 2**64 - 1):
        env = make(num_envs=8, seed=seed)
        for episode in range(5):
            start, _ = env.reset()
            for i in range(8):
                key = b"".join(start[name][i].tobytes() for name in start)
                assert seen.setdefault(key, (seed, i, episode)) == (seed, i, episode)
        same(env.reset(seed=seed)[0], make(num_envs=8, seed=seed).reset()[0])
    assert len(seen) == 5 * 8 * 5


def test_noise_depends_on_seed_index_episode_and_step() -> None:
    env = make(num_envs=4, noise=1.0)
    env.reset(seed=0)
    state = {name: np.repeat(array[:1], 4, axis=0) for name, array in env.state().items() if name != "episode"}
    actions = set()
    for seed in (0, 1):
        env.reset(seed=seed)
        for _ in range(2):
            for step in (0, 1):
                env.set_state(**{**state, "step": np.full(4, step)})
                *_, info = env.step(np.zeros((4, 4, 2), dtype=int))
                actions |= {tuple(played) for played in info["follower_action"].tolist()}
            env.reset()
    assert len(actions) > 20  # of 4 * 2 * 2 * 2 draws from 4 ** 4
