"""The features once more, slowly, array by array in NumPy: what `cpp/features/features.cpp` is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.rendering.worlds import arena_half_width

__all__ = ["FeatureEncoder", "expired"]

Floats = NDArray[np.float32]

_CURVE_MARKS = 4  # ages at which the completion curve is read off: a quarter, half, three quarters, all of the horizon
_NEAR = 10.0  # actions; distances are shown as _NEAR / (_NEAR + distance), finest where it matters


class FeatureEncoder:
    """:class:`paymaster.features.leader.FeatureEncoder`, field by field."""

    def __init__(self, env: LeaderVectorEnv) -> None:
        parameters = env.parameters
        self._goals: int = parameters["num_goals"]
        self._bonuses: int = parameters["num_bonuses"]
        self._horizon: int = parameters["horizon"]
        given = np.atleast_1d(parameters["prices"])  # a single one is a number, which may be 0
        self._price = given if given.size else np.arange(1.0, self._bonuses + 1)
        objects = parameters.get("num_resources", parameters.get("num_targets")) or 0  # M; none in another world
        self._abundance = max(1.0, objects / self._goals)
        self._body = _body_of(parameters)
        self._statistics = env.statistics
        self._actions: int = env.num_actions
        self._one_hot_action = np.eye(self._actions + 1, dtype=np.float32)
        self.follower_features = 1 + (self._actions + 1) + 4 + 4 + self._goals
        self._routes: bool = parameters["observe_routes"]
        self._history = 2 * self._bonuses + 2 + _CURVE_MARKS
        self._crafting = {"inventory": 4, "missing": 2} if env.num_actions == 6 else {}  # field -> scale
        self.goal_features = 7 + 3 + self._history + self._routes * self._actions + len(self._crafting)

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Features of one step.

        Args:
            observation: of B games, as the environment returned it last.

        Returns:
            follower float32[B, N, F] and goal float32[B, N, G, D], fresh arrays.
        """
        games, n, goals = observation["distance"].shape
        follower = np.empty((games, n, self.follower_features), dtype=np.float32)
        goal = np.empty((games, n, goals, self.goal_features), dtype=np.float32)
        self._fill_follower(observation, follower)
        self._fill_goal(observation, goal)
        return follower, goal

    def _fill_follower(self, seen: Mapping[str, NDArray[Any]], out: Floats) -> None:
        cut = 1 + self._actions + 1
        out[..., 0] = (seen["step"] / self._horizon)[:, None]
        out[..., 1:cut] = self._one_hot_action[seen["action"]]  # -1, "none yet", is the last row
        out[..., cut : cut + 4] = self._body.features(seen)
        out[..., cut + 4] = seen["committed"]
        out[..., cut + 5] = seen["contract_running"]
        out[..., cut + 6] = seen["contract_age"] / self._horizon
        out[..., cut + 7] = seen["completed"] >= 0
        out[..., cut + 8 :] = (seen["available"] / self._abundance)[:, None, :]

    def _fill_goal(self, seen: Mapping[str, NDArray[Any]], out: Floats) -> None:
        distance, offer = seen["distance"], seen["offer"]
        reachable = distance >= 0
        left = (self._horizon - seen["step"])[:, None, None]
        offered = offer[..., 0, None] == np.arange(self._goals)
        offered_count = offered.sum(1, keepdims=True)
        near = np.where(reachable, _NEAR / (_NEAR + distance), 0.0)
        out[..., 0] = reachable
        out[..., 1] = near
        out[..., 2] = reachable & (distance < left)  # there is time to reach it
        out[..., 3] = np.clip((left - 1 - distance) / self._horizon, -1.0, 1.0) * reachable
        out[..., 4] = (seen["available"] / self._abundance)[:, None, :]
        out[..., 5] = (offered_count - offered) / offered.shape[1]  # others with an offer of this type
        out[..., 6] = _others_best(near)  # how near the nearest of the others is
        out[..., 7] = offered
        price = self._price[np.minimum(offer[..., 1], self._bonuses - 1)]
        highest = self._price[-1] or 1.0  # all are 0 where that is
        out[..., 8] = offered * (np.where(offer[..., 1] < 0, 0.0, price) / highest)[..., None]
        out[..., 9] = offered & (seen["committed"] > 0)[..., None]
        out[..., 10 : 10 + self._history] = self._table()[seen["identity"]]
        if self._routes:
            at = 10 + self._history
            out[..., at : at + self._actions] = self._one_hot_action[seen["route"], :-1]
        for i, (name, scale) in enumerate(self._crafting.items(), start=self.goal_features - len(self._crafting)):
            out[..., i] = np.clip(seen[name] / scale, -2.0, 2.0)[:, None, :]

    def _table(self) -> Floats:
        """The statistics table as features, [P, G, 2 K + 2 + marks]."""
        table, k = self._statistics, self._bonuses
        people, goals = table.outcome.shape
        out = np.empty((people, goals, 2 * k + 2 + _CURVE_MARKS), dtype=np.float32)
        out[..., :k] = table.acceptance
        out[..., k : 2 * k] = _how_often(table.acceptance_count)
        out[..., 2 * k] = table.outcome
        out[..., 2 * k + 1] = _how_often(table.outcome_count)
        marks = [(i + 1) * self._horizon // _CURVE_MARKS - 1 for i in range(_CURVE_MARKS)]
        out[..., 2 * k + 2 :] = table.completion[..., np.maximum(marks, 0)]
        return out


class _Body:
    """A follower in a world that is not known here: the distances say all there is."""

    def features(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        """[B, N, 4]."""
        return np.zeros((*seen["identity"].shape, 4), dtype=np.float32)


class _CellBody(_Body):
    """A follower on the grid: which way it faces."""

    def __init__(self) -> None:
        self._one_hot = np.eye(4, dtype=np.float32)

    def features(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        """[B, N, 4]."""
        heading: Floats = self._one_hot[seen["heading"]]
        return heading


class _PointBody(_Body):
    """A follower in the plane: where it is and how it moves. A body may be thrown out of the arena, to 2.5 times its
    size, and beyond its own top speed."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        drag = 0.4 * parameters["body_acceleration"]  # MPE: the speed that pushing along one axis tends to
        self._far = 2 * arena_half_width(parameters)
        self._fast = min(drag, parameters["body_max_speed"] or drag)

    def features(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        """[B, N, 4], each in [-2, 2]."""
        both = np.concatenate((seen["position"] / self._far, seen["velocity"] / self._fast), axis=-1)
        clipped: Floats = np.clip(both, -2.0, 2.0, dtype=np.float32)
        return clipped


def _body_of(parameters: Mapping[str, Any]) -> _Body:
    if "map" in parameters:
        return _CellBody()
    return _PointBody(parameters) if "body_acceleration" in parameters else _Body()


def _how_often(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """0 for never, 1 for a hundred times or more, logarithmic between."""
    often: NDArray[np.float64] = np.minimum(np.log1p(count) / np.log(101.0), 1.0)
    return often


def _others_best(near: NDArray[np.floating]) -> NDArray[np.floating]:
    """For each follower the best among the others, [B, N, G]; 0 for a follower alone."""
    n = near.shape[1]
    if n == 1:
        return np.zeros_like(near)
    two_best = np.partition(near, n - 2, axis=1)
    best, second = two_best[:, -1:], two_best[:, -2:-1]
    return np.where(near == best, second, best)


def expired(observation: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Which offers have run their course, bool [B, N]: the contract was completed in the last step, the follower is not
    committed to the offer, or the offered goal can no longer be reached. True before the first offer, too."""
    goal = np.maximum(observation["offer"][..., :1], 0).astype(np.int64)
    unreachable = np.take_along_axis(observation["distance"], goal, axis=-1)[..., 0] < 0
    over: NDArray[np.bool_] = (observation["completed"] >= 0) | (observation["committed"] == 0) | unreachable
    return over
