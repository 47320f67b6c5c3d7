"""Checkpoints to save, for tests of what becomes of them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from paymaster.storage.checkpoint import MetricsMark, OptimizerState, bytes_to_tensor, save_checkpoint

CONFIG = {"learning_rate": 0.1, "names": ["a", "ä"], "nothing": None, "nested": {"n": 2**40}}
NO_ROWS = MetricsMark(0, hashlib.sha256().hexdigest())


def save(run_dir: Path, episode: int = 128, **kwargs: Any) -> Path:
    tensors = {
        "leader": {"weight": torch.full((3, 4), float(episode)), "bias": torch.tensor([0.1, -0.0, 3.0])},
        "state": {"generator": torch.get_rng_state(), "snapshot": bytes_to_tensor(b"\x00game\xff")},
    }
    return save_tensors(run_dir, episode, tensors, CONFIG, **kwargs)


def save_tensors(
    run_dir: Path,
    episode: int,
    tensors: Mapping[str, Mapping[str, torch.Tensor]],
    config: Mapping[str, Any] | None = None,
    optimizers: Mapping[str, OptimizerState] | None = None,
    **kwargs: Any,
) -> Path:
    return save_checkpoint(
        run_dir, episode, tensors, config=config or {}, metrics=NO_ROWS, optimizers=optimizers, **kwargs
    )


def hidden(run_dir: Path) -> list[str]:
    return [path.name for path in run_dir.iterdir() if path.name.startswith(".")]
