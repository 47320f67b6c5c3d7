"""Small trainings that several test files begin from, and deaths on their way."""

from pathlib import Path
from typing import Any

import pytest

from paymaster.training.config import TrainConfig
from paymaster.training.train import train

__all__ = ["SMALL", "TASK", "Killed", "die_at", "train_whole"]

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
