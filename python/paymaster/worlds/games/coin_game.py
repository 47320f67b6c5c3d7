"""The Coin Game on a small torus, with a leader who pays for leaving coins to others (after Ivanov et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.draws import Draws
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.world import Move, Moved, World

__all__ = ["OTHERS", "WAIT", "CoinGame", "moves_on_a_torus", "torus_distance"]

WAIT = 2  # goal type; 0 and 1 are coins of that colour
OTHERS = 0.2  # what a coin of the other's colour is worth to a follower; one of its own is worth 1
_STAY = 0
_ACTIONS = 5  # stay, up, down, left, right


class CoinGame(World):
    """torus; two run for a coin, worth 1 in their own colour and 0.2 in the other's; waiting can be paid (Coin Game)"""

    num_actions = _ACTIONS
    max_goals = 3
    max_followers = 2
    parameters: Mapping[str, Any] = {"size": Parameter(3, "cells of a side of the torus", 2, 20)}
    defaults: ClassVar[Mapping[str, Any]] = {
        "num_followers": 2,
        "population_size": 2,
        "num_goals": 3,
        "num_bonuses": 2,
        "horizon": 20,
        "prices": [0.0, 0.3],
        "goal_reward": [0.0, 0.0, 0.0],
        "weight_welfare": 10.0,
    }

    cell: NDArray[np.int16]
    coin: NDArray[np.int16]
    colour: NDArray[np.int16]

    def setup(self) -> None:
        """Declare places and the coin."""
        for name, number, expected in (("num_followers", self.num_followers, 2), ("num_goals", self.num_goals, 3)):
            if number != expected:
                raise ValueError(f"{name}: expected {expected} in coin_game, got {number}")
        size = self.parameters["size"]
        self.there = moves_on_a_torus(size)
        self.far = torus_distance(size)
        last = size * size - 1
        self.array("cell", (2,), meaning="cell of each follower, row by row", high=last)
        self.array("coin", meaning="cell of the coin", high=last)
        self.array("colour", meaning="colour of the coin", high=1)

    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Put both anywhere, and a coin where nobody is."""
        self.cell[games] = draws.below(len(self.far), 2)[games]
        self._place(games, draws)

    def distance(self) -> NDArray[np.integer[Any]]:
        """The coin is as far as on the torus; one of the other colour is out of reach; waiting needs no way."""
        away = np.maximum(self.far[self.cell, self.coin[:, None]] - 1, 0)
        there = self.colour[:, None, None] == np.arange(2)
        coins = np.where(there, away[..., None], -1)
        return np.concatenate((coins, np.zeros((*away.shape, 1), coins.dtype)), -1)

    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Go a shortest way to the coin; stay where one waits."""
        away = self.far[self.there[self.cell], self.coin[:, None, None]]
        return np.where((chosen < 0) | (chosen == WAIT), _STAY, away.argmin(-1))

    def move(self, step: Move) -> Moved:
        """Both move at once; whoever comes to the coin has taken it, both if both do, and another one appears."""
        cell = self.there[self.cell, step.action]
        takes = cell == self.coin[:, None]
        coins = [takes & (self.colour == colour)[:, None] for colour in range(2)]
        reached = np.stack((*coins, step.action == _STAY), -1)
        self.cell = np.where(step.playing[:, None], cell, self.cell)
        self._place(step.playing & takes.any(1), step.draws)
        return Moved(reached & step.skill)

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:  # noqa: ARG003
        """Return a follower of each colour."""
        return {
            "skill": np.ones((2, 3), np.bool_),
            "preference": np.arange(2),
            "reservation": np.ones(2, np.float32),
            "utility": np.array([[0, OTHERS, 0], [OTHERS, 0, 0]], np.float32),
        }

    def _place(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Put a coin of a random colour into a random cell without a follower, in these games."""
        chance = draws.unit(2)
        free = (self.cell[:, :, None] != np.arange(len(self.far))).all(1)
        which = (chance[:, 0] * free.sum(1)).astype(np.int64)
        found = (free.cumsum(1) > which[:, None]).argmax(1)
        self.coin = np.where(games, found, self.coin)
        self.colour = np.where(games, chance[:, 1] < 0.5, self.colour)


def moves_on_a_torus(size: int) -> NDArray[np.int64]:
    """Return the cell that each action leads to, int64 [cells, 5]: stay, up, down, left, right."""
    row, column = np.divmod(np.arange(size * size), size)
    steps = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    found: NDArray[np.int64] = np.stack([(row + r) % size * size + (column + c) % size for r, c in steps], -1)
    return found


def torus_distance(size: int) -> NDArray[np.int64]:
    """Return the moves between cells, int64 [cells, cells]."""
    one = np.abs(np.arange(size)[:, None] - np.arange(size))
    one = np.minimum(one, size - one)
    row, column = np.divmod(np.arange(size * size), size)
    found: NDArray[np.int64] = one[row][:, row] + one[column][:, column]
    return found
