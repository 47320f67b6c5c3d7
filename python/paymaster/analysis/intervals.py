"""The 95 % interval of a mean, by Student's t distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from paymaster.validation.arguments import as_array


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval.

    Attributes:
        mean: mean of the samples, in their unit.
        low: lower end; NaN when `n` is 1, since one sample says nothing about the spread.
        high: upper end; NaN when `n` is 1.
        n: number of samples.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """What stands behind the ±; NaN when `n` is 1."""
        return (self.high - self.low) / 2

    def to_json(self) -> dict[str, float | list[float | None]]:
        """`{"mean": …, "ci95": [low, high]}`; an end that is NaN becomes null, as JSON has no NaN."""
        return {"mean": self.mean, "ci95": in_json((self.low, self.high))}

    def __format__(self, spec: str) -> str:
        """`f"{interval:.1f}"` gives `14.2 ± 1.0`, or `14.2` alone when `n` is 1."""
        mean = format(self.mean, spec)
        return mean if math.isnan(self.low) else f"{mean} ± {format(self.half_width, spec)}"

    def __str__(self) -> str:
        return format(self, ".2f")


def mean_ci95(samples: npt.ArrayLike) -> Interval:
    """The mean of independent samples and its 95 % interval, mean ± t(0.975, n - 1) · s / √n.

    Args:
        samples: one number per independent sample (an episode, a seed), any shape, taken as flat.

    Returns:
        The interval; with one sample its ends are NaN, with equal samples they are the mean.

    Raises:
        ValueError: no sample, or one that is NaN or infinite, or sequences of different lengths.
        TypeError: samples that are no numbers.
    """
    given = as_array("samples", samples)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"samples: expected numbers, got dtype {given.dtype}")
    values = given.astype(np.float64).ravel()
    if values.size == 0:
        raise ValueError("samples: expected at least one number, got none")
    broken = np.flatnonzero(~np.isfinite(values))
    if broken.size:
        at = int(broken[0])
        raise ValueError(f"samples: expected finite numbers, got {values[at]} at index {at} ({broken.size} such)")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, math.nan, math.nan, 1)
    standard_error = float(values.std(ddof=1)) / math.sqrt(values.size)
    half = float(stdtrit(values.size - 1, 0.975)) * standard_error
    return Interval(mean, mean - half, mean + half, int(values.size))


def in_json(value: Any) -> Any:
    """Return a figure as JSON has it: lists in place of arrays and tuples, None in place of NaN."""
    if isinstance(value, Interval):
        return value.to_json()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [in_json(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
