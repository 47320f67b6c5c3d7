"""Maps, parameters, states and offers with which the crafting world is compared."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batch import STATE_DTYPES
from .cases import Case
from .crafting_reference import ITEMS, MADE_OF, STATION
from .grid_map import GridMap
from .random_states import random_contracts, random_places
from .rules import CRAFTING_PRESETS, DEFAULT_MAP, NONE, Rules

OBSTACLES = """
###########
#..#......#
#..#......#
#.......###
#.........#
#.........#
#.........#
###.......#
#......#..#
#......#..#
###########
"""
"""M3RL's obstacle map: walls also at (1,3), (2,3), (3,8), (3,9), (7,1), (7,2), (8,7) and (9,7)."""
MAPS = {"open": DEFAULT_MAP, "obstacles": OBSTACLES}
DECISIONS = ("employment", "employment_squared", "utility")
PAYMENTS = ("completion", "advance", "advance_once", "outcome")
STEPS = {2: 700, 8: 300, 16: 150}  # least number compared in a case, by number of followers


def unlikely_people() -> dict[str, Any]:
    """Twelve followers who lack raw skills as well, two of them all items; two like an item; some c are 0 or odd."""
    rng = np.random.default_rng(11)
    skill = rng.random((12, 8)) < 0.6
    skill[0], skill[1, 4:] = True, False
    return {
        "skill": skill,
        "preference": np.array([0, 1, 2, 3, 4, 7, 0, 1, 2, 3, 3, 3], dtype=np.int32),
        "reservation": np.array([0, 0.5, 1, 2, 1, 1, 1.5, 3, 0, 1, 4, 2], dtype=np.float32),
        "weight": np.array([1, 2, 1, 1, 1, 1, 0, 1, 1, 5, 1, 1], dtype=np.float32),
    }


def nobody_can() -> dict[str, Any]:
    """Eight followers of whom no team can craft a top-level item."""
    skill = np.zeros((8, 8), dtype=bool)
    skill[:, :6] = True
    return {"skill": skill, "preference": np.arange(8) % 4, "reservation": np.ones(8, dtype=np.float32)}


VARIANTS: list[dict[str, Any]] = [
    {},
    {"horizon": 90, "num_resources": 24},
    {"population": unlikely_people(), "horizon": 50},
    {"population_seed": 3, "population_size": 17, "goal_reward": 2.5, "num_resources": 8},
    {"population": nobody_can()},
    {"budget": 9.0, "abstain": True},
    {"max_share": 0.4, "abstain": True},
    {"weight_welfare": 0.5, "weight_equality": 2.0},
]


def crafting_cases() -> list[Case]:
    """Tasks x decisions x maps x payments x noise x followers; further parameters are dealt out in turn."""
    cases = []
    crossing = product(CRAFTING_PRESETS, DECISIONS, MAPS, PAYMENTS, (0.0, 0.3), STEPS)
    for i, (task, decision, map_name, payment, noise, followers) in enumerate(crossing):
        variant = VARIANTS[(i + i // 24) % len(VARIANTS)]
        if followers > len(variant.get("population", {"skill": range(40)})["skill"]):
            variant = VARIANTS[1]
        parameters = {"decision": decision, "map": MAPS[map_name], "payment": payment, "noise": noise}
        parameters |= {"num_followers": followers, "first_index": i, "observe_routes": i % 2 == 1, **variant}
        name = f"{task}-{decision}-{map_name}-{payment}-noise{noise}-N{followers}-variant{VARIANTS.index(variant)}"
        cases.append(Case(name, task, parameters, STEPS[followers], 1 + i % 2, seed=1_000_003 * i))
    cases += [Case(f"{task}-defaults", task, {}, 2_000, seed=i) for i, task in enumerate(CRAFTING_PRESETS)]
    return cases


def crafting_states(rng: np.random.Generator, rules: Rules, num_envs: int) -> dict[str, NDArray[Any]]:
    """Draw states in which much can be crafted: full inventories, followers before stations, some of them claimed."""
    grid = GridMap(rules.map)
    states = [_state(rng, rules, grid) for _ in range(num_envs)]
    return {name: np.array([state[name] for state in states], STATE_DTYPES[name]) for name in states[0]}


def _state(rng: np.random.Generator, rules: Rules, grid: GridMap) -> dict[str, Any]:
    n = rules.num_followers
    stations = {grid.cell(*place) for place in STATION.values()}
    before = [cell for station in stations for cell in grid.ahead[station] if not grid.wall[cell]]
    state: dict[str, Any] = {
        "identity": rng.permutation(rules.population_size)[:n],
        "skill": rng.random((n, 8)) < rng.choice([0.25, 0.75, 1.0]),
        "preference": rng.integers(4, size=n),
        "reservation": rng.choice(np.array([0, 0.5, 1, 2, 3], dtype=np.float32), size=n),
        "step": int(rng.integers(rules.horizon)),
        "episode": int(rng.integers(2**40)),
        "done": False,
    }
    state |= random_contracts(rng, rules, state, num_actions=6)
    state |= random_places(rng, rules, grid, goals=4, taken=stations, near=before if rng.random() < 0.7 else [])
    inventory = rng.integers(3, size=8)
    inventory[6:] = [0, rng.integers(2)]  # with two of them the game would be over
    claimed = rng.random(4) < 0.3
    return state | {"inventory": inventory, "station_claimant": np.where(claimed, rng.integers(n, size=4), NONE)}


class CraftingOffers:
    """Offers int[B, N, 2] that make followers craft: mostly items whose materials are there, kept for some steps."""

    def __init__(self, rng: np.random.Generator, rules: Rules, num_envs: int) -> None:
        self._rng, self._rules, self._shape = rng, rules, (num_envs, rules.num_followers)
        self._offers = self._drawn()

    def _drawn(self) -> NDArray[np.int64]:
        goal = self._rng.choice([0, 1, 2, 3, *ITEMS, *ITEMS, *MADE_OF], size=self._shape)
        bonus = np.maximum(self._rng.integers(self._rules.num_bonuses, size=self._shape), self._rng.integers(3, size=1))
        return np.stack([goal, np.minimum(bonus, self._rules.num_bonuses - 1)], axis=-1)

    def next(self) -> NDArray[np.int64]:
        """The next step's offers."""
        kept = self._rng.random((*self._shape, 1)) < 0.85
        self._offers = np.where(kept, self._offers, self._drawn())
        return self._offers
