"""The tables of the games with known answers: their parameters, and ours beside the exact and the published number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cells import table

import paymaster
from paymaster.validation.parameters import parameters_of
from paymaster.verification.learned import SCALES, jobs_of, learned_lines
from paymaster.verification.names import ANSWERS
from paymaster.verification.verify import HEAD, cells_of, exact_lines
from paymaster.worlds.games import GAMES
from paymaster.worlds.registration import class_of

STORED = Path(__file__).resolve().parents[2] / "bench" / "known_answers"  # paymaster verify --out bench/known_answers
_SHORT = 40  # characters of a value; a longer one is a list of prices, which the page describes


def games() -> list[str]:
    """Return a line for each game: its sizes, prices, what the leader is rewarded for, and parameters of its own."""
    rows = []
    for task in (task for task in paymaster.tasks() if task.name in GAMES):
        of, kind = task.parameters, class_of(task.name)
        levels = np.atleast_1d(of["prices"]).tolist()
        prices = ", ".join(f"{price:g}" for price in levels)
        if len(prices) > _SHORT:
            prices = f"{len(levels)} from {min(levels):g} to {max(levels):g}"
        world = "" if kind is None else ", ".join(f"`{name}`" for name in kind.parameters)
        welfare = f"{of['weight_welfare']:g} welfare less payments" if of["weight_welfare"] else "gain"
        rows.append(
            (
                f"`{task.name}`",
                of["num_followers"],
                of["num_goals"],
                prices,
                of["horizon"],
                f"`{of['payment']}`",
                welfare,
                world or "-",
            )
        )
    head = ("task", "followers", "goal types", "prices", "steps", "payment", "the leader's reward", "parameters")
    return table(head, rows)


def own_parameters() -> list[str]:
    """Return a line for each parameter that only one of the games has."""
    rows = []
    for name in GAMES:
        kind = class_of(name)
        for parameter in kind.parameters if kind is not None else ():
            about = parameters_of(name)[parameter]
            rows.append((f"`{name}`", f"`{parameter}`", f"`{about.default}`", about.meaning))
    return table(("task", "parameter", "default", "meaning"), rows)


def answers() -> list[str]:
    """Return all lines: exact ones computed now, learned ones from stored rows."""
    lines = exact_lines(ANSWERS)
    for scale in SCALES.values():
        lines += learned_lines(jobs_of(ANSWERS, scale), STORED)
    return table(HEAD, cells_of(lines))


TABLES = {"known games": games, "parameters of known games": own_parameters, "known answers": answers}
