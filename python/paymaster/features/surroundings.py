"""What a follower sees of the ground around it, without a planner: for followers that choose primitive actions.

A meta follower knows where its planner leads from distances and first actions; one that moves by itself needs to see
which way the goals lie and what stands in between. Relative to the follower, so that one policy serves everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.two_phase import TwoPhaseVectorEnv

__all__ = ["Surroundings"]

Floats = NDArray[np.float32]

_AHEAD = np.array([[-1, 0], [0, -1], [1, 0], [0, 1]])  # (row, column), by heading; the next one is to the left
_FAR = 10.0  # cells that count as 1
_FIELDS_IN_THE_PLANE = 2.0  # half widths that count as 1


class Surroundings:
    """Features of a batch's observations; arrays float32, as wide as the world needs.

    On the grid, per goal type: how far ahead and to the left its nearest resource or station is that is unclaimed or
    one's own (by steps along the axes, the first of equals), and whether there is one; per follower: whether the cells
    ahead, to the left, behind and to the right are blocked. In the plane, per goal type: the offset (x, y) and relative
    velocity of the nearest goal, and whether there is one; per follower: the offset of the nearest obstacle. Nothing in
    a world that is not known here.

    Args:
        env: the batch whose observations are looked at.

    Attributes:
        follower_features, goal_features: numbers of features per follower, and per follower and goal type.
    """

    def __init__(self, env: TwoPhaseVectorEnv) -> None:
        self._goals: int = env.parameters["num_goals"]
        self._kind = "grid" if "map" in env.parameters else "plane" if "num_targets" in env.parameters else "unknown"
        self.follower_features, self.goal_features = {"grid": (4, 3), "plane": (2, 5), "unknown": (0, 0)}[self._kind]
        if self._kind == "grid":
            self._wall = _walls(env.parameters["map"])

    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Per follower float32[B, N, ...] and per goal type float32[B, N, G, ...]."""
        games, n, _ = observation["distance"].shape
        if self._kind == "grid":
            return self._blocked(observation), self._resources(observation)
        if self._kind == "plane":
            return self._obstacles(observation), self._targets(observation)
        return np.zeros((games, n, 0), np.float32), np.zeros((games, n, self._goals, 0), np.float32)

    # --- the grid

    def _resources(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        place, kind, owner = _things(seen)
        offset = place[:, None].astype(np.int64) - seen["position"][:, :, None]  # [B, N, M, 2]
        claimant, me = owner[:, None], np.arange(offset.shape[1])[:, None]
        free = (claimant < 0) | (claimant == me)
        nearest, there = self._nearest(np.abs(offset).sum(-1), kind[:, None], free)
        chosen = np.take_along_axis(offset[:, :, None], nearest[..., None, None], axis=3)[..., 0, :]  # [B, N, G, 2]
        heading = seen["heading"].astype(np.int64)
        ahead, left = _AHEAD[heading][:, :, None], _AHEAD[(heading + 1) % 4][:, :, None]
        ways = np.stack(((chosen * ahead).sum(-1), (chosen * left).sum(-1)), axis=-1) / _FAR
        return np.concatenate((ways * there[..., None], there[..., None]), axis=-1).astype(np.float32)

    def _blocked(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        games = len(seen["heading"])
        occupied = np.broadcast_to(self._wall, (games, *self._wall.shape)).copy()
        game = np.arange(games)[:, None]
        position, (resource, kind, _) = seen["position"], _things(seen)
        occupied[game, position[..., 0], position[..., 1]] = True
        game, index = np.nonzero(kind >= 0)
        occupied[game, resource[game, index, 0], resource[game, index, 1]] = True
        ways = _AHEAD[(seen["heading"].astype(np.int64)[..., None] + np.arange(4)) % 4]  # [B, N, 4, 2]
        cells = position[:, :, None] + ways
        blocked: NDArray[np.bool_] = occupied[np.arange(games)[:, None, None], cells[..., 0], cells[..., 1]]
        return blocked.astype(np.float32)

    # --- the plane

    def _targets(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        offset = seen["goal_position"][:, None] - seen["position"][:, :, None]  # [B, N, M, 2]
        nearest, there = self._nearest((offset**2).sum(-1), seen["goal_type"][:, None], None)
        speed = seen.get("goal_velocity", np.zeros_like(seen["goal_position"]))
        running = speed[:, None] - seen["velocity"][:, :, None]
        both = np.concatenate((offset / _FIELDS_IN_THE_PLANE, running), axis=-1)
        chosen = np.take_along_axis(both[:, :, None], nearest[..., None, None], axis=3)[..., 0, :]
        shown = np.clip(chosen, -2.0, 2.0) * there[..., None]
        return np.concatenate((shown, there[..., None]), axis=-1).astype(np.float32)

    def _obstacles(self, seen: Mapping[str, NDArray[Any]]) -> Floats:
        games, n, _ = seen["distance"].shape
        if "obstacle_position" not in seen or seen["obstacle_position"].shape[1] == 0:
            return np.zeros((games, n, 2), np.float32)
        offset = seen["obstacle_position"][:, None] - seen["position"][:, :, None]
        nearest = (offset**2).sum(-1).argmin(-1)
        chosen = np.take_along_axis(offset, nearest[..., None, None], axis=2)[..., 0, :]
        return np.clip(chosen / _FIELDS_IN_THE_PLANE, -2.0, 2.0).astype(np.float32)

    # --- both

    def _nearest(
        self, away: NDArray[Any], kind: NDArray[Any], free: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Of each goal type, the index of the nearest free object [B, N, G], and whether there is one."""
        of_type = kind[..., None, :] == np.arange(self._goals)[:, None]
        if free is not None:
            of_type = of_type & free[..., None, :]
        masked = np.where(of_type, away[:, :, None], np.inf)  # [B, N, G, M]
        return masked.argmin(-1), np.broadcast_to(of_type.any(-1), masked.shape[:-1])


def _things(seen: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Place [B, M, 2], goal type [B, M] (-1: gone) and claimant [B, M] of resources and then stations, if there are."""
    place, kind, owner = (seen[f"resource_{name}"] for name in ("position", "type", "claimant"))
    if "station_claimant" not in seen:
        return place, kind, owner
    stations = np.array(list(_core.CRAFTING_STATIONS.values()), dtype=place.dtype)
    items = np.array(list(_core.CRAFTING_STATIONS), dtype=kind.dtype)
    games = len(place)
    return (
        np.concatenate((place, np.broadcast_to(stations, (games, *stations.shape))), axis=1),
        np.concatenate((kind, np.broadcast_to(items, (games, *items.shape))), axis=1),
        np.concatenate((owner, seen["station_claimant"]), axis=1),
    )


def _walls(text: str) -> NDArray[np.bool_]:
    """Cells that are wall, bool [rows, columns]; '' is the tasks' own map."""
    lines = (text.strip("\n") or _core.DEFAULT_MAP).splitlines()
    wall: NDArray[np.bool_] = np.array([list(line) for line in lines]) == "#"
    return wall
