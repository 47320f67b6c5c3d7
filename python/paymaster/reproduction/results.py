"""What was measured, looked up by reading and seed; and the claims decided on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.analysis.bootstrap import Estimate, bootstrap, mean
from paymaster.analysis.intervals import Interval
from paymaster.reproduction.claims import Claim, Verdict, interval_of, verdict
from paymaster.reproduction.probes import probe_of
from paymaster.reproduction.rows import read_row
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.scripted_job import REFERENCES, reference_job, scripted_job, scripted_of
from paymaster.reproduction.specs import Arm, Reading, key, train_config

__all__ = ["Decided", "Results"]

Floats = NDArray[np.float64]
_OF_TRAINING = ("learning_gain", "seconds", "memory")


@dataclass(frozen=True)
class Decided:
    """A claim and what the numbers say.

    Attributes:
        claim: which.
        interval: of its sum over seeds; None where a number is missing.
        verdict: by the rule.
    """

    claim: Claim
    interval: Interval | None
    verdict: Verdict


@dataclass(frozen=True)
class Results:
    """Rows of a directory, for S seeds at a scale.

    Attributes:
        out: the directory.
        scale: of the runs.
        seeds: S.
    """

    out: Path
    scale: Scale
    seeds: int
    _rows: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    _values: dict[Reading, list[float]] = field(default_factory=dict, repr=False)
    _estimates: dict[tuple[Reading, Callable[[Floats], Floats]], Estimate] = field(default_factory=dict, repr=False)

    def values(self, reading: Reading) -> list[float]:
        """One of each seed; NaN where there is none. Raises KeyError for a run that has not been made."""
        if reading not in self._values:
            self._values[reading] = [self._value(reading, seed) for seed in range(reading.arm.seeds_of(self.seeds))]
        return self._values[reading]

    def estimate(self, reading: Reading, statistic: Callable[[Floats], Floats] = mean) -> Estimate:
        """Over seeds, with its bootstrap interval; NaN where a number is missing."""
        if (reading, statistic) not in self._estimates:
            values = np.array(self.values(reading))
            self._estimates[reading, statistic] = (
                bootstrap(values, statistic) if np.isfinite(values).all() else Estimate()
            )
        return self._estimates[reading, statistic]

    def reference(self, reading: Reading, seed: int = 0) -> float:
        """What :func:`~paymaster.reproduction.runs.scripted_of` has in the same games with rule-based followers."""
        return float(self._load(scripted_of(reading, self.scale, seed).key)[reading.measure])

    def references(self, reading: Reading) -> dict[str, float]:
        """Return the mean gain of each of ``REFERENCES`` (scripted_job.py) in the games of a reading."""
        seeds = range(reading.arm.seeds_of(self.seeds))
        jobs = {name: [reference_job(reading, name, self.scale, seed) for seed in seeds] for name in REFERENCES}
        return {name: float(np.mean([self._load(job.key)["gain"] for job in of])) for name, of in jobs.items()}

    def shares(self, readings: Iterable[Reading]) -> Floats:
        """Readings of several games, each as a share of its reference, float [S, games]; of the seeds that all have."""
        every = list(readings)
        seeds = min(one.arm.seeds_of(self.seeds) for one in every)
        return np.array(
            [[self._value(one, seed) / self.reference(one, seed) for one in every] for seed in range(seeds)]
        )

    def curve(self, arm: Arm) -> tuple[list[int], Floats]:
        """Episodes [W] at the ends of windows, and the mean gain in each while training, float [S, W]."""
        curves = [self._row(arm, seed)["training"]["curve"] for seed in range(arm.seeds_of(self.seeds))]
        return curves[0]["episode"], np.array([curve["gain"] for curve in curves])

    def decide(self, claim: Claim) -> Decided:
        """By the rule of :mod:`paymaster.reproduction.claims`, over the seeds that all of its readings have."""
        parts = [[weight * value for value in self.values(reading)] for weight, reading in claim.terms]
        interval = interval_of([sum(of_seed) for of_seed in zip(*parts, strict=False)])
        return Decided(claim, interval, verdict(interval, claim.side, claim.threshold))

    def _value(self, reading: Reading, seed: int) -> float:
        if reading.arm.scripted:
            return float(self._load(scripted_job(reading, self.scale, seed).key)[reading.measure])
        row, probe = self._row(reading.arm, seed), probe_of(reading.measure)
        if reading.measure in _OF_TRAINING:
            value = row["training"][reading.measure]
        elif probe is not None:
            value = row[probe][reading.measure]
        else:
            value = row["evaluations"][reading.played.name][reading.measure]
        return math.nan if value is None else float(value)

    def _row(self, arm: Arm, seed: int) -> dict[str, Any]:
        return self._load(key(train_config(arm, seed, self.scale.episodes)))

    def _load(self, name: str) -> dict[str, Any]:
        if name not in self._rows:
            self._rows[name] = read_row(self.out, name)
        return self._rows[name]
