"""Statistics over few seeds and several tasks, as Agarwal et al. (2021), "Deep RL at the Edge of the Statistical
Precipice", have them: interquartile mean, stratified bootstrap, probability of improvement.

S seeds, M tasks, R bootstrap repetitions. The tests hold all of it to the authors' `rliable`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Estimate",
    "Floats",
    "bootstrap",
    "improvement",
    "interquartile_mean",
    "mean",
    "probability_of_improvement",
]

Floats = npt.NDArray[np.float64]
REPETITIONS = 5_000


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % bootstrap interval; the ends are NaN where one seed says nothing about the spread, all of
    it where there is none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def __format__(self, spec: str) -> str:
        """``f"{estimate:.1f}"`` gives `14.2 [13.5, 14.8]`, or `14.2` alone without an interval, `-` without a value."""
        if math.isnan(self.value):
            return "-"
        value = format(self.value, spec)
        return value if math.isnan(self.low) else f"{value} [{format(self.low, spec)}, {format(self.high, spec)}]"


def mean(scores: Floats) -> Floats:
    """Of the last two axes, float [..., S, M] -> [...]."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def interquartile_mean(scores: Floats) -> Floats:
    """Mean of the middle half of all scores of the last two axes together, float [..., S, M] -> [...].

    A quarter of them, rounded down, goes at either end.
    """
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = flat.shape[-1] // 4
    return np.asarray(flat[..., cut : flat.shape[-1] - cut].mean(axis=-1))


def bootstrap(
    scores: npt.ArrayLike,
    statistic: Callable[[Floats], Floats] = mean,
    *,
    repetitions: int = REPETITIONS,
    seed: int = 0,
) -> Estimate:
    """A statistic with its percentile bootstrap interval, stratified: seeds are drawn anew within each task.

    Args:
        scores: float [S, M], or [S] of one task.
        statistic: of float [..., S, M], over the last two axes.
        repetitions: R.
        seed: of the draws; the same numbers each time.

    Raises:
        ValueError: no scores, another shape, or numbers that are not finite.
    """
    return _estimate(statistic, (_scores("scores", scores),), repetitions, seed)


def probability_of_improvement(x: Floats, y: Floats) -> Floats:
    """How likely a run of x beats one of y on a task, ties for half, mean over tasks.

    Float [..., S, M] and [..., S', M] -> [...].
    """
    a, b = x[..., :, None, :], y[..., None, :, :]
    wins = (a > b) + 0.5 * (a == b)
    return np.asarray(wins.mean(axis=(-3, -2, -1)))


def improvement(x: npt.ArrayLike, y: npt.ArrayLike, *, repetitions: int = REPETITIONS, seed: int = 0) -> Estimate:
    """:func:`probability_of_improvement` with its interval; the seeds of x and y are drawn independently.

    Raises:
        ValueError: as :func:`bootstrap`, or different numbers of tasks.
    """
    a, b = _scores("x", x), _scores("y", y)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"y: expected {a.shape[1]} tasks as in x, got {b.shape[1]}")
    return _estimate(probability_of_improvement, (a, b), repetitions, seed)


def _scores(name: str, scores: npt.ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"{name}: expected an array [seeds, tasks] that is not empty, got shape {np.shape(scores)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite numbers, got {values[~np.isfinite(values)][0]}")
    return values


def _resampled(values: Floats, repetitions: int, rng: np.random.Generator) -> Floats:
    """Float [R, S, M]."""
    rows = rng.integers(len(values), size=(repetitions, *values.shape))
    return np.take_along_axis(values[None], rows, axis=1)


def _estimate(statistic: Callable[..., Floats], samples: Sequence[Floats], repetitions: int, seed: int) -> Estimate:
    """Return the statistic of samples, whose seeds are drawn independently of each other."""
    point = float(statistic(*samples))
    if min(map(len, samples)) < 2:
        return Estimate(point)
    rng = np.random.default_rng(seed)
    drawn = statistic(*(_resampled(values, repetitions, rng) for values in samples))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(point, float(low), float(high))
