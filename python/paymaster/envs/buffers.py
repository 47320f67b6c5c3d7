"""Split the core's two buffers of observations, whole numbers (int16, int32) and float32, into named fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paymaster import _core

__all__ = ["Column", "Columns", "Rows", "columns_of", "split"]

Rows = tuple[NDArray[np.int16], NDArray[np.float32]]
Columns = list["Column"]


class Column(NamedTuple):
    """The place of a field of B games: which of the two buffers, the shape [B, ...], dtype and first byte in it."""

    name: str
    kind: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int


def columns_of(fields: Sequence[_core.Field], games: int) -> Columns:
    """Return the fields' places: each is a C-contiguous block [B, ...] behind the one before in its buffer."""
    columns: Columns = []
    used = [0, 0]
    for field in fields:
        dtype = np.dtype(field.dtype)
        shape = (games, *field.shape)
        kind = int(field.dtype == "float32")
        columns.append(Column(field.name, kind, shape, dtype, used[kind]))
        used[kind] += math.prod(shape) * dtype.itemsize
    return columns


def split(rows: Rows, columns: Columns) -> dict[str, NDArray[Any]]:
    """Return views of the buffers, one C-contiguous array [B, ...] a field; no copy."""
    return {name: np.ndarray(shape, dtype, rows[kind], offset) for name, kind, shape, dtype, offset in columns}
