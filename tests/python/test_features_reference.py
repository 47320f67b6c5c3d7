"""The core's features against the slow ones of tests/reference/features.py, on random play of everything that changes
what is seen.

On x86-64 with NumPy 2 all are equal to the last bit; the tests ask for 1e-6, because another NumPy may round the
logarithm of "how often", or work in float32 where this one works in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import play
from paymaster.features.leader import FeatureEncoder, expired
from reference import features as reference
from reference.cases import MAPS
from worlds import CRAFTING, GRIDS, TASKS, fitting


def same_features(env: Any, seen: Mapping[str, NDArray[Any]]) -> None:
    core, slow = FeatureEncoder(env), reference.FeatureEncoder(env)
    assert (core.follower_features, core.goal_features) == (slow.follower_features, slow.goal_features)
    for actual, expected in zip(core.encode(seen), slow.encode(seen), strict=True):
        assert actual.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    ended = expired(seen)
    assert ended.dtype == np.bool_
    np.testing.assert_array_equal(ended, reference.expired(seen))


@st.composite
def batches(draw: st.DrawFn, task: str | None = None) -> Any:
    """A batch of a task, with options that change what is seen."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    task = task or one_of(*TASKS)
    n, goals = draw(st.integers(1, 9)), draw(st.integers(1, 8))
    parameters: dict[str, Any] = {
        "num_followers": n,
        "num_goals": goals,
        "num_bonuses": one_of(1, 2, 4, 16),
        "horizon": one_of(1, 2, 3, 5, 30),
        "noise": one_of(0.0, 0.3, 1.0),
        "abstain": draw(st.booleans()),
        "observe_routes": draw(st.booleans()),
        "population_size": one_of(n, 40, 97),
        "skills_per_follower": draw(st.integers(1, goals)),
        "autoreset_mode": one_of(*play.MODES),
        "copy": draw(st.booleans()),
        "num_threads": one_of(1, 2),
    }
    if task in GRIDS:
        parameters |= {"map": MAPS[one_of("open", "rooms", "corridor_129")], "num_resources": one_of(1, 6, 20)}
    elif task in CRAFTING:
        parameters = fitting(task, parameters) | {"num_resources": one_of(8, 20)}
    else:
        parameters |= {
            "num_targets": one_of(1, 6, 20),
            "num_obstacles": one_of(0, 3),
            "arena_half_width": one_of(0.0, 0.1, 3.0),
            "body_max_speed": one_of(0.0, 0.2, 1.3, 9.0),
            "body_acceleration": one_of(0.01, 3.0, 50.0),
        }
    return play.make(task, num_envs=one_of(1, 2, 7), seed=draw(st.integers(0, 99)), **parameters)


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99), keep=st.sampled_from([0.3, 0.9]))
def test_random_play(task: str, data: st.DataObject, seed: int, keep: float) -> None:
    env = data.draw(batches(task))
    same_features(env, env.reset()[0])
    for offers in play.offer_stream(env, min(3 * env.parameters["horizon"], 40), seed, keep):
        seen, _, terminated, _, info = env.step(offers)
        same_features(env, seen)
        for i in np.flatnonzero(info.get("_final_obs", [])):
            same_features(env, {name: value[None] for name, value in info["final_obs"][i].items()})
        if terminated.all() and env.autoreset_mode.value == "Disabled":
            same_features(env, env.reset()[0])


def any_observation(env: Any, seed: int) -> dict[str, NDArray[Any]]:
    """Numbers that the observation's space allows, of no game: the extremes come up."""
    env.observation_space.seed(seed)
    seen = dict(env.observation_space.sample())
    seen["offer"] = np.minimum(seen["offer"], env.parameters["num_goals"] - 1)
    seen["committed"] *= seen["offer"][..., 0] >= 0  # nobody is committed to no offer
    return seen


def any_statistics(env: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = env.statistics.arrays()
    largest = rng.choice([3, 101, 2**40])
    for name, array in table.items():
        counts = rng.integers(largest, size=array.shape)
        table[name] = counts if array.dtype == np.int64 else rng.random(array.shape, dtype=np.float32)
    env.statistics.set(**table)


@settings(max_examples=60, deadline=None)
@given(env=batches(), seed=st.integers(0, 10**6))
def test_any_numbers_in_range(env: Any, seed: int) -> None:
    any_statistics(env, seed)
    same_features(env, any_observation(env, seed))


@settings(max_examples=60, deadline=None)
@given(env=batches(), seed=st.integers(0, 10**6), data=st.data())
def test_wherever_the_values_lie(env: Any, seed: int, data: st.DataObject) -> None:
    """Arrays of any memory layout, and any number of games, in order or not."""
    any_statistics(env, seed)
    seen = any_observation(env, seed)
    expected = reference.FeatureEncoder(env).encode(seen)
    games = data.draw(st.sampled_from([slice(None), slice(None, None, -1), slice(0, 0), slice(1, None, 2)]))
    moved = {}
    for name, array in seen.items():
        kind = data.draw(st.sampled_from(["as it is", "Fortran", "gaps", "misaligned", "read-only"]))
        moved[name] = laid_out(kind, array)[games]
    for actual, whole in zip(FeatureEncoder(env).encode(moved), expected, strict=True):
        np.testing.assert_allclose(actual, whole[games], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(expired(moved), reference.expired(seen)[games])


def laid_out(kind: str, array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, otherwise in memory."""
    if kind == "Fortran":
        return np.asfortranarray(array)
    if kind == "gaps":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if kind == "misaligned":
        moved = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)
        assert array.size == 0 or not moved.flags.aligned
        return moved
    if kind == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


@settings(max_examples=30, deadline=None)
@given(env=batches(), seed=st.integers(0, 99))
def test_straight_into_the_buffers_of_a_rollout(env: Any, seed: int) -> None:
    steps = 5
    encoder, lead = FeatureEncoder(env), (steps, env.num_envs, env.num_followers)
    follower = np.full((*lead, encoder.follower_features), np.nan, np.float32)
    goal = np.full((*lead, env.parameters["num_goals"], encoder.goal_features), np.nan, np.float32)
    ended = np.zeros(lead, np.bool_)
    kept = []
    seen, _ = env.reset()
    for t, offers in enumerate(play.offer_stream(env, steps, seed)):
        encoder.encode_into(seen, follower[t], goal[t], ended[t])
        kept.append((*encoder.encode(seen), expired(seen)))
        assert np.isfinite(follower[: t + 1]).all() and np.isnan(follower[t + 1 :]).all()
        assert np.isfinite(goal[: t + 1]).all() and np.isnan(goal[t + 1 :]).all()
        seen, *_ = env.step(offers)
    for buffer, parts in zip((follower, goal, ended), zip(*kept, strict=True), strict=True):
        np.testing.assert_array_equal(buffer, np.stack(parts))
