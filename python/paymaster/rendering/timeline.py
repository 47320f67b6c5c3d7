"""The episode on a time line: a row a follower with its offers, answers, completions and payments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from paymaster.rendering.amounts import short
from paymaster.rendering.canvas import Box, Canvas
from paymaster.rendering.palette import BACKGROUND, CARD, INK, LINE, MUTED, Colour, goal_colour, goal_letter, mix
from paymaster.rendering.record import EpisodeRecord, Step
from paymaster.rendering.scene import Scene, price_of
from paymaster.rendering.symbols import coin, follower_badge, payment

__all__ = ["SUMMARIES_WIDTH", "Axis", "draw_axis", "draw_cursor", "draw_timeline", "row_height"]

SUMMARIES_WIDTH = 108.0
"""Room that a row's totals need to the right of the axis."""
_FADED = 0.35

Numbered = Sequence[tuple[int, Step]]  # steps with their numbers in the episode


@dataclass(frozen=True)
class Axis:
    """Steps across the sheet: step t, counted from 0, fills [place(t), place(t + 1)]."""

    x: float
    width: float
    horizon: int

    @property
    def cell(self) -> float:
        return self.width / self.horizon

    def place(self, step: float) -> float:
        return self.x + step * self.cell


def row_height(followers: int) -> float:
    """Units a row: smaller, the more rows there are."""
    return max(7.0, min(40.0, 232.0 / followers))


def draw_timeline(
    canvas: Canvas, axis: Axis, y: float, scene: Scene, record: EpisodeRecord, *, show_future: bool
) -> None:
    """Draws the rows, the first one's top at y; steps after the scene's are faded, or left out."""
    height = row_height(len(scene.followers))
    steps = list(enumerate(record.steps, record.start))
    past = steps[: len(record.before(scene.step))]
    for follower in scene.followers:
        k, top = follower.number, y + height * follower.number
        canvas.rectangle((axis.x, top + 0.04 * height, axis.width, 0.92 * height), CARD)
        if height >= 11 or k % 4 == 0:
            follower_badge(canvas, axis.x - 16, top + height / 2, min(9.0, max(5.0, 0.42 * height)), k)
        _draw_offers(canvas, axis, top, height, k, steps if show_future else past, scene)
        _draw_attention(canvas, axis, top, height, k, past)
        _draw_marks(canvas, axis, top, height, k, past)
        if height >= 11:
            _draw_summary(canvas, axis, top + height / 2, height, k, past)


def draw_axis(canvas: Canvas, axis: Axis, y: float) -> None:
    """Numbers of the steps, below y."""
    apart = next(d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if d * axis.cell >= 34)
    for step in range(0, axis.horizon + 1, apart):
        canvas.line([(axis.place(step), y), (axis.place(step), y + 4)], LINE)
        canvas.text(axis.place(step), y + 12, str(step), 11.5, MUTED, "mm")


def _draw_offers(canvas: Canvas, axis: Axis, top: float, height: float, k: int, steps: Numbered, scene: Scene) -> None:
    """A bar a stretch of steps with one offer and one answer; where a new offer begins, a sign and its letter."""

    def kind(numbered: tuple[int, Step]) -> tuple[int, int, bool, bool]:
        number, step = numbered
        goal, bonus = step.offer[k]
        return int(goal), int(bonus), bool(step.committed[k]), number < scene.step

    before = None
    for (goal, bonus, accepted, past), stretch in groupby(steps, kind):
        steps_of_it = list(stretch)
        numbers = [number for number, _ in steps_of_it]
        left, right = axis.place(numbers[0]), axis.place(numbers[-1] + 1)
        if goal >= 0:
            box, colour = (left, top, right - left, height), mix(goal_colour(goal), 1.0 if past else _FADED)
            _draw_bar(canvas, box, colour, accepted)
            if (goal, bonus) != before:
                ink = mix(INK, 1.0 if past else _FADED)
                sign = f"{goal_letter(goal)}{short(price_of(bonus, scene.parameters))}"
                coins = [axis.place(number + 1) - left for number, step in steps_of_it if past and step.payment[k] > 0]
                room = min(coins, default=math.inf) - 2.1 * _radius(axis, height)
                _draw_label(canvas, box, sign, ink, BACKGROUND if accepted else colour, room)
        before = goal, bonus


def _draw_bar(canvas: Canvas, box: Box, colour: Colour, accepted: bool) -> None:
    """Solid once accepted, hollow if declined."""
    x, top, width, height = box
    tall, gap = 0.76 * height, min(1.0, 0.15 * width)
    fill, outline = (colour, None) if accepted else (BACKGROUND, colour)
    line, radius = min(1.6, 0.12 * tall), min(3.0, 0.2 * tall)
    canvas.rectangle((x + gap, top + 0.1 * height, width - 2 * gap, tall), fill, outline, line, radius)


def _draw_label(canvas: Canvas, box: Box, text: str, ink: Colour, colour: Colour, room: float) -> None:
    """The sign that an offer begins here, and its text, if there is room for it; a long one also before a coin."""
    x, top, width, height = box
    right, bottom = x + min(7.0, 0.28 * height + 1), top + min(8.0, 0.3 * height)
    canvas.polygon([(x - 0.5, top - 1), (right, top - 1), (x - 0.5, bottom)], ink)
    size = min(12.0, 0.5 * height)
    if height < 13 or width < size + 4:
        return
    wide = canvas.text_width(text, size) + 6
    if wide > width or (len(text) > 2 and wide > room):
        text = text[0]
    canvas.text(x + 6, top + 0.1 * height + 0.66 * size, text, size, colour)


def _draw_attention(canvas: Canvas, axis: Axis, top: float, height: float, k: int, past: Numbered) -> None:
    """Below the bars a strip, the darker the larger the follower's share: black from twice its even share on."""
    for number, step in past:
        if step.attention is not None:
            dark = min(1.0, 0.5 * float(step.attention[k]) * len(step.attention))
            canvas.rectangle((axis.place(number), top + 0.89 * height, axis.cell, 0.1 * height), mix(INK, dark))


def _draw_marks(canvas: Canvas, axis: Axis, top: float, height: float, k: int, past: Numbered) -> None:
    """Stars for completed contracts, coins for what was paid, at the end of their step."""
    radius = _radius(axis, height)
    for number, step in past:
        right = axis.place(number + 1)
        paid = float(step.payment[k])
        if paid > 0:
            payment(canvas, right - 1.05 * radius, top + 0.64 * height, radius, paid)
        if step.completed[k] >= 0:
            x = right - (3.0 * radius if paid > 0 else 1.1 * radius)
            canvas.star(x, top + 0.64 * height, 1.45 * radius, BACKGROUND)
            canvas.star(x, top + 0.64 * height, 1.15 * radius, INK)


def _radius(axis: Axis, height: float) -> float:
    """Of a coin."""
    return min(7.0, 0.24 * height, max(3.6, 0.27 * axis.cell))


def _draw_summary(canvas: Canvas, axis: Axis, y: float, height: float, k: int, past: Numbered) -> None:
    done = sum(int(step.completed[k] >= 0) for _, step in past)
    paid = sum(float(step.payment[k]) for _, step in past)
    size = min(12.0, 0.75 * height)
    x = axis.x + axis.width + 18
    canvas.star(x, y, 0.5 * size, INK)
    canvas.text(x + 9, y, str(done), size, INK)
    coin(canvas, x + 44, y, 0.42 * size)
    canvas.text(x + 53, y, short(paid), size, INK)


def draw_cursor(canvas: Canvas, axis: Axis, step: int, bands: Sequence[tuple[float, float]]) -> None:
    """Where the episode is: a line down each band (top, bottom), a pointer on the first."""
    x = axis.place(step)
    for top, bottom in bands:
        canvas.line([(x, top), (x, bottom)], INK, 1.4)
    top = bands[0][0]
    canvas.polygon([(x - 6, top - 7), (x + 6, top - 7), (x, top)], INK)
