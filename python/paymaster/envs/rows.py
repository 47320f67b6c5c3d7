"""The core's rows of observations, int16 and float32, as named fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Columns", "Rows", "columns_of", "split"]

Rows = tuple[NDArray[np.int16], NDArray[np.float32]]
Columns = list["Column"]


class Column(NamedTuple):
    """Where a field lies in a row: which of the two arrays, its first byte, its shape within a game, its strides.

    The first stride is that of games whose rows have nothing else.
    """

    name: str
    kind: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def columns_of(fields: Sequence[tuple[str, str, tuple[int, ...], str]]) -> Columns:
    """The fields' places, each behind the one before of its dtype."""
    columns: Columns = []
    used = [0, 0]
    for name, dtype, shape, _ in fields:
        kind, size = int(dtype == "float32"), np.dtype(dtype).itemsize
        strides = tuple(size * math.prod(shape[axis:]) for axis in range(len(shape) + 1))
        columns.append(Column(name, kind, used[kind], shape, strides))
        used[kind] += strides[0]
    return columns


def split(rows: Rows, columns: Columns) -> dict[str, NDArray[Any]]:
    """Views of the observation's rows [B, ...], one a field; no copy.

    Strides are those of C order, also along axes of length 1, but for games, which are a row apart. Of one game they
    are so throughout: JAX takes no others by DLPack.
    """
    games = rows[0].shape[0]
    if games == 1:
        return {
            name: np.ndarray((1, *shape), rows[kind].dtype, rows[kind], offset, strides)
            for name, kind, offset, shape, strides in columns
        }
    apart = rows[0].strides[0], rows[1].strides[0]
    return {
        name: np.ndarray((games, *shape), rows[kind].dtype, rows[kind], offset, (apart[kind], *strides[1:]))
        for name, kind, offset, shape, strides in columns
    }
