"""The table of followers: who they are, what they are offered, what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from paymaster.rendering.amounts import short
from paymaster.rendering.canvas import Box, Canvas
from paymaster.rendering.palette import CARD, FAINT, INK, LINE, MUTED, WARNING, Colour, goal_letter
from paymaster.rendering.scene import Follower, Scene
from paymaster.rendering.symbols import chip, coin, coins, follower_badge

__all__ = ["draw_panel", "shows_tastes"]

_MOST_ROWS = 16  # more followers than that get the compact form, in columns
_HEADING = 40.0
_ATTENTION = 84.0
_SKILL = 29.0  # from one chip to the next
_TASTES_OF = 9  # followers, at the most, whose rows have room for utilities and costs below the types
_ALL_SKILLS = 8  # of more goal types only those are shown that a follower can complete


def shows_tastes(scene: Scene) -> bool:
    """Tell whether the table shows what each goal type is worth to followers by itself, and what their ways cost."""
    tastes = bool(scene.followers[0].utility or scene.followers[0].cost)
    return tastes and len(scene.followers) <= _TASTES_OF


def draw_panel(canvas: Canvas, box: Box, scene: Scene, attention: Sequence[float] | None) -> None:
    """Draws the table into the box (x, y, width, height); with attention, a bar for each follower's share of it."""
    if len(scene.followers) > _MOST_ROWS:
        _draw_compact(canvas, box, scene, attention)
        return
    x, y, width, height = box
    columns = _columns(len(scene.followers[0].skill), x, width, attention is not None)
    _draw_headings(canvas, columns, y)
    _draw_rewards(canvas, columns["leader offers"], x + width, y + 6, scene)
    pitch = (height - _HEADING) / max(4, len(scene.followers))
    for follower in scene.followers:
        top = y + _HEADING + pitch * follower.number
        canvas.rectangle((x, top + 0.04 * pitch, width, 0.92 * pitch), CARD, radius=min(8.0, 0.2 * pitch))
        _draw_row(canvas, columns, x + width - 8, top + pitch / 2, pitch, follower, scene)
        if attention is not None:
            full = min(1.0, 4.0 / len(scene.followers))  # what fills the bar: among many followers shares are small
            share, tall = attention[follower.number], min(16.0, 0.5 * pitch)
            _draw_share(canvas, columns["attention"], top + pitch / 2, tall, share, full)


def _columns(goals: int, x: float, width: float, attention: bool) -> dict[str, float]:
    """Left edge of each column, by its title."""
    skills = max(112.0, _SKILL * min(goals, _ALL_SKILLS) + 14.0)
    rest = width - 100.0 - skills - (_ATTENTION if attention else 0.0)
    widths = {
        "follower": 100.0,
        "can complete": skills,
        "prefers, worth": 0.28 * rest,
        "leader offers": 0.26 * rest,
        "follower answers": 0.46 * rest,
        **({"attention": _ATTENTION} if attention else {}),
    }
    return dict(zip(widths, accumulate(widths.values(), initial=x), strict=False))


def _draw_headings(canvas: Canvas, columns: dict[str, float], y: float) -> None:
    left, right = columns["can complete"], columns["leader offers"] - 14
    canvas.text((left + right) / 2, y + 5, "hidden from the leader", 11.5, MUTED, "mm")
    canvas.line([(left, y + 18), (left, y + 14), (right, y + 14), (right, y + 18)], LINE, 1.2)
    for title, x in columns.items():
        canvas.text(x + (10 if title == "follower" else 0), y + 28, title, 13, MUTED)


def _draw_rewards(canvas: Canvas, left: float, right: float, y: float, scene: Scene) -> None:
    """What a completed contract brings the leader, where that depends on its goal type: at the right end."""
    if len(set(scene.goal_reward)) < 2:
        return
    title = "leader earns"
    numbers = [short(w) for w in scene.goal_reward]
    full = canvas.text_width(title, 11.5) + sum(24.0 + canvas.text_width(number, 11.5) for number in numbers)
    scale = min(1.0, (right - left) / full)
    x = right - scale * full
    x += canvas.text(x, y, title, 11.5 * scale, MUTED)
    for goal, number in enumerate(numbers):
        chip(canvas, x + 14.0 * scale, y, 13.0 * scale, goal)
        x += 24.0 * scale + canvas.text(x + 22.5 * scale, y, number, 11.5 * scale, INK)


def _draw_row(
    canvas: Canvas,
    columns: dict[str, float],
    right: float,
    y: float,
    pitch: float,
    follower: Follower,
    scene: Scene,
) -> None:
    size, radius, left = min(26.0, 0.72 * pitch), min(17.0, 0.36 * pitch), columns["follower"]
    follower_badge(canvas, left + 12 + radius, y, radius, follower.number)
    canvas.text(left + 20 + 2 * radius, y, f"no. {follower.identity}", min(12.0, 0.42 * pitch), MUTED)
    every = len(follower.skill) <= _ALL_SKILLS
    shown = [(goal, able) for goal, able in enumerate(follower.skill) if able or every]
    pitch_of_chips = min(_SKILL, _SKILL * _ALL_SKILLS / max(1, len(shown)))
    tastes = [values for values in (follower.utility, [-c for c in follower.cost]) if values and shows_tastes(scene)]
    raised = 5.5 * len(tastes)
    for i, (goal, able) in enumerate(shown):
        side = min(size, 0.9 * pitch_of_chips)
        middle = columns["can complete"] + size / 2 + pitch_of_chips * i
        chip(canvas, middle, y - raised, side, goal, able=able)
        for line, values in enumerate(tastes):
            sign = "+" if values[goal] >= 0.005 else ""
            canvas.text(
                middle, y - raised + side / 2 + 7 + 10.5 * line, sign + short(round(values[goal], 2)), 9.0, MUTED, "mm"
            )
    _draw_value(canvas, columns["prefers, worth"], y, size, follower.preference, follower.reservation, worth=True)
    if follower.goal >= 0:
        _draw_value(canvas, columns["leader offers"], y, size, follower.goal, follower.pays)
    else:
        canvas.text(columns["leader offers"], y, "nothing", min(13.0, 0.45 * pitch), MUTED)
    left = columns["follower answers"]
    _draw_answer(canvas, left, columns.get("attention", right) - left, y, pitch, follower, scene)


def _draw_value(
    canvas: Canvas, x: float, y: float, size: float, goal: int, amount: float, *, worth: bool = False
) -> None:
    """A goal type and what it brings the follower."""
    chip(canvas, x + size / 2, y, size, goal)
    coins(canvas, x + 1.3 * size, y, 0.32 * size, amount, worth=worth)


def _draw_answer(
    canvas: Canvas, x: float, room: float, y: float, pitch: float, follower: Follower, scene: Scene
) -> None:
    head, detail, colour = _answer(follower, scene)
    if pitch < 40:
        size = min(12.5, 0.5 * pitch)
        width = canvas.text(x, y, head, size, INK) + 6
        if width + canvas.text_width(detail, 0.92 * size) > room:
            detail = detail.rpartition(", ")[2]  # the rest of it the head says, too
        canvas.text(x + width, y, detail, 0.92 * size, colour)
        return
    doing = f"it {follower.action}" if follower.action else ""
    lines = [(head, 16.0, INK), (detail, 13.0, colour), (doing, 13.0, MUTED)]
    lines = [line for line in lines if line[0]][: 3 if pitch >= 70 else 2]
    apart = min(20.0, 0.36 * pitch)
    for i, (text, size, colour) in enumerate(lines):
        canvas.text(x, y + apart * (i - 0.5 * (len(lines) - 1)), text, size, colour)


def _answer(follower: Follower, scene: Scene) -> tuple[str, str, Colour]:
    """What the follower made of its offer; why or with what result, and in which colour that is written."""
    if follower.goal < 0:
        if follower.refused:
            return "-", "offer beyond the leader's means", MUTED
        return ("", "no offer yet", MUTED) if scene.step == 0 else ("-", "no offer", MUTED)
    letter, wish, pays = goal_letter(follower.goal), goal_letter(follower.preference), follower.pays
    if follower.completed >= 0:
        gain = f", leader gains {short(scene.goal_reward[follower.completed])}" if scene.goal_reward else ""
        return f"has completed {goal_letter(follower.completed)}", f"contract fulfilled{gain}", MUTED
    if follower.committed:
        if not follower.skill[follower.goal]:
            return "accepts", f"but cannot complete {letter}!", WARNING
        return "accepts", f"under contract, step {follower.contract_age}" if follower.contract_age else "", MUTED
    if pays == 0 and scene.on_employment:
        return "declines", "a price of 0 is no employment", MUTED
    if follower.left == 0:
        return "declines", f"no {letter} left to take", MUTED
    if follower.utility or follower.cost:
        return "declines", "other work is worth more to it", MUTED
    if (scene.on_employment or follower.goal != follower.preference) and pays <= follower.reservation:
        return "declines", f"{wish} is worth {short(follower.reservation)}, {letter} pays {short(pays)}", MUTED
    return "declines", "", MUTED


def _draw_share(canvas: Canvas, x: float, y: float, height: float, share: float, full: float) -> None:
    """A share of the whole as a bar with its percentage."""
    width = 36.0
    canvas.rectangle((x, y - height / 2, width, height), FAINT, radius=2)
    canvas.rectangle((x, y - height / 2, max(1.0, width * min(1.0, share / full)), height), INK, radius=2)
    canvas.text(x + width + 5, y, f"{100 * share:.0f} %", min(12.0, 0.8 * height + 2), MUTED)


def _draw_compact(canvas: Canvas, box: Box, scene: Scene, attention: Sequence[float] | None) -> None:
    """Many followers: number, wish, offer, and whether it accepts, in as many columns as are needed."""
    x, y, width, height = box
    blocks = -(-len(scene.followers) // _MOST_ROWS)
    wide, pitch = width / blocks, (height - _HEADING) / _MOST_ROWS
    most = max(attention) if attention is not None else 0.0
    used = canvas.text(x, y + 6, "what followers prefer is hidden from the leader", 11.5, MUTED)
    _draw_rewards(canvas, x + used + 20, x + width, y + 6, scene)
    for block in range(blocks):
        left = x + block * wide
        for at, title in ((22.0, "prefers"), (0.50 * wide, "offer"), (0.77 * wide, "answer")):
            canvas.text(left + at, y + 28, title, 11.5, MUTED)
    for follower in scene.followers:
        left = x + (follower.number // _MOST_ROWS) * wide
        middle = y + _HEADING + pitch * (follower.number % _MOST_ROWS + 0.5)
        canvas.rectangle((left, middle - 0.46 * pitch, wide - 8, 0.92 * pitch), CARD, radius=5)
        follower_badge(canvas, left + 11, middle, 8.5, follower.number)
        _draw_small_value(canvas, left + 24, middle, follower.preference, follower.reservation, worth=True)
        if follower.goal >= 0:
            _draw_small_value(canvas, left + 0.50 * wide, middle, follower.goal, follower.pays)
        word, colour = _word(follower)
        canvas.text(left + 0.77 * wide, middle, word, 11.0, colour)
        if attention is not None and most > 0:
            share = attention[follower.number] / most
            canvas.rectangle((left, middle + 0.38 * pitch, max(1.0, (wide - 8) * share), 2.0), INK)


def _draw_small_value(canvas: Canvas, x: float, y: float, goal: int, amount: float, *, worth: bool = False) -> None:
    chip(canvas, x + 7, y, 14, goal)
    if amount in range(5):
        coins(canvas, x + 17, y, 4, amount, worth=worth)
        return
    coin(canvas, x + 21, y, 4, worth=worth)
    canvas.text(x + 27, y, short(amount), 10.5, INK)


def _word(follower: Follower) -> tuple[str, Colour]:
    if follower.goal < 0:
        return "-", MUTED
    if follower.completed >= 0:
        return "done", INK
    if not follower.committed:
        return "no", MUTED
    return ("yes", INK) if follower.skill[follower.goal] else ("unable", WARNING)
