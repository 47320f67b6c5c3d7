"""Situations drawn as text.

'#' is wall, '.' is free, a digit is the follower of that index, a letter a, b, c, d is a resource of type
0, 1, 2, 3. Resources are numbered in reading order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from .draws import NOISE, Draws
from .rules import MOVE, NONE, STOP, TURN_LEFT, TURN_RIGHT

FACING = "^<v>"  # up, left, down, right


def stage(
    make: Callable[..., Any],
    drawing: str,
    facing: str,
    *,
    skill: Sequence[str] | None = None,
    preference: str | None = None,
    reservation: Sequence[float] | None = None,
    seed: int = 0,
    **parameters: Any,
) -> Any:
    """Return an environment of one game of `resource_collection`, reset and set to the drawing.

    Args:
        make: ``make(task, num_envs=..., ...)``, the package's or the reference's.
        drawing: the situation; follower k is identity k.
        facing: one of ^ < v > per follower.
        skill: letters of the types that each follower can complete; all by default.
        preference: each follower's preferred type, a letter; by default "d", to be left out of the drawing.
        reservation: each follower's c; 1 by default.
        seed: of the environment, for its noise.
        parameters: further parameters of `make`.
    """
    lines = drawing.split()
    cells = [(i, j, mark) for i, line in enumerate(lines) for j, mark in enumerate(line) if mark not in "#."]
    followers = sorted((mark, i, j) for i, j, mark in cells if mark.isdigit())
    resources = [(ord(mark) - ord("a"), i, j) for i, j, mark in cells if mark.isalpha()]
    n = len(followers)
    text = "\n".join("".join(mark if mark in "#." else "." for mark in line) for line in lines)
    env = make(
        "resource_collection",
        num_envs=1,
        map=text,
        num_followers=n,
        num_resources=len(resources),
        **parameters,
    )
    env.reset(seed=seed)
    env.set_state(
        identity=np.arange(n, dtype=np.int32)[None],
        skill=np.array([[[letter in s for letter in "abcd"] for s in skill or ["abcd"] * n]]),
        preference=np.array([[ord(letter) - ord("a") for letter in preference or "d" * n]], dtype=np.int32),
        reservation=np.array([reservation or [1] * n], dtype=np.float32),
        position=np.array([[(i, j) for _, i, j in followers]], dtype=np.int32),
        heading=np.array([[FACING.index(mark) for mark in facing]], dtype=np.int32),
        resource_type=np.array([[goal for goal, _, _ in resources]], dtype=np.int32),
        resource_position=np.array([[(i, j) for _, i, j in resources]], dtype=np.int32),
        resource_present=np.ones((1, len(resources)), dtype=np.bool_),
        resource_claimant=np.full((1, len(resources)), NONE, dtype=np.int32),
    )
    return env


def offers(*words: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Offers of one game, int[1, N, 2]: "a1" is type a at bonus level 1 (which pays 2); "none" is goal 4."""
    return np.array([[(4, 0) if word == "none" else ("abcd".index(word[0]), int(word[1])) for word in words]])


def seed_playing(actions: Sequence[int | None], noise: float) -> int:
    """Return a seed whose noise in step 0 of episode 0 plays these actions; None: the follower's own."""
    for seed in count():
        draws = Draws(seed, NOISE)
        played = []
        for _ in actions:
            replaced, r = draws.uniform() < noise, draws.below(4)
            played.append((MOVE, TURN_LEFT, TURN_RIGHT, STOP)[r] if replaced else None)
        if played == list(actions):
            return seed
    raise AssertionError("unreachable")
