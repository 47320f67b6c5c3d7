"""Colours and letters. A colour always means a goal type, gold always means money; letters say the same again."""

from __future__ import annotations

import colorsys
import string
from typing import TypeAlias

__all__ = [
    "BACKGROUND",
    "CARD",
    "COIN",
    "FAINT",
    "GOALS",
    "INK",
    "LINE",
    "MUTED",
    "OBSTACLE",
    "WARNING",
    "WORTH",
    "goal_colour",
    "goal_letter",
    "mix",
]

Colour: TypeAlias = tuple[int, int, int]

# Paul Tol's "bright" scheme, which keeps apart under the common kinds of colour blindness, without its yellow (that is
# money here); the last three are from his "vibrant" and "muted" schemes.
GOALS: tuple[Colour, ...] = (
    (68, 119, 170),
    (224, 92, 108),
    (34, 136, 51),
    (170, 51, 119),
    (64, 176, 216),
    (204, 102, 34),
    (51, 34, 136),
    (122, 122, 40),
)
_GOLDEN = 0.618034  # of a turn: hues by this step never come close to those before
BACKGROUND: Colour = (255, 255, 255)
CARD: Colour = (245, 246, 248)
FAINT: Colour = (232, 234, 238)
LINE: Colour = (200, 204, 211)
MUTED: Colour = (104, 111, 123)
OBSTACLE: Colour = (138, 143, 153)
INK: Colour = (31, 36, 48)
WARNING: Colour = (178, 34, 34)
COIN: tuple[Colour, Colour] = (245, 200, 66), (150, 108, 0)  # its rim is the second
WORTH: tuple[Colour, Colour] = (214, 217, 223), (128, 134, 145)


def goal_colour(goal: int) -> Colour:
    """The colour of goal type ``goal``: beyond eight, hues that lie apart, dark and pale in turn."""
    if goal < len(GOALS):
        return GOALS[goal]
    turn = goal - len(GOALS)
    red, green, blue = colorsys.hls_to_rgb(0.08 + _GOLDEN * turn, (0.36, 0.56, 0.46)[turn % 3], 0.55)
    return round(255 * red), round(255 * green), round(255 * blue)


def goal_letter(goal: int) -> str:
    """a, b, c, ... as in the text drawings; after z come A to Z, digits and two signs."""
    return (string.ascii_letters + string.digits + "+/")[goal]


def mix(colour: Colour, share: float) -> Colour:
    """``share`` of ``colour`` over the background: what a translucent stroke would show, without an alpha channel."""
    red, green, blue = (round(share * c + (1.0 - share) * g) for c, g in zip(colour, BACKGROUND, strict=True))
    return red, green, blue
