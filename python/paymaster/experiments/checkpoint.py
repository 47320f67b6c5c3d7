"""Checkpoints: a directory of safetensors files and a JSON manifest, whole or not there at all::

    RUN_DIRECTORY/checkpoint-00012800/
      leader.safetensors      one file per group of tensors that the caller names
      optimizer.safetensors
      state.safetensors       generator states and the environment's snapshot, as uint8 (see `bytes_to_tensor`)
      manifest.json           format, versions, episode, size and SHA-256 of each file, the caller's own JSON

A checkpoint is written into a hidden directory beside its final place, forced to the disk, then renamed; an
old one is renamed before it is deleted. So whatever bears a checkpoint's name is whole, even after `kill -9`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch

from paymaster.experiments.atomic import JSON, storage_errors, sync_directory, write_synced
from paymaster.experiments.checkpoint_format import Checkpoint, CheckpointError, encode, read
from paymaster.experiments.optimizer_state import load_optimizer, optimizer_tensors

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "bytes_to_tensor",
    "checkpoint_path",
    "episode_of",
    "latest_checkpoint",
    "list_checkpoints",
    "load_checkpoint",
    "load_optimizer",
    "optimizer_tensors",
    "save_checkpoint",
    "tensor_to_bytes",
    "tidy_checkpoints",
]

_NAME = re.compile(r"checkpoint-(\d{8,})")
_WRITING, _REPLACED, _RETIRED = ".tmp", ".replaced", ".retired"  # endings of the hidden directories


def save_checkpoint(
    run_dir: str | os.PathLike[str],
    episode: int,
    tensors: Mapping[str, Mapping[str, torch.Tensor]],
    manifest: Mapping[str, JSON],
    *,
    keep: int = 2,
) -> Path:
    """Save a checkpoint in `run_dir`, which must exist, and delete the older ones beyond the newest `keep`.

    Args:
        run_dir: the run directory. One process at a time may write into it (`RunDirectory` holds the lock).
        episode: episodes trained so far; names the checkpoint. One of the same episode is replaced.
        tensors: group name (lower case, digits, `_`) -> tensor name -> tensor, on any device.
        manifest: whatever else is needed to continue, as JSON; no NaN.
        keep: checkpoints to keep, this one counted. Those of later episodes are never touched.

    Returns:
        The checkpoint's directory.

    Raises:
        ValueError, TypeError: an argument is not as described; nothing is written.
        RunDirectoryError: full disk, unwritable or missing directory; earlier checkpoints are as they were.
    """
    if episode < 0:
        raise ValueError(f"episode: expected 0 or more, got {episode}")
    if keep < 1:
        raise ValueError(f"keep: expected at least 1, got {keep}")
    contents = encode(episode, tensors, manifest)
    run_dir = Path(run_dir)
    final = checkpoint_path(run_dir, episode)
    temporary = _hidden(final, _WRITING)
    with storage_errors(final, "save the checkpoint"):
        tidy_checkpoints(run_dir)
        try:
            temporary.mkdir()
            for name, data in contents.items():
                write_synced(temporary / name, data)
            sync_directory(temporary)
            _move_into_place(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_directory(run_dir)
    older = [path for path in _checkpoints(run_dir) if episode_of(path) < episode]
    with suppress(OSError):  # the new one is safe; old ones that cannot be deleted are no reason to stop training
        for path in older[: max(0, len(older) - (keep - 1))]:
            _retire(path)
    return final


def checkpoint_path(run_dir: Path, episode: int) -> Path:
    """Where the checkpoint of an episode is, if there is one."""
    return run_dir / f"checkpoint-{episode:08d}"


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, verifying its format and every file's size and SHA-256.

    Raises:
        CheckpointError: it is missing, truncated, corrupt, of another format version or no checkpoint at all.
            The message names the file, what was expected, what came, and another checkpoint that is intact.
    """
    path = Path(path)
    try:
        return read(path)
    except CheckpointError as error:
        raise CheckpointError(f"{error}. {_cure(path)}") from error


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
        CheckpointError: `run_dir` is not a directory, or holds no checkpoint.
    """
    checkpoints = list_checkpoints(run_dir)
    if not checkpoints:
        raise CheckpointError(
            f"{os.fspath(run_dir)}: expected a run directory with at least one checkpoint-*, found none. "
            "Either it is no run directory, or its run was stopped before the first checkpoint."
        )
    return checkpoints[-1]


def tidy_checkpoints(run_dir: str | os.PathLike[str]) -> None:
    """Delete what a killed save left behind. Only for the one process that writes into `run_dir`."""
    for hidden in Path(run_dir).glob(".checkpoint-*"):
        final = hidden.with_name(hidden.stem.removeprefix("."))
        if hidden.suffix == _REPLACED and not final.exists():
            os.rename(hidden, final)  # killed between the two renames of _move_into_place
        elif hidden.suffix in (_WRITING, _REPLACED, _RETIRED):
            shutil.rmtree(hidden)


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


def _checkpoints(run_dir: Path) -> list[Path]:
    return sorted((path for path in run_dir.iterdir() if _NAME.fullmatch(path.name)), key=episode_of)


def episode_of(path: Path) -> int:
    """Episodes trained when that checkpoint was saved, by its name."""
    return int(path.name.removeprefix("checkpoint-"))


def _hidden(final: Path, ending: str) -> Path:
    return final.with_name(f".{final.name}{ending}")


def _move_into_place(temporary: Path, final: Path) -> None:
    # A directory cannot be renamed over one that is not empty, so one of the same episode steps aside first;
    # should the process die between the two renames, tidy_checkpoints puts it back.
    aside = _hidden(final, _REPLACED)
    if final.exists():
        os.rename(final, aside)
    try:
        os.rename(temporary, final)
    except BaseException:
        if aside.exists():
            os.rename(aside, final)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _retire(path: Path) -> None:
    retired = _hidden(path, _RETIRED)
    os.rename(path, retired)  # first, so that no half-deleted directory bears a checkpoint's name
    shutil.rmtree(retired)


def _cure(path: Path) -> str:
    """What to do about a checkpoint that cannot be read."""
    if path.is_dir() and not _NAME.fullmatch(path.name) and (inside := _checkpoints(path)):
        return f"It is a run directory: give one of its checkpoints, such as {inside[-1]}."
    siblings = _checkpoints(path.parent) if path.parent.is_dir() else []
    for other in reversed(siblings):
        with suppress(CheckpointError):
            if other != path:
                read(other)
                return f"{other} is intact: move {path.name} out of {path.parent} and use that one."
    return "No intact checkpoint lies beside it: start the run anew in another directory (--out)."
