"""The signs that all parts of a picture share: goal chips, coins, followers with their offer."""

from __future__ import annotations

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import (
    BACKGROUND,
    COIN,
    COIN_RIM,
    INK,
    LINE,
    WORTH,
    WORTH_RIM,
    goal_colour,
    goal_letter,
)
from paymaster.rendering.scene import Follower

__all__ = [
    "chip",
    "coin",
    "coins",
    "coins_width",
    "follower_badge",
    "follower_body",
    "offer_marks",
    "payment",
    "result",
]

_MOST_COINS = 4  # more are written as a number beside one coin


def chip(canvas: Canvas, x: float, y: float, size: float, goal: int, *, solid: bool = True, able: bool = True) -> None:
    """A goal type centred on (x, y): its letter on its colour; hollow unless ``solid``; grey unless ``able``."""
    colour = goal_colour(goal) if able else LINE
    half, radius = size / 2, 0.22 * size
    if solid and able:
        canvas.rectangle(x - half, y - half, size, size, colour, radius=radius)
        canvas.text(x, y, goal_letter(goal), 0.72 * size, BACKGROUND, "mm")
        return
    canvas.rectangle(x - half, y - half, size, size, BACKGROUND, colour, max(1.0, 0.09 * size), radius)
    canvas.text(x, y, goal_letter(goal), 0.72 * size, colour, "mm")


def coin(canvas: Canvas, x: float, y: float, radius: float, *, worth: bool = False) -> None:
    """One unit of bonus; with ``worth`` the grey one: a unit of worth that nobody pays."""
    fill, rim = (WORTH, WORTH_RIM) if worth else (COIN, COIN_RIM)
    canvas.circle(x, y, radius, fill, rim, max(0.8, 0.22 * radius))


def payment(canvas: Canvas, x: float, y: float, radius: float, amount: float) -> None:
    """A single coin that says how much was paid, where it is large enough to read."""
    coin(canvas, x, y, radius)
    if radius >= 5.5:
        text = f"{amount:g}"
        canvas.text(x, y, text, (1.45 if len(text) == 1 else 1.0) * radius, INK, "mm")


def coins(canvas: Canvas, x: float, y: float, radius: float, amount: float, *, worth: bool = False) -> float:
    """A row of coins that begins at x, centred on y; returns its width. Uneven amounts are written out."""
    count = int(amount)
    if count == amount and 0 <= count <= _MOST_COINS:
        for i in reversed(range(count)):
            coin(canvas, x + radius + 1.35 * radius * i, y, radius, worth=worth)
        return coins_width(radius, amount)
    coin(canvas, x + radius, y, radius, worth=worth)
    width = canvas.text(x + 2.4 * radius, y, f"{amount:g}", 1.9 * radius, INK, "lm")
    return 2.4 * radius + width


def coins_width(radius: float, amount: float) -> float:
    """Width of a row of at most four :func:`coins`."""
    return 2 * radius + 1.35 * radius * max(0.0, min(amount, _MOST_COINS) - 1)


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


def offer_marks(canvas: Canvas, x: float, y: float, radius: float, follower: Follower) -> None:
    """Beside a body: the letter of the offered goal below right, the bonus as coins above right."""
    if follower.goal < 0:
        return
    reach = max(0.93 * radius, 0.55 * radius + 6.5)  # off the number of a small body
    size = max(12.0, radius)
    canvas.rectangle(
        x + reach - size / 2 - 1, y + reach - size / 2 - 1, size + 2, size + 2, BACKGROUND, radius=0.25 * size
    )
    chip(canvas, x + reach, y + reach, size, follower.goal, solid=follower.committed)
    small = max(3.6, 0.3 * radius)
    coins(canvas, x + reach - small, y - reach, small, follower.bonus + 1)


def result(canvas: Canvas, x: float, y: float, radius: float, completed: bool, paid: float) -> None:
    """What the last step brought, left of a body: a star for a completed contract, a coin for what was paid."""
    left, size = x - 1.5 * radius, max(6.5, 0.5 * radius)
    if completed:
        canvas.star(left, y - 0.9 * radius, 1.35 * size, BACKGROUND)
        canvas.star(left, y - 0.9 * radius, 1.1 * size, INK)
    if paid > 0:
        payment(canvas, left, y + 0.55 * radius, 0.95 * size, paid)
