"""Runs of the methods of the field: killed, evaluated, looked at by every command, with settings of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import error_of, own_folder  # noqa: F401  # a fixture
from field_methods import HERE, METHODS
from paymaster.algorithms.field import BanditLearning, BayesLearning
from paymaster.analysis.evaluate import evaluate_run
from paymaster.commands.main import main
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import SMALL, TASK, check_killed_run


@pytest.mark.parametrize("name", HERE)
def test_a_run_that_is_killed_ends_the_same(name: str, tmp_path: Path) -> None:
    search = BayesLearning(evaluations=6, initial=2)
    config = TrainConfig(
        TASK,
        leader=name,
        episodes=64,
        num_envs=8,
        checkpoint_every=16,
        seed=3,
        device="cpu",
        bayes=search,
        parameters={"followers": "meta"} if name == "metagradient" else {},
    )
    checkpoint, rows = check_killed_run(config, tmp_path)
    assert len(rows) == 8 and all(np.isfinite(value) for row in rows for value in row.values())
    assert any(bool((tensor != 0).any()) for tensor in checkpoint.tensors["leader"].values())
    stored = json.loads((tmp_path / "whole/config.json").read_text())["config"]
    assert stored["leader"] == name and "bandit" not in stored


GAMES_PLAYED: list[tuple[str, dict[str, Any]]] = [
    ("multi_bonus_resource_collection", {"near_goals": 2, "abstain": True}),
    ("multi_bonus_crafting", {}),
    ("navigation", {"payment": "advance", "budget": 20.0}),
    ("predator_prey", {"followers": "meta", "payment": "advance_once"}),
    (TASK, {"weight_welfare": 0.5}),
]


@pytest.mark.parametrize(
    ("name", "task", "parameters"),
    rest_slow(
        [(name, task, parameters) for task, parameters in GAMES_PLAYED for name in METHODS],
        lambda case: (case[0] == "linear-contract" and "near_goals" in case[2]) or case[:2] == ("ucb", "navigation"),
    ),
)
def test_they_play_every_kind_of_game(name: str, task: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    config = TrainConfig(task, leader=name, episodes=16, num_envs=8, parameters=parameters, device="cpu")
    train(config, tmp_path / "run")
    assert evaluate_run(tmp_path / "run", 10).gain.shape == (10,)


@pytest.mark.parametrize("name", rest_slow(METHODS, {"ucb"}.__contains__))
def test_the_commands_take_them_like_any_leader(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["--episodes", "16", "--num-envs", "8", "--evaluate", "0", "--out", "run"]
    assert main(["train", TASK, "--leader", name, *tiny]) == 0
    assert f"training {name} with its settings but num_envs=8 on {TASK} in run" in capsys.readouterr().out
    assert main(["render", "run", "--step", "2", "--out", "picture.png"]) == 0
    assert main(["inspect", "run", "--episodes", "4"]) == 0
    found = json.loads(Path("run/inspection.json").read_text())
    assert found["attention"] is None and sum(found["option_lengths"]) > 0
    assert main(["diagnose", "run", "--episodes", "4", "--json"]) == 0
    capsys.readouterr()
    assert main(["compare", "run", "nearest_hold", "--episodes", "8", "--json"]) == 0
    labels = [leader["leader"] for leader in json.loads(capsys.readouterr().out)["leaders"]]
    assert labels == [name, "nearest_hold"]


@pytest.mark.parametrize("name", METHODS)
def test_evaluating_while_training_changes_nothing(name: str, tmp_path: Path) -> None:
    config = TrainConfig(TASK, leader=name, episodes=24, num_envs=8, device="cpu")
    train(config, tmp_path / "plain")
    train(replace(config, evaluate_every=8, evaluate_episodes=8), tmp_path / "evaluated")
    rows = [read_metrics(tmp_path / run / METRICS) for run in ("plain", "evaluated")]
    evaluated = [{key: row[key] for key in row if not key.startswith("evaluation_")} for row in rows[1]]
    assert evaluated == rows[0] and "evaluation_gain" in rows[1][0]


def test_settings_are_stored_where_they_differ(tmp_path: Path) -> None:
    config = TrainConfig(TASK, leader="ucb", episodes=8, num_envs=8, bandit=BanditLearning(alpha=0.5))
    train(config, tmp_path / "run")
    stored = json.loads((tmp_path / "run/config.json").read_text())["config"]
    assert stored["bandit"]["alpha"] == 0.5
    assert TrainConfig.from_json(stored) == config
    assert config.departures == {"num_envs": 8, "bandit.alpha": 0.5}
    with pytest.raises(ValueError, match=r"bandit.alpha: expected 0.5 as in the run to resume, got 0.7"):
        train(replace(config, bandit=BanditLearning(alpha=0.7)), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--leader", "ucb", "--bandit.alpha", "-1"], "bandit.alpha: expected a number of at least 0, got -1.0"),
        (["--leader", "ucb", "--bandit.ridge", "0"], "bandit.ridge: expected a number above 0, got 0.0"),
        (["--leader", "linear-contract", "--bandit.share", "2"], "bandit.share: expected a number in [0, 1]"),
        (
            ["--leader", "linear-contract", "--bandit.shares", "1"],
            "bandit.shares: expected a whole number in [2, 1,000]",
        ),
        (["--bandit.alpha", "2"], "bandit.alpha: expected it only with ucb, got 2.0 for ebpg-expiring"),
        (
            ["--leader", "thompson", "--bandit.alpha", "2"],
            "bandit.alpha: expected it only with ucb, got 2.0 for thompson",
        ),
        (["--leader", "ucb", "--bandit.deviation", "2"], "bandit.deviation: expected it only with thompson, got 2.0"),
        (["--leader", "ucb", "--bandit.share", "0.5"], "bandit.share: expected it only with linear-contract, got 0.5"),
        (
            ["--leader", "linear-contract", "--bandit.share", "0.5", "--bandit.shares", "5"],
            "bandit.shares: expected it only without bandit.share, got 5",
        ),
        (
            ["--leader", "ucb", "--learner.gamma", "0.5"],
            "learner.gamma: expected one of the settings of ucb, bandit.ridge, bandit.alpha, got 0.5",
        ),
        (
            ["--leader", "ucb", "--hidden", "8"],
            "hidden: expected one of the settings of ucb, bandit.ridge, bandit.alpha",
        ),
        (["--leader", "bayes", "--bayes.initial", "200"], "initial: expected at most evaluations = 100, got 200"),
        (["--leader", "ucb", "--bayes.margin", "1"], "bayes.margin: expected it only with bayes, got 1.0 for ucb"),
        (["--leader", "dual-rl", "--designer.learning-rate", "0"], "designer.learning_rate: expected a number above 0"),
        (
            ["--leader", "dual-rl", "--designer.follower-step", "2"],
            "designer.follower_step: expected it only with metagradient, got 2.0 for dual-rl",
        ),
        (["--leader", "ucb", "--performance-history"], "performance_history: expected "),
    ],
)
def test_settings_that_make_no_sense(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(["train", TASK, *args, "--episodes", "8", "--evaluate", "0"], capsys).startswith(error)


def test_performance_history_is_refused_from_python_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="performance_history: expected it only with a leader that has networks"):
        train(replace(SMALL, leader="ucb", learner=None, performance_history=True), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
