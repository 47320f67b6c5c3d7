"""What followers see as one number: the state that a table of values has a row for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.two_phase import TwoPhaseVectorEnv

__all__ = ["FollowerStates"]


class FollowerStates:
    """The states of a batch's followers: all that bears on "take the offer, go my own way, or stop".

    - what it is offered: nothing that it can reach, or one of G goal types at one of K bonus levels;
    - whether it can reach a goal of its preferred type;
    - whether taking the offer now pays at once (``due``).

    That is 4 (G K + 1) states. ``due`` is nothing where bonuses are paid on completion. Traits need no states: each
    follower has a table of its own.

    Args:
        env: the batch whose observations are looked at.

    Attributes:
        count: S, the number of states.
    """

    def __init__(self, env: TwoPhaseVectorEnv) -> None:
        self._goals, self._bonuses = int(env.parameters["num_goals"]), int(env.parameters["num_bonuses"])
        self.count = 4 * (self._goals * self._bonuses + 1)

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return the states in a step, int64 [B, N], of what :meth:`TwoPhaseVectorEnv.offer` returned."""
        goal, bonus = np.moveaxis(observation["offered"].astype(np.int64), -1, 0)
        reachable = observation["distance"] >= 0
        given = (goal >= 0) & (goal < self._goals)
        given &= _of_type(reachable, np.where(given, goal, 0))
        offer = np.where(given, 1 + goal * self._bonuses + bonus, 0)
        own = _of_type(reachable, observation["preference"].astype(np.int64))
        state: NDArray[np.int64] = (2 * offer + own) * 2 + (observation["due"] > 0)
        return state


def _of_type(values: NDArray[np.bool_], goal: NDArray[np.int64]) -> NDArray[np.bool_]:
    """values [B, N, G] at each follower's goal type [B, N]."""
    return np.take_along_axis(values, goal[..., None], axis=-1)[..., 0]
