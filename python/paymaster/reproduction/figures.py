"""All figures and tables by name: a row here for every one of the paper's experiments, and of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from paymaster.reproduction import learning, ours, rule_based
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.scales import Scale

__all__ = ["FIGURES", "figure"]

FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {
    "fig3": rule_based.rewards,
    "fig4": learning.final_rewards,
    "table1": rule_based.robustness,
    "incentive": rule_based.incentive,
    "sparse-vs-dense": rule_based.sparse_against_dense,
    "attention": rule_based.attention,
    "two-time-scale": learning.time_scales,
    "interval": rule_based.intervals,
    "follower-reward": learning.follower_rewards,
    "number-of-followers": learning.numbers_of_followers,
    "leaders": ours.leaders,
    "tuning": ours.tuning,
    "generalisation": ours.generalisation,
    "prediction": ours.prediction,
    "termination": ours.termination,
    "frozen-leader": ours.frozen_leader,
    "ten-times": ours.ten_times,
}
"""Name -> the figure at a scale."""


def figure(name: FigureName, scale: Scale) -> Figure:
    """The figure at that scale."""
    return FIGURES[name](scale)
