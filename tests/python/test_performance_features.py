"""Features with M3RL's performance history in place of history statistics, and runs of leaders that see them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import paymaster
from paymaster import _core
from paymaster.algorithms import EBPG
from paymaster.algorithms.process_group import Ranks
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.render import open_leader, render
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import NOW, FeatureEncoder
from paymaster.features.performance import PerformanceFeatureEncoder
from paymaster.play.episode import play_episode
from paymaster.play.network_leader import NetworkLeader
from paymaster.storage.run_config import read_config
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from paymaster.training.train import make_parts, train
from small_runs import check_killed_run

TASK = "multi_bonus_resource_collection"
G, K, T, P = 4, 3, 30, 40
HISTORY = slice(NOW, NOW + T + K)


def games(num_envs: int = 3, **parameters: Any) -> LeaderVectorEnv:
    env = paymaster.make_vec(TASK, num_envs, 0, **{"autoreset_mode": "Disabled", "num_bonuses": K, **parameters})
    assert isinstance(env, LeaderVectorEnv)
    env.statistics.keep_performance()
    return env


def drawn(env: LeaderVectorEnv, random: np.random.Generator) -> NDArray[np.int64]:
    return random.integers([G, K], size=(env.num_envs, env.num_followers, 2))


def play(env: LeaderVectorEnv, steps: int, seed: int = 0) -> Any:
    """The observation after some steps, which offers of five steps each have filled the averages with."""
    random = np.random.default_rng(seed)
    for step in range(steps):
        if step % 5 == 0:
            offers = drawn(env, random)
        seen = env.step(offers)[0]
    return seen


def performance(env: LeaderVectorEnv) -> NDArray[np.float32]:
    arrays = env.statistics.arrays()
    return np.concatenate((arrays["performance_success"], arrays["performance_acceptance"]), -1)


def test_the_history_is_that_of_the_start_of_the_episode() -> None:
    env = games()
    env.reset()
    play(env, T)
    seen, _ = env.reset()
    start = performance(env)
    encoder = PerformanceFeatureEncoder(env)
    assert start.any() and encoder.goal_features == FeatureEncoder(env).goal_features - (2 * K + 6) + T + K
    for step in range(T):
        _, goal = encoder.encode(seen)
        np.testing.assert_array_equal(goal[..., HISTORY], start[seen["identity"]])
        seen = play(env, 1, seed=step)
    assert not np.array_equal(performance(env), start)
    seen, _ = env.reset()
    _, goal = PerformanceFeatureEncoder(env).encode(seen)
    np.testing.assert_array_equal(goal[..., HISTORY], performance(env)[seen["identity"]])


@pytest.mark.parametrize(
    "parameters",
    [{}, {"observe_routes": True}, {"budget": 6.0, "observe_routes": True}],
)
def test_nothing_else_is_of_earlier_episodes(parameters: dict[str, Any]) -> None:
    """History statistics change nothing; what is of this step is as it is without."""
    env = games(**parameters)
    env.reset()
    play(env, T)
    env.reset()
    seen = play(env, 7)
    plain, encoder = FeatureEncoder(env), PerformanceFeatureEncoder(env)
    (before, blank), (follower, goal) = plain.encode(seen), encoder.encode(seen)
    np.testing.assert_array_equal(follower, before)
    np.testing.assert_array_equal(goal[..., :NOW], blank[..., :NOW])
    behind = blank.shape[-1] - NOW - (2 * K + 6)
    np.testing.assert_array_equal(goal[..., HISTORY.stop :], blank[..., blank.shape[-1] - behind :])
    assert behind == env.num_actions * bool(parameters) + K * ("budget" in parameters)
    arrays = env.statistics.arrays()
    kept = {name: values for name, values in arrays.items() if not name.startswith("performance")}
    changed = {name: np.full_like(v, 99 if v.dtype.kind == "i" else 0.625) for name, v in kept.items()}
    env.statistics.set(**changed)
    assert (plain.encode(seen)[1][..., NOW : NOW + 2 * K + 6] != blank[..., NOW : NOW + 2 * K + 6]).all()
    for now, then in zip(encoder.encode(seen), (follower, goal), strict=True):
        np.testing.assert_array_equal(now, then)


def test_candidates_have_the_history_of_their_goal_type() -> None:
    env = games(near_goals=2)
    env.reset()
    play(env, T)
    seen, _ = env.reset()
    encoder = PerformanceFeatureEncoder(env)
    seen = play(env, 3)
    _, goal = encoder.encode(seen)
    of = _core.candidates(seen, "offer", 2)
    assert encoder.near_goals == 2 and goal.shape[2] == 2
    for game, follower, place in np.ndindex(of.shape):
        expected = encoder.history[seen["identity"][game, follower], of[game, follower, place]]
        np.testing.assert_array_equal(goal[game, follower, place, HISTORY], expected)


def test_features_are_written_where_one_likes() -> None:
    env = games()
    env.reset()
    seen = play(env, 12)
    encoder = PerformanceFeatureEncoder(env)
    follower, goal = encoder.encode(seen)
    into = np.full_like(follower, np.nan), np.full_like(goal, np.nan), np.zeros(follower.shape[:2], bool)
    encoder.encode_into(seen, *into)
    np.testing.assert_array_equal(into[0], follower)
    np.testing.assert_array_equal(into[1], goal)
    one = {name: values[1:2] for name, values in seen.items()}
    np.testing.assert_array_equal(encoder.encode(one)[1], goal[1:2])


def test_arrays_that_do_not_fit_are_refused_and_left_alone() -> None:
    env = games()
    seen, _ = env.reset()
    encoder = PerformanceFeatureEncoder(env)
    follower, goal = encoder.encode(seen)
    expired, before = np.zeros(follower.shape[:2], bool), follower.copy()
    follower[:], before[:] = 5.0, 5.0
    read_only = goal.copy()
    read_only.flags.writeable = False
    for bad, error, message in (
        (goal.astype(np.float64), TypeError, "goal: expected an array of float32, got float64"),
        (None, TypeError, "goal: expected an array of float32, got NoneType"),
        (goal[..., 1:], ValueError, r"goal: expected a writeable array \[B, \*\[4, 4, .*\]\] in C order, got"),
        (goal[:2], ValueError, "goal: expected"),
        (read_only, ValueError, "goal: expected a writeable array"),
    ):
        with pytest.raises(error, match=message):
            encoder.encode_into(seen, follower, bad, expired)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="observation: expected a mapping of fields, got int"):
        encoder.encode(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="identity"):
        encoder.encode_into({**seen, "identity": seen["identity"] + P}, follower, goal, expired)
    np.testing.assert_array_equal(follower, before)


def test_games_that_hide_how_an_episode_ends_are_refused() -> None:
    env = paymaster.make_vec(TASK, 2, 0, autoreset_mode="SameStep")
    with pytest.raises(ValueError, match="autoreset_mode: expected another than SameStep, which hides how an episode"):
        PerformanceFeatureEncoder(env)


# --- leaders and runs -------------------------------------------------------------------------------------------------


def small(leader: str = "ebpg", **changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        **{"episodes": 24, "num_envs": 4, "checkpoint_every": 8, "hidden": 8, "device": "cpu"},
        **{"performance_history": True, "shared_goal_weights": False, **changes},
    }
    return TrainConfig(TASK, leader=leader, **settings)


def test_a_leader_sees_it_from_the_start_of_its_episode() -> None:
    """What it learns from has the history of the start of each episode at every step."""
    env = make_env(small(), 4, 0)
    leader = make_leader(small(), env)
    player = NetworkLeader(leader, torch.Generator().manual_seed(0), keep=True)
    for number in range(3):
        seen, start = [], performance(env)
        for step in play_episode(env, player):
            player.recording.result(step)
            seen.append(env.observe()["identity"].copy())
        episodes = player.recording.episodes(step.totals.length, 0.0)
        history = episodes.goal[..., NOW : NOW + T + env.parameters["num_bonuses"]].numpy()
        np.testing.assert_array_equal(history, np.broadcast_to(start[seen[0]], history.shape))
        assert start.any() == (number > 0)


@pytest.mark.parametrize("leader", ["ebpg", pytest.param("m3rl", marks=pytest.mark.slow)])
def test_a_killed_run_ends_with_the_same_bits(leader: str, tmp_path: Path) -> None:
    config = small(leader, evaluate_every=8, evaluate_episodes=12)
    whole, rows = check_killed_run(config, tmp_path)
    assert whole.tensors["statistics"]["performance_success"].any()
    assert "evaluation_gain" in rows[-1]


@pytest.mark.slow
def test_a_run_is_evaluated_rendered_and_inspected(tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(small(), run)
    evaluation = evaluate_run(run, 12)
    assert evaluation.episodes == 12 and np.isfinite(evaluation.gain).all()
    np.testing.assert_array_equal(evaluate_run(run, 12).gain, evaluation.gain)
    strangers = evaluate_run(run, 12, strangers=True, parameters={"population_seed": 5})
    assert not np.array_equal(strangers.gain, evaluation.gain)
    (episode,) = render(*open_leader(str(run)), tmp_path / "picture.png")
    assert len(episode.states) > 1
    inspection = inspect_run(run, 12)
    assert inspection.termination is not None and np.isfinite(inspection.attention).all()
    stored = read_config(run)
    assert stored["performance_history"] is True and stored["shared_goal_weights"] is False
    assert TrainConfig.from_json(stored) == small()
    plain = TrainConfig(TASK).to_json()
    assert "performance_history" not in plain and "shared_goal_weights" not in plain
    assert TrainConfig.from_json(plain) == TrainConfig(TASK)
    changes = small().departures
    assert changes["performance_history"] is True and changes["shared_goal_weights"] is False
    with pytest.raises(ValueError, match="performance_history: expected True as in the run to resume, got False"):
        small(performance_history=False).resumed_from(small(), ["performance_history"])


class TwoRanks(Ranks):
    """A job of two processes, of which this is one."""

    size = 2


def test_several_processes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"performance_history: expected it in one process, .*, got 2 ranks"):
        make_parts(small(), TwoRanks())


class Plain(EBPG):
    """A leader of one's own that sees history statistics."""

    def __init__(self, config: TrainConfig, env: LeaderVectorEnv) -> None:
        like = make_leader(replace(config, leader="ebpg", performance_history=self.sees), env)
        assert isinstance(like, EBPG)
        super().__init__(like.network.config, config.learner, performance_history=self.sees)

    sees = False


class Informed(Plain):
    """One that says so."""

    sees = True


def test_a_leader_of_ones_own_has_to_say_that_it_sees_it() -> None:
    env = make_env(small(), 4, 0)
    for kind in (Plain, Informed):
        config = small(f"{__name__}:{kind.__name__}")
        if kind is Plain:
            with pytest.raises(ValueError, match="performance_history: expected it of your own leader only with"):
                make_leader(config, env)
            continue
        leader = make_leader(config, env)
        player = NetworkLeader(leader, torch.Generator().manual_seed(0))
        env.reset()
        player.start(env)
        assert isinstance(player._encoder, PerformanceFeatureEncoder)
