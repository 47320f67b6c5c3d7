"""What the signs mean, and the game in three sentences."""

from __future__ import annotations

from collections.abc import Callable

from paymaster.rendering.canvas import Canvas
from paymaster.rendering.palette import BACKGROUND, INK, MUTED, goal_colour, mix
from paymaster.rendering.panel import shows_tastes
from paymaster.rendering.scene import Scene
from paymaster.rendering.symbols import chip, coin, follower_badge, payment
from paymaster.rendering.worlds import ON_GRID

__all__ = ["draw_legend", "legend_height"]

_FIRST = 34.0  # where the rules begin
_LINE, _SIZE = 18.0, 12.5  # from one to the next; of letters
_TYPES = 12  # signs of goal types

_GOALS = {
    "grid": "resources by type",
    "crafting": "materials, items",
    "navigation": "landmarks by type",
    "predator_prey": "preys by type",
    "other": "goals by type",
}


def legend_height(scene: Scene, width: float) -> float:
    """Return how high the legend is: two lines of rules, more in games that need them."""
    return _FIRST + _LINE * len(_rules(Canvas(1, 1, 1.0), scene, width)) - 4.0


def draw_legend(canvas: Canvas, x: float, y: float, width: float, scene: Scene, *, attention: bool) -> None:
    """Draws the signs in a line, then the rules."""
    entries = _entries(canvas, y + 9, scene, attention=attention)
    widths = [wide + 5 + canvas.text_width(text, 12) for wide, text, _ in entries]
    gap = min(18.0, (width - sum(widths)) / (len(entries) - 1))
    left = x
    for (wide, text, sign), used in zip(entries, widths, strict=True):
        sign(left)
        canvas.text(left + wide + 5, y + 9, text, 12, MUTED)
        left += used + gap
    for i, line in enumerate(_rules(canvas, scene, width)):
        canvas.text(x, y + _FIRST + _LINE * i, line, _SIZE, INK)


def _rules(canvas: Canvas, scene: Scene, width: float) -> list[str]:
    """The rules in lines of at most that width."""
    amounts = dict.fromkeys(f"{w:g}" for w in scene.goal_reward)
    reward = "a fixed reward" if not amounts else next(iter(amounts)) if len(amounts) == 1 else "a type's reward"
    when = {
        "completion": "when a contract is completed",
        "outcome": "when a goal of the offered type is reached, under contract or not",
    }.get(scene.parameters["payment"], "when a contract starts, whatever comes of it")
    own, there = "", "there is one to take"
    if scene.world == "other":
        own, there = ", and what the world pays it besides,", "in reach"
    leader = f"The leader gains {reward} for each completed contract{own} and pays the bonus {when}."
    others, rest = "what it prefers", f"An offer of the type that a follower prefers is always accepted while {there}."
    if scene.on_employment:
        rest = "A price of 0 is no employment: nobody accepts it."
    if scene.followers[0].utility or scene.followers[0].cost:
        others, rest = "all other work", ""
    if shows_tastes(scene):
        rest = (
            "Below a type: what reaching it is worth to the follower by itself, and what a step of its way costs (-)."
        )
    rules = (
        "Each step the leader offers every follower a goal type and a bonus. A follower accepts only if that is worth "
        f"more to it than {others}, and works on what it chose, able to complete it or not.",
        f"{leader} {rest}".rstrip(),
    )
    return [line for rule in rules for line in _broken(canvas, rule, width)]


def _broken(canvas: Canvas, text: str, width: float) -> list[str]:
    """The text in lines, broken between words."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if canvas.text_width(longer, _SIZE) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _entries(
    canvas: Canvas, y: float, scene: Scene, *, attention: bool
) -> list[tuple[float, str, Callable[[float], None]]]:
    """Width, meaning and drawing of each sign, which is centred on y and begins at x."""
    goals = min(len(scene.followers[0].skill), _TYPES)

    def answer(x: float, *, accepted: bool) -> None:
        colour = goal_colour(0)
        if accepted:
            canvas.circle(x + 9, y, 9, colour)
            canvas.circle(x + 9, y, 6, BACKGROUND)
        else:
            canvas.dashed_circle(x + 9, y, 9, colour, 1.6)
        follower_badge(canvas, x + 9, y, 5.5, 0)
        canvas.rectangle((x + 23, y - 6, 22, 12), colour if accepted else BACKGROUND, colour, 1.5, 2.5)

    def types(x: float) -> None:
        for goal in range(goals):
            chip(canvas, x + 7 + 16 * goal, y, 14, goal)

    def claim(x: float) -> None:
        canvas.rectangle((x + 2, y - 8, 16, 16), None, INK, 1.6, 3.5)
        follower_badge(canvas, x + 3, y - 7, 5, 2)

    def velocity(x: float) -> None:
        canvas.line([(x, y), (x + 14, y)], INK, 2.2)
        canvas.arrow(x, y, 0.0, 20.0, 6.0, INK)

    def shares(x: float) -> None:
        for i in range(5):
            canvas.rectangle((x + 6 * i, y - 2, 6, 5), mix(INK, 0.1 + 0.9 * i / 4))

    entries: list[tuple[float, str, Callable[[float], None]]] = [
        (16.0 * goals, _GOALS[scene.world], types),
        (45.0, "offer accepted", lambda x: answer(x, accepted=True)),
        (45.0, "offer declined", lambda x: answer(x, accepted=False)),
        (8.0, "new offer", lambda x: canvas.polygon([(x, y - 6), (x + 8, y - 6), (x, y + 3)], INK)),
        (12.0, "bonus offered", lambda x: coin(canvas, x + 6, y, 6)),
        (14.0, "paid", lambda x: payment(canvas, x + 7, y, 7, 2)),
        (12.0, "worth to it", lambda x: coin(canvas, x + 6, y, 6, worth=True)),
        (14.0, "contract completed", lambda x: canvas.star(x + 7, y, 7.5, INK)),
    ]
    if scene.world in ON_GRID:
        entries.append((18.0, "claimed by 2", claim))
    elif scene.world != "other":
        entries.append((20.0, "velocity", velocity))
    if attention:
        entries.append((30.0, "leader's attention", shares))
    return entries
