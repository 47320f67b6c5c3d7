"""History statistics of a job of several ranks: each plays with a table of its own, then all are made the same.

One table for all games, updated at every step, would need a word between ranks at every step. So this is an
approximation of it: within a batch of episodes a rank does not see what the others have learned of a follower, and the
order of their trials is lost. Counts are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster import _core
from paymaster.algorithms.process_group import Ranks
from paymaster.envs.history import Statistics

__all__ = ["MergedStatistics"]

Table = dict[str, NDArray[Any]]

_RATE = _core.HISTORY_RATE
_COUNTED = {"acceptance": "acceptance_count", "outcome": "outcome_count"}  # average -> its number of trials


class MergedStatistics:
    """The table of one rank's games, made the same on all ranks by :meth:`merge`; with one rank it stays as it is.

    Let a rank's average have gone from a to a_r in n_r trials. It is then (1 - q)^n_r a + (1 - (1 - q)^n_r) m_r, with
    rate q and m_r the mean of the trials, the later ones weighing more. The merged average is (1 - q)^n a +
    (1 - (1 - q)^n) m: it forgets as one table would after n = sum of n_r trials, and m is the mean of the m_r, weighted
    by 1 - (1 - q)^n_r. Without a new trial it stays as it is; with trials on one rank alone it is that rank's.

    ``completion``, whose trials are not counted, becomes the mean of the entries that ranks have changed, weighted by
    the contracts that each saw end with that follower and goal type, at least one.

    Args:
        statistics: of this rank's games, as it is on all ranks.
        ranks: all of whom merge together.
    """

    def __init__(self, statistics: Statistics, ranks: Ranks) -> None:
        self._statistics, self._ranks = statistics, ranks
        self._before: Table = statistics.arrays()

    def merge(self) -> None:
        """Makes the tables of all ranks the same, in one all-reduce."""
        if self._ranks.size == 1:
            return
        before = self._before
        sums = {name: torch.from_numpy(part) for name, part in _contribution(before, self._statistics.arrays()).items()}
        self._ranks.add_up(list(sums.values()))
        self._before = _merged(before, {name: part.numpy() for name, part in sums.items()})
        self._statistics.set(**self._before)


def _contribution(before: Table, after: Table) -> dict[str, NDArray[np.float64]]:
    """What one rank adds to the sums that :func:`_merged` needs."""
    parts: dict[str, NDArray[np.float64]] = {}
    for name, count in _COUNTED.items():
        trials = (after[count] - before[count]).astype(np.float64)
        kept = (1.0 - _RATE) ** trials
        parts[count] = trials
        parts[name] = after[name] - kept * before[name]  # (1 - (1 - q)^n_r) m_r
        parts[f"{name} weight"] = 1.0 - kept
    changed = after["completion"] != before["completion"]
    ended = np.maximum(parts["outcome_count"], 1.0)[..., None]
    parts["completion weight"] = np.where(changed, ended, 0.0)
    parts["completion"] = parts["completion weight"] * after["completion"]
    return parts


def _merged(before: Table, sums: dict[str, NDArray[np.float64]]) -> Table:
    merged: Table = {}
    for name, count in _COUNTED.items():
        kept = (1.0 - _RATE) ** sums[count]
        mean = _mean(sums[name], sums[f"{name} weight"])
        merged[name] = _average(np.where(sums[count] > 0, kept * before[name] + (1.0 - kept) * mean, before[name]))
        merged[count] = before[count] + np.rint(sums[count]).astype(np.int64)
    weight = sums["completion weight"]
    merged["completion"] = _average(np.where(weight > 0, _mean(sums["completion"], weight), before["completion"]))
    return merged


def _mean(total: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def _average(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """As the table keeps it; rounding may have led out of [0, 1]."""
    return np.clip(values, 0.0, 1.0).astype(np.float32)
