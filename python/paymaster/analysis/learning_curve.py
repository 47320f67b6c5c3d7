"""The learning curve: gain, or another objective, over episodes, beside leaders that need no training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from paymaster.analysis.plain_matplotlib import INK, plain_style, write_png  # isort: skip (before matplotlib)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from paymaster.storage.metrics_file import read_metrics

_LEADER = "#1b6ca8"
_REFERENCES = ("#c2571a", "#2f7d4f", "#7a5195", "#8a6d1d", "#5b6470")
_FAINT = "#d9dde1"

Floats = npt.NDArray[np.float64]


@plain_style()
def plot_learning_curve(
    metrics: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    out_png: str | os.PathLike[str],
    references: Mapping[str, float] | None = None,
    *,
    title: str = "",
    leader: str = "trained leader",
    measure: str = "gain",
) -> None:
    """Draw the gain over the episodes into a PNG file, which is replaced at once or not at all.

    Args:
        metrics: rows with `episode` and the measure (others, and null, are passed over), or the path of a
            `metrics.jsonl` with such rows.
        out_png: the file to write.
        references: name -> the measure of leaders to compare with, drawn as dashed lines.
        title: stands above the picture; by default what it shows.
        leader: name of the curve.
        measure: what to draw: "objective" where the leader is rewarded for more than its gain.

    Raises:
        ValueError: there is no row with the measure.
        RunDirectoryError: the rows cannot be read or the picture not be written.
    """
    rows = read_metrics(metrics) if isinstance(metrics, str | os.PathLike) else metrics
    points = [(row["episode"], row[measure]) for row in rows if row.get(measure) is not None]
    if not points:
        raise ValueError(f"metrics: expected at least one row with episode and {measure}, got none")
    episodes, values = np.asarray(points, dtype=np.float64).T
    smooth = _smoothed(values)

    figure = Figure(figsize=(8.0, 4.5), dpi=160, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    axes = figure.add_subplot()
    lone = "o" if len(points) == 1 else None
    axes.plot(episodes, values, color=_LEADER, alpha=0.25, linewidth=0.8)
    axes.plot(episodes, smooth, color=_LEADER, linewidth=2.2, marker=lone, solid_capstyle="round")
    labels = [(leader, float(smooth[-1]), _LEADER)]
    for i, (name, value) in enumerate((references or {}).items()):
        color = _REFERENCES[i % len(_REFERENCES)]
        axes.axhline(value, color=color, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1.5)
        labels.append((name, float(value), color))
    _dress(axes, episodes, title or f"{measure.capitalize()} of the leader while it learns", measure)
    _label_at_the_right(axes, labels)

    write_png(figure, out_png, metadata={"Software": None})  # no version: same rows, same bytes


def _smoothed(values: Floats) -> Floats:
    """A centred mean with triangular weights over some 5 % of the run, of what there is of it at the ends."""
    reach = max(1, round(0.025 * len(values)))
    weights = 1.0 + reach - np.abs(np.arange(-reach, reach + 1))
    middle = slice(reach, reach + len(values))
    total = np.convolve(values, weights)[middle]
    return np.asarray(total / np.convolve(np.ones_like(values), weights)[middle])


def _dress(axes: Axes, episodes: Floats, title: str, measure: str) -> None:
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK, pad=12, parse_math=False)
    axes.set_xlabel("episodes", color=INK)
    axes.set_ylabel(f"{measure} per episode", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(axis="y", color=_FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.margins(y=0.06)
    if len(episodes) > 1:
        axes.set_xlim(min(0.0, episodes[0]), episodes[-1])


def _label_at_the_right(axes: Axes, labels: Sequence[tuple[str, float, str]]) -> None:
    """Name each line at its right end, moved apart where two would overlap."""
    low, high = axes.get_ylim()
    tight = {"shrinkA": 1, "shrinkB": 0}
    ordered = sorted(labels, key=lambda label: label[1])
    places = _apart([gain for _, gain, _ in ordered], gap=0.062 * (high - low))
    for (name, gain, color), place in zip(ordered, places, strict=True):
        axes.annotate(
            f"{name.replace('_', ' ')}  {gain:.1f}",
            xy=(1.0, gain),
            xytext=(1.025, place),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=9.5,
            fontweight="bold" if color == _LEADER else "normal",
            color=color,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.8, "relpos": (0, 0.5), **tight},
            annotation_clip=False,
            parse_math=False,
        )


def _apart(ascending: Sequence[float], gap: float) -> list[float]:
    """The nearest places (least squares) that keep the order and `gap`, by pooling adjacent violators."""
    blocks: list[list[float]] = []  # the mean of place - index * gap, and how many places
    for i, place in enumerate(ascending):
        blocks.append([place - i * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    return [base + i * gap for i, base in enumerate(base for base, n in blocks for _ in range(int(n)))]
