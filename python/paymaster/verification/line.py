"""A known answer as a line of the table: ours beside the exact and the published number, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paymaster.analysis.intervals import mean_ci95

__all__ = ["NEAR", "Line", "exact_line", "learned_line"]

NEAR = 0.05
"""A seed is near an exact answer if it lacks at most this share of it."""
_OF_SEEDS = 0.8  # of the seeds have to, four of five


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        answer: the game, or what else has a known answer.
        quantity: what is compared, with its unit where it has one.
        ours: as text, with an interval where it was measured over seeds or episodes.
        exact: as text.
        published: as text, with its source; "" where nobody has published it.
        verdict: "agrees" or "differs" of an exact answer; "learned" or "not learned" of a leader's, with its seeds.
        holds: whether ours is the known answer.
        learned: whether it is a leader's that was trained.
    """

    answer: str
    quantity: str
    ours: str
    exact: str
    published: str
    verdict: str
    holds: bool
    learned: bool = False


def exact_line(
    answer: str, quantity: str, ours: float, exact: float, published: str = "", *, within: float = 1e-9, digits: int = 4
) -> Line:
    """Return the line of an exact answer, which agrees where it differs by no more than ``within``."""
    holds = abs(ours - exact) <= within
    tolerance = f" ± {within:g}" if within > 1e-5 else ""
    return Line(
        answer,
        quantity,
        f"{ours:.{digits}g}",
        f"{exact:.{digits}g}{tolerance}",
        published,
        "agrees" if holds else "differs",
        holds,
    )


def learned_line(answer: str, quantity: str, ours: Sequence[float], exact: float, published: str = "") -> Line:
    """Return the line of a leader that was trained, from one number a seed; four seeds of five must come near.

    Args:
        answer, quantity, published: of :class:`Line`.
        ours: what it gains, by seed.
        exact: the most that it can.
    """
    near = sum(one >= exact - NEAR * abs(exact) for one in ours)
    holds = near >= _OF_SEEDS * len(ours)
    verdict = f"{'learned' if holds else 'not learned'}: {near} of {len(ours)} seeds within {NEAR:.0%}"
    return Line(answer, quantity, f"{mean_ci95(ours):.2f}", f"{exact:.4g}", published, verdict, holds, learned=True)
