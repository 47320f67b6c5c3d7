"""Promises that make a joint action dominant (k-implementation, Monderer & Tennenholtz 2003)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.validation.matrices import payoffs

__all__ = ["Promises", "best_implementation", "implement"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Promises:
    """What a designer promises two followers, by joint action, and what comes of it.

    Attributes:
        row: payments to the row player, float64 [R, C], none below 0.
        column: to the column player, likewise.
        action: the joint action (row, column) that is dominant under them.
        cost: what is paid there, k.
        welfare: what both have there by the game itself, without payments.
    """

    row: Floats
    column: Floats
    action: tuple[int, int]
    cost: float
    welfare: float


def implement(row: ArrayLike, column: ArrayLike, action: tuple[int, int], *, margin: float = 0.0) -> Promises:
    """Return the cheapest promises that make a joint action dominant for both.

    Only what is promised at the joint action itself is ever paid: everywhere else promises are free. So k is what each
    player would gain by leaving the joint action alone, and 0 where that is an equilibrium.

    Args:
        row: payoffs of the row player, [R, C].
        column: of the column player, likewise.
        action: the joint action (row, column).
        margin: by how much its action is better for each, whatever the other does; with 0 it is no worse.

    Raises:
        ValueError: not two matrices of finite numbers of the same shape, an action outside, a negative margin.
    """
    ours, theirs = payoffs(row=row, column=column)
    for name, index, size in zip(("row", "column"), action, ours.shape, strict=True):
        if not 0 <= index < size:
            raise ValueError(f"action: expected a {name} of 0 to {size - 1}, got {index}")
    if not 0 <= margin < np.inf:
        raise ValueError(f"margin: expected a finite number of 0 or more, got {margin}")
    r, c = action
    to_row, to_column = np.zeros_like(ours), np.zeros_like(theirs)
    to_row[r] = _missing(ours, r, margin)
    to_column[:, c] = _missing(theirs.T, c, margin)
    cost = float(to_row[r, c] + to_column[r, c])
    return Promises(to_row, to_column, (r, c), cost, float(ours[r, c] + theirs[r, c]))


def best_implementation(row: ArrayLike, column: ArrayLike, *, margin: float = 0.0) -> Promises:
    """Return the promises whose joint action has the highest welfare less cost; of several the first joint action's.

    Args:
        row, column, margin: as of :func:`implement`.

    Raises:
        ValueError: as of :func:`implement`.
    """
    ours, theirs = payoffs(row=row, column=column)
    every = [implement(ours, theirs, (r, c), margin=margin) for r, c in np.ndindex(*ours.shape)]
    return max(every, key=lambda one: one.welfare - one.cost)


def _missing(own: Floats, action: int, margin: float) -> Floats:
    """Return what an action lacks to be better than all others by the margin, by the other player's action."""
    others = np.delete(own, action, axis=0)
    if not len(others):
        return np.zeros(own.shape[1])
    missing: Floats = np.maximum(others.max(axis=0) + margin - own[action], 0.0)
    return missing
