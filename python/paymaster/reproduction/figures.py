"""All figures and tables by name: a row here for every one of the paper's experiments, and of our own."""

from __future__ import annotations

from typing import Final

from paymaster.reproduction import field, ladder, original, ours, paper
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.scales import Scale

__all__ = ["FIGURES", "figure"]

FIGURES: Final = {**paper.FIGURES, **ours.FIGURES, **original.FIGURES, **ladder.FIGURES, **field.FIGURES}
"""Name -> the figure at a scale."""


def figure(name: FigureName, scale: Scale) -> Figure:
    """The figure at that scale."""
    return FIGURES[name](scale)
