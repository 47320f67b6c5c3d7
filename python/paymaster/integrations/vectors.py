"""What each agent of a game sees as one vector: the features that this package's own learners see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.follower import FollowerFeatures
from paymaster.features.leader import FeatureEncoder

__all__ = ["FollowerSight", "LeaderSight", "flat_actions", "vector_space"]

Floats = NDArray[np.float32]

_LARGE = 1e6  # more than any feature comes to: a bound, because checkers of spaces want a finite one


def vector_space(width: int) -> spaces.Box:
    """Vectors of so many features."""
    return spaces.Box(-_LARGE, _LARGE, shape=(width,), dtype=np.float32)


def flat_actions(space: spaces.Space[Any]) -> spaces.MultiDiscrete:
    """The leader's actions [N, 2] as a vector [2 N]: goal and bonus of follower 0, of follower 1, ..."""
    assert isinstance(space, spaces.MultiDiscrete)
    return spaces.MultiDiscrete(space.nvec.ravel())


class LeaderSight:
    """A batch's observations as vectors of N (F + G D) features (:class:`FeatureEncoder`), follower by follower.

    Args:
        env: the batch.

    Attributes:
        width: numbers in a vector.
    """

    def __init__(self, env: LeaderVectorEnv) -> None:
        self._encoder, self._statistics = FeatureEncoder(env, all_goals=True), env.statistics
        per_goal = env.parameters["num_goals"] * self._encoder.goal_features
        self.width: int = env.num_followers * (self._encoder.follower_features + per_goal)

    def reset(self, seed: Any) -> None:
        """With a seed, empties the history statistics unless they are frozen.

        They are among the features, and the same seed is to give the same observations.
        """
        if seed is not None and not self._statistics.frozen:
            self._statistics.clear()

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> Floats:
        """float32[B, width], from an observation of B games."""
        follower, goal = self._encoder.encode(observation)
        games, n = follower.shape[:2]
        vectors = _aligned(games, self.width)
        np.concatenate((follower, goal.reshape(games, n, -1)), axis=-1, out=vectors.reshape(games, n, -1))
        return vectors


def _aligned(rows: int, columns: int) -> Floats:
    """Return a new array that begins on a multiple of 64 bytes: JAX takes no other without a copy."""
    owner = np.empty(rows * columns + 16, dtype=np.float32)
    beyond = owner.__array_interface__["data"][0] // 4 % 16
    return owner[16 - beyond :][: rows * columns].reshape(rows, columns)


class FollowerSight:
    """What each follower of a batch sees as a vector (:class:`FollowerFeatures`), and last whether it acts.

    Args:
        env: the batch.

    Attributes:
        width: numbers in a vector.
    """

    def __init__(self, env: TwoPhaseVectorEnv) -> None:
        self._features = FollowerFeatures(env, all_goals=True)
        self.width: int = self._features.own_features + env.parameters["num_goals"] * self._features.goal_features + 1

    def encode(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        """float32[B, N, width], from what ``offer`` returned."""
        own, goal = self._features.encode(seen)
        acts = seen["acts"][..., None].astype(np.float32)
        return np.concatenate((own, goal.reshape(*own.shape[:2], -1), acts), axis=-1)
