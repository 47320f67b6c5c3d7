"""Scripted leaders that know no traits, and only what everybody sees: the nearest goal, for as little as can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.scripted.means import lowest_level

__all__ = ["Nearest", "NearestHold"]

Actions = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]


class Nearest:
    """Offers every follower the goal type that it reaches in the fewest steps, at the lowest bonus that pays anything.

    Of equally near types it is the lowest; a follower that reaches none is offered type 0.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    def __init__(self, seed: int = 0) -> None:
        self._level = 0

    def start(self, env: LeaderVectorEnv) -> None:
        """Look at the prices."""
        self._level = lowest_level(env)

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """Return the nearest types of this step."""
        distance = observation["distance"].astype(np.int64)
        goal = np.where(distance >= 0, distance, np.iinfo(np.int64).max).argmin(axis=-1)
        return np.stack((goal, np.full_like(goal, self._level)), axis=-1)


class NearestHold(Nearest):
    """Offers the same, and goes on offering it while the follower's contract runs.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """Return the offers of running contracts, and the nearest types to the rest."""
        runs = (observation["contract_running"] > 0)[..., None]
        held: Actions = np.where(runs, observation["offer"], super().offers(env, observation)).astype(np.int64)
        return held
