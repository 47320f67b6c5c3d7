"""Calls a world's methods for the core, and checks types and shapes of what they return. The core checks the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

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
        self._name = kind.__name__
        views = games.views
        self._of_core = views
        self.world = kind(len(views["playing"]), parameters)
        for name, array in self.world.arrays.items():
            games.add_array(name, array.values, array.meaning, array.low, array.high, array.shown)
        self._starts, self._draws = read_only(views["starts"]), Draws(games, start=True)
        told = {name: read_only(views[name]) for name in ("action", "skill", "chosen", "committed", "playing", "step")}
        self._move = Move(**told, draws=Draws(games, start=False))

    def reset(self) -> None:
        """Begin episodes."""
        self._call("reset", lambda: self.world.reset(self._starts, self._draws))

    def end(self) -> None:
        """Write which games are exhausted."""
        self._take("exhausted", self.world.exhausted, np.bool_)

    def look(self) -> None:
        """Write distances, what is available, and routes if they are asked for."""
        self._take("distance", self.world.distance, np.int16)
        self._take("available", self.world.available, np.int16)
        if "route" in self._of_core:
            self._look_for_routes()

    def plan(self) -> None:
        """Write the planned actions."""
        chosen = self._move.chosen
        self._put("plan", "action", self._call("plan", lambda: self.world.plan(chosen)), np.uint8)

    def move(self) -> None:
        """Move, and write what was reached and what the world pays."""
        came = self._call("move", lambda: self.world.move(self._move))
        moved = came if isinstance(came, Moved) else Moved(came)
        self._put("move", "reached", moved.reached, np.bool_)
        for name in ("follower_reward", "leader_reward"):
            paid = getattr(moved, name)
            if paid is None:
                self._of_core[name][...] = 0
            else:
                self._put("move", name, paid, self._of_core[name].dtype.type)

    def restored(self) -> None:
        """Tell the world that its arrays were set from outside."""
        self._call("restored", self.world.restored)

    # ---

    def _look_for_routes(self) -> None:
        distance, route = self._of_core["distance"], self._of_core["route"]
        for goal in range(distance.shape[-1]):
            chosen = np.where(distance[..., goal] >= 0, goal, -1).astype(np.int8)
            actions = self._call("plan", partial(self.world.plan, chosen))
            route[..., goal] = self._checked("plan", "", actions, np.uint8, route.shape[:2])

    def _call(self, method: str, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except Exception as error:
            text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise WorldError(f"{self._name}.{method}: expected it to return, got {text}") from error

    def _take(self, name: str, method: Callable[[], NDArray[Any]], dtype: type[np.generic]) -> None:
        self._put(name, name, self._call(name, method), dtype)

    def _put(self, method: str, name: str, came: Any, dtype: type[np.generic]) -> None:
        to = self._of_core[name]
        checked = self._checked(method, "" if name in (method, "action") else f" ({name})", came, dtype, to.shape)
        if checked.dtype == np.float64 and dtype == np.float32:
            with np.errstate(over="ignore"):  # what it has no room for is out of range, and the core says so
                to[...] = checked
        else:
            to[...] = checked

    def _checked(
        self, method: str, what: str, returned: Any, dtype: type[np.generic], shape: tuple[int, ...]
    ) -> NDArray[Any]:
        """The array, if it has the shape and its numbers fit the dtype."""
        came: NDArray[Any] = returned
        if not isinstance(came, np.ndarray):
            self._refuse(method, what, dtype, shape, f"{came!r:.60}" if came is None else type(came).__name__)
        kind = np.dtype(dtype).kind
        fits = came.dtype.kind in {"b": "b", "i": "iub", "u": "iub", "f": "fiub"}[kind]
        if came.shape != shape or not fits:
            self._refuse(method, what, dtype, shape, f"{came.dtype} {list(came.shape)}")
        if kind in "iu" and came.dtype.itemsize > np.dtype(dtype).itemsize and came.size:
            limits = np.iinfo(np.dtype(dtype))  # what does not fit would wrap; of what fits the core checks the rest
            low, high = came.min(), came.max()
            if low < limits.min or high > limits.max:
                came_value = low if low < limits.min else high
                at = np.argwhere(came == came_value)[0].tolist()
                raise WorldError(
                    f"{self._name}.{method}{what} (game {at[0]}): expected a value in [{limits.min}, {limits.max}], "
                    f"got {came_value} at {at}"
                )
        return came

    def _refuse(self, method: str, what: str, dtype: type[np.generic], shape: tuple[int, ...], came: str) -> NoReturn:
        kind = {"b": "bool", "i": "integers", "u": "integers", "f": "numbers"}[np.dtype(dtype).kind]
        raise WorldError(f"{self._name}.{method}{what}: expected {kind} {list(shape)}, got {came}")


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
        for name, array in kind(1, parameters).arrays.items()
        if array.feature is not None
    ]


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
