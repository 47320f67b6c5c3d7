"""What is measured inside a trained leader, beside what it gains. A measure is named PROBE_FIELD, as its row has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from paymaster.analysis.inspection import inspect_run
from paymaster.reproduction.prediction import predict_run

__all__ = ["PROBES", "probe_of"]

_INSPECTED = 200  # episodes at most


def probe_of(measure: str) -> str | None:
    """Return the name of the probe that gives a measure; None for a measure of another kind."""
    name = measure.partition("_")[0]
    return name if name in PROBES else None


def _attention(run: Path, episodes: int) -> dict[str, float | None]:
    weights = inspect_run(run, min(episodes, _INSPECTED)).attention_by_state
    return dict(zip(("attention_ended", "attention_running"), map(_mean, weights or (None, None)), strict=True))


def _insight(run: Path, episodes: int) -> dict[str, float | None]:
    found = inspect_run(run, min(episodes, _INSPECTED))
    return {
        "insight_termination": _mean(found.termination),
        "insight_prediction": _mean(found.prediction_accuracy),
    }


PROBES: Final[dict[str, Callable[[Path, int], Mapping[str, float | None]]]] = {
    "attention": _attention,
    "insight": _insight,
    "prediction": predict_run,
}
"""Name -> measures of the leader in a run directory, from that many episodes."""


def _mean(values: ArrayLike | None) -> float | None:
    """Return the mean of those that are finite; None where there is none."""
    given = np.asarray(np.nan if values is None else values, dtype=np.float64)
    there = given[np.isfinite(given)]
    return float(there.mean()) if there.size else None
