"""Checks of payoffs in matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["payoffs"]


def payoffs(**given: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two players' payoffs as float64 [R, C].

    Args:
        given: the two, by the names they have in messages.

    Raises:
        ValueError: not two matrices of finite numbers of the same shape.
    """
    found: list[NDArray[np.float64]] = []
    for name, value in given.items():
        try:
            matrix = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{name}: expected a matrix of numbers, got {value!r:.80}") from None
        if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
            what = "one of other numbers" if matrix.ndim == 2 and matrix.size else f"shape {matrix.shape}"
            raise ValueError(f"{name}: expected a matrix [R, C] of finite numbers, got {what}")
        if found and matrix.shape != found[0].shape:
            raise ValueError(f"{name}: expected shape {found[0].shape} as of {next(iter(given))}, got {matrix.shape}")
        found.append(matrix)
    first, second = found
    return first, second
