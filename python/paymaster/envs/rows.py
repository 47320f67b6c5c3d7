"""The core's rows of observations, int16 and float32, as named fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "Rows", "columns_of", "split"]

Rows = tuple[NDArray[np.int16], NDArray[np.float32]]
Columns = list[tuple[str, int, slice, tuple[int, ...]]]


def columns_of(fields: Sequence[tuple[str, str, tuple[int, ...], str]]) -> Columns:
    """Name, which of the two row arrays, where in its rows, shape within one game; of each field."""
    columns: Columns = []
    used = [0, 0]
    for name, dtype, shape, _ in fields:
        width, kind = int(np.prod(shape, dtype=int)), int(dtype == "float32")
        columns.append((name, kind, slice(used[kind], used[kind] + width), shape))
        used[kind] += width
    return columns


def split(rows: Rows, columns: Columns) -> dict[str, NDArray[Any]]:
    """Views of the observation's rows [B, ...], one a field; no copy.

    A single game's fields are whole arrays, strides of their axes of length 1 included (JAX takes no others by DLPack).
    """
    games = rows[0].shape[0]
    if games == 1:
        return {name: rows[kind][0, part].reshape(1, *shape) for name, kind, part, shape in columns}
    return {name: rows[kind][:, part].reshape(games, *shape) for name, kind, part, shape in columns}
