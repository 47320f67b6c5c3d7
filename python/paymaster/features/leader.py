"""Observation and history statistics as float features: what the leader's networks see.

Everything here is known to a leader: where followers are (through their planners' distances), what they were offered
and did, and how they have answered in earlier episodes. Traits stay hidden. `cpp/features/features.hpp` lists
the features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.vector import LeaderVectorEnv

__all__ = ["NOW", "FeatureEncoder", "expired", "flatten_offers", "goals_of_places", "unflatten_offers"]

NOW = _core.GOAL_FEATURES_NOW
"""Of the D features of a goal type, the first so many are of this step, then come those of earlier episodes."""

Floats = NDArray[np.float32]


class FeatureEncoder:
    """Turns a batch's observations into features, using its statistics table as it is at that moment.

    An observation is one that the environment returned, or a mapping of arrays like it: of any number B of games, with
    the field's names, dtypes and shapes. Fields that no feature is made of may be missing. Wherever one is refused
    (``ValueError`` for a field that is missing, has another shape or a value out of range, ``TypeError`` for another
    dtype), nothing has been written.

    In a game with ``near_goals`` a follower's rows are those of its C candidates, not of all G goal types: first the
    goal type that it was offered, if any, then the nearest ones. A leader that sees these makes its offers among them;
    :meth:`actions` says which goal types they are.

    Args:
        env: the batch whose observations are encoded; its parameters fix the sizes.
        all_goals: rows of all goal types, whatever the game's ``near_goals``.

    Attributes:
        follower_features: F.
        goal_features: D.
        candidates: C, goal types seen of a follower; G where these are all.
        near_goals: C in a game in which that is fewer than G, else 0.
    """

    def __init__(self, env: LeaderVectorEnv, *, all_goals: bool = False) -> None:
        self._core = _core.FeatureEncoder(env._core, all_goals)
        self.candidates = self._core.candidates
        self.near_goals = self.candidates if self.candidates < env.parameters["num_goals"] else 0
        self._bonuses: int = env.parameters["num_bonuses"]
        self.follower_features = self._core.follower_features
        self.goal_features = self._core.goal_features

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Features of one step.

        Args:
            observation: of B games, as the environment returned it last.

        Returns:
            follower float32[B, N, F] and goal float32[B, N, C, D], fresh arrays.

        Raises:
            ValueError, TypeError: not such an observation.
        """
        return self._core.encode(_checked(observation))

    def encode_into(
        self, observation: Mapping[str, NDArray[Any]], follower: Floats, goal: Floats, expired: NDArray[np.bool_]
    ) -> None:
        """Writes the features of one step, and :func:`expired` of it, into arrays of the caller's.

        Args:
            observation: of B games, as the environment returned it last.
            follower: float32[B, N, F], in C order; ``buffer[t]`` of a buffer [T, B, N, F], say.
            goal: float32[B, N, C, D], in C order.
            expired: bool[B, N], in C order.

        Raises:
            ValueError, TypeError: not such an observation, or not such an array to write to; nothing is written.
        """
        self._core.encode_into(_checked(observation), follower, goal, expired)

    def actions(self, offers: NDArray[np.integer], observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return a leader's offers as the environment takes them, (goal, bonus) int64 [B, N, 2].

        Args:
            offers: flat, [B, N]: c K + b for the goal type in place c; C K is "none".
            observation: of the step in which they are made.
        """
        actions = unflatten_offers(offers, self._bonuses)
        if self.near_goals:
            actions[..., 0] = goals_of_places(actions[..., 0], observation, "offer", self.near_goals)
        return actions


def goals_of_places(
    places: NDArray[np.integer], observation: Mapping[str, NDArray[Any]], offer: str, near_goals: int
) -> NDArray[np.int64]:
    """Return the goal types, int64 [B, N], in these places [B, N] of the followers' candidates; place C stands for G.

    Args:
        places: 0 to C.
        observation: of the step.
        offer: the field with the offers whose goal types come first: "offer" for what the leader sees, "offered" for
            what followers see.
        near_goals: C.

    Raises:
        ValueError, TypeError: an observation that :class:`FeatureEncoder` would refuse.
    """
    candidates = _core.candidates(_checked(observation), offer, near_goals)
    none = np.full((*candidates.shape[:2], 1), observation["distance"].shape[-1])
    return np.take_along_axis(np.concatenate((candidates, none), -1), places[..., None], -1)[..., 0]


def _checked(observation: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    if not isinstance(observation, Mapping):
        raise TypeError(f"observation: expected a mapping of fields, got {type(observation).__name__}")
    return observation


def flatten_offers(actions: NDArray[np.int64], num_goals: int, num_bonuses: int) -> NDArray[np.int64]:
    """Actions (goal, bonus) [..., 2] of the environment to flat offers [...]: g K + b, and G K for "none"."""
    flat: NDArray[np.int64] = np.minimum(actions[..., 0] * num_bonuses + actions[..., 1], num_goals * num_bonuses)
    return flat


def unflatten_offers(flat: NDArray[np.integer], num_bonuses: int) -> NDArray[np.int64]:
    """Flat offers [...] (g K + b; G K is "none") to actions (goal, bonus) [..., 2] of the environment."""
    offers = np.empty((*flat.shape, 2), dtype=np.int64)
    np.divmod(flat, num_bonuses, out=(offers[..., 0], offers[..., 1]))
    return offers


def expired(observation: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Which offers have run their course, bool [B, N]: the contract was completed in the last step, the follower is not
    committed to the offer, or the offered goal can no longer be reached. True before the first offer, too.

    Raises:
        ValueError, TypeError: an observation that :class:`FeatureEncoder` would refuse; of its fields, ``offer``,
            ``committed``, ``completed`` and ``distance`` are looked at.
    """
    return _core.expired(_checked(observation))
