"""How much is run: the same figures from minutes to days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from paymaster.algorithms import FIELD, LEADERS
from paymaster.reproduction.names import ScaleName

__all__ = ["SCALES", "Scale"]


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        meaning: in a line, for the report.
        episodes: of training, a run.
        seeds: of training, 0 and up.
        evaluated: episodes of an evaluation.
        original: episodes of a run as the original had it, whose own number is 250,000.
        games: names of those that are played; None is all. A figure about others keeps its own.
        noises: of the evaluations of Table 1.
        intervals: fixed ones, in steps, beside the learned one.
        followers: numbers of learning followers.
        leaders: names of those that figures of all leaders have.
        field: names of the methods of the field that are compared.
    """

    meaning: str
    episodes: int
    seeds: int
    evaluated: int
    original: int = 25_000
    games: tuple[str, ...] | None = None
    noises: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    intervals: tuple[int, ...] = (2, 5, 10)
    followers: tuple[int, ...] = (2, 4, 8, 16)
    leaders: tuple[str, ...] = tuple(LEADERS)
    field: tuple[str, ...] = tuple(FIELD)


SCALES: Final[dict[ScaleName, Scale]] = {
    "smoke": Scale(
        "two seeds of a few episodes on two games: **it shows that the machinery works and nothing about the paper**",
        episodes=64,
        seeds=2,
        evaluated=64,
        original=16,
        games=("RC completion", "navigation advance"),
        noises=(0.0, 0.5),
        intervals=(5,),
        followers=(2, 4),
        leaders=("ebpg-expiring", "m3rl"),
        field=("ucb", "metagradient"),
    ),
    "cpu": Scale("5,000 episodes a run, a fiftieth of the paper's", episodes=5_000, seeds=5, evaluated=1_000),
    "paper": Scale(
        "250,000 episodes a run, the paper's number", episodes=250_000, seeds=5, evaluated=1_000, original=250_000
    ),
}
"""Name -> scale."""
