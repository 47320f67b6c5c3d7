"""What the signs mean, and the game in three sentences."""

from __future__ import annotations

from collections.abc import Callable

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, INK, MUTED, goal_colour, mix
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, coin, follower_badge, payment

__all__ = ["LEGEND_HEIGHT", "draw_legend"]

LEGEND_HEIGHT = 66.0

_GOALS = {
    "grid": "resources by type",
    "navigation": "landmarks by type",
    "predator_prey": "preys by type",
    "other": "goals by type",
}


def draw_legend(canvas: Canvas, x: float, y: float, width: float, scene: Scene, *, attention: bool) -> None:
    """Draws two lines: the signs, then the rules."""
    entries = _entries(scene, attention=attention)
    used = sum(wide + 5 + canvas.text_width(text, 12) for _, wide, text in entries)
    gap = min(18.0, (width - used) / (len(entries) - 1))
    left = x
    for sign, wide, text in entries:
        sign(canvas, left, y + 9)
        canvas.text(left + wide + 5, y + 9, text, 12, MUTED)
        left += wide + 5 + canvas.text_width(text, 12) + gap
    reward = f"{scene.goal_reward:g}" if scene.goal_reward else "a fixed reward"
    when = "is completed" if scene.payment == "completion" else "starts, whatever comes of it"
    rules = (
        "Each step the leader offers every follower a goal type and a bonus. A follower accepts only if that is worth "
        "more to it than what it prefers, and works on what it chose, able to complete it or not.",
        f"The leader gains {reward} for each completed contract and pays the bonus when a contract {when}. "
        "An offer of the type that a follower prefers is always accepted while there is one to take.",
    )
    for i, rule in enumerate(rules):
        canvas.text(x, y + 34 + 18 * i, rule, 12.5, INK)


Sign = Callable[[Canvas, float, float], None]


def _entries(scene: Scene, *, attention: bool) -> list[tuple[Sign, float, str]]:
    entries: list[tuple[Sign, float, str]] = [
        (_goals(scene.num_goals), 16.0 * scene.num_goals, _GOALS[scene.world]),
        (_answer(accepted=True), 45.0, "offer accepted"),
        (_answer(accepted=False), 45.0, "offer declined"),
        (_event, 8.0, "new offer"),
        (_coin(worth=False), 12.0, "bonus offered"),
        (_paid, 14.0, "paid"),
        (_coin(worth=True), 12.0, "worth to it"),
        (_star, 14.0, "contract completed"),
    ]
    if scene.world == "grid":
        entries.append((_claim, 18.0, "claimed by 2"))
    elif scene.world != "other":
        entries.append((_velocity, 20.0, "velocity"))
    if attention:
        entries.append((_strip, 30.0, "leader's attention"))
    return entries


def _goals(count: int) -> Sign:
    def sign(canvas: Canvas, x: float, y: float) -> None:
        for goal in range(count):
            chip(canvas, x + 7 + 16 * goal, y, 14, goal)

    return sign


def _answer(*, accepted: bool) -> Sign:
    def sign(canvas: Canvas, x: float, y: float) -> None:
        colour = goal_colour(0)
        if accepted:
            canvas.circle(x + 9, y, 9, colour)
            canvas.circle(x + 9, y, 6, BACKGROUND)
        else:
            canvas.dashed_circle(x + 9, y, 9, colour, 1.6)
        follower_badge(canvas, x + 9, y, 5.5, 0)
        canvas.rectangle(x + 23, y - 6, 22, 12, colour if accepted else BACKGROUND, colour, 1.5, 2.5)

    return sign


def _event(canvas: Canvas, x: float, y: float) -> None:
    canvas.polygon([(x, y - 6), (x + 8, y - 6), (x, y + 3)], INK)


def _coin(*, worth: bool) -> Sign:
    def sign(canvas: Canvas, x: float, y: float) -> None:
        coin(canvas, x + 6, y, 6, worth=worth)

    return sign


def _paid(canvas: Canvas, x: float, y: float) -> None:
    payment(canvas, x + 7, y, 7, 2)


def _star(canvas: Canvas, x: float, y: float) -> None:
    canvas.star(x + 7, y, 7.5, INK)


def _strip(canvas: Canvas, x: float, y: float) -> None:
    for i in range(5):
        canvas.rectangle(x + 6 * i, y - 2, 6, 5, mix(INK, 0.1 + 0.9 * i / 4))


def _velocity(canvas: Canvas, x: float, y: float) -> None:
    canvas.line([(x, y), (x + 14, y)], INK, 2.2)
    canvas.arrow(x, y, 0.0, 20.0, 6.0, INK)


def _claim(canvas: Canvas, x: float, y: float) -> None:
    canvas.rectangle(x + 2, y - 8, 16, 16, None, INK, 1.6, 3.5)
    follower_badge(canvas, x + 3, y - 7, 5, 2)
