"""The single game: Gymnasium's own checks and wrappers, rendering, state; its numbers are test_vector_env.py's.

One long file of short cases about one class.
"""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import gymnasium.wrappers as wrappers
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

import paymaster
from worlds import TASKS, fitting

RC = "resource_collection"

ROOM = """
########
#......#
#.##...#
#......#
########
"""


def offers(*pairs: tuple[int, int]) -> Any:
    return np.array(pairs)


def drawn_game(**parameters: Any) -> Any:
    """Three followers and three resources in known places of ROOM."""
    env = paymaster.make(RC, seed=0, map=ROOM, num_followers=3, num_resources=3, render_mode="ansi", **parameters)
    env.reset(seed=0)
    env.set_state(
        identity=[3, 1, 20],
        skill=[[True, True, False, True], [True] * 4, [False] * 4],
        preference=[0, 3, 1],
        reservation=np.array([1, 1, 2.5]),
        position=[[1, 1], [3, 6], [1, 5]],
        heading=[2, 1, 3],
        resource_type=[2, 0, 1],
        resource_position=[[3, 1], [1, 3], [3, 4]],
    )
    return env


# ---- Gymnasium's checks


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "parameters",
    [{}, {"num_followers": 1, "abstain": True}, {"map": ROOM, "num_resources": 6, "num_followers": 6, "noise": 0.3}],
    ids=["default", "abstain", "room"],
)
def test_gymnasiums_checks_pass_without_a_warning(task: str, parameters: dict[str, Any]) -> None:
    parameters = fitting(task, parameters)
    check_env(paymaster.make(task, seed=0, **parameters), skip_render_check=True)
    check_env(paymaster.make(task, seed=5, index=9, **parameters), skip_render_check=True)


def test_gymnasiums_render_checks_pass_without_a_warning() -> None:
    with warnings.catch_warnings():
        # There is no id under which Gymnasium could make the other render modes itself.
        warnings.filterwarnings("ignore", message=".*not having a spec")
        check_env(paymaster.make(RC, seed=0, render_mode="ansi"))


@pytest.mark.parametrize("task", TASKS)
def test_observations_and_results_have_gymnasiums_types(task: str) -> None:
    env = paymaster.make(task, seed=0)
    assert isinstance(env, gymnasium.Env)
    env.action_space.seed(3)
    seen, info = env.reset(seed=2)
    assert info == {}
    n, goals = seen["distance"].shape
    terminated = False
    while not terminated:
        for name, space in env.observation_space.items():
            assert isinstance(seen[name], np.ndarray), name
            assert space.contains(seen[name]), name
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert (type(reward), type(terminated), truncated) == (float, bool, False)
        assert info["committed"].shape == info["payment"].shape == (n,)
        assert info["totals"]["completions"].shape == (goals,)
        assert np.ndim(info["totals"]["gain"]) == 0
    assert seen["step"].shape == ()
    assert env.observation_space.contains(env.restore(env.snapshot()))


def test_gymnasiums_wrappers_work_over_it() -> None:
    env: Any = paymaster.make(RC, seed=1)
    env = wrappers.RecordEpisodeStatistics(wrappers.OrderEnforcing(wrappers.PassiveEnvChecker(env)))
    env = wrappers.FlattenObservation(env)
    plain = paymaster.make(RC, seed=1)
    seen, _ = env.reset()
    plain.reset()
    total, terminated = 0.0, False
    env.action_space.seed(0)
    while not terminated:
        assert env.observation_space.contains(seen)
        action = env.action_space.sample()
        seen, reward, terminated, _, info = env.step(action)
        _, expected, expected_terminated, *_ = plain.step(action)
        assert (reward, terminated) == (expected, expected_terminated)
        total += reward
    assert info["episode"]["r"] == total == info["totals"]["gain"]
    assert info["episode"]["l"] == info["totals"]["length"] == 30
    same = wrappers.TimeLimit(paymaster.make(RC, seed=0), 3)
    same.reset()
    assert [same.step(env.action_space.sample())[3] for _ in range(3)] == [False, False, True]


# ---- episodes


def test_resets_are_episodes_0_1_2() -> None:
    env = paymaster.make(RC, seed=4, index=2)
    first, second, third = (env.reset()[0] for _ in range(3))
    batch = paymaster.make_vec(RC, 3, seed=4)
    for expected in (first, second, third):
        assert data_equivalence(expected, {name: np.asarray(v[2]) for name, v in batch.reset()[0].items()})
    assert env.state()["episode"] == 2
    assert data_equivalence(env.reset(seed=4)[0], first)
    assert data_equivalence(env.reset(options={})[0], second)
    assert not data_equivalence(second, third)
    assert not data_equivalence(env.reset(seed=5)[0], first)


@pytest.mark.parametrize("seed", [np.int64(7), np.uint8(7)])
def test_seeds_may_be_numpy_integers(seed: Any) -> None:
    env = paymaster.make(RC, seed=0)
    assert data_equivalence(env.reset(seed=seed)[0], env.reset(seed=7)[0])


def test_finished_game_stays_until_it_is_reset() -> None:
    env = paymaster.make(RC, seed=0, horizon=1)
    env.reset()
    assert env.step(np.zeros((4, 2), dtype=int))[2]
    before = env.snapshot()
    _, reward, terminated, truncated, _ = env.step(np.ones((4, 2), dtype=int))
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert env.snapshot() == before
    env.reset()
    assert env.state()["step"] == 0


# ---- state and snapshots


def test_state_set_and_read_without_a_leading_axis() -> None:
    env = drawn_game()
    state = env.state()
    assert state["position"].tolist() == [[1, 1], [3, 6], [1, 5]]
    assert state["resource_type"].tolist() == [2, 0, 1]
    assert state["reservation"].tolist() == [1, 1, 2.5]
    assert state["step"] == 0
    snapshot = env.snapshot()
    env.set_state(**state)
    env.set_state(step=0, done=False, episode=0)
    assert env.snapshot() == snapshot
    assert list(env.state("heading", "step")) == ["heading", "step"]
    env.step(offers((0, 1), (3, 0), (1, 0)))
    seen = env.restore(snapshot)
    assert env.snapshot() == snapshot
    assert seen["position"].tolist() == [[1, 1], [3, 6], [1, 5]]
    batch = paymaster.make_vec(RC, 1, seed=0, map=ROOM, num_followers=3, num_resources=3)
    batch.restore(snapshot)
    assert batch.snapshot() == snapshot


# ---- rendering


def test_render_draws_what_the_state_says() -> None:
    env = drawn_game()
    assert env.render() == (
        "################\n"
        "##v0. a . >2. ##\n"
        "##. ####. . . ##\n"
        "##c . . b . <1##\n"
        "################\n"
        "step 0 of 30\n"
        "0 is 3: can abd, prefers a at 1; no offer\n"
        "1 is 1: can abcd, prefers d at 1; no offer\n"
        "2 is 20: can nothing, prefers b at 2.5; no offer\n"
    )
    env.step(offers((2, 1), (1, 0), (0, 1)))
    assert env.render() == (
        "################\n"
        "##. . a . v2. ##\n"
        "##v0####. . . ##\n"
        "##c . . b <1. ##\n"
        "################\n"
        "step 1 of 30\n"
        "0 is 3: can abd, prefers a at 1; offered c for 2, committed, contract for 1 steps\n"
        "1 is 1: can abcd, prefers d at 1; offered b for 1, committed, contract for 1 steps\n"
        "2 is 20: can nothing, prefers b at 2.5; offered a for 2, declined\n"
    )
    env.step(offers((2, 1), (1, 0), (0, 1)))
    picture = env.render()
    assert "C0" in picture, "the unskilled follower has claimed the resource it digs"
    assert "b " not in picture.split("step")[0], "and the skilled one has removed its own"


def test_render_of_the_default_map_shows_everybody() -> None:
    env = paymaster.make(RC, seed=0, render_mode="ansi", horizon=1)
    env.reset(seed=3)
    lines = env.render().splitlines()
    assert [len(line) for line in lines[:11]] == [22] * 11
    board = "\n".join(lines[:11])
    assert all(board.count(str(k)) == 1 for k in range(4))
    assert sum(board.count(letter) for letter in "abcd") == 10
    env.step(np.zeros((4, 2), dtype=int))
    assert "step 1 of 1, over" in env.render()


def test_render_without_a_mode_warns_and_draws_nothing() -> None:
    env = paymaster.make(RC, seed=0)
    env.reset()
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


# ---- what it refuses


@pytest.mark.parametrize(
    ("parameters", "error", "name"),
    [
        ({"render_mode": "human"}, ValueError, "render_mode"),
        ({"autoreset_mode": "NextStep"}, ValueError, "autoreset_mode"),
        ({"index": -1}, ValueError, "index"),
        ({"index": 0.5}, TypeError, "index"),
        ({"seed": "0"}, TypeError, "seed"),
        ({"num_envs": 2}, TypeError, "num_envs"),
        ({"depth": 2}, TypeError, "depth"),
    ],
)
def test_impossible_arguments_are_refused(parameters: dict[str, Any], error: type[Exception], name: str) -> None:
    with pytest.raises(error, match=name):
        paymaster.make(RC, **parameters)


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 2**64}, ValueError, "seed"),
        ({"seed": 1.5}, TypeError, "seed"),
        ({"seed": "1"}, TypeError, "seed"),
        ({"seed": True}, TypeError, "seed"),
        ({"seed": [1]}, TypeError, "seed"),
        ({"options": {"reset_mask": np.array([True])}}, ValueError, "reset_mask"),
    ],
    ids=repr,
)
def test_impossible_resets_are_refused_and_change_nothing(
    arguments: dict[str, Any], error: type[Exception], name: str
) -> None:
    env, twin = paymaster.make(RC, seed=0), paymaster.make(RC, seed=0)
    for each in (env, twin):
        each.reset(seed=3)
    before = env.np_random.bit_generator.state
    snapshot = env.snapshot()
    with pytest.raises(error, match=f"{name}.*expected|expected.*{name}"):
        env.reset(**arguments)
    assert env.snapshot() == snapshot
    assert env.np_random.bit_generator.state == before
    assert data_equivalence(env.reset()[0], twin.reset()[0])


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (np.zeros((1, 4, 2), dtype=int), ValueError),
        (np.zeros((3, 2), dtype=int), ValueError),
        (np.zeros((4, 2)), TypeError),
        (np.full((4, 2), 2), ValueError),
        (np.full((4, 2), -1), ValueError),
        (None, (TypeError, ValueError)),
    ],
)
def test_impossible_actions_are_refused_and_change_nothing(action: Any, error: Any) -> None:
    env = paymaster.make(RC, seed=0)
    env.reset()
    snapshot = env.snapshot()
    with pytest.raises(error, match=r"action.*expected.*got"):
        env.step(action)
    assert env.snapshot() == snapshot
    env.step(np.zeros((4, 2), dtype=int))


def test_a_state_of_another_shape_is_refused() -> None:
    env = paymaster.make(RC, seed=0)
    env.reset()
    for name, value in (("step", [0]), ("position", np.zeros((1, 4, 2), dtype=int)), ("heading", 1)):
        with pytest.raises(ValueError, match=f"{name}: expected shape"):
            env.set_state(**{name: value})
    with pytest.raises(ValueError, match=r"state: expected fields .* got 'speed'"):
        env.state("speed")
