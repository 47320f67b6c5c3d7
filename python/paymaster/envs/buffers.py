"""The core's rows of observations, int16 and float32, as named fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Columns", "Rows", "columns_of", "split"]

Rows = tuple[NDArray[np.int16], NDArray[np.float32]]
Columns = list["Column"]


class Column(NamedTuple):
    """A field of B games' rows: which of the two arrays, the shape [B, ...], dtype, first byte and strides in it."""

    name: str
    kind: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    strides: tuple[int, ...]


def columns_of(fields: Sequence[tuple[str, str, tuple[int, ...], str]], games: int) -> Columns:
    """The fields' places, each behind the one before of its dtype.

    Strides are those of C order, also along axes of length 1, but for games, which are a row apart. Of one game they
    are so throughout: JAX takes no others by DLPack.
    """
    sizes = [math.prod(shape) * np.dtype(dtype).itemsize for _, dtype, shape, _ in fields]
    row: Counter[str] = Counter()
    for (_, dtype, *_), size in zip(fields, sizes, strict=True):
        row[dtype] += size
    columns: Columns = []
    used: Counter[str] = Counter()
    for (name, dtype, shape, _), size in zip(fields, sizes, strict=True):
        item = np.dtype(dtype)
        inner = (item.itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
        strides = (row[dtype] if games > 1 else size, *inner)
        columns.append(Column(name, int(dtype == "float32"), (games, *shape), item, used[dtype], strides))
        used[dtype] += size
    return columns


def split(rows: Rows, columns: Columns) -> dict[str, NDArray[Any]]:
    """Views of the observation's rows [B, ...], one a field; no copy."""
    return {
        name: np.ndarray(shape, dtype, rows[kind], offset, strides)
        for name, kind, shape, dtype, offset, strides in columns
    }
