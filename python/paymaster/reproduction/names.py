"""Names of figures, scales and engines, for the command line; imports nothing heavy."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["FIGURE_NAMES", "OTHER_NAMES", "EngineName", "FigureName", "OtherName", "PaperName", "ScaleName"]

PaperName = Literal[
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
FIGURE_NAMES: Final[tuple[PaperName, ...]] = get_args(PaperName)
"""Figures and tables of the paper, in its order."""

OtherName = Literal[
    "leaders",
    "tuning",
    "generalisation",
    "prediction",
    "termination",
    "frozen-leader",
    "broken-contracts",
    "ten-times",
    "original",
    "larger-budget",
    "crafting",
    "ladder",
    "field",
]
OTHER_NAMES: Final[tuple[OtherName, ...]] = get_args(OtherName)
"""Measurements of ours, of the same kind."""

FigureName = PaperName | OtherName

ScaleName = Literal["smoke", "cpu", "paper"]
EngineName = Literal["local", "ray"]
