"""M3RL's performance history: how each follower has answered and done, as plain averages (Shu & Tian 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core

__all__ = ["PerformanceHistory"]


class PerformanceHistory:
    """Moving averages at rate 0.1, from 0, of a population of P, kept as M3RL's released code keeps them.

    - ``acceptance`` float32 [P, G, K]: moves at every step, for the offered goal type and bonus level, towards 1 if the
      follower is committed to the offer, else towards 0; whether or not a contract runs or the goal can be reached.
    - ``success`` float32 [P, G, T]: by goal type and steps in a row for which the follower was committed to it, this
      one included. Moves towards 1 on completion; towards 0 where the follower is found uncommitted, for the type and
      steps of the contract that it has left, and where it is still committed at step T. A contract is told by its goal
      type alone: a changed bonus goes on counting, a switch from one committed type to another records no failure, nor
      does an early end of the episode. After a completion the count begins again.

    There are no counts, so "never tried" looks like "always refused".

    Args:
        core: the batch.
        games: B.

    Attributes:
        entries: the averages, by the names under which :class:`~paymaster.envs.history.Statistics` shows them.
    """

    def __init__(self, core: Any, games: int) -> None:
        parameters = core.parameters
        people, goals = parameters["population_size"], parameters["num_goals"]
        self._arrays: dict[str, NDArray[Any]] = {
            "acceptance": np.zeros((people, goals, parameters["num_bonuses"]), np.float32),
            "success": np.zeros((people, goals, parameters["horizon"]), np.float32),
            "goal": np.full((games, parameters["num_followers"]), -1, np.int16),
            "steps": np.zeros((games, parameters["num_followers"]), np.int16),
            "clock": np.zeros(games, np.int16),
        }
        self.entries: dict[str, NDArray[np.float32]] = {
            f"performance_{name}": self._arrays[name] for name in ("acceptance", "success")
        }

    def vector(self) -> NDArray[np.float32]:
        """Return a copy, float32 [P, G, T + K]: of each goal type first its success, then its acceptance."""
        return np.concatenate((self._arrays["success"], self._arrays["acceptance"]), axis=-1)

    def record(self, core: Any, observation: Mapping[str, NDArray[Any]]) -> None:
        """Bring the averages up to date with a step, after which this is observed; frozen ones stay."""
        _core.record_performance(core, observation, self._arrays)

    def interrupt(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Begin to count in all games from here on, wherever they are: they have been set to another state."""
        self._arrays["goal"][:], self._arrays["steps"][:] = -1, 0
        self._arrays["clock"][:] = observation["step"]

    def clear(self, identities: Any = slice(None)) -> None:
        """Forget everything, or what is known of some members."""
        for values in self.entries.values():
            values[identities] = 0.0
