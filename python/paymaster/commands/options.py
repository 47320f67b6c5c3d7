"""Options that several commands share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, TypeAlias

from annotated_types import Interval

from paymaster.training.config import TaskConfig

__all__ = ["Games", "GamesSeed", "expanded", "with_map"]

Games: TypeAlias = Annotated[int, Interval(ge=1, le=10**7)]
"""Episodes to play."""
GamesSeed: TypeAlias = Annotated[int, Interval(ge=0, lt=2**62)]
"""Of games that training did not see."""


def expanded(leader: str) -> str:
    """Return a leader as given by a user, with ``~`` expanded where it is a run directory."""
    return str(Path(leader).expanduser()) if leader.startswith("~") else leader


def with_map(options: TaskConfig) -> TaskConfig:
    """The options with the map's text in place of a file's name."""
    if options.map is None or "\n" in options.map or "#" in options.map:
        return options
    try:
        text = Path(options.map).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError, RuntimeError, ValueError) as error:
        raise ValueError(f"map: expected a map's text or a readable file that holds it, got {error}") from None
    if not text.strip():
        raise ValueError(f"map: expected a file that holds a map, got an empty one, {options.map}")
    return dataclasses.replace(options, map=text)
