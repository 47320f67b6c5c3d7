"""Games of one's own to train in: a function that makes them, or a batch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import paymaster
from own_parts import WELL_PAID, well_paid
from paymaster.analysis.evaluate import evaluate_run
from paymaster.storage.run_config import read_config
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_games
from paymaster.training.train import train
from small_runs import SMALL, TASK, Killed, die_at


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_games_of_ones_own_are_made_again(tmp_path: Path) -> None:
    """A function is stored by its path: in other processes, too, a run is resumed and evaluated in its games."""
    train(SMALL, tmp_path / "whole", env=well_paid)
    assert read_config(tmp_path / "whole")["env"] == WELL_PAID
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, paymaster.algorithms.EBPG, "update", 6)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "killed", env=well_paid)
    train(TrainConfig(TASK), tmp_path / "killed", resume=True)
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
    skills = well_paid(1, 0).population["skill"]
    assert skills.all() and not make_games(TASK, 1, 0).population["skill"].all()
    played = evaluate_run(tmp_path / "whole", 20)
    assert played.gain.mean() != evaluate_run(tmp_path / "whole", 20, parameters={"noise": 0.9}).gain.mean()


def test_a_batch_to_train_in(tmp_path: Path) -> None:
    """It trains as a function that makes it, is resumed in a batch like it, and cannot be made again by others."""
    arguments: dict[str, Any] = {"autoreset_mode": "Disabled", "observe_routes": True}
    train(SMALL, tmp_path / "made", env=well_paid)
    train(SMALL, tmp_path / "batch", env=well_paid(8, 3, **arguments))
    assert (tmp_path / "made/metrics.jsonl").read_bytes() == (tmp_path / "batch/metrics.jsonl").read_bytes()
    again = replace(SMALL, episodes=80)
    train(again, tmp_path / "batch", env=well_paid(8, 3, **arguments), resume=True)
    train(again, tmp_path / "made", resume=True)
    assert (tmp_path / "made/metrics.jsonl").read_bytes() == (tmp_path / "batch/metrics.jsonl").read_bytes()
    for call in (
        lambda: evaluate_run(tmp_path / "batch", 4),
        lambda: train(replace(SMALL, episodes=96), tmp_path / "batch", resume=True),
    ):
        with pytest.raises(ValueError, match="env: expected a function that makes the games again, got a run"):
            call()


def test_games_that_do_not_fit(tmp_path: Path) -> None:
    batch = paymaster.make_vec(TASK, 8, 3, autoreset_mode="Disabled", observe_routes=True)
    wrong: list[tuple[Any, Any, str]] = [
        (lambda *_, **__: 3, SMALL, "env: expected a paymaster.LeaderVectorEnv, got int"),
        (batch, replace(SMALL, num_envs=4), "env: expected games with num_envs=4 as in the configuration, got 8"),
        (batch, replace(SMALL, task="navigation"), "env: expected games with task='navigation'"),
        (batch, replace(SMALL, parameters={"followers": "q"}), "env: expected games with followers='meta'"),
        (batch, replace(SMALL, evaluate_every=8), "evaluate_every: expected it only with games that can be made again"),
        (paymaster.make_vec(TASK, 8, 3), SMALL, "env: expected games with autoreset_mode='Disabled'"),
    ]
    for env, config, error in wrong:
        with pytest.raises((ValueError, TypeError), match=error):
            train(config, tmp_path / "run", env=env)
    with pytest.raises(ValueError, match="env: expected 'module:function', got 'here'"):
        replace(SMALL, env="here").validate()
    assert not (tmp_path / "run").exists()
