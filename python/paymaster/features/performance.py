"""Features with M3RL's performance history in place of history statistics (Shu & Tian 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import NOW, FeatureEncoder, Floats

__all__ = ["PerformanceFeatureEncoder"]


class PerformanceFeatureEncoder(FeatureEncoder):
    """Turns observations into features that know earlier episodes by the performance history alone.

    What is of this step stays as :class:`~paymaster.features.leader.FeatureEncoder` has it. In place of a goal type's
    history statistics stand T averages of success by steps and K of acceptance by bonus level
    (:class:`~paymaster.envs.performance.PerformanceHistory`), as they were when this encoder was made: M3RL reads them
    once, at the start of an episode. The batch keeps them from then on.

    Args:
        env: the batch whose observations are encoded.

    Attributes:
        goal_features: D; behind the :data:`~paymaster.features.leader.NOW` features of this step the next T + K are the
            history.
        history: G T + G K numbers of each member of the population, float32 [P, G, T + K].

    Raises:
        ValueError: games that begin anew within a step.
    """

    def __init__(self, env: LeaderVectorEnv) -> None:
        if env.autoreset_mode is AutoresetMode.SAME_STEP:
            raise ValueError("autoreset_mode: expected another than SameStep, which hides how an episode ends, got it")
        super().__init__(env)
        self.history = env.statistics.keep_performance().vector()
        self._later = NOW + self._core.earlier_features  # features of this step that stand behind the statistics
        self._plain_width = self.goal_features
        self.goal_features += self.history.shape[-1] - self._core.earlier_features
        self._plain = np.empty((0, env.num_followers, self.candidates, self._plain_width), np.float32)

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Features of one step; see :meth:`FeatureEncoder.encode`."""
        follower, plain = super().encode(observation)
        goal = np.empty((*plain.shape[:-1], self.goal_features), np.float32)
        self._join(observation, plain, goal)
        return follower, goal

    def encode_into(
        self, observation: Mapping[str, NDArray[Any]], follower: Floats, goal: Floats, expired: NDArray[np.bool_]
    ) -> None:
        """Writes the features of one step; see :meth:`FeatureEncoder.encode_into`."""
        row = (*self._plain.shape[1:-1], self.goal_features)
        if not isinstance(goal, np.ndarray) or goal.dtype != np.float32:
            raise TypeError(f"goal: expected an array of float32, got {getattr(goal, 'dtype', type(goal).__name__)}")
        if goal.shape[1:] != row or not goal.flags.c_contiguous or not goal.flags.writeable:
            raise ValueError(f"goal: expected a writeable array [B, *{list(row)}] in C order, got {list(goal.shape)}")
        if len(self._plain) != len(goal):
            self._plain = np.empty((len(goal), *self._plain.shape[1:]), np.float32)
        super().encode_into(observation, follower, self._plain, expired)
        self._join(observation, self._plain, goal)

    def _join(self, observation: Mapping[str, NDArray[Any]], plain: Floats, goal: Floats) -> None:
        """Write what is of this step, and between it the history."""
        history = self.history[observation["identity"]]
        if self.near_goals:
            places = _core.candidates(observation, "offer", self.near_goals)
            history = np.take_along_axis(history, places[..., None], 2)
        behind = NOW + history.shape[-1]
        goal[..., :NOW] = plain[..., :NOW]
        goal[..., NOW:behind] = history
        goal[..., behind:] = plain[..., self._later :]
