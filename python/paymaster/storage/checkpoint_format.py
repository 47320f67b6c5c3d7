"""What a checkpoint's file holds: tensors and JSON to bytes and back, everything verified, no pickle.

The file is one of safetensors. Tensors are named ``GROUP/NAME``; the header's metadata has one entry, ``paymaster``,
which is a :class:`Header` as JSON. A SHA-256 in it is that of the whole file (:mod:`paymaster.storage.sealed`).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import safetensors
import safetensors.torch
import torch
from annotated_types import Interval, Len

from paymaster import __version__
from paymaster.storage.sealed import BLANK, check_seal, seal
from paymaster.validation.finite import DivergenceError, first_not_finite
from paymaster.validation.ranges import from_json, parse_json

__all__ = ["FORMAT_VERSION", "Checkpoint", "CheckpointError", "Header", "MetricsMark", "OptimizerState"]

FORMAT_VERSION: Final = 2
_ENTRY = "paymaster"
_GROUP = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_HEADER = 2**24  # bytes

Tensors = Mapping[str, Mapping[str, torch.Tensor]]


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged, of another format or unfit; says what was expected and what came."""


@dataclass(frozen=True)
class MetricsMark:
    """The rows of `metrics.jsonl` so far: their length in bytes and their SHA-256."""

    bytes: Annotated[int, Interval(ge=0, lt=2**62)]
    sha256: Annotated[str, Len(64, 64)]


@dataclass(frozen=True)
class OptimizerState:
    """What an optimiser is beside its tensors: its class, and the options of its groups of parameters."""

    type: str
    groups: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a checkpoint says in JSON.

    Attributes:
        format, format_version: of the file.
        package_version: version of paymaster that wrote it.
        episode: episodes trained when it was saved.
        config: configuration of the run.
        metrics: the rows logged by then.
        optimizers: by name.
    """

    format: Literal["paymaster-checkpoint"] = "paymaster-checkpoint"
    format_version: Literal[2] = FORMAT_VERSION
    package_version: str = __version__
    episode: Annotated[int, Interval(ge=0, lt=2**62)]
    config: dict[str, Any]
    metrics: MetricsMark
    optimizers: dict[str, OptimizerState]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read and verified.

    Attributes:
        path: its file.
        header: what it says in JSON.
        tensors: per group, name -> tensor, on the CPU; floating numbers are finite.
    """

    path: Path
    header: Header
    tensors: dict[str, dict[str, torch.Tensor]]

    @property
    def episode(self) -> int:
        """Episodes trained when it was saved."""
        return self.header.episode


def encode(header: Header, tensors: Tensors) -> bytes:
    """The content of a checkpoint's file.

    Raises:
        ValueError, TypeError: group names, tensors or a header that cannot be stored.
        DivergenceError: a number in a tensor is not finite.
    """
    flat = {}
    for group, named in tensors.items():
        if not _GROUP.fullmatch(group):
            raise ValueError(f"tensors: expected group names of lower case letters, digits and _, got {group!r:.80}")
        for name, tensor in named.items():
            if not isinstance(tensor, torch.Tensor):
                raise TypeError(f"tensors[{group!r}][{name!r}]: expected a torch.Tensor, got {type(tensor).__name__}")
            # Cloned, because safetensors refuses tensors that share memory, such as tied weights.
            flat[f"{group}/{name}"] = tensor.detach().cpu().contiguous().clone()
    if broken := first_not_finite(flat):
        raise DivergenceError(f"{broken[0]}: expected finite numbers, got {broken[1]}")
    try:
        text = json.dumps({"sha256": BLANK, **dataclasses.asdict(header)}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"header: expected JSON without NaN: {error}") from error
    return seal(safetensors.torch.save(flat, {_ENTRY: text}))


def read(path: Path) -> Checkpoint:
    """Read and verify the checkpoint in the file ``path``.

    Raises:
        CheckpointError: it is not there or not intact. The message ends openly, the caller adds the cure.
    """
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a checkpoint's file, found a directory{_older(path)}")
    if not path.is_file():
        found = "something else" if path.exists() else "nothing"
        raise CheckpointError(f"{path}: expected a checkpoint's file, found {found}")
    try:
        data = path.read_bytes()
        return Checkpoint(path, _header_of(data, path), _tensors_of(data, path))
    except OSError as error:
        raise CheckpointError(f"{path}: expected a readable file, got: {error.strerror or error}") from error
    except ValueError as error:
        raise CheckpointError(str(error)) from error


def _older(path: Path) -> str:
    """What to say of a checkpoint of format version 1, a directory of files."""
    try:
        manifest = parse_json((path / "manifest.json").read_bytes(), "manifest.json")
        return (
            f" of format version 1, which paymaster {manifest['package_version']} wrote: use the version that wrote it"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _header_of(data: bytes, path: Path) -> Header:
    """The header, after the length and the digest of the whole file were checked."""
    if not data:
        raise ValueError(f"{path}: expected a safetensors file, got an empty one")
    length = int.from_bytes(data[:8], "little")
    if length > min(len(data) - 8, _LONGEST_HEADER):  # the former is negative where there are no 8 bytes
        raise ValueError(
            f"{path}: expected a safetensors file, got {len(data)} bytes that say their header has {length}: truncated "
            "or some other file"
        )
    tensors = from_json(dict[str, Any], parse_json(data[8 : 8 + length], f"{path}: header"), f"{path}: header")
    entries = from_json(dict[str, str], tensors.pop("__metadata__", {}), f"{path}: __metadata__")
    if _ENTRY not in entries:
        raise ValueError(f"{path}: __metadata__.{_ENTRY}: expected a checkpoint's header, got some other file")
    end = 0
    for name, facts in tensors.items():
        group, slash, _ = name.partition("/")
        if not slash or not _GROUP.fullmatch(group):
            raise ValueError(f"{path}: expected tensors named GROUP/NAME, got {name[:80]!r}")
        placed = from_json(_Placed, facts, f"{path}: {name[:80]}")
        end = max(end, placed.data_offsets[1])
    if len(data) != (whole := 8 + length + end):
        kind = "truncated" if len(data) < whole else "something was added"
        raise ValueError(f"{path}: expected {whole} bytes, got {len(data)}: {kind}")
    check_seal(data, str(path))
    where = f"{path}: __metadata__.{_ENTRY}"
    body = from_json(dict[str, Any], parse_json(entries[_ENTRY], where), where)
    if body.pop("sha256", None) is None:
        raise ValueError(f"{where}: expected a digest, got none")
    if body.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: format_version: expected {FORMAT_VERSION}, got {body.get('format_version')!r}, written by "
            f"paymaster {body.get('package_version')!r}: use that version to read it"
        )
    return from_json(Header, body, str(path))


@dataclass(frozen=True)
class _Placed:
    """A tensor's entry in the header of a safetensors file."""

    dtype: str
    shape: list[Annotated[int, Interval(ge=0, lt=2**48)]]
    data_offsets: tuple[Annotated[int, Interval(ge=0, lt=2**48)], Annotated[int, Interval(ge=0, lt=2**48)]]


def _tensors_of(data: bytes, path: Path) -> dict[str, dict[str, torch.Tensor]]:
    try:
        flat = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path}: expected the safetensors format, got: {error}") from error
    if broken := first_not_finite(flat):
        raise ValueError(f"{path}: {broken[0]}: expected finite numbers, got {broken[1]}")
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name in sorted(flat):  # its own order is any
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = flat[name]
    return groups
