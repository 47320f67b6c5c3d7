"""What followers see, as numbers: the augmented state (s, omega^k) and their own traits (paper, Sec. 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.features.leader import NOW, FeatureEncoder
from paymaster.features.surroundings import Surroundings

__all__ = ["FollowerFeatures"]

Floats = NDArray[np.float32]


class FollowerFeatures:
    """Features of a batch's followers, each as it sees the game itself: one policy may serve them all.

    Of what a leader sees, all that is of this step; beside it their reservation, what taking the offer pays at once,
    and for each goal type whether it is preferred (times the reservation), whether they have the skill, whether it is
    offered now and for how much. Primitive followers also see the ground around them (:class:`Surroundings`); a
    planner's moves they do not see, for that would tell them what to do.

    Args:
        env: the batch whose observations are looked at.

    Attributes:
        own_features, goal_features: numbers of features per follower, and per follower and goal type.
    """

    def __init__(self, env: TwoPhaseVectorEnv) -> None:
        parameters = env.parameters
        self._encoder = FeatureEncoder(env)
        self._goals: int = parameters["num_goals"]
        self._bonuses = np.float32(parameters["num_bonuses"])
        self._ground = None if parameters["followers"] == "meta" else Surroundings(env)
        extra = (0, 0) if self._ground is None else (self._ground.follower_features, self._ground.goal_features)
        self.own_features: int = self._encoder.follower_features + 2 + extra[0]
        self.goal_features: int = NOW + 4 + extra[1]

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Features of one step.

        Args:
            observation: what :meth:`TwoPhaseVectorEnv.offer` returned, of B games.

        Returns:
            Per follower float32[B, N, ...] and per follower and goal type float32[B, N, G, ...], fresh arrays.
        """
        follower, goals = self._encoder.encode(observation)
        kinds = np.arange(self._goals)
        offered, preference = observation["offered"], observation["preference"]
        reservation, due = (observation[name].astype(np.float32) / self._bonuses for name in ("reservation", "due"))
        offered_here = (offered[..., :1] == kinds).astype(np.float32)
        price = (offered[..., 1:] + 1).astype(np.float32) / self._bonuses
        preferred = (preference[..., None] == kinds) * reservation[..., None]
        skill = observation["skill"].astype(np.float32)
        own = [follower, np.stack((reservation, due), axis=-1)]
        goal = [goals[..., :NOW], np.stack((preferred, skill, offered_here, offered_here * price), axis=-1)]
        if self._ground is not None:
            around, ways = self._ground.encode(observation)
            own.append(around)
            goal.append(ways)
        return np.concatenate(own, axis=-1), np.concatenate(goal, axis=-1)
