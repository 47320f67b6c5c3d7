"""Checkpoints: a safetensors file each, ``RUN_DIRECTORY/checkpoint-00012800.safetensors``, whole or not there at all.

Each is written beside its final place, forced to the disk, then renamed. What it holds is said in `checkpoint_format`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from paymaster.storage.atomic import write_bytes
from paymaster.storage.checkpoint_format import (
    Checkpoint,
    CheckpointError,
    Header,
    MetricsMark,
    OptimizerState,
    Tensors,
    encode,
    read,
)

KEPT = 2
"""How many checkpoints of a run are kept."""
_NAME = re.compile(r"checkpoint-(\d{8,18})\.safetensors")
_OLDER = "checkpoint-*[0-9]"  # directories, of format version 1


def save_checkpoint(
    run_dir: str | os.PathLike[str],
    episode: int,
    tensors: Tensors,
    *,
    config: Mapping[str, Any],
    metrics: MetricsMark,
    optimizers: Mapping[str, OptimizerState] | None = None,
    keep: int = KEPT,
) -> Path:
    """Save a checkpoint in `run_dir`, which must exist, and delete the older ones beyond the newest `keep`.

    Args:
        run_dir: the run directory. One process at a time may write into it (`RunDirectory` holds the lock).
        episode: episodes trained so far; names the checkpoint. One of the same episode is replaced.
        tensors: group name (lower case, digits, `_`) -> tensor name -> tensor, on any device.
        config: the run's configuration, as JSON.
        metrics: the rows that `metrics.jsonl` has by then.
        optimizers: what they are beside their tensors, by name.
        keep: checkpoints to keep, this one counted. Those of later episodes are never touched.

    Returns:
        The checkpoint's file.

    Raises:
        ValueError, TypeError: an argument is not as described; nothing is written.
        DivergenceError: a number in a tensor is NaN or infinite; nothing is written.
        RunDirectoryError: full disk, unwritable or missing directory; earlier checkpoints are as they were.
    """
    if not 0 <= episode < 2**62:
        raise ValueError(f"episode: expected a whole number in [0, 2^62), got {episode}")
    if keep < 1:
        raise ValueError(f"keep: expected at least 1, got {keep}")
    run_dir = Path(run_dir)
    final = checkpoint_path(run_dir, episode)
    header = Header(episode=episode, config=dict(config), metrics=metrics, optimizers=dict(optimizers or {}))
    write_bytes(final, encode(header, tensors))
    delete_older(run_dir, episode, keep)
    return final


def delete_older(run_dir: Path, episode: int, keep: int = KEPT) -> None:
    """Delete older checkpoints than that of `episode`, so that `keep` are left with it.

    A save does; so does who goes on from one, since the process that saved it may have been killed before it could.
    """
    older = [path for path in _checkpoints(run_dir) if episode_of(path) < episode]
    with suppress(OSError):  # the new one is safe; old ones that cannot be deleted are no reason to stop training
        for path in older[: max(0, len(older) - (keep - 1))]:
            path.unlink()


def checkpoint_path(run_dir: Path, episode: int) -> Path:
    """Where the checkpoint of an episode is, if there is one."""
    return run_dir / f"checkpoint-{episode:08d}.safetensors"


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, verifying its length, its SHA-256, every field of it, and that its name is its own.

    Raises:
        CheckpointError: it is missing, truncated, corrupt, renamed, of another format version or no checkpoint at all,
            or holds numbers that are not finite. The message names the file, what was expected, what came, and another
            checkpoint that is intact.
    """
    path = Path(path)
    try:
        checkpoint = read(path)
    except CheckpointError as error:
        raise CheckpointError(f"{error}. {_cure(path)}") from error
    own = checkpoint_path(path.parent, checkpoint.episode)
    if path.name != own.name:
        raise CheckpointError(
            f"{path}: episode: expected that of its name, got {checkpoint.episode}: it was renamed from {own}. Give it "
            "back its name."
        )
    return checkpoint


def list_checkpoints(run_dir: str | os.PathLike[str]) -> list[Path]:
    """The checkpoints in a run directory, oldest first, none of them read; empty when none was saved yet.

    Raises:
        CheckpointError: `run_dir` is not a directory.
    """
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        found = "a file" if run_dir.exists() else "nothing"
        raise CheckpointError(f"{run_dir}: expected a run directory, found {found}. Check the path.")
    return _checkpoints(run_dir)


def latest_checkpoint(run_dir: str | os.PathLike[str]) -> Path:
    """The newest checkpoint of a run directory (by episode).

    Raises:
        CheckpointError: `run_dir` is not a directory, or holds no checkpoint that this version of paymaster reads.
    """
    checkpoints = list_checkpoints(run_dir)
    if checkpoints:
        return checkpoints[-1]
    for older in sorted(Path(run_dir).glob(_OLDER)):
        if older.is_dir():
            load_checkpoint(older)  # says what it is
    raise CheckpointError(
        f"{os.fspath(run_dir)}: expected a run directory with at least one checkpoint-*.safetensors, found none. "
        "Either it is no run directory, or its run was stopped before the first checkpoint."
    )


def bytes_to_tensor(data: bytes) -> torch.Tensor:
    """Bytes (an environment's snapshot, say) as a tensor uint8[len(data)], to be kept in a checkpoint."""
    return torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.zeros(0, dtype=torch.uint8)


def tensor_to_bytes(tensor: torch.Tensor) -> bytes:
    """The bytes that `bytes_to_tensor` was given.

    Raises:
        CheckpointError: the tensor is not uint8 of one dimension.
    """
    if tensor.dtype != torch.uint8 or tensor.dim() != 1:
        raise CheckpointError(f"expected bytes as uint8[n], got {tensor.dtype}{list(tensor.shape)}")
    return tensor.cpu().numpy().tobytes()


def episode_of(path: Path) -> int:
    """Episodes trained when that checkpoint was saved, by its name."""
    return int(path.stem.removeprefix("checkpoint-"))


def _checkpoints(run_dir: Path) -> list[Path]:
    return sorted((path for path in run_dir.iterdir() if _NAME.fullmatch(path.name)), key=episode_of)


def _cure(path: Path) -> str:
    """What to do about a checkpoint that cannot be read."""
    if path.is_dir() and (inside := _checkpoints(path)):
        return f"It is a run directory: give one of its checkpoints, such as {inside[-1]}."
    siblings = _checkpoints(path.parent) if path.parent.is_dir() else []
    for other in reversed(siblings):
        with suppress(CheckpointError):
            if other != path and other == checkpoint_path(path.parent, read(other).episode):
                return f"{other} is intact: move {path.name} out of {path.parent} and use that one."
    return "No intact checkpoint lies beside it: start the run anew in another directory (--out)."
