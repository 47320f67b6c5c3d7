"""Scripted leaders that know nothing, or next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv

__all__ = ["Fixed", "Leader", "Preference", "Random"]

Actions = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]


@runtime_checkable
class Leader(Protocol):
    """Offers for a batch of games that are all in the same step of their episodes."""

    def start(self, env: LeaderVectorEnv) -> None:
        """A new episode of every game has begun."""

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """Actions int64[B, N, 2] for the observed step."""


class Random:
    """A uniform offer to every follower at every step.

    Args:
        seed: of its draws.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def start(self, env: LeaderVectorEnv) -> None:
        """Nothing to prepare."""

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """A fresh draw."""
        shape = observation["identity"].shape
        goals = self._rng.integers(env.parameters["num_goals"], size=shape)
        return np.stack((goals, self._rng.integers(env.parameters["num_bonuses"], size=shape)), axis=-1)


class Fixed:
    """One uniform goal per follower and episode, at the highest bonus.

    Args:
        seed: of its draws.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._actions: Actions = np.zeros((0, 0, 2), dtype=np.int64)

    def start(self, env: LeaderVectorEnv) -> None:
        """Draws the episode's goals."""
        goals = self._rng.integers(env.parameters["num_goals"], size=(env.num_envs, env.num_followers))
        self._actions = np.stack((goals, np.full_like(goals, env.parameters["num_bonuses"] - 1)), axis=-1)

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """The same at every step."""
        return self._actions


class Preference(Fixed):
    """Offers every follower its preferred goal at the lowest bonus: it never refuses while it can reach one.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    def start(self, env: LeaderVectorEnv) -> None:
        """Reads the followers' preferences."""
        goals = env.state("preference")["preference"].astype(np.int64)
        self._actions = np.stack((goals, np.zeros_like(goals)), axis=-1)
