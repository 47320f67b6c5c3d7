"""The leader's account over the episode: gain and payments so far, on the time line's axis."""

from __future__ import annotations

from collections.abc import Sequence

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import COIN, FAINT, INK, MUTED, Colour, mix
from paymaster.rendering.record import EpisodeRecord
from paymaster.rendering.timeline import Axis

__all__ = ["draw_gain"]


def draw_gain(
    canvas: Canvas, axis: Axis, y: float, height: float, record: EpisodeRecord, now: int, *, show_future: bool
) -> None:
    """Draws both curves into a band whose top is at y; the scale is that of the whole record."""
    gain, paid = [0.0, *record.gain()], [0.0, *record.paid()]
    low, high = min(0.0, *gain), max(1.0, *gain, *paid)

    def place(value: float) -> float:
        return y + height * float((high - value) / (high - low))

    canvas.rectangle((axis.x, y - 4, axis.width, height + 8), None, FAINT, 1.0)
    canvas.line([(axis.x, place(0.0)), (axis.x + axis.width, place(0.0))], FAINT, 1.2)
    for value in sorted({0.0, low, high}):
        if value == 0.0 or abs(place(value) - place(0.0)) > 12:
            canvas.text(axis.x - 7, place(value), f"{value:g}", 11, MUTED, "rm")
    shown = max(0, min(now - record.start, len(record.steps)))
    ends = []
    for name, values, colour in (("paid", paid, COIN[1]), ("gain", gain, INK)):
        if show_future:
            _draw_steps(canvas, axis, record.start, shown, [place(v) for v in values[shown:]], mix(colour, 0.3))
        _draw_steps(canvas, axis, record.start, 0, [place(v) for v in values[: shown + 1]], colour)
        ends.append((place(values[shown]), f"{name} {values[shown]:g}", colour))
    _draw_names(canvas, axis.x + axis.width + 12, y + height, ends)


def _draw_steps(canvas: Canvas, axis: Axis, start: int, first: int, heights: Sequence[float], colour: Colour) -> None:
    """Level between steps: rewards come at their end."""
    points = []
    for i, height in enumerate(heights):
        x = axis.place(start + first + i)
        if i > 0:
            points.append((x, heights[i - 1]))
        points.append((x, height))
    if len(points) > 1:
        canvas.line(points, colour, 2.2)


def _draw_names(canvas: Canvas, x: float, bottom: float, ends: list[tuple[float, str, Colour]]) -> None:
    """Names beside the ends of the curves, pushed apart where they would meet."""
    (upper, *_), (lower, *_) = ordered = sorted(ends)
    missing = max(0.0, 15.0 - (lower - upper)) / 2
    up = max(0.0, lower + missing - bottom)
    for (y, text, colour), shift in zip(ordered, (-missing, missing), strict=True):
        canvas.text(x, y + shift - up, text, 13, colour)
