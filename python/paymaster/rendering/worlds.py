"""Which world a state is of, for those who draw it; and the fields of one that nobody here can draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from paymaster import _core

__all__ = [
    "DRAWN_FIELDS",
    "ON_GRID",
    "World",
    "arena_half_width",
    "map_lines",
    "own_fields",
    "resources",
    "stations",
    "world_of",
]

World = Literal["grid", "crafting", "navigation", "predator_prey", "other"]
ON_GRID: tuple[World, ...] = ("grid", "crafting")
"""Worlds with a map and resources."""

DRAWN_FIELDS = (
    "identity", "skill", "preference", "reservation", "offer", "committed", "action", "completed", "contract_running",
    "contract_age", "step", "done",
)  # fmt: skip
"""Fields of every game's state that a picture needs."""
_COMMON_FIELDS = (*DRAWN_FIELDS, "learns", "dropped", "episode", "refused", "paid", "revenue", "earned")

_GRID = ("position", "heading", "resource_type", "resource_position", "resource_present", "resource_claimant")
_FIELDS: dict[World, tuple[str, ...]] = {
    "crafting": (*_GRID, "station_claimant", "inventory"),
    "grid": _GRID,
    "predator_prey": ("position", "velocity", "goal_type", "goal_position", "goal_velocity"),
    "navigation": ("position", "velocity", "goal_type", "goal_position"),
}
_PARAMETER: dict[World, str] = {
    "crafting": "map",
    "grid": "map",
    "predator_prey": "num_targets",
    "navigation": "num_targets",
}


def world_of(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> World:
    """Return the first world whose fields the state has and whose option the game has; "other" if none is known."""
    for world, fields in _FIELDS.items():
        if _PARAMETER[world] in parameters and all(name in state for name in fields):
            return world
    return "other"


def arena_half_width(parameters: Mapping[str, Any]) -> float:
    """Return half the side of a particle arena; goals and obstacles lie in [-w, w]^2 (``particle_config.hpp``)."""
    return _core.arena_half_width(parameters["arena_half_width"], parameters["num_followers"])


def map_lines(parameters: Mapping[str, Any]) -> list[str]:
    """Return the rows of a grid's map."""
    return (str(parameters["map"]).strip("\n") or _core.DEFAULT_MAP).splitlines()


def resources(state: Mapping[str, Any]) -> Iterable[tuple[int, tuple[int, int], bool, int]]:
    """Return type, cell, whether it is there, and claimant (-1 for none) of each resource of a grid."""
    return zip(*(state[f"resource_{name}"] for name in ("type", "position", "present", "claimant")), strict=True)


def stations(state: Mapping[str, Any]) -> list[tuple[int, tuple[int, int], int]]:
    """Return item, cell and claimant (-1 for none) of each station; none outside the crafting world."""
    places = zip(_core.CRAFTING_STATIONS.items(), state.get("station_claimant", ()), strict=False)
    return [(item, place, int(claimant)) for (item, place), claimant in places]


def own_fields(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the world's own fields of one game's state as text, field by field; rows of a table in brackets."""
    return {name: _text(np.asarray(value)) for name, value in state.items() if name not in _COMMON_FIELDS}


def _text(value: Any) -> str:
    if value.ndim > 1:
        return " ".join(f"[{_text(row)}]" for row in value)
    return " ".join(f"{number:.3g}" if value.dtype.kind == "f" else str(number) for number in value.ravel().tolist())
