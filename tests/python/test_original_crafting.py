"""Leaders as the original had them in crafting: step 0 employs nobody, the losses are M3RL's; runs resume to the same
bits, are evaluated, inspected and shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_original import losses_by_hand

from paymaster.algorithms import ORIGINALS, OriginalLeader, OriginalLearning
from paymaster.algorithms.process import OptionRules
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.render import open_leader, render
from paymaster.commands.idle_options import refuse_idle_settings
from paymaster.play.episode import play_episode
from paymaster.play.network_leader import NetworkLeader
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import check_killed_run
from worlds import CRAFTING

PARTS = ("policy_loss", "critic_loss", "entropy", "imitation_loss", "loss")


def run_of(task: str = "crafting", games: int = 1, **changes: Any) -> tuple[Rollout, OriginalLeader]:
    config = TrainConfig(task, leader="m3rl-original", num_envs=games, device="cpu", **changes)
    env = make_env(config, games, 0)
    leader = make_leader(config, env)
    assert isinstance(leader, OriginalLeader)
    return Rollout(env, leader, torch.Generator().manual_seed(0)), leader


@pytest.mark.parametrize("task", CRAFTING)
def test_step_0_employs_nobody(task: str) -> None:
    """It offers every goal type, always at level 0; all decline, and the history learns that they do."""
    rollout, leader = run_of(task, games=8)
    env = rollout.env
    env.statistics.set(performance_acceptance=np.full((40, 8, env.parameters["num_bonuses"]), 0.5, np.float32))
    goals = set()
    for step, result in enumerate(play_episode(env, NetworkLeader(leader, torch.Generator().manual_seed(0)))):
        if step > 0:
            break
        seen = env.observe()
        goals |= set(seen["offer"][..., 0].flatten().tolist())
        assert not seen["offer"][..., 1].any() and not seen["committed"].any()
        assert not result.info["payment"].any()
        acceptance = env.statistics.arrays()["performance_acceptance"]
        assert (acceptance[seen["identity"], seen["offer"][..., 0], 0] < 0.5).all()
        assert (acceptance[..., 1:] == 0.5).all()
    assert goals == set(range(8))


@pytest.mark.parametrize("task", rest_slow(CRAFTING, {"crafting"}.__contains__))
@pytest.mark.parametrize("warm", [False, True])
def test_the_losses_are_the_originals(task: str, warm: bool) -> None:
    """With w of top-level items and prices from 0; while it is warm, payments do not count."""
    rollout, leader = run_of(task, original=OriginalLearning(warm_up_episodes=2 if warm else 0))
    paid = False
    for number in range(4):
        episodes, _ = rollout.play(explore=0.1)
        assert episodes is not None
        assert episodes.price.tolist() == list(range(len(episodes.price)))
        assert episodes.goal_reward.tolist() == [0.0] * 6 + [10.0] * 2
        expected = losses_by_hand(leader, episodes, 0.95, paid=not warm or number >= 2)
        paid |= bool(episodes.payment.any())
        metrics = leader.update(episodes)
        assert {name: metrics[name] for name in PARTS} == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert paid


def test_exploration_of_goals_lasts_as_long_as_the_originals() -> None:
    """10,000 episodes of a follower's own in crafting, also in tasks of one's own of this world; else 5,000."""
    for name, kind in ORIGINALS.items():
        assert kind.original is not None
        for task in CRAFTING:
            config = TrainConfig(task, leader=name)
            assert config.original == replace(kind.original, explore_goals_episodes=10_000)
            assert config.original.warm_up_episodes == 0  # a part of the run's length, and left to it
            refuse_idle_settings(config)
            assert TrainConfig.from_json(config.to_json()) == config
        assert TrainConfig("resource_collection", leader=name).original == kind.original
    assert TrainConfig("crafting", leader="ebpg").original == OriginalLearning()
    given = TrainConfig("crafting", leader="m3rl-original", original=OriginalLearning(explore_goals_episodes=7))
    assert given.original.explore_goals_episodes == 7
    assert given.departures == {"original.explore_goals_episodes": 7}
    assert not TrainConfig("crafting", leader="m3rl-original").departures


def small(name: str, task: str = "crafting", **changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {"episodes": 8, "checkpoint_every": 4, "device": "cpu", **changes}
    learner = ORIGINALS[name].learner
    if name == "m3rl-original":
        learner = replace(learner, options=OptionRules(interval=10))
    return TrainConfig(task, leader=name, learner=learner, **settings)


RUNS = [(task, name) for task in CRAFTING for name in ORIGINALS]


@pytest.mark.parametrize(("task", "name"), rest_slow(RUNS, {RUNS[0]}.__contains__))
def test_a_killed_run_ends_with_the_same_bits(task: str, name: str, tmp_path: Path) -> None:
    original = replace(ORIGINALS[name].original or OriginalLearning(), explore_goals_episodes=1, warm_up_episodes=3)
    config = small(name, task, original=original)
    whole, _ = check_killed_run(config, tmp_path)
    assert whole.tensors["statistics"]["performance_success"].shape == (40, 8, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", rest_slow(ORIGINALS, {"ebpg-original"}.__contains__))
def test_a_run_is_evaluated_inspected_and_shown(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(small(name), run)
    evaluation = evaluate_run(run, 12)
    assert evaluation.episodes == 12 and evaluation.completions.shape == (12, 8)
    np.testing.assert_array_equal(evaluate_run(run, 12).gain, evaluation.gain)
    worth = 10.0 * evaluation.completions[:, 6:].sum(-1)
    np.testing.assert_allclose(evaluation.gain, worth - evaluation.payments, atol=1e-4)
    inspection = inspect_run(run, 12)
    assert inspection.prediction_accuracy is not None and inspection.acceptance.shape == (3,)
    assert inspection.acceptance[0] == 0.0  # level 0 is no employment
    assert (inspection.termination is None) == (name in ("m3rl-original", "no-ebpg-original"))
    render(*open_leader(str(run), seed=0), tmp_path / "last.png")
    assert (tmp_path / "last.png").stat().st_size > 1000
