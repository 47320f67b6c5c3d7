"""An inspection as a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from paymaster.analysis.plain_matplotlib import BLUE, INK, plain_style, write_png  # isort: skip (before matplotlib)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from paymaster.analysis.inspection import Inspection

__all__ = ["plot_inspection"]

_ORANGE = "#c2571a"


@plain_style()
def plot_inspection(inspection: Inspection, out_png: str | os.PathLike[str]) -> None:
    """Draws the inspection into a PNG file, which is replaced at once or not at all.

    Raises:
        RunDirectoryError: the file cannot be written.
    """
    figure = Figure(figsize=(12.0, 7.0), dpi=120, layout="constrained")
    title = f"{inspection.leader} in {inspection.task}, {inspection.episodes} episodes"
    figure.suptitle(title, color=INK, parse_math=False)
    panels: list[tuple[str, NDArray[Any] | None, Callable[[Axes, NDArray[Any], Inspection], None]]] = [
        ("attention: weights of the followers", inspection.attention, _attention),
        ("termination: mean beta", inspection.termination, _termination),
        ("prediction of the followers' actions", inspection.prediction_accuracy, _prediction),
        ("acceptance by bonus", inspection.acceptance, _acceptance),
        ("options: how long an offer lasts", inspection.option_lengths, _lengths),
        ("entropy of mu", inspection.entropy, _entropy),
    ]
    for axes, (name, shown, draw) in zip(figure.subplots(2, 3).flat, panels, strict=True):
        axes.set_title(name)
        if shown is None:
            axes.text(0.5, 0.5, "this leader has none", ha="center", va="center", color=INK, transform=axes.transAxes)
            axes.set(xticks=[], yticks=[])
        else:
            draw(axes, shown, inspection)
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_color(INK)
    write_png(figure, out_png)


def _attention(axes: Axes, values: NDArray[Any], _: Inspection) -> None:
    axes.bar(np.arange(10) / 10 + 0.05, values, width=0.09, color=BLUE)
    axes.set(xlabel="weight", ylabel="share of followers and steps", xlim=(0, 1))


def _termination(axes: Axes, values: NDArray[Any], inspection: Inspection) -> None:
    _line(axes, values, "all")
    means = inspection.termination_by_state or (np.nan, np.nan)
    names = ("offer has run its course", "contract runs")
    for name, value, colour in zip(names, means, (_ORANGE, INK), strict=True):
        if not np.isnan(value):
            axes.axhline(value, color=colour, linestyle="--", label=f"{name}: {value:.3f}")
    axes.set(xlabel="step", ylabel="beta", ylim=(0, None))
    axes.legend(frameon=False)


def _prediction(axes: Axes, values: NDArray[Any], inspection: Inspection) -> None:
    _line(axes, values, "right")
    guess = inspection.most_frequent_action
    axes.axhline(guess, color=_ORANGE, linestyle="--", label=f"always the commonest action: {guess:.2f}")
    axes.set(xlabel="step", ylabel="share right", ylim=(0, 1))
    axes.legend(frameon=False)


def _acceptance(axes: Axes, values: NDArray[Any], _: Inspection) -> None:
    levels = np.arange(1, len(values) + 1)
    axes.bar(levels, np.nan_to_num(values), color=BLUE)
    axes.set(xlabel="bonus", ylabel="share of steps committed", ylim=(0, 1), xticks=levels)


def _lengths(axes: Axes, values: NDArray[Any], _: Inspection) -> None:
    axes.bar(np.arange(1, len(values) + 1), values / values.sum(), color=BLUE)
    axes.set(xlabel="steps", ylabel="share of options")


def _entropy(axes: Axes, values: NDArray[Any], _: Inspection) -> None:
    _line(axes, values, "mean")
    axes.set(xlabel="step", ylabel="nats", ylim=(0, None))


def _line(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    axes.plot(np.arange(len(values)), values, color=BLUE, label=label)
