"""An inspection as a picture."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import numpy as np

from paymaster.analysis.plain_matplotlib import plain_style  # isort: skip (before matplotlib)
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from paymaster.analysis.inspection import Inspection
from paymaster.storage.atomic import write_bytes

__all__ = ["plot_inspection"]

_INK, _BLUE, _ORANGE = "#2b2f33", "#1b6ca8", "#c2571a"


@plain_style()
def plot_inspection(inspection: Inspection, out_png: str | os.PathLike[str]) -> None:
    """Draws the inspection into a PNG file, which is replaced at once or not at all.

    Raises:
        RunDirectoryError: the file cannot be written.
    """
    figure = Figure(figsize=(12.0, 7.0), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    title = f"{inspection.leader} in {inspection.task}, {inspection.episodes} episodes"
    figure.suptitle(title, color=_INK, parse_math=False)
    panels: list[Callable[[Axes, Inspection], None]] = [
        _attention, _termination, _prediction, _acceptance, _lengths, _entropy,
    ]  # fmt: skip
    for axes, draw in zip(figure.subplots(2, 3).flat, panels, strict=True):
        draw(axes, inspection)
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_color(_INK)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes(out_png, buffer.getvalue())


def _attention(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("attention: weights of the followers")
    if inspection.attention is None:
        _nothing(axes)
        return
    axes.bar(np.arange(10) / 10 + 0.05, inspection.attention, width=0.09, color=_BLUE)
    axes.set(xlabel="weight", ylabel="share of followers and steps", xlim=(0, 1))


def _termination(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("termination: mean beta")
    if inspection.termination is None or inspection.termination_by_state is None:
        _nothing(axes)
        return
    _line(axes, inspection.termination, "all")
    for name, value, colour in zip(
        ("offer has run its course", "contract runs"), inspection.termination_by_state, (_ORANGE, _INK), strict=True
    ):
        if not np.isnan(value):
            axes.axhline(value, color=colour, linestyle="--", label=f"{name}: {value:.3f}")
    axes.set(xlabel="step", ylabel="beta", ylim=(0, None))
    axes.legend(frameon=False)


def _prediction(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("prediction of the followers' actions")
    if inspection.prediction_accuracy is None:
        _nothing(axes)
        return
    _line(axes, inspection.prediction_accuracy, "right")
    guess = inspection.most_frequent_action
    axes.axhline(guess, color=_ORANGE, linestyle="--", label=f"always the commonest action: {guess:.2f}")
    axes.set(xlabel="step", ylabel="share right", ylim=(0, 1))
    axes.legend(frameon=False)


def _acceptance(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("acceptance by bonus")
    levels = np.arange(1, len(inspection.acceptance) + 1)
    axes.bar(levels, np.nan_to_num(inspection.acceptance), color=_BLUE)
    axes.set(xlabel="bonus", ylabel="share of steps committed", ylim=(0, 1), xticks=levels)


def _lengths(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("options: how long an offer lasts")
    counts = inspection.option_lengths
    axes.bar(np.arange(1, len(counts) + 1), counts / counts.sum(), color=_BLUE)
    axes.set(xlabel="steps", ylabel="share of options")


def _entropy(axes: Axes, inspection: Inspection) -> None:
    axes.set_title("entropy of mu")
    if inspection.entropy is None:
        _nothing(axes)
        return
    _line(axes, inspection.entropy, "mean")
    axes.set(xlabel="step", ylabel="nats", ylim=(0, None))


def _line(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    axes.plot(np.arange(len(values)), values, color=_BLUE, label=label)


def _nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "this leader has none", ha="center", va="center", color=_INK, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
