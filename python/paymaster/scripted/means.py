"""What a leader pays at least, and what it can afford: offers within a budget and a cap on the share of the revenue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv

__all__ = ["Means", "lowest_level"]

Actions = NDArray[np.int64]
_SEEN = 1e-6  # observations are float32


def lowest_level(env: LeaderVectorEnv) -> int:
    """Return the lowest bonus level that pays anything; 0 where none does."""
    return int((env.prices > 0).argmax())


class Means:
    """What offers need of what is left. Amounts have two columns: under the budget, and under the cap.

    Args:
        env: the batch, with a limit.
    """

    def __init__(self, env: LeaderVectorEnv) -> None:
        parameters = env.parameters
        self._payment: str = parameters["payment"]
        self._limits = [name for name in ("budget", "max_share") if np.isfinite(parameters[name])]
        self._price = env.prices.astype(np.float64)
        share = parameters["max_share"] if "max_share" in self._limits else 0.0
        covered = 0.0 if self._payment.startswith("advance") else share * env.goal_reward.astype(np.float64)
        needed = {
            "budget": np.broadcast_to(self._price, (parameters["num_goals"], len(self._price))),
            "max_share": np.maximum(self._price - np.reshape(covered, (-1, 1)), 0.0),
        }
        whole = (parameters["num_goals"], len(self._price))
        self._needed = np.stack([np.broadcast_to(needed[name], whole) for name in self._limits], axis=-1)  # [G, K, L]

    @staticmethod
    def of(env: LeaderVectorEnv) -> Means | None:
        """Those of the batch; None without a limit."""
        limited = np.isfinite([env.parameters["budget"], env.parameters["max_share"]]).any()
        return Means(env) if limited else None

    def within(self, actions: Actions, observation: Mapping[str, NDArray[Any]], none: int | None) -> Actions:
        """The offers, in the followers' order, as long as they fit; in place of others "none", or the lowest level of
        the same type where ``none`` is None, which may be refused.

        Each is taken to be accepted, so that all that are made can be paid.

        Args:
            actions: int64 [B, N, 2].
            observation: of the step.
            none: goal index of the offer "none", if there is one.
        """
        names = {"budget": "budget_left", "max_share": "share_left"}
        left = np.stack([observation[names[name]].astype(np.float64) for name in self._limits], axis=-1)  # [B, L]
        actions = actions.copy()
        held = self._held(observation)
        for k in range(actions.shape[1]):
            goal, bonus = actions[:, k].T
            offered = goal < len(self._needed)
            goal = np.minimum(goal, len(self._needed) - 1)
            left += held[:, k]
            goes_on = self._goes_on(observation, k) & (actions[:, k] == observation["offer"][:, k]).all(-1)
            need = np.where(
                (offered & ~(goes_on & self._payment.startswith("advance")))[:, None], self._needed[goal, bonus], 0.0
            )
            fits = (need <= left * (1 + _SEEN) + _SEEN * self._price[0]).all(-1) | goes_on
            if none is None:
                bonus = np.where(fits, bonus, 0)
            else:
                actions[:, k, 0] = np.where(fits, actions[:, k, 0], none)
            actions[:, k, 1] = bonus
            left -= np.where(fits[:, None], need, 0.0)
        return actions

    def _goes_on(self, observation: Mapping[str, NDArray[Any]], k: int) -> NDArray[np.bool_]:
        """Whether follower k's last offer is signed, or stands, bool [B]."""
        if self._payment == "outcome":
            return (observation["offer"][:, k, 0] >= 0) & (observation["completed"][:, k] < 0)
        running: NDArray[np.bool_] = observation["contract_running"][:, k] > 0
        return running

    def _held(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """What is reserved for each follower, [B, N, L]."""
        if self._payment.startswith("advance"):
            return np.zeros((*observation["offer"].shape[:2], len(self._limits)))
        goal, bonus = np.moveaxis(np.maximum(observation["offer"].astype(np.int64), 0), -1, 0)
        there = np.stack([self._goes_on(observation, k) for k in range(goal.shape[1])], axis=1)
        return np.where(there[..., None], self._needed[goal, bonus], 0.0)
