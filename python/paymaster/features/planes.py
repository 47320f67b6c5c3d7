"""Observations as planes, one number a cell: what M3RL's manager sees of each follower (Shu & Tian 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import Floats, unflatten_offers

__all__ = ["PlaneEncoder"]


class PlaneEncoder:
    """Turns a batch's observations into planes, P for each follower, and reads its performance history.

    The planes are, in this order: free cell; wall; one for each type of object (of resource collection its G goal
    types); a constant plane for each amount that the world shows (of crafting its inventory, units of each goal type;
    none in resource collection); then constant planes, one-hot: own row, own column, own heading. With 11 rows and
    columns these are 32 in resource collection with 4 types, and 44 in crafting with 8. Neither other followers nor
    claims, stations, the step, identities or offers are in them.

    A cell's planes take few values, so the compact form that networks read is a code for each cell and one number for
    each constant plane.

    The history of a follower is, for each goal type, T averages of success by steps and K of acceptance by bonus level
    (:class:`~paymaster.envs.performance.PerformanceHistory`), as it was when this encoder was made: M3RL reads it once,
    at the start of an episode. The batch keeps it from then on.

    Args:
        env: the batch whose observations are encoded, of a world of cells.
        see_others: cells where another follower stands are not free. M3RL's code means to show them, and does not.

    Attributes:
        rows, columns: of the map.
        cell_planes: how many differ between cells. Code 0 is a cell where all of these are 0, as where another
            follower stands; in a cell of code i plane i - 1 is 1.
        constant_planes: how many are the same in all cells.
        follower_features: F, numbers of the compact form: the cells' codes row by row, the constant planes, the last
            primitive action (-1 for none), and the identity.
        goal_features: D = T + K, the history of each goal type.
        candidates: G.
        near_goals: 0: all goal types are seen.

    Raises:
        ValueError: a world without cells, a game with ``near_goals`` or ``abstain``, whose offers M3RL does not have,
            games that begin anew within a step.
    """

    near_goals = 0

    def __init__(self, env: LeaderVectorEnv, *, see_others: bool = False) -> None:
        for name in ("near_goals", "abstain"):
            if env.parameters[name]:
                raise ValueError(
                    f"{name}: expected {type(env.parameters[name])()} with planes, as in M3RL, got another"
                )
        if env.autoreset_mode is AutoresetMode.SAME_STEP:
            raise ValueError("autoreset_mode: expected another than SameStep, which hides how an episode ends, got it")
        self._core = _core.PlaneEncoder(env._core, see_others)
        self.rows, self.columns = self._core.rows, self._core.columns
        self.constant_planes: int = self._core.constant_planes
        self.cell_planes: int = self._core.cell_planes
        self.candidates: int = env.parameters["num_goals"]
        self.follower_features: int = self._core.follower_features
        self.goal_features: int = env.parameters["horizon"] + env.parameters["num_bonuses"]
        self._bonuses: int = env.parameters["num_bonuses"]
        self._history = env.statistics.keep_performance().vector()

    @property
    def planes(self) -> int:
        """P."""
        return self.cell_planes + self.constant_planes

    def expand(self, observation: Mapping[str, NDArray[Any]]) -> Floats:
        """Return the planes themselves, float32 [B, N, P, rows, columns], of an observation of B games.

        Raises:
            ValueError, TypeError: not such an observation.
        """
        planes: Floats = self._core.planes(observation)
        return planes

    def encode_into(
        self, observation: Mapping[str, NDArray[Any]], follower: Floats, goal: Floats, expired: NDArray[np.bool_]
    ) -> None:
        """Write the compact planes, the history and which offers have run their course into arrays of the caller's.

        Args:
            observation: of B games, as the environment returned it last.
            follower: float32 [B, N, F], in C order.
            goal: float32 [B, N, G, T + K], the history.
            expired: bool [B, N], in C order (:func:`paymaster.features.leader.expired`).

        Raises:
            ValueError, TypeError: not such an observation, or not such an array to write to; nothing is written.
        """
        self._core.encode_into(observation, follower, expired)
        np.take(self._history, observation["identity"], axis=0, out=goal)

    def actions(self, offers: NDArray[np.integer], observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return flat offers [B, N], g K + b, as the environment takes them, (goal, bonus) int64 [B, N, 2]."""
        return unflatten_offers(offers, self._bonuses)
