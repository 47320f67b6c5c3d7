"""Each leader's settings, all having had the same choice (`reproduce tuning --write-tuned`; docs/results.md)."""

from __future__ import annotations

import dataclasses
from functools import cache
from importlib.resources import files
from typing import Any, Final

from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.validation.ranges import from_json, parse_json

__all__ = ["TUNED", "tuned_settings"]

TUNED: Final = "tuned.json"  # beside this file


def tuned_settings(leader: str) -> dict[str, Any]:
    """Return fields of :class:`~paymaster.algorithms.EBPGConfig` for a leader of that name.

    Raises:
        ValueError: a leader that was not tuned.
    """
    name = leader.partition("(")[0]  # fixed-interval(m), whatever its m
    settings = _all()
    if name not in settings:
        raise ValueError(f"leader: expected a tuned one of {', '.join(settings)}, got {leader!r:.80}")
    return dict(settings[name])


@cache
def _all() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = parse_json(files(__package__).joinpath(TUNED).read_bytes(), TUNED)
    for leader, settings in loaded.items():
        from_json(EBPGConfig, {**dataclasses.asdict(EBPGConfig()), **settings}, f"{TUNED}: {leader}")
    return loaded
