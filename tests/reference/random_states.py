"""Random legal states and random offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batch import STATE_DTYPES
from .grid_map import GridMap
from .rules import DIG, NONE, Rules

RESERVATIONS = np.array([0, 0.1, 0.3, 0.5, 1, 1.5, 2, 2.7, 3, 4], dtype=np.float32)


def random_map(rng: np.random.Generator, height: int, width: int, wall_share: float) -> str:
    """A map with a border of wall and random walls inside; it may fall into several parts."""
    wall = rng.random((height, width)) < wall_share
    wall[[0, -1], :] = True
    wall[:, [0, -1]] = True
    return "\n".join("".join("#" if cell else "." for cell in row) for row in wall)


def random_states(rng: np.random.Generator, rules: Rules, num_envs: int) -> dict[str, NDArray[Any]]:
    """Draw `num_envs` independent states that a game may be set to, stacked to [B, ...]."""
    grid = GridMap(rules.map)
    states = [_random_state(rng, rules, grid) for _ in range(num_envs)]
    return {name: np.array([state[name] for state in states], STATE_DTYPES[name]) for name in states[0]}


def _random_state(rng: np.random.Generator, rules: Rules, grid: GridMap) -> dict[str, Any]:
    n, goals = rules.num_followers, rules.num_goals
    state = {
        "identity": rng.permutation(rules.population_size)[:n],
        "skill": rng.random((n, goals)) < rng.choice([0.25, 0.75, 1.0]),
        "preference": rng.integers(goals, size=n),
        "reservation": rng.choice(RESERVATIONS, size=n),
        "step": int(rng.integers(rules.horizon)),
        "episode": int(rng.integers(2**40)),
        "done": False,
    }
    near: list[int] = []
    return state | random_contracts(rng, rules, state) | random_places(rng, rules, grid, rules.num_goals, set(), near)


def random_contracts(
    rng: np.random.Generator, rules: Rules, state: dict[str, Any], num_actions: int = 5
) -> dict[str, Any]:
    """The last step of each follower: its contract runs, was just completed, or was refused."""
    n, step = rules.num_followers, state["step"]
    offer = np.full((n, 2), NONE)
    action, completed = np.full(n, NONE), np.full(n, NONE)
    running, committed, dropped = (np.zeros(n, dtype=bool) for _ in range(3))
    age = np.zeros(n, dtype=int)
    for k in range(n if step else 0):  # before the first step there was no offer and no action
        action[k] = rng.integers(num_actions)
        if rules.abstain and rng.random() < 0.2:
            continue
        offer[k] = rng.integers(rules.num_goals), rng.integers(rules.num_bonuses)
        if rng.random() < 0.6:
            running[k] = committed[k] = True
            age[k] = rng.integers(1, step + 1)
        elif state["skill"][k, offer[k, 0]] and rng.random() < 0.5:
            committed[k], completed[k], action[k] = True, offer[k, 0], DIG
        else:
            dropped[k] = rng.random() < 0.5
    return {
        "offer": offer,
        "committed": committed,
        "action": action,
        "completed": completed,
        "contract_running": running,
        "contract_age": age,
        "dropped": dropped,
    }


def random_places(
    rng: np.random.Generator, rules: Rules, grid: GridMap, goals: int, taken: set[int], near: Sequence[int]
) -> dict[str, Any]:
    """Resources of `goals` types on different cells, some gone, some claimed by anybody; followers on cells left free,
    those of `near` first. Nothing is put on cells that are taken."""
    n, m = rules.num_followers, rules.num_resources
    share_gone, share_claimed = rng.choice([0.0, 0.3, 0.8]), rng.choice([0.0, 0.3, 0.8])
    places = rng.permutation(grid.free_cells(taken))[: m + n]
    present = rng.random(m) >= share_gone
    present[rng.integers(m)] = True  # a game without resources is over
    claimed = (rng.random(m) < share_claimed) | ~present
    claimant = np.where(claimed, rng.integers(n, size=m), NONE)
    left = set(places[:m][present].tolist())
    free = grid.free_cells(left | taken)
    cells = rng.permutation(free)[:n]
    if near:
        before = rng.permutation([cell for cell in sorted(set(near)) if cell in free]).tolist()
        cells = np.array([*before, *(cell for cell in cells.tolist() if cell not in before)][:n])
    elif rng.random() < 0.5:  # crowd followers and resources together
        crowd = sorted(free, key=lambda cell: (_distance(grid, cell, left), rng.random()))
        cells = np.array(crowd[:n])
    return {
        "position": [grid.row_column(int(cell)) for cell in cells],
        "heading": rng.integers(4, size=n),
        "resource_type": rng.integers(goals, size=m),
        "resource_position": [grid.row_column(int(cell)) for cell in places[:m]],
        "resource_present": present,
        "resource_claimant": claimant,
    }


def _distance(grid: GridMap, cell: int, others: Sequence[int] | set[int]) -> int:
    row, column = grid.row_column(cell)
    places = [grid.row_column(other) for other in others]
    return min(abs(row - r) + abs(column - c) for r, c in places)


class OfferSource:
    """Random offers int[B, N, 2]; each is kept from step to step with probability `keep`."""

    def __init__(self, rng: np.random.Generator, rules: Rules, num_envs: int, keep: float) -> None:
        self._rng, self._rules, self._keep = rng, rules, keep
        self._shape = (num_envs, rules.num_followers)
        self._offers = self._fresh()

    def _fresh(self) -> NDArray[np.int64]:
        goals = self._rules.num_goals + self._rules.abstain
        goal = self._rng.integers(goals, size=self._shape)
        bonus = self._rng.integers(self._rules.num_bonuses, size=self._shape)
        return np.stack([goal, bonus], axis=-1)

    def next(self) -> NDArray[np.int64]:
        kept = self._rng.random((*self._shape, 1)) < self._keep
        self._offers = np.where(kept, self._offers, self._fresh())
        return self._offers
