"""The iterated prisoner's dilemma with a leader who pays for moves (after LIO, NeurIPS 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.draws import Draws
from paymaster.worlds.games.traits import able_and_free
from paymaster.worlds.world import Move, Moved, World

__all__ = ["COOPERATE", "DEFECT", "OWN", "IteratedDilemma"]

COOPERATE, DEFECT = range(2)
OWN = np.array([[-1.0, -3.0], [0.0, -2.0]])  # a follower's reward, by its move and the other's


class IteratedDilemma(World):
    """prisoner's dilemma, five times over; defecting gains a follower 1 whatever the other does (LIO)"""

    num_actions = 2
    max_goals = 2
    max_followers = 2
    defaults: ClassVar[Mapping[str, Any]] = {
        "num_followers": 2,
        "population_size": 2,
        "num_goals": 2,
        "num_bonuses": 2,
        "horizon": 5,
        "prices": [0.0, 1.1],
        "goal_reward": [0.0, 0.0],
        "weight_welfare": 2.0,
        "skills_per_follower": 2,
    }

    last: NDArray[np.bool_]

    def setup(self) -> None:
        """Declare the last joint move."""
        for name, number, word in (
            ("num_followers", self.num_followers, "players"),
            ("num_goals", self.num_goals, "moves"),
        ):
            if number != 2:
                raise ValueError(f"{name}: expected 2 in iterated_dilemma, its {word}, got {number}")
        meaning = "last move of each follower: cooperate, defect; neither at the start"
        self.array("last", (2, 2), "bool", meaning, feature="follower")

    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Begin without a last move."""
        self.last[games] = False

    def distance(self) -> NDArray[np.integer[Any]]:
        """Both moves can be made in every step."""
        return np.zeros(self.last.shape, np.int16)

    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Make the chosen move; defect without one."""
        return np.where(chosen < 0, DEFECT, chosen)

    def move(self, step: Move) -> Moved:
        """Both move at once."""
        moves = np.clip(step.action, COOPERATE, DEFECT)
        made = moves[..., None] == np.arange(2)
        self.last = np.where(step.playing[:, None, None], made, self.last)
        return Moved(made & step.skill, OWN[moves, moves[:, ::-1]])

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return two followers who can make both moves and prefer neither: their own rewards are the game's."""
        return able_and_free(parameters)
