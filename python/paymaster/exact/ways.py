"""The fewest actions between poses and cells of a map on which only walls stand in the way."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from paymaster import _core

__all__ = ["FAR", "Ways", "ways_of"]

FAR = 2**14
"""More actions than any episode has room for: there is no way."""
_AHEAD = ((-1, 0), (0, -1), (1, 0), (0, 1))  # up, left, down, right: turning left adds 1


class Ways:
    """Distances on a map without anything on it, computed for a cell when it is first asked for.

    A pose is a cell and a heading, numbered ``4 cell + heading``; cells are numbered row by row. One action moves to
    the cell ahead, turns left or turns right.

    Args:
        text: the map, "" for the tasks' own.
        blocked: rows and columns of further cells that nobody can enter.
    """

    def __init__(self, text: str, blocked: tuple[tuple[int, int], ...] = ()) -> None:
        lines = (text.lstrip("\ufeff").strip("\n") or _core.DEFAULT_MAP).strip("\n").splitlines()
        self.columns = len(lines[0])
        self._free = np.array([[sign != "#" for sign in line] for line in lines])
        for cell in blocked:
            self._free[cell] = False
        self._offsets = [row * self.columns + column for row, column in _AHEAD]
        cells = self._free.size
        self._known = np.zeros(cells, dtype=np.bool_)
        self._to = np.empty((cells, 4 * cells), dtype=np.int16)  # of which only rows that are asked for take memory
        self._between = np.empty((cells, cells), dtype=np.int16)

    def cells(self, position: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the numbers of cells: rows and columns [..., 2] -> int64 [...]."""
        return position[..., 0].astype(np.int64) * self.columns + position[..., 1]

    def to(self, cell: NDArray[np.int64], pose: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the fewest actions from a pose until a cell lies straight ahead, of arrays that broadcast.

        The cell itself cannot be entered. :data:`FAR` where there is no way.
        """
        self._learn(cell)
        return self._to[cell, pose]

    def between(self, cell: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the fewest actions from any pose that faces ``cell`` until ``other`` lies ahead, else likewise."""
        self._learn(other)
        return self._between[other, cell]

    def _learn(self, cells: NDArray[np.int64]) -> None:
        for cell in np.unique(cells[~self._known[cells]]):
            self._to[cell] = self._search(int(cell))
            self._between[cell] = np.min(
                [self._to[cell].reshape(-1, 4)[self._neighbours(-offset), h] for h, offset in enumerate(self._offsets)],
                axis=0,
            )
            self._known[cell] = True

    def _neighbours(self, offset: int) -> NDArray[np.int64]:
        """The cell at an offset from each cell; the border is wall, so wrapping around reaches no free cell."""
        return (np.arange(self._free.size) + offset) % self._free.size

    def _search(self, target: int) -> NDArray[np.int16]:
        """Distances of all poses, backwards from those that face the target."""
        free = self._free.ravel().copy()
        free[target] = False
        distance = np.full((free.size, 4), FAR, dtype=np.int16)
        front = np.zeros(distance.shape, dtype=np.bool_)
        for heading, offset in enumerate(self._offsets):
            before = target - offset
            front[before, heading] = 0 <= before < free.size and free[before]
        steps = 0
        while front.any():
            distance[front] = steps
            reached = np.roll(front, 1, axis=1) | np.roll(front, -1, axis=1)
            for heading, offset in enumerate(self._offsets):
                reached[:, heading] |= np.roll(front[:, heading], -offset)
            front = reached & (distance == FAR) & free[:, None]
            steps += 1
        return distance.ravel()


@lru_cache(maxsize=8)
def ways_of(text: str, blocked: tuple[tuple[int, int], ...] = ()) -> Ways:
    """Return :class:`Ways` of a map, the same one for the same map."""
    return Ways(text, blocked)
