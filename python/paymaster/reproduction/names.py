"""Names of figures, scales and engines, for the command line; imports nothing heavy."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["FIGURE_NAMES", "EngineName", "FigureName", "ScaleName"]

FigureName = Literal[
    "fig3",
    "fig4",
    "table1",
    "incentive",
    "sparse-vs-dense",
    "attention",
    "two-time-scale",
    "interval",
    "follower-reward",
    "number-of-followers",
]
FIGURE_NAMES: Final[tuple[FigureName, ...]] = get_args(FigureName)
"""In the paper's order."""

ScaleName = Literal["smoke", "cpu", "paper"]
EngineName = Literal["local", "ray"]
