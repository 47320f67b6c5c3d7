"""The route planners of the worlds on their own, for many followers at once: pi_lower of the paper's Section 4.3.

A follower that has chosen a goal type leaves the way there to a planner. :func:`grid_path` is that of the grid tasks,
breadth-first search as in M3RL; :func:`steer` that of the particle worlds, whose way of thinking
``cpp/worlds/particles/steering.hpp`` explains. Here they answer for any situation, a game or not. The
environments call the same code.

Shapes: B followers, each in a situation of its own; R rows and C columns of a map; L actions in the longest route;
O obstacles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster import _core
from paymaster.validation.arguments import array_of, as_array, check_array, map_text

__all__ = ["GridPath", "SteeringPlan", "brake", "grid_path", "steer", "steering_constants"]


@dataclass(frozen=True, eq=False)
class GridPath:
    """Shortest routes of B followers.

    Attributes:
        distance: int32 [B], actions until a target lies straight ahead; 0 is in place, -1 unreachable.
        first_action: int32 [B], what to play now: 0 move, 1 turn left, 2 turn right; 3 dig when in place, 4 stop when
            nothing can be reached.
        actions: int32 [B, L], the whole route (0 to 2), then -1. L is the greatest distance. Who plays the first action
            and plans again in the same surroundings gets the rest of the route.
        poses: int32 [B, L + 1, 3], (row, column, heading) at the start and after each action, then -1.
    """

    distance: NDArray[np.int32]
    first_action: NDArray[np.int32]
    actions: NDArray[np.int32]
    poses: NDArray[np.int32]


class SteeringPlan(NamedTuple):
    """What B bodies do next.

    Attributes:
        action: int32 [B], 0 noop, 1 left, 2 right, 3 down, 4 up.
        steps: int32 [B], estimated steps until the target is nearer than ``reach``, at least 1.
    """

    action: NDArray[np.int32]
    steps: NDArray[np.int32]


def grid_path(
    map: str | None, position: ArrayLike, heading: ArrayLike, targets: ArrayLike, blocked: ArrayLike | None = None
) -> GridPath:
    """Shortest routes on the grid from B poses to where a target lies straight ahead.

    Breadth-first search over (cell, heading) with the actions ``move``, ``turn left``, ``turn right``, everything else
    standing still; of equally short routes the first, action by action in that order (M3RL). Walls, targets and
    blocked cells cannot be entered. A follower's own cell is free to it, whether or not ``blocked`` has it, so that
    followers may share one array of who stands where.

    Args:
        map: text as in the tasks' option ``map``: '#' wall, '.' free, a border of wall, at most 4,096 cells; '' or None
            is the tasks' own, 9 x 9 free cells (R = C = 11).
        position: integers [B, 2], (row, column) of a free cell.
        heading: integers [B], 0 up, 1 left, 2 down, 3 right.
        targets: bool [B, R, C], or [R, C] for all; free cells only.
        blocked: bool [B, R, C], or [R, C] for all: cells that something else stands on. None: no cells.

    Raises:
        ValueError: a malformed map, a wrong shape, a value out of range, a position or target on a wall.
        TypeError: a wrong type or dtype.
    """
    if map is not None and not isinstance(map, str):
        raise TypeError(f"map: expected a str or None, got {type(map).__name__}")
    text = map_text(map)
    place = as_array("position", position)
    if place.ndim != 2 or place.shape[1] != 2:
        raise ValueError(f"position: expected shape [B, 2], got {place.shape}")
    found = _core.grid_path(
        text or "",
        check_array("position", place, "int32", place.shape, 0, 254),
        check_array("heading", heading, "int32", place.shape[:1], 0, 3),
        _cells("targets", targets),
        None if blocked is None else _cells("blocked", blocked),
    )
    return GridPath(*found)


def steer(
    position: ArrayLike,
    velocity: ArrayLike,
    target: ArrayLike,
    target_velocity: ArrayLike | None = None,
    obstacles: ArrayLike | None = None,
    *,
    world: str = "navigation",
    acceleration: float | None = None,
    max_speed: float | None = None,
    reach: float | None = None,
    clearance: float | None = None,
    border: float | None = None,
) -> SteeringPlan:
    """The discrete actions that bring B bodies, under MPE's physics, to a point each.

    The plan brakes before it arrives, goes round obstacles and leads a moving target by up to three steps. For one body
    and a fixed target it takes on average less than 1.2 times as long as the fastest straight line
    (``docs/performance.md``). Other followers are not gone round.

    Args:
        position, velocity, target: floats [B, 2], (x, y), in MPE's units and units per second (a step is 0.1 s).
        target_velocity: floats [B, 2]. None: targets at rest.
        obstacles: floats [B, O, 2], centres of at most 64 obstacles. None: no obstacles.
        world: ``navigation`` or ``predator_prey``; the constants below that are None are this world's
            (:func:`steering_constants`).
        acceleration: of an action, 1e-6 to 1e6.
        max_speed: above 0; ``inf`` for none.
        reach: the target is reached when it is nearer than this, 1e-6 to 1e6.
        clearance: a body touches an obstacle at this distance from the obstacle's centre, 0 to 1e6.
        border: moving targets turn round at ``+-border`` on either axis; ``inf`` for never.

    Raises:
        ValueError: a wrong shape, an unknown world, a NaN or a number out of range (coordinates: -1e6 to 1e6).
        TypeError: not numbers.
    """
    constants = _constants(
        world, acceleration=acceleration, max_speed=max_speed, reach=reach, clearance=clearance, border=border
    )
    plan = _core.steer(
        _numbers("position", position),
        _numbers("velocity", velocity),
        _numbers("target", target),
        None if target_velocity is None else _numbers("target_velocity", target_velocity),
        None if obstacles is None else _numbers("obstacles", obstacles),
        **constants,
    )
    return SteeringPlan(*plan)


def brake(velocity: ArrayLike, *, world: str = "navigation", acceleration: float | None = None) -> NDArray[np.int32]:
    """The action that leaves the least speed: velocity floats [B, 2] -> int32 [B], as in :class:`SteeringPlan`.

    Arguments and errors as those of :func:`steer`.
    """
    constants = _constants(world, acceleration=acceleration)
    return _core.brake(_numbers("velocity", velocity), acceleration=constants["acceleration"])


def steering_constants(world: str) -> dict[str, float]:
    """The constants with which ``world`` steers its followers, as keyword arguments of :func:`steer`.

    ``border`` is the arena's for up to four followers. Raises ValueError for an unknown world.
    """
    return _constants(world)


def _constants(world: str, **given: float | None) -> dict[str, float]:
    worlds = _core.steering_constants()
    if not isinstance(world, str):
        raise TypeError(f"world: expected a str, got {type(world).__name__}")
    if world not in worlds:
        raise ValueError(f"world: expected one of {', '.join(worlds)}, got {world!r:.80}")
    return worlds[world] | {name: _number(name, value) for name, value in given.items() if value is not None}


def _number(name: str, value: object) -> float:
    array = np.asarray(value) if np.isscalar(value) else None
    if array is None or array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    return float(array)


def _numbers(name: str, value: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(array_of(name, value, "fiu", "an array of numbers"), dtype=np.float64)


def _cells(name: str, value: ArrayLike) -> NDArray[np.bool_]:
    return np.ascontiguousarray(array_of(name, value, "b", "dtype bool"))
