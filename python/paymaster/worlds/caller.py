"""Calls a world's methods for the core, which checks what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from paymaster import _core
from paymaster.worlds.draws import Draws
from paymaster.worlds.errors import WorldError
from paymaster.worlds.world import Move, Moved, World

__all__ = ["Caller", "features_of"]

Result = TypeVar("Result")


class Caller:
    """The rules of one batch, as the core calls them.

    Args:
        kind: the class.
        games: what the core and the rules tell each other.
        parameters: all of the task's.
    """

    def __init__(self, kind: type[World], games: _core.WorldGames, parameters: Mapping[str, Any]) -> None:
        self._name, self._games = kind.__name__, games
        methods = ("exhausted", "distance", "available", "plan", "move")
        self._exhausted, self._distances, self._available, self._plan, self._moved = (
            f"{kind.__name__}.{method}" for method in methods
        )
        views = games.views
        self.world = made(kind, len(views["playing"]), parameters)
        for name, array in self.world.arrays.items():
            games.add_array(name, array.values, array.meaning, array.low, array.high, array.shown)
        self._starts, self._starting = views.pop("starts"), Draws(games, start=True)
        self._distance = views.pop("distance")
        self._move = Move(**views, draws=Draws(games, start=False))

    def reset(self) -> None:
        """Begin episodes."""
        self._call("reset", self.world.reset, self._starts, self._starting)

    def end(self) -> None:
        """Write which games are exhausted."""
        self._games.put_exhausted(self._exhausted, self._call("exhausted", self.world.exhausted))

    def look(self) -> None:
        """Write distances, what is available, and routes if they are asked for."""
        self._games.put_distance(self._distances, self._call("distance", self.world.distance))
        self._games.put_available(self._available, self._call("available", self.world.available))
        if not self._games.shows_routes:
            return
        for goal in range(self._distance.shape[-1]):
            chosen = np.where(self._distance[..., goal] >= 0, goal, -1).astype(np.int8)
            self._games.put_route(self._plan, goal, self._call("plan", self.world.plan, chosen))

    def plan(self) -> None:
        """Write the planned actions."""
        self._games.put_action(self._plan, self._call("plan", self.world.plan, self._move.chosen))

    def move(self) -> None:
        """Move, and write what was reached and what the world pays."""
        moved = self._call("move", self.world.move, self._move)
        if not isinstance(moved, Moved):
            moved = Moved(moved)
        self._games.put_reached(self._moved, moved.reached)
        self._games.put_rewards(self._moved, moved.follower_reward, moved.leader_reward)

    def restored(self) -> None:
        """Tell the world that its arrays were set from outside."""
        self._call("restored", self.world.restored)

    def _call(self, name: str, method: Callable[..., Result], *arguments: Any) -> Result:
        try:
            return method(*arguments)
        except Exception as error:
            text = _text_of(error)
            raise WorldError(f"{self._name}.{name}: expected it to return, got {text}") from error


def _text_of(error: Exception) -> str:
    try:
        said = str(error)
    except Exception:  # of a class of the world's
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def made(kind: type[World], games: int, parameters: Mapping[str, Any]) -> World:
    """Return an instance. ValueError and TypeError are its own, of parameters that do not fit."""
    try:
        return kind(games, parameters)
    except (ValueError, TypeError):
        raise
    except Exception as error:
        raise WorldError(f"{kind.__name__}.setup: expected it to return, got {_text_of(error)}") from error


def features_of(
    kind: type[World], parameters: Mapping[str, Any]
) -> list[tuple[str, bool, bool, tuple[int, ...], float]]:
    """Return the features that a world adds: name, whether of float32, whether of goal types, shape, and scale."""
    return [
        (
            name,
            array.values.dtype.kind == "f",
            array.feature == "goal",
            array.values.shape[1:],
            max(abs(array.low), abs(array.high), 1e-30),
        )
        for name, array in made(kind, 1, parameters).arrays.items()
        if array.feature is not None
    ]
