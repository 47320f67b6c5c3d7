"""A plan for the crafting world by full information: who digs what for nothing, who crafts, and who is paid to dig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core

__all__ = ["RECIPES", "TOP_ITEMS", "CraftingPlan", "plays_crafting"]

RECIPES: dict[int, tuple[int, int]] = _core.CRAFTING_RECIPES
"""Item -> the two goal types of which it takes one unit each."""
TOP_ITEMS = tuple(item for item in RECIPES if not any(item in parts for parts in RECIPES.values()))
_RAW = range(min(RECIPES))
_TOP_ITEMS_TO_END = 2
_STEPS_TO_HURRY = 12  # when so few are left, crafters wait at their stations


def plays_crafting(observation: Mapping[str, Any]) -> bool:
    """Tell whether an observation is one of the crafting world."""
    return "inventory" in observation and "station_claimant" in observation


@dataclass
class _Needs:
    """What is still to be done for some top-level items: items to craft, materials first; and units to dig, [4]."""

    crafts: list[int]
    units: list[int]


@dataclass
class _Seen:
    """One game as the plan sees it: plain lists, a follower's in a row."""

    inventory: list[int]
    available: list[int]
    distance: list[list[int]]
    skill: list[list[bool]]
    preference: list[int]
    price: list[list[float]]  # of the lowest level that wins the follower for a goal type; inf if none does
    steps_left: int


class CraftingPlan:
    """Assigns followers to goal types in one game at a time.

    Two top-level items are planned for if materials, crafters and time allow, else one: those that need the fewest
    units from the ground, then the fewest crafts. Each item has the cheapest follower who can craft it, the nearest of
    equals, who collects for nothing until the materials will be there when it is at the station, or until few steps are
    left. Materials that nobody collects by itself are dug by the cheapest other follower, paid.
    """

    def assign(self, seen: _Seen) -> list[int]:
        """Return each follower's goal type, -1 for those who are left to themselves."""
        goals = [-1] * len(seen.preference)
        needs = self._best_needs(seen)
        if needs is None:
            return goals
        ready: dict[int, int] = {}  # goal type -> steps until a unit of it will be there
        for raw in _RAW:
            ways = [d[raw] + 1 for d, likes in zip(seen.distance, seen.preference, strict=True) if likes == raw]
            ready[raw] = 0 if seen.inventory[raw] > 0 else min((way for way in ways if way > 0), default=99)
        for item in dict.fromkeys(needs.crafts):
            follower = self._crafter(seen, item, goals)
            if follower is None:
                continue
            way = seen.distance[follower][item]
            wait = max(0 if seen.inventory[part] > 0 else ready[part] for part in RECIPES[item])
            ready[item] = max(way, wait) + 1
            if wait <= way or seen.steps_left <= _STEPS_TO_HURRY:
                goals[follower] = item
        self._send_for_materials(seen, needs, goals)
        return goals

    def _best_needs(self, seen: _Seen) -> _Needs | None:
        left = _TOP_ITEMS_TO_END - sum(seen.inventory[item] for item in TOP_ITEMS)
        for count in range(left, 0, -1):
            plans = [_needs(tops, seen.inventory) for tops in combinations_with_replacement(TOP_ITEMS, count)]
            possible = [plan for plan in plans if self._possible(seen, plan)]
            if possible:
                return min(possible, key=lambda plan: (sum(plan.units), len(plan.crafts)))
        return None

    @staticmethod
    def _possible(seen: _Seen, plan: _Needs) -> bool:
        """Whether the units are on the ground, and each item has somebody who can craft it in time."""
        enough = all(units <= there for units, there in zip(plan.units, seen.available, strict=False))
        return enough and all(
            any(
                skill[item] and 0 <= distance[item] < seen.steps_left
                for skill, distance in zip(seen.skill, seen.distance, strict=True)
            )
            for item in plan.crafts
        )

    @staticmethod
    def _crafter(seen: _Seen, item: int, goals: Sequence[int]) -> int | None:
        able = [
            (seen.price[k][item], seen.distance[k][item], k)
            for k in range(len(goals))
            if goals[k] < 0 and seen.skill[k][item] and seen.distance[k][item] >= 0 and seen.price[k][item] < np.inf
        ]
        return min(able)[-1] if able else None

    @staticmethod
    def _send_for_materials(seen: _Seen, needs: _Needs, goals: list[int]) -> None:
        everybody = range(len(goals))
        for raw in _RAW:
            free = [k for k in everybody if goals[k] < 0 and seen.skill[k][raw] and seen.distance[k][raw] >= 0]
            if needs.units[raw] == 0 or any(seen.preference[k] == raw for k in free):
                continue
            # Who collects something else that is needed goes on with it, if there is anybody else.
            paid = [
                (needs.units[seen.preference[k]] > 0, seen.price[k][raw], seen.distance[k][raw], k)
                for k in free
                if seen.price[k][raw] < np.inf
            ]
            if paid:
                goals[min(paid)[-1]] = raw

    def assign_all(
        self,
        observation: Mapping[str, NDArray[Any]],
        traits: Mapping[str, NDArray[Any]],
        price: NDArray[np.float64],
        horizon: int,
    ) -> NDArray[np.int64]:
        """Return the goal types of all games, int64 [B, N].

        Args:
            observation: of B games.
            traits: skill bool [B, N, G] and preference int [B, N].
            price: what wins a follower for each goal type, [B, N, G]; inf where nothing does.
            horizon: T, steps of an episode.
        """
        columns = [observation[name].tolist() for name in ("inventory", "available", "distance")]
        columns += [traits["skill"].tolist(), traits["preference"].tolist(), price.tolist()]
        steps_left = (horizon - observation["step"]).tolist()
        games = zip(*columns, steps_left, strict=True)
        return np.array([self.assign(_Seen(*game)) for game in games], dtype=np.int64)


def _needs(tops: Sequence[int], inventory: Sequence[int]) -> _Needs:
    """What is missing for these top-level items beyond the inventory."""
    left = list(inventory)
    needs = _Needs([], [0] * len(_RAW))

    def take(kind: int) -> None:
        if left[kind] > 0:
            left[kind] -= 1
        elif kind in RECIPES:
            craft(kind)
        else:
            needs.units[kind] += 1

    def craft(item: int) -> None:
        for part in RECIPES[item]:
            take(part)
        needs.crafts.append(item)

    for item in tops:
        craft(item)
    return needs
