"""Options that several commands share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from paymaster.experiments.config import TaskConfig

__all__ = ["with_map"]


def with_map(options: TaskConfig) -> TaskConfig:
    """The options with the map's text in place of a file's name."""
    if options.map is None or "\n" in options.map or "#" in options.map:
        return options
    try:
        return dataclasses.replace(options, map=Path(options.map).read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"map: expected a map's text or a readable file that holds it, got {error}") from None
