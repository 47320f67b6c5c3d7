"""The crafting world's part of the upper bound (:mod:`paymaster.exact.bounds`)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.exact.ways import FAR, ways_of

__all__ = ["crafting_bound"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_RECIPES: dict[int, tuple[int, int]] = _core.CRAFTING_RECIPES
_RAW = min(_RECIPES)  # raw materials are types 0 to _RAW - 1
_TOP = tuple(item for item in _RECIPES if not any(item in parts for parts in _RECIPES.values()))
_LOWER = tuple(item for item in _RECIPES if item not in _TOP)
_TO_END = 2  # top-level items


def crafting_bound(
    state: Mapping[str, NDArray[Any]], profit: Floats, free: NDArray[np.bool_], text: str, horizon: int
) -> Floats:
    """Return the bound of B games at their beginning, float64 [B].

    Args:
        state: of the games.
        profit: most that a completion by each follower of each type brings, [B, N, G]; -inf without the skill.
        free: whether a follower may reach a type without being committed to it, [B, N, G].
        text: the map.
        horizon: T.
    """
    worth = np.maximum(profit, np.where(free, 0.0, -np.inf))
    able = np.isfinite(worth)
    unit = np.where(able, worth, -np.inf).max(axis=1)  # [B, G], of the best follower
    unit = np.where(np.isfinite(unit), unit, 0.0)  # what nobody can reach, of which none are counted
    stock = state["inventory"].astype(np.int64)
    units, earliest = _units(state, able, text, horizon)
    games = len(stock)
    # How many of each item there can be at most, before it is looked at what they share.
    room: dict[int, Ints] = {}
    for item in sorted(_RECIPES):
        have = [stock[:, part] + (units[:, part] if part < _RAW else room[part]) for part in _RECIPES[item]]
        room[item] = np.where(earliest[:, item] <= horizon, np.minimum(*have), 0)
    best = np.zeros(games)
    made = stock[:, list(_TOP)].sum(-1)
    before_last = np.maximum(_TO_END - 1 - made, 0)
    tries = [range(int(room[item].max()) + 1) for item in _LOWER] + [range(_TO_END + 1)] * len(_TOP)
    for numbers in product(*tries):
        count = dict(zip((*_LOWER, *_TOP), numbers, strict=True))
        # The last step makes at most one of each top-level item, the steps before it no more than leave the game going.
        possible = sum(max(count[item] - 1, 0) for item in _TOP) <= before_last
        for item in _RECIPES:
            possible &= count[item] <= room[item]
        value = sum(count[item] * unit[:, item] for item in _RECIPES)
        for part in range(_TOP[0]):
            used = sum(count[item] for item, parts in _RECIPES.items() if part in parts)
            lacking = np.maximum(used - stock[:, part], 0)
            if part >= _RAW:
                possible &= lacking <= count[part]
                continue
            possible &= lacking <= units[:, part]
            value = value + unit[:, part] * np.where(unit[:, part] > 0, units[:, part], lacking)
        best = np.where(possible & (value > best), value, best)
    return best


def _units(
    state: Mapping[str, NDArray[Any]], skilled: NDArray[np.bool_], text: str, horizon: int
) -> tuple[Ints, Floats]:
    """Units of each raw material that somebody can dig in time, [B, RAW]; and the fewest steps after which a unit of
    each type can be there, [B, G]."""
    stations = {item: tuple(place) for item, place in _core.CRAFTING_STATIONS.items()}
    ways = ways_of(text, tuple(sorted(stations.values())))
    games, followers, types = skilled.shape
    pose = 4 * ways.cells(state["position"]) + state["heading"]
    kind = state["resource_type"].astype(np.int64)
    cell = ways.cells(state["resource_position"])
    needed = ways.to(cell[:, None], pose[..., None]).astype(np.int64) + 1  # [B, N, M]
    claimant = state["resource_claimant"][:, None]
    mine = state["resource_present"][:, None] & ((claimant < 0) | (claimant == np.arange(followers)[:, None]))
    able = np.take_along_axis(skilled, np.broadcast_to(kind[:, None], needed.shape), axis=-1)
    needed = np.where(mine & able, needed, FAR).min(axis=1)  # [B, M]
    units = np.stack([((kind == raw) & (needed <= horizon)).sum(-1) for raw in range(_RAW)], axis=-1)
    earliest = np.full((games, types), float(FAR))
    for raw in range(_RAW):
        earliest[:, raw] = np.where(kind == raw, needed, FAR).min(axis=-1)
    stock = state["inventory"]
    earliest[:, :_RAW] = np.where(stock[:, :_RAW] > 0, 0, earliest[:, :_RAW])
    for item in sorted(_RECIPES):
        at = ways.cells(np.array(stations[item]))
        faced = np.where(skilled[..., item], ways.to(at[None, None], pose), FAR).min(axis=-1)
        parts = [np.where(stock[:, part] > 0, 0, earliest[:, part]) for part in _RECIPES[item]]
        earliest[:, item] = np.maximum(faced, np.maximum(*parts)) + 1
    return units.astype(np.int64), earliest
