"""Checkpoints to save, for tests of what becomes of them."""

from pathlib import Path
from typing import Any

import torch

from paymaster.experiments.checkpoint import (
    bytes_to_tensor,
    save_checkpoint,
)

FILES = ["leader.safetensors", "state.safetensors", "manifest.json"]
MANIFEST = {"learning_rate": 0.1, "names": ["a", "ä"], "nothing": None, "nested": {"n": 2**40}}


def save(run_dir: Path, episode: int = 128, **kwargs: Any) -> Path:
    tensors = {
        "leader": {
            "weight": torch.full((3, 4), float(episode)),
            "bias": torch.tensor([0.1, -0.0, float("nan")]),
        },
        "state": {"generator": torch.get_rng_state(), "snapshot": bytes_to_tensor(b"\x00game\xff")},
    }
    return save_checkpoint(run_dir, episode, tensors, MANIFEST, **kwargs)


def hidden(run_dir: Path) -> list[str]:
    return [path.name for path in run_dir.iterdir() if path.name.startswith(".")]
