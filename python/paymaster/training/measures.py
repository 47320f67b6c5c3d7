"""What an update or an evaluation while training says of its episodes: means in `metrics.jsonl`."""

from __future__ import annotations

import numpy as np

from paymaster.play.episode import EpisodeTotals
from paymaster.training.config import TrainConfig

__all__ = ["MEASURES", "means_of", "measures_of", "rewarded"]

MEASURES = ("gain", "payments", "incentive", "completions", "follower_reward", "length")
"""Of every game."""


def rewarded(config: TrainConfig) -> str:
    """Return the measure that the leader is rewarded for: "gain", or "objective" where it is another one."""
    return "objective" if config.own_objective else "gain"


def measures_of(config: TrainConfig) -> tuple[str, ...]:
    """Return the names of a run's measures, what the leader is rewarded for first."""
    if not config.own_objective:
        return MEASURES
    equality = ("equality",) if config.task_parameters()["weight_equality"] != 0 else ()
    return ("objective", "welfare", *equality, *MEASURES)


def means_of(rounds: list[EpisodeTotals], episodes: int | None = None) -> dict[str, float]:
    """Return means over the first ``episodes`` of these, all by default, as they go into `metrics.jsonl`."""
    means = {}
    for name in MEASURES:
        values = np.concatenate([getattr(totals, name) for totals in rounds])[:episodes]
        means[name] = float((values.sum(axis=-1) if name == "completions" else values).mean())
    for name in rounds[0].objectives():
        means[name] = float(np.concatenate([totals.objectives()[name] for totals in rounds])[:episodes].mean())
    return means
