"""All figures and tables by name: a row here for every one of the paper's experiments, and of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from paymaster.reproduction import ours, paper
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.scales import Scale

__all__ = ["FIGURES", "figure"]

FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {
    "fig3": paper.rewards,
    "fig4": paper.final_rewards,
    "table1": paper.robustness,
    "incentive": paper.incentive,
    "sparse-vs-dense": paper.sparse_against_dense,
    "attention": paper.attention,
    "two-time-scale": paper.time_scales,
    "interval": paper.intervals,
    "follower-reward": paper.follower_rewards,
    "number-of-followers": paper.numbers_of_followers,
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
