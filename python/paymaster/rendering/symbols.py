"""The signs that all parts of a picture share: goal chips, coins, followers with their offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from paymaster.rendering.amounts import short
from paymaster.rendering.canvas import Canvas, Point
from paymaster.rendering.palette import BACKGROUND, COIN, INK, LINE, WORTH, goal_colour, goal_letter, mix
from paymaster.rendering.record import Step
from paymaster.rendering.scene import Follower

__all__ = ["chip", "coin", "coins", "draw_marks", "draw_trails", "follower_badge", "follower_body", "payment"]

_MOST_COINS = 4  # more are written as a number beside one coin


def chip(canvas: Canvas, x: float, y: float, size: float, goal: int, *, solid: bool = True, able: bool = True) -> None:
    """A goal type centred on (x, y): its letter on its colour; hollow unless ``solid``; grey unless ``able``."""
    colour = goal_colour(goal) if able else LINE
    half, radius = size / 2, 0.22 * size
    fill, ink = (colour, BACKGROUND) if solid and able else (BACKGROUND, colour)
    canvas.rectangle((x - half, y - half, size, size), fill, colour, max(1.0, 0.09 * size), radius)
    canvas.text(x, y, goal_letter(goal), 0.72 * size, ink, "mm")


def coin(canvas: Canvas, x: float, y: float, radius: float, *, worth: bool = False) -> None:
    """One unit of bonus; with ``worth`` the grey one: a unit of worth that nobody pays."""
    fill, rim = WORTH if worth else COIN
    canvas.circle(x, y, radius, fill, rim, max(0.8, 0.22 * radius))


def payment(canvas: Canvas, x: float, y: float, radius: float, amount: float) -> None:
    """A single coin that says how much was paid, where it is large enough to read."""
    coin(canvas, x, y, radius)
    text = short(amount)
    size = (1.45 if len(text) == 1 else 1.0) * radius
    if radius >= 5.5 and canvas.text_width(text, size) < 2.0 * radius:
        canvas.text(x, y, text, size, INK, "mm")


def coins(canvas: Canvas, x: float, y: float, radius: float, amount: float, *, worth: bool = False) -> None:
    """A row of coins that begins at x, centred on y. Uneven amounts are written out."""
    if amount in range(_MOST_COINS + 1):
        for i in reversed(range(int(amount))):
            coin(canvas, x + radius + 1.35 * radius * i, y, radius, worth=worth)
        return
    coin(canvas, x + radius, y, radius, worth=worth)
    canvas.text(x + 2.4 * radius, y, short(amount), 1.9 * radius, INK, "lm")


def follower_badge(canvas: Canvas, x: float, y: float, radius: float, number: int) -> None:
    """A follower without its offer: a dark disc with its number."""
    canvas.circle(x, y, radius, INK)
    if radius >= 4.5:
        canvas.text(x, y, str(number), (1.25 if number < 10 else 1.05) * radius, BACKGROUND, "mm")


def follower_body(canvas: Canvas, x: float, y: float, radius: float, follower: Follower) -> None:
    """A follower in the world: the ring's colour is the offered goal, thick once accepted and dashed if declined."""
    if follower.goal >= 0:
        colour = goal_colour(follower.goal)
        ring = max(2.0, 0.3 * radius)
        canvas.circle(x, y, radius + ring + 1.2, BACKGROUND)
        if follower.committed:
            canvas.circle(x, y, radius + ring, colour)
        else:
            canvas.dashed_circle(x, y, radius + ring, colour, max(1.4, 0.45 * ring))
        canvas.circle(x, y, radius + 0.6, BACKGROUND)
    follower_badge(canvas, x, y, radius, follower.number)


def draw_marks(
    canvas: Canvas, followers: Sequence[Follower], places: Sequence[Point], radius: float, past: Sequence[Step]
) -> None:
    """Beside each body its offer and what the last step brought."""
    for follower, (x, y) in zip(followers, places, strict=True):
        _draw_offer(canvas, x, y, radius, follower)
        if past:
            _draw_result(canvas, x, y, radius, follower.completed >= 0, float(past[-1].payment[follower.number]))


def draw_trails(
    canvas: Canvas, place: Callable[[Any], Point], past: Sequence[Step], steps: int, faintest: float, line: float
) -> None:
    """The ways of the followers in the last ``steps`` steps, the fainter the older.

    Args:
        canvas: to draw on.
        place: where on the sheet a position is.
        past: the steps so far.
        steps: how many of them are shown.
        faintest: share of the colour that the oldest way has.
        line: width.
    """
    for age, (earlier, later) in enumerate(pairwise(past[-steps:])):
        colour = mix(LINE, faintest + (1.0 - faintest) * age / steps)
        assert earlier.position is not None and later.position is not None
        for start, end in zip(earlier.position, later.position, strict=True):
            if tuple(start) != tuple(end):
                canvas.line([place(start), place(end)], colour, line)


def _draw_offer(canvas: Canvas, x: float, y: float, radius: float, follower: Follower) -> None:
    """The letter of the offered goal below right, the bonus as coins above right."""
    if follower.goal < 0:
        return
    reach = max(0.93 * radius, 0.55 * radius + 6.5)  # off the number of a small body
    size = max(12.0, radius)
    corner = reach - size / 2 - 1
    canvas.rectangle((x + corner, y + corner, size + 2, size + 2), BACKGROUND, radius=0.25 * size)
    chip(canvas, x + reach, y + reach, size, follower.goal, solid=follower.committed)
    small = max(3.6, 0.3 * radius)
    coins(canvas, x + reach - small, y - reach, small, follower.pays)


def _draw_result(canvas: Canvas, x: float, y: float, radius: float, completed: bool, paid: float) -> None:
    """Left of the body a star for a completed contract, a coin for what was paid."""
    left, size = x - 1.5 * radius, max(6.5, 0.5 * radius)
    if completed:
        canvas.star(left, y - 0.9 * radius, 1.35 * size, BACKGROUND)
        canvas.star(left, y - 0.9 * radius, 1.1 * size, INK)
    if paid > 0:
        payment(canvas, left, y + 0.55 * radius, 0.95 * size, paid)
