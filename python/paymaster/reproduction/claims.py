"""What the paper claims, as numbers, and the rule by which a claim holds; written before the runs.

A claim is about a weighted sum of readings, such as A - B, which each seed gives a value: seed by seed, since runs of
one seed play the same games. **The rule**: with the 95 % interval of the mean over seeds (Student's t: a bootstrap of
five numbers comes out too narrow), the claim

- holds, if the whole interval lies on the claimed side of the threshold;
- does not hold, if none of it does;
- is undecided otherwise, and where there are fewer than two seeds or a number is missing.

A statement of the paper about several games (noises, intervals, ...) at once holds if it holds in each, does not hold
if it does not in one, and is undecided otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from paymaster.analysis.intervals import Interval, mean_ci95
from paymaster.reproduction.specs import Reading

__all__ = ["Claim", "Side", "Verdict", "interval_of", "overall", "verdict"]


Side = Literal["above", "below"]


class Verdict(str, Enum):
    """What the numbers say of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Claim:
    """A claim about one game.

    Attributes:
        statement: what the paper says, in a line.
        source: where it says it.
        method: who plays the part of the paper's method.
        regime: how the leaders are trained.
        case: the game, noise, ... it is checked in.
        quantity: the sum, in words.
        terms: (weight, reading) of the sum.
        side: of the threshold.
        threshold: in the readings' unit.
    """

    statement: str
    source: str
    method: str
    regime: str
    case: str
    quantity: str
    terms: tuple[tuple[float, Reading], ...]
    side: Side = "above"
    threshold: float = 0.0


def interval_of(values: Sequence[float]) -> Interval | None:
    """The mean over seeds with its interval; None if a value is missing (NaN) or there is none."""
    if not values or any(math.isnan(value) for value in values):
        return None
    return mean_ci95(values)


def verdict(interval: Interval | None, side: Side, threshold: float) -> Verdict:
    """The rule of this file. An end that lies on the threshold is on neither side."""
    if interval is None or math.isnan(interval.low):
        return Verdict.UNDECIDED
    above, below = interval.low > threshold, interval.high < threshold
    if not above and not below:
        return Verdict.UNDECIDED
    return Verdict.HOLDS if above == (side == "above") else Verdict.FAILS


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Of a statement about several cases."""
    every = list(verdicts)
    if Verdict.FAILS in every:
        return Verdict.FAILS
    return Verdict.HOLDS if every and all(one is Verdict.HOLDS for one in every) else Verdict.UNDECIDED
