"""A configuration as plain dicts: its fields by path, one laid over another, and as earlier versions stored it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from paymaster.validation.parameters import plain_parameters

__all__ = ["leaves", "merged", "of_today"]


def leaves(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Fields by name, those of a dataclass within as OUTER.INNER."""
    found: dict[str, Any] = {}
    for part in dataclasses.fields(settings):
        value, name = getattr(settings, part.name), f"{prefix}{part.name}"
        found |= leaves(value, f"{name}.") if dataclasses.is_dataclass(value) else {name: value}
    return found


def merged(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with the given ones in place of the usual ones, also within fields that have some of their own."""
    both = dict(usual)
    for name, value in given.items():
        inside = both.get(name)
        nested = isinstance(inside, Mapping) and isinstance(value, Mapping)
        both[name] = merged(inside, value) if nested else value  # type: ignore[arg-type]
    return both


def of_today(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration, also one of the first 0.1.0.dev, which named all parameters and a world's own apart."""
    now, parameters = dict(stored), stored.get("parameters")
    if isinstance(parameters, Mapping):
        world = parameters.get("world")
        rest = {name: value for name, value in parameters.items() if name != "world" or not isinstance(world, Mapping)}
        now["parameters"] = plain_parameters({**rest, **(world if isinstance(world, Mapping) else {})})
    if isinstance(defined := stored.get("defined_as"), list | tuple) and len(defined) == 2:
        now["defined_as"] = {"task": defined[0], "meaning": "", "parameters": defined[1], "population": None}
    return now
