"""`config.json`: what a run consists of, which deliberate changes were made to it, and a digest of both.

A run may go on with another number of episodes or on another device (``--resume --episodes N``). Each such change is
recorded with the episode it was made at, so that what a checkpoint says of the configuration can be held against it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval

from paymaster.storage.atomic import RunDirectoryError, storage_errors, write_bytes
from paymaster.storage.sealed import read_json, sealed_json
from paymaster.validation.ranges import from_json, parse_json

__all__ = ["CONFIG", "Change", "StoredConfig", "difference", "read_config", "read_run_config", "write_run_config"]

CONFIG = "config.json"


@dataclass(frozen=True)
class Change:
    """A deliberate change of one field.

    Attributes:
        episode: of the checkpoint that the run went on from.
        field: of the configuration.
        was, now: its values.
    """

    episode: Annotated[int, Interval(ge=0, lt=2**62)]
    field: str
    was: Any
    now: Any


@dataclass(frozen=True)
class StoredConfig:
    """The content of `config.json`, entry by entry.

    Attributes:
        format, format_version: of the file.
        config: the run's configuration, as it is now.
        changes: made to it, in order.
    """

    format: Literal["paymaster-run"] = field(default="paymaster-run", kw_only=True)
    format_version: Literal[2] = field(default=2, kw_only=True)
    config: dict[str, Any]
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises ValueError where the changes do not lead to the configuration."""
        self.at(-1)

    def at(self, episode: int) -> dict[str, Any]:
        """The configuration that a checkpoint of that episode was saved under."""
        config = dict(self.config)
        for number, change in reversed(list(enumerate(self.changes))):
            if change.field not in config or config[change.field] != change.now:
                raise ValueError(
                    f"changes[{number}].now: expected {config.get(change.field)!r}, the value of {change.field} after "
                    f"it, got {change.now!r:.80}"
                )
            if change.episode >= episode:
                config[change.field] = change.was
            else:
                break
        return config

    def changed(self, config: Mapping[str, Any], episode: int) -> StoredConfig:
        """The same with a configuration that the run goes on with from a checkpoint of that episode."""
        earlier = [dataclasses.replace(change, episode=min(change.episode, episode)) for change in self.changes]
        changes = [Change(episode, name, was, config[name]) for name, was in self.config.items() if config[name] != was]
        return StoredConfig(dict(config), earlier + changes)


def read_run_config(run: str | os.PathLike[str]) -> StoredConfig:
    """Read and verify the `config.json` of a run directory.

    Raises:
        RunDirectoryError: there is no run, or its `config.json` is damaged, was changed by hand or written by another
            version; names the field.
    """
    file = Path(run) / CONFIG
    if not file.is_file():
        raise RunDirectoryError(
            f"{os.fspath(run)}: expected a run directory with a {CONFIG}, found none. Check the path."
        )
    try:
        with storage_errors(file, "read"):
            value = read_json(file)
        return from_json(StoredConfig, value, str(file))
    except ValueError as error:
        cure = "Put the file back as it was. A resumed run takes another --episodes or --device; all else is a new run."
        if _is_older(file):
            cure = "An earlier version of paymaster wrote it, in an older format: use that version, or start a new run."
        raise RunDirectoryError(f"{error}. {cure}") from None


def read_config(run: str | os.PathLike[str]) -> dict[str, Any]:
    """The configuration of a run; errors as for :func:`read_run_config`."""
    return read_run_config(run).config


def write_run_config(run: Path, stored: StoredConfig) -> None:
    """Write `config.json`, at once or not at all.

    Raises:
        ValueError, TypeError: the configuration is no JSON. RunDirectoryError: it cannot be written.
    """
    write_bytes(run / CONFIG, encode_run_config(stored))


def encode_run_config(stored: StoredConfig) -> bytes:
    """The content of the file."""
    return sealed_json(dataclasses.asdict(stored))


def difference(expected: Mapping[str, Any], got: Mapping[str, Any], prefix: str = "") -> tuple[str, Any, Any] | None:
    """The first field, by its path, in which two configurations differ, and its two values; None: they are equal."""
    for name in [*expected, *(name for name in got if name not in expected)]:
        one, other = expected.get(name), got.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if inner := difference(one, other, f"{prefix}{name}."):
                return inner
        elif one != other or type(one) is not type(other) or (name in expected) != (name in got):
            return f"{prefix}{name}", one, other
    return None


def _is_older(file: Path) -> bool:
    try:
        value = parse_json(file.read_bytes(), CONFIG)
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and "task" in value
