"""Small trainings that several test files begin from, and deaths on their way."""

from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.storage.checkpoint_format import Checkpoint
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.training import train as training
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import open_checkpoint
from paymaster.training.train import train

__all__ = ["SMALL", "TASK", "Killed", "check_killed_run", "die_at", "train_whole"]

TASK = "resource_collection"
SMALL = TrainConfig(TASK, episodes=64, num_envs=8, checkpoint_every=16, hidden=8, seed=3)
"""Eight updates, four checkpoints; trained once for all tests as the fixture ``small_run``."""


def train_whole(config: TrainConfig, out: Path) -> Path:
    """Train in one go; return the run directory."""
    train(config, out)
    return out


class Killed(BaseException):
    """Stand in for `kill -9`."""


def die_at(patch: pytest.MonkeyPatch, owner: Any, name: str, call: int) -> None:
    """Raise :class:`Killed` in place of that call, counted from 1, of a function of ``owner``."""
    original, calls = getattr(owner, name), 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return original(*args, **kwargs)

    patch.setattr(owner, name, dying)


def check_killed_run(config: TrainConfig, out: Path) -> tuple[Checkpoint, list[dict[str, Any]]]:
    """Check that a run which dies at its second checkpoint, and goes on, ends with the same tensors and metrics as one
    that does not; return both."""
    train(config, out / "whole")
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, training, "save_run_state", 2)
        with pytest.raises(Killed):
            train(config, out / "killed")
    train(config, out / "killed", resume=True)
    whole, killed = (open_checkpoint(out / run) for run in ("whole", "killed"))
    assert whole.tensors.keys() == killed.tensors.keys()
    for group, tensors in whole.tensors.items():
        for entry, tensor in tensors.items():
            assert torch.equal(tensor, killed.tensors[group][entry]), f"{group}/{entry}"
    rows = [read_metrics(out / run / METRICS) for run in ("whole", "killed")]
    assert rows[0] == rows[1]
    return whole, rows[0]
