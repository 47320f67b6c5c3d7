"""A figure as a picture."""

from __future__ import annotations

import io
import math
import os
from dataclasses import astuple
from typing import Final

import numpy as np

from paymaster.analysis.plain_matplotlib import INK, plain_style  # isort: skip (before matplotlib)
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.analysis.bootstrap import bootstrap
from paymaster.reproduction.plan import Figure, Panel, Series
from paymaster.reproduction.results import Results
from paymaster.reproduction.rows import BOUND
from paymaster.reproduction.scripted_job import REFERENCES
from paymaster.storage.atomic import write_bytes

__all__ = ["draw_figure"]

# Okabe and Ito's colours, then Tol's: the colour-blind can tell them apart; markers do so in black and white.
_STYLES: Final = {
    DEFAULT_LEADER: ("#0072B2", "o"),
    "ebpg": ("#D55E00", "s"),
    "no-ebpg": ("#E69F00", "^"),
    "no-attention": ("#009E73", "v"),
    "m3rl": ("#CC79A7", "D"),
}
_COLOURS = "#56B4E9 #000000 #F0E442 #999999 #882255 #44AA99 #332288 #DDCC77 #117733 #AA4499"
_OTHERS: Final = tuple(zip(_COLOURS.split(), "PX*<>pdhH8", strict=True))
_REFERENCES: Final = dict(zip(REFERENCES, ("dotted", "dashed", "dashdot"), strict=True))
_NEAR: Final = 3.0  # so many times the best told rule's gain can be drawn with the curves
_LEAST_WIDTH, _LEGEND_ENTRY = 9.2, 1.9  # inches


@plain_style()
def draw_figure(figure: Figure, results: Results, out_png: str | os.PathLike[str]) -> None:
    """Draws all panels into a PNG file, which is replaced at once or not at all; bands and bars are 95 % intervals.

    Raises:
        RunDirectoryError: the file cannot be written.
    """
    panels = [panel for panel in figure.panels if panel.kind != "table"]
    columns = min(3 if len(panels) in (3, 6, 9) else 4, len(panels))
    rows = math.ceil(len(panels) / columns)
    width = max(4.6 * columns, _LEAST_WIDTH)
    canvas = Canvas(figsize=(width, 3.6 * rows + 0.8), dpi=120, layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.1))
    FigureCanvasAgg(canvas)
    canvas.suptitle(figure.title, color=INK)
    styles = _styles(figure)
    grid = canvas.subplots(rows, columns, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        {"curve": _curves, "bars": _bars, "line": _lines}[panel.kind](axes, panel, results, styles)
        axes.set(title=panel.title, xlabel=panel.x, ylabel=panel.y)
        axes.spines[["top", "right"]].set_visible(False)
        axes.axhline(0.0, color="#d9dde1", linewidth=0.8, zorder=0)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    named: dict[str, Artist] = {}
    for axes in grid.flat:
        handles, labels = axes.get_legend_handles_labels()
        named = {**dict(zip(labels, handles, strict=True)), **named}
    entries = min(int(width / _LEGEND_ENTRY), len(named))  # beside each other
    canvas.legend(list(named.values()), list(named), loc="outside lower center", ncols=entries, frameon=False)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", metadata={"Software": None})  # no version: same rows, same bytes
    write_bytes(out_png, buffer.getvalue())


def _styles(figure: Figure) -> dict[str, tuple[str, str]]:
    labels = dict.fromkeys(series.label for panel in figure.panels for series in panel.series)
    others = [label for label in labels if label not in _STYLES]
    return {**_STYLES, **{label: _OTHERS[i % len(_OTHERS)] for i, label in enumerate(others)}}


def _curves(axes: Axes, panel: Panel, results: Results, styles: dict[str, tuple[str, str]]) -> None:
    beside = results.references(panel.series[0].points[0][1])
    for name, line in _REFERENCES.items():
        axes.plot(
            [],
            [],
            color="#777777",
            linestyle=line,
            linewidth=1,
            label=name.replace("_", " ") if name == BOUND else name,
        )
        if beside[name] <= _NEAR * beside["told_best"]:
            axes.axhline(beside[name], color="#777777", linestyle=line, linewidth=1)
        else:  # it would flatten everything else
            about = f"upper bound: {beside[name]:.0f}"
            axes.text(
                0.98, 0.03, about, transform=axes.transAxes, ha="right", va="bottom", color="#777777", fontsize="small"
            )
    for series in panel.series:
        colour, marker = styles[series.label]
        episodes, gains = results.curve(series.points[0][1].arm)
        axes.plot(episodes, gains.mean(axis=0), color=colour, label=series.label, marker=marker, markevery=0.2)
        _, low, high = np.array([astuple(bootstrap(window)) for window in gains.T]).T
        axes.fill_between(episodes, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_ylim(
        bottom=max(axes.get_ylim()[0], -abs(beside["told_best"]))
    )  # first losses would flatten all that comes later


def _lines(axes: Axes, panel: Panel, results: Results, styles: dict[str, tuple[str, str]]) -> None:
    for series in panel.series:
        colour, marker = styles[series.label]
        places = [float(place) for place, _ in series.points]
        _errors(axes, places, series, results, colour, marker=marker)


def _bars(axes: Axes, panel: Panel, results: Results, styles: dict[str, tuple[str, str]]) -> None:
    names = [str(name) for name, _ in panel.series[0].points]
    width = 0.8 / len(panel.series)
    for i, series in enumerate(panel.series):
        places = np.arange(len(names)) + (i - (len(panel.series) - 1) / 2) * width
        values = [np.mean(results.values(reading)) for _, reading in series.points]
        colour, _ = styles[series.label]
        axes.bar(places, values, width, color=colour, label=series.label)
        _errors(axes, list(places), series, results, INK)
    axes.set_xticks(np.arange(len(names)), [name.replace(" ", "\n") for name in names])


def _errors(
    axes: Axes, places: list[float], series: Series, results: Results, colour: str, marker: str | None = None
) -> None:
    """Means with their intervals: a line with a label where there is a marker, else whiskers alone."""
    values, low, high = np.array([astuple(results.estimate(reading)) for _, reading in series.points]).T
    whiskers = np.nan_to_num(np.maximum([values - low, high - values], 0.0))
    label, line = (None, "none") if marker is None else (series.label, "-")
    axes.errorbar(places, values, whiskers, fmt=line, marker=marker, label=label, color=colour, capsize=2, elinewidth=1)
