"""Snapshots, and the state as arrays that can be read and set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from play import INFO, MB, MODES, RC, everything, leaves, make, offer_stream, same, trace
from worlds import TASKS

# ---- snapshots


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("task", [RC, *TASKS[3:]])
def test_restored_games_play_on_exactly(task: str, mode: AutoresetMode) -> None:
    parameters = {"noise": 0.2, "autoreset_mode": mode, "horizon": 13}
    env = make(task, num_envs=5, seed=9, num_threads=2, **parameters)
    env.reset()
    trace(env, 20)
    snapshot, now = env.snapshot(), everything(env)
    future = [trace(env, 20, seed=1), everything(env), env.reset(), env.snapshot()]
    assert env.snapshot() != snapshot
    for other in (env, make(task, num_envs=5, seed=77, num_threads=4, first_index=50, **parameters)):
        restored = other.restore(snapshot)
        same(restored, now[2])
        same(everything(other), now)
        assert other.snapshot() == snapshot
        again = [trace(other, 20, seed=1), everything(other), other.reset(), other.snapshot()]
        for values, wanted in zip(leaves(again), leaves(future), strict=True):
            np.testing.assert_array_equal(values, wanted)
        assert again[3] == future[3]


def test_snapshots_go_between_autoreset_modes_and_copy_settings() -> None:
    env = make()
    env.reset(seed=3)
    trace(env, 10)
    snapshot = env.snapshot()
    future = trace(env, 15)
    for mode in MODES:
        other = make(autoreset_mode=mode, copy=False, num_threads=2)
        other.restore(snapshot)
        assert other.snapshot() == snapshot
        for offers, (seen, reward, *_) in zip(offer_stream(other, 15), future, strict=True):
            got, got_reward, *_ = other.step(offers)
            same(got, seen)
            same(got_reward, reward)


def test_snapshot_holds_the_table_and_whether_it_is_frozen() -> None:
    env, other = make(), make()
    env.reset()
    trace(env, 30)
    env.statistics.frozen = True
    other.restore(env.snapshot())
    assert other.statistics.frozen
    same(other.statistics.arrays(), env.statistics.arrays())
    env.statistics.frozen = False
    other.restore(env.snapshot())
    assert not other.statistics.frozen


def test_snapshot_of_a_new_batch_is_followed_by_the_same_reset() -> None:
    env, other = make(seed=1), make(seed=2)
    other.restore(env.snapshot())
    same(other.reset()[0], env.reset()[0])


# ---- state


@settings(max_examples=25, deadline=None)
@given(
    task=st.sampled_from(TASKS),
    steps=st.integers(0, 33),
    seed=st.integers(0, 2**64 - 1),
    noise=st.sampled_from([0, 0.3]),
)
def test_setting_the_state_that_is_changes_nothing(task: str, steps: int, seed: int, noise: float) -> None:
    env = make(task, num_envs=4, noise=noise, abstain=True)
    env.reset(seed=seed)
    trace(env, steps, seed % 1000)
    snapshot, state = env.snapshot(), env.state()
    env.set_state(**state)
    assert env.snapshot() == snapshot
    for name, array in state.items():
        env.set_state(**{name: array})
    assert env.snapshot() == snapshot


@pytest.mark.parametrize("task", [RC, MB])
def test_state_carries_a_game_to_another_batch(task: str) -> None:
    env, other = (make(task, num_envs=4, seed=5, noise=0.2) for _ in range(2))
    env.reset()
    other.reset(seed=5)
    trace(env, 11)
    other.set_state(**env.state())
    other.statistics.set(**env.statistics.arrays())
    same(everything(other), everything(env))
    for (*results, info), (*expected, expected_info) in zip(trace(other, 25), trace(env, 25), strict=True):
        same(results, expected)
        same([info[name] for name in INFO], [expected_info[name] for name in INFO])
    same(everything(other), everything(env))
    same(other.reset()[0], env.reset()[0])


def test_a_field_set_is_the_only_one_that_changes() -> None:
    env = make()
    env.reset(seed=1)
    trace(env, 8)
    before = env.state()
    changes: dict[str, Any] = {
        "identity": np.array([[11, 12, 13, 14]] * 3),
        "skill": ~before["skill"],
        "preference": (before["preference"] + 1) % 4,
        "reservation": np.full((3, 4), 2.5),
        "action": np.full((3, 4), 2),
        "completed": np.full((3, 4), 3),
        "step": np.full(3, 29),
        "episode": np.full(3, 2**62 - 1),
        "heading": (before["heading"] + 1) % 4,
        "resource_type": 3 - before["resource_type"],
        "resource_claimant": np.full((3, 10), 2),
    }
    for name, value in changes.items():
        env.set_state(**before)
        env.set_state(**{name: value})
        same(env.state(), {**before, name: value})
    env.set_state(**before)
    env.set_state(step=np.full(3, 30))  # the horizon: `done` follows
    same(env.state(), {**before, "step": np.full(3, 30), "done": np.ones(3, dtype=np.bool_)})


def test_state_set_is_what_is_observed_and_played() -> None:
    env = make()
    env.reset(seed=1)
    env.set_state(resource_present=np.zeros((3, 10), dtype=np.bool_))
    seen = env.observe()
    assert (seen["resource_type"] == -1).all()
    assert (seen["distance"] == -1).all()
    assert not seen["available"].any()
    assert env.state("done")["done"].all()
    _, reward, terminated, *_ = env.step(np.zeros((3, 4, 2), dtype=int))
    assert terminated.all()
    assert not reward.any()
