"""What followers see, as numbers: the augmented state (s, omega^k) and their own traits (paper, Sec. 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.features.leader import goals_of_places
from paymaster.features.surroundings import Surroundings

__all__ = ["FollowerFeatures"]

Floats = NDArray[np.float32]


class FollowerFeatures:
    """Features of a batch's followers, each as it sees the game itself: one policy may serve them all.

    Of what a leader sees, all that is of this step; beside it their reservation, what taking the offer pays at once,
    and for each goal type whether it is preferred (times the reservation), whether they have the skill, whether it is
    offered now and for how much. Primitive followers also see the ground around them (:class:`Surroundings`); a
    planner's moves they do not see, for that would tell them what to do.

    In a game with ``near_goals`` a follower's rows are those of C goal types: the one it is offered now, if any, and
    the nearest.

    Args:
        env: the batch whose observations are looked at.
        all_goals: rows of all goal types, whatever the game's ``near_goals``.

    Attributes:
        own_features, goal_features: numbers of features per follower, and per follower and goal type.
        candidates: C, goal types that a follower sees; G where these are all.
        near_goals: C in a game in which that is fewer than G, else 0.
        whole: the core's encoder, where it writes all of these; else None.
    """

    def __init__(self, env: TwoPhaseVectorEnv, *, all_goals: bool = False) -> None:
        self._core = _core.FollowerEncoder(env._core, all_goals)
        self.candidates = self._core.candidates
        self.near_goals = self.candidates if self.candidates < env.parameters["num_goals"] else 0
        self._ground = None if env.parameters["followers"] == "meta" else Surroundings(env)
        self.whole = self._core if self._ground is None else None
        extra = (0, 0) if self._ground is None else (self._ground.follower_features, self._ground.goal_features)
        self.own_features: int = self._core.own_features + extra[0]
        self.goal_features: int = self._core.goal_features + extra[1]

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Features of one step.

        Args:
            observation: what :meth:`TwoPhaseVectorEnv.offer` returned, of B games.

        Returns:
            Per follower float32[B, N, ...] and per follower and goal type float32[B, N, C, ...], fresh arrays.
        """
        games, n, _ = observation["distance"].shape
        own = np.empty((games, n, self.own_features), np.float32)
        goal = np.empty((games, n, self.candidates, self.goal_features), np.float32)
        self.encode_into(observation, own, goal, np.empty((games, n), np.int64))
        return own, goal

    def encode_into(
        self, observation: Mapping[str, NDArray[Any]], own: Floats, goal: Floats, identity: NDArray[np.int64]
    ) -> None:
        """Write the features of one step, and who the followers are, into arrays of the caller's.

        Args:
            observation: what :meth:`TwoPhaseVectorEnv.offer` returned, of B games.
            own: float32[B, N, own_features], in C order.
            goal: float32[B, N, C, goal_features], in C order.
            identity: int64[B, N], in C order.

        Raises:
            ValueError, TypeError: not such an observation, or not such an array to write to.
        """
        self._core.encode_into(observation, own, goal, identity)
        if self._ground is None:
            return
        own[..., self._core.own_features :], ground = self._ground.encode(observation)
        if self.near_goals:
            candidates = _core.candidates(observation, "offered", self.near_goals)
            ground = np.take_along_axis(ground, candidates[..., None], axis=2)
        goal[..., self._core.goal_features :] = ground

    def goals(self, places: NDArray[np.int64], observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return the goal types, [B, N], in these places of what followers saw in a step; C stands for G, "stop"."""
        return goals_of_places(places, observation, "offered", self.near_goals) if self.near_goals else places
