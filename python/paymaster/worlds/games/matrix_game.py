"""A bimatrix game with commitment: the leader's offer is its action (Conitzer & Sandholm 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.draws import Draws
from paymaster.worlds.games.traits import able_and_free
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.world import Move, Moved, World

__all__ = ["MatrixGame", "payoffs_of"]

_MOST = 8  # rows, or columns
_ESCAPE = "15 10 0; 10 10 0; 0 0 30"


class MatrixGame(World):
    """bimatrix game; the offered goal type is the row that the leader commits to, the follower chooses a column"""

    num_actions = _MOST
    max_goals = _MOST
    max_followers = 1
    parameters: Mapping[str, Any] = {
        "leader_payoffs": Parameter(_ESCAPE, "the leader's payoffs: rows with ';' between them, numbers with spaces"),
        "follower_payoffs": Parameter(_ESCAPE, "the follower's payoffs, likewise"),
    }
    defaults: ClassVar[Mapping[str, Any]] = {
        "num_followers": 1,
        "population_size": 1,
        "num_goals": 3,
        "num_bonuses": 1,
        "horizon": 1,
        "prices": [0.0],
        "goal_reward": [0.0, 0.0, 0.0],
    }

    def setup(self) -> None:
        """Read both matrices; a smaller one repeats its last row and column."""
        texts = {name: self.parameters[name] for name in ("leader_payoffs", "follower_payoffs")}
        tables = {name: payoffs_of(name, text) for name, text in texts.items()}
        first, second = (table.shape for table in tables.values())
        if first != second:
            raise ValueError(f"follower_payoffs: expected {first[0]} x {first[1]} as leader_payoffs, got {second}")
        if max(first) > self.num_goals:
            raise ValueError(
                f"num_goals: expected at least {max(first)}, the rows and columns of leader_payoffs, got "
                f"{self.num_goals}"
            )
        more = [(0, self.num_goals - size) for size in first]
        self.tables = [np.pad(table, more, mode="edge") for table in tables.values()]

    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Begin: nothing is remembered from step to step."""

    def distance(self) -> NDArray[np.integer[Any]]:
        """Every column can be chosen in every step."""
        return np.zeros((self.num_games, 1, self.num_goals), np.int16)

    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Play the chosen column; the first without one."""
        return np.maximum(chosen, 0)

    def move(self, step: Move) -> Moved:
        """Pay what stands in the matrices; without an offer the leader plays the first row."""
        last = self.num_goals - 1
        row, column = np.clip(step.offered[:, 0], 0, last), np.minimum(step.action[:, 0], last)
        leader, follower = self.tables
        chosen = column[:, None, None] == np.arange(self.num_goals)
        return Moved(chosen & step.skill, follower[row, column][:, None], leader[row, column])

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return a follower who can choose every column and prefers none: its own rewards are the matrix's."""
        return able_and_free(parameters)


def payoffs_of(name: str, text: str) -> NDArray[np.float64]:
    """Return a matrix that is written as ``"1 3; 0 2"``, float64 [R, C].

    Args:
        name: of the parameter, for messages.
        text: rows with ";" between them, numbers with spaces between them.

    Raises:
        ValueError: no matrix of finite numbers of at most 8 rows and columns and at most 10^6 in size.
    """
    try:
        rows = [[float(number) for number in row.split()] for row in text.split(";")]
        table = np.array(rows, np.float64)
    except ValueError:
        table = np.zeros(0)
    if table.ndim != 2 or table.size < 1 or max(table.shape) > _MOST or not (np.abs(table) <= 1e6).all():
        raise ValueError(
            f"{name}: expected rows of as many numbers, like '1 3; 0 2', at most 8 of each, got {text!r:.80}"
        )
    return table
