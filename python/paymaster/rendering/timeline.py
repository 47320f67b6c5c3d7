"""The episode on a time line: a row a follower with its offers, answers, completions and payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, CARD, INK, LINE, MUTED, goal_colour, goal_letter, mix
from paymaster.rendering.record import EpisodeRecord, Step
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import coin, follower_badge, payment

__all__ = ["Axis", "draw_axis", "draw_timeline", "row_height", "summaries_width"]

_FADED = 0.35


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


def summaries_width() -> float:
    """Room that a row's totals need to the right of the axis."""
    return 108.0


def draw_timeline(
    canvas: Canvas, axis: Axis, y: float, scene: Scene, record: EpisodeRecord, *, show_future: bool
) -> None:
    """Draws the rows, the first one's top at y; steps after the scene's are faded, or left out."""
    height = row_height(len(scene.followers))
    for follower in scene.followers:
        top = y + height * follower.number
        middle = top + height / 2
        canvas.rectangle(axis.x, top + 0.04 * height, axis.width, 0.92 * height, CARD)
        if height >= 11 or follower.number % 4 == 0:
            follower_badge(canvas, axis.x - 16, middle, min(9.0, max(5.0, 0.42 * height)), follower.number)
        steps = record.steps if show_future else record.before(scene.step)
        _draw_offers(canvas, axis, top, height, follower.number, steps, record.start, scene.step)
        _draw_attention(canvas, axis, top, height, follower.number, record.before(scene.step), record.start)
        _draw_marks(canvas, axis, top, height, follower.number, steps, record.start, scene.step)
        if height >= 11:
            _draw_summary(canvas, axis, middle, height, follower.number, record.before(scene.step))


def draw_axis(canvas: Canvas, axis: Axis, y: float) -> None:
    """Numbers of the steps, below y."""
    apart = next(d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if d * axis.cell >= 34)
    for step in range(0, axis.horizon + 1, apart):
        canvas.line([(axis.place(step), y), (axis.place(step), y + 4)], LINE)
        canvas.text(axis.place(step), y + 12, str(step), 11.5, MUTED, "mm")


def _draw_offers(
    canvas: Canvas, axis: Axis, top: float, height: float, k: int, steps: Sequence[Step], start: int, now: int
) -> None:
    """A bar a stretch of steps with one offer and one answer: solid once accepted, hollow if declined."""
    first = 0
    for last in range(1, len(steps) + 1):
        if last < len(steps) and last + start != now and _same(steps[first], steps[last], k):
            continue
        goal, bonus = (int(part) for part in steps[first].offer[k])
        new = first == 0 or tuple(steps[first].offer[k]) != tuple(steps[first - 1].offer[k])
        if goal >= 0:
            share = 1.0 if first + start < now else _FADED
            left, right = axis.place(first + start), axis.place(last + start)
            accepted = bool(steps[first].committed[k])
            _draw_bar(canvas, (left, top, right - left, height), goal, accepted, share)
            if new:
                _draw_label(canvas, (left, top, right - left, height), goal, bonus, accepted, share)
        first = last


def _same(one: Step, other: Step, k: int) -> bool:
    return tuple(one.offer[k]) == tuple(other.offer[k]) and bool(one.committed[k]) == bool(other.committed[k])


def _draw_bar(canvas: Canvas, box: tuple[float, float, float, float], goal: int, accepted: bool, share: float) -> None:
    x, top, width, height = box
    y, tall, gap = top + 0.1 * height, 0.76 * height, min(1.0, 0.15 * width)
    colour = mix(goal_colour(goal), share)
    if accepted:
        canvas.rectangle(x + gap, y, width - 2 * gap, tall, colour, radius=min(3.0, 0.2 * tall))
    else:
        canvas.rectangle(
            x + gap, y, width - 2 * gap, tall, BACKGROUND, colour, min(1.6, 0.12 * tall), min(3.0, 0.2 * tall)
        )


def _draw_label(
    canvas: Canvas, box: tuple[float, float, float, float], goal: int, bonus: int, accepted: bool, share: float
) -> None:
    """The event: a new offer begins here. Its letter, if there is room for it."""
    x, top, width, height = box
    canvas.polygon(
        [(x - 0.5, top - 1), (x + min(7.0, 0.28 * height + 1), top - 1), (x - 0.5, top + min(8.0, 0.3 * height))],
        mix(INK, share),
    )
    size = min(12.0, 0.5 * height)
    if height < 13 or width < size + 4:
        return
    colour = BACKGROUND if accepted else mix(goal_colour(goal), share)
    text = f"{goal_letter(goal)}{bonus + 1}"
    if canvas.text_width(text, size) + 6 > width:
        text = text[0]
    canvas.text(x + 6, top + 0.1 * height + 0.66 * size, text, size, colour)


def _draw_attention(
    canvas: Canvas, axis: Axis, top: float, height: float, k: int, past: Sequence[Step], start: int
) -> None:
    """Below the bars a strip, the darker the larger the follower's share: black from twice its even share on."""
    for i, step in enumerate(past):
        if step.attention is not None:
            dark = min(1.0, 0.5 * float(step.attention[k]) * len(step.attention))
            left = axis.place(i + start)
            canvas.rectangle(left, top + 0.89 * height, axis.cell, 0.1 * height, mix(INK, dark))


def _draw_marks(
    canvas: Canvas, axis: Axis, top: float, height: float, k: int, steps: Sequence[Step], start: int, now: int
) -> None:
    """Stars for completed contracts, coins for what was paid, at the end of their step."""
    radius = min(7.0, 0.24 * height, max(3.6, 0.27 * axis.cell))
    for i, step in enumerate(steps):
        if i + start >= now:
            break
        right = axis.place(i + start + 1)
        paid = float(step.payment[k])
        if paid > 0:
            payment(canvas, right - 1.05 * radius, top + 0.64 * height, radius, paid)
        if step.completed[k] >= 0:
            x = right - (3.0 * radius if paid > 0 else 1.1 * radius)
            canvas.star(x, top + 0.64 * height, 1.45 * radius, BACKGROUND)
            canvas.star(x, top + 0.64 * height, 1.15 * radius, INK)


def _draw_summary(canvas: Canvas, axis: Axis, y: float, height: float, k: int, past: Sequence[Step]) -> None:
    done = sum(int(step.completed[k] >= 0) for step in past)
    paid = sum(float(step.payment[k]) for step in past)
    size = min(12.0, 0.75 * height)
    x = axis.x + axis.width + 18
    canvas.star(x, y, 0.5 * size, INK)
    canvas.text(x + 9, y, str(done), size, INK)
    coin(canvas, x + 44, y, 0.42 * size)
    canvas.text(x + 53, y, f"{paid:g}", size, INK)


def draw_cursor(canvas: Canvas, axis: Axis, step: int, bands: Sequence[tuple[float, float]]) -> None:
    """Where the episode is: a line down each band (top, bottom), a pointer on the first."""
    x = axis.place(step)
    for top, bottom in bands:
        canvas.line([(x, top), (x, bottom)], INK, 1.4)
    top = bands[0][0]
    canvas.polygon([(x - 6, top - 7), (x + 6, top - 7), (x, top)], INK)
