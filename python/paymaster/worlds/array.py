"""The declaration of one of a world's own arrays, and what it may not be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Feature", "declared", "fitting"]

Feature = Literal["follower", "goal"]

_DTYPES = ("bool", "int16", "int32", "int64", "float32", "float64")
_WHOLE = np.iinfo(np.int16)
_REAL = 1e6  # the farthest from 0 that a shown number may be, unless the array says another
_MOST = 2**20  # values of a game


@dataclass(frozen=True)
class Array:
    """One of a world's own arrays, as :meth:`.World.array` declares it; ``values`` has the shape [B, ...]."""

    values: NDArray[Any]
    meaning: str
    low: float
    high: float
    shown: bool
    feature: Feature | None


def declared(
    name: str,
    games: int,
    shape: tuple[int, ...],
    dtype: str,
    meaning: str,
    low: float | None,
    high: float | None,
    *,
    shown: bool,
    feature: Feature | None,
    seats: tuple[int, int],
) -> Array:
    """Return an array of zeros, as declared.

    Args:
        name: for messages.
        games: B.
        shape, dtype, meaning, low, high, shown, feature: as of :meth:`.World.array`.
        seats: N and G.

    Raises:
        ValueError, TypeError: as of :meth:`.World.array`.
    """
    kind = _dtype(name, dtype)
    _check_shape(name, shape)
    lowest, highest = _bounds(name, kind, low, high, shown=shown)
    _check_feature(name, shape, feature, seats, shown=shown)
    if not isinstance(meaning, str):
        raise TypeError(f"{name}: expected a line of text as its meaning, got {meaning!r:.80}")
    values = np.zeros((games, *shape), kind)[...]  # a view, whose memory cannot be given back while the core reads it
    return Array(values, meaning or name.replace("_", " "), lowest, highest, bool(shown), feature)


def fitting(name: str, to: NDArray[Any], value: Any) -> None:
    """Copy ``value`` into an array of the same kind of numbers.

    Raises:
        TypeError: another kind of numbers. ValueError: another shape, or whole numbers that do not fit.
    """
    came = np.asarray(value)
    if to.dtype.kind == "i" and came.dtype.kind in "iu" and came.dtype.itemsize > to.dtype.itemsize and came.size:
        limits = np.iinfo(to.dtype)
        low, high = came.min(), came.max()
        if low < limits.min or high > limits.max:
            raise ValueError(f"{name}: expected values that fit {to.dtype}, got {low if low < limits.min else high}")
    np.copyto(to, came, casting="same_kind")


def _dtype(name: str, dtype: Any) -> np.dtype[Any]:
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if dtype is None or kind.name not in _DTYPES:
        raise ValueError(f"{name}: expected dtype {', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}, got {dtype!r:.80}")
    return kind.newbyteorder("=")


def _check_shape(name: str, shape: Any) -> None:
    fits = isinstance(shape, (tuple, list)) and len(shape) <= 2
    if not fits or not all(isinstance(length, (int, np.integer)) and length > 0 for length in shape):
        raise ValueError(f"{name}: expected a shape of at most two axes, each of 1 or more, got {shape!r:.80}")
    if math.prod(map(int, shape)) > _MOST:
        raise ValueError(f"{name}: expected at most {_MOST:,} values a game, got shape {tuple(shape)}")


def _bounds(
    name: str, kind: np.dtype[Any], low: float | None, high: float | None, *, shown: bool
) -> tuple[float, float]:
    default = {"b": (0, 1), "i": (0, _WHOLE.max), "f": (-_REAL, _REAL)}[kind.kind]
    given = tuple(d if end is None else end for end, d in zip((low, high), default, strict=True))
    if not all(isinstance(end, (int, float, np.number)) and math.isfinite(end) for end in given):
        raise ValueError(f"{name}: expected finite numbers as low and high, got {low!r:.40} and {high!r:.40}")
    lowest, highest = map(float, given)
    if not lowest <= highest:
        raise ValueError(f"{name}: expected low <= high, got {lowest:g} and {highest:g}")
    if shown and kind.kind == "i" and not (_WHOLE.min <= lowest and highest <= _WHOLE.max):
        raise ValueError(f"{name}: expected bounds within int16, which shows it, got {lowest:g} and {highest:g}")
    return lowest, highest


def _check_feature(
    name: str, shape: tuple[int, ...], feature: Feature | None, seats: tuple[int, int], *, shown: bool
) -> None:
    if feature is None:
        return
    if feature not in ("follower", "goal"):
        raise ValueError(f"{name}: expected feature 'follower' or 'goal', got {feature!r:.80}")
    if not shown:
        raise ValueError(f"{name}: expected an array that is shown for a feature, got one that is not")
    fits = tuple(shape[:1]) == seats[:1] if feature == "follower" else tuple(shape) in (seats, seats[1:])
    if not fits:
        expected = f"{seats[:1]} or ({seats[0]}, n)" if feature == "follower" else f"{seats[1:]} or {seats}"
        raise ValueError(f"{name}: expected a {feature} feature of shape {expected}, got {tuple(shape)}")
