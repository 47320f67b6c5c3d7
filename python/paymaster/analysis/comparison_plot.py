"""A comparison of leaders as a picture."""

from __future__ import annotations

import os

import numpy as np

from paymaster.analysis.plain_matplotlib import BLUE, INK, plain_style, write_png  # isort: skip (before matplotlib)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paymaster.analysis.bootstrap import Estimate
from paymaster.analysis.compare import Comparison

__all__ = ["plot_comparison"]

_FAINT = "#9db8cc"


@plain_style()
def plot_comparison(comparison: Comparison, out_png: str | os.PathLike[str]) -> None:
    """Draw each task's returns, a dot a seed and their mean with its interval, and last the interquartile means.

    Raises:
        RunDirectoryError: the file cannot be written.
    """
    panels = [*comparison.tasks, None]
    size = (3.6 * len(panels) + 1.6, 0.45 * len(comparison.leaders) + 1.6)
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    places = np.arange(len(comparison.leaders))[::-1]
    for axes, task in zip(all_axes.flat, panels, strict=True):
        for place, leader in zip(places, comparison.leaders, strict=True):
            if task is None:
                seeds, estimate = comparison.scores(leader).ravel(), comparison.interquartile_mean(leader)
            else:
                seeds, estimate = comparison.returns(leader, task).mean(axis=1), comparison.mean_return(leader, task)
            axes.plot(seeds, np.full(len(seeds), place), "o", color=_FAINT, markersize=5)
            _interval(axes, estimate, place)
        unit = "" if len(comparison.tasks) == 1 or task is not None else ", share of full_information's return"
        axes.set_title("interquartile mean" if task is None else task.replace("_", " "), color=INK, fontsize=10)
        axes.set_xlabel(f"{'score' if task is None else f'{comparison.rewarded(task)} per episode'}{unit}", color=INK)
        axes.set_yticks(places, comparison.leaders, parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(-0.6, len(places) - 0.4)
    write_png(figure, out_png, metadata={"Software": None})  # no version: same numbers, same bytes


def _interval(axes: Axes, estimate: Estimate, place: int) -> None:
    axes.plot(estimate.value, place, "D", color=BLUE, markersize=5)
    if not np.isnan(estimate.low):
        axes.plot((estimate.low, estimate.high), (place, place), color=BLUE, linewidth=2)
