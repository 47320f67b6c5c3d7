"""The settings each leader does best with, all having had the same choice (bench/tuned.py writes tuned.json)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

__all__ = ["TUNED", "tuned_settings"]

TUNED: Final = "tuned.json"  # beside this file


def tuned_settings(leader: str) -> dict[str, Any]:
    """Fields of :class:`~paymaster.algorithms.EBPGConfig` for a leader of that name.

    Raises:
        ValueError: a leader that was not tuned.
    """
    name = leader.partition("(")[0]  # fixed-interval(m), whatever its m
    settings = _all()
    if name not in settings:
        raise ValueError(f"leader: expected a tuned one of {', '.join(settings)}, got {leader!r}")
    return dict(settings[name])


@cache
def _all() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads(files(__package__).joinpath(TUNED).read_text())
    return loaded
