"""No seed of training leads to a game of an evaluation, and no seed of an evaluation to a game of training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import paymaster
from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.render import open_leader
from paymaster.commands.main import main
from paymaster.envs.replacement import Replacement
from paymaster.training.config import TrainConfig
from paymaster.training.seeds import EVALUATION_SEED, TRAINING_SEEDS, evaluation_seed
from paymaster.training.train import train

TASK = "resource_collection"
SHORT = TrainConfig(TASK, episodes=8, num_envs=8, hidden=8)
HIGHEST = 2**62


def test_the_ranges_do_not_meet() -> None:
    assert evaluation_seed(0) == EVALUATION_SEED == 1_000_000_007 > TRAINING_SEEDS - 1
    assert evaluation_seed(HIGHEST) < 2**63 - 2**33  # room for what diagnosing adds


@pytest.mark.parametrize("seed", [TRAINING_SEEDS, 2**62, 2**63 - 1, 2**64, -1])
def test_training_takes_no_other_seed(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = dataclasses.replace(SHORT, seed=seed)
    with pytest.raises(ValueError, match=r"^seed: expected .* in \[0, 1,000,000,000\), got"):
        train(config, tmp_path / "run")
    assert main(["train", TASK, "--seed", str(seed), "--out", str(tmp_path / "run")]) == 2
    assert "seed: expected" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_last_seeds_of_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last one is one; of several at once, none may lie beyond it."""
    last = TRAINING_SEEDS - 1
    train(dataclasses.replace(SHORT, seed=last), tmp_path / "run")
    evaluate_run(tmp_path / "run", 2)
    arguments = ["train", TASK, "--seed", str(last), "--seeds", "2", "--out", str(tmp_path / "several")]
    assert main(arguments) == 2
    assert "seed: expected" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.fixture
def run(small_run: Path) -> Path:
    return small_run


EVALUATIONS: dict[str, Callable[[Path, int], Any]] = {
    "evaluate": lambda run, seed: evaluate_run(run, 2, seed),
    "reference": lambda _, seed: evaluate_scripted("preference", TASK, 2, seed),
    "replacement": lambda run, seed: evaluate_run(run, 2, seed, replacement=Replacement(0.5, 1)),
    "inspect": lambda run, seed: inspect_run(run, 2, seed),
    "render": lambda run, seed: open_leader(str(run), seed=seed),
    "render a reference": lambda _, seed: open_leader("preference", TASK, seed),
    "diagnose": lambda run, seed: diagnose_run(run, 2, 32, seed),
}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_evaluations_take_no_other_seed(name: str, run: Path) -> None:
    for seed in (-1, -EVALUATION_SEED, -(2**63), HIGHEST + 1, 2**63, 2**64, 2**64 - EVALUATION_SEED):
        with pytest.raises(ValueError, match=r"^seed: expected a value in"):
            EVALUATIONS[name](run, seed)
    EVALUATIONS[name](run, HIGHEST)


def test_games_at_the_edges_differ(run: Path) -> None:
    """The last games of training, and the first of an evaluation, from the environments that are made for them."""
    env, _, _ = open_leader(str(run))
    first, _ = env.reset()
    for seed in (0, TRAINING_SEEDS - 1):
        other, _ = paymaster.make_vec(TASK, 1, seed, autoreset_mode="Disabled").reset()
        assert any(not np.array_equal(first[name], other[name]) for name in other)
    same, _ = paymaster.make_vec(TASK, 1, EVALUATION_SEED, autoreset_mode="Disabled").reset()
    assert all(np.array_equal(first[name], same[name]) for name in same if name in first)
