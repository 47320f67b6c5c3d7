"""The best strategy to commit to in a bimatrix game (Conitzer & Sandholm 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from paymaster.validation.matrices import payoffs

__all__ = ["Commitment", "best_commitment"]

_TOLERANCE = 1e-10  # of HiGHS, relative to the largest payoff; its own is 1e-7


@dataclass(frozen=True)
class Commitment:
    """What a leader commits to, and what comes of it.

    Attributes:
        value: the leader's expected payoff.
        strategy: probabilities of the leader's actions, float64 [R].
        answer: the follower's action, 0 to C - 1.
        follower_value: its expected payoff.
    """

    value: float
    strategy: NDArray[np.float64]
    answer: int
    follower_value: float


def best_commitment(leader: ArrayLike, follower: ArrayLike, *, mixed: bool = True) -> Commitment:
    """Return the strategy that a leader best commits to, before a follower that sees it answers best for itself.

    A follower to whom several answers are worth the same gives the one that the leader likes best (strong Stackelberg
    equilibrium). Mixed strategies are found by a linear program for each answer: of all strategies to which it is a
    best answer, the one that brings the leader most.

    Args:
        leader: the leader's payoffs, [R, C], by its action and the follower's.
        follower: the follower's, likewise.
        mixed: whether the leader may draw its action; else it commits to one.

    Returns:
        The commitment; of several that are worth the same the first one found. With mixed strategies the value is
        exact to about 1e-10 of the largest payoff.

    Raises:
        ValueError: not two matrices of finite numbers of the same shape.
    """
    ours, theirs = payoffs(leader=leader, follower=follower)
    found = [_towards(ours, theirs, answer) for answer in range(ours.shape[1])] if mixed else _pure(ours, theirs)
    return max((one for one in found if one is not None), key=lambda one: one.value)


def _pure(leader: NDArray[np.float64], follower: NDArray[np.float64]) -> list[Commitment | None]:
    """Return what each of the leader's actions comes to."""
    found: list[Commitment | None] = []
    for action, (ours, theirs) in enumerate(zip(leader, follower, strict=True)):
        best = np.flatnonzero(theirs == theirs.max())
        answer = int(best[ours[best].argmax()])
        strategy = np.eye(len(leader))[action]
        found.append(Commitment(float(ours[answer]), strategy, answer, float(theirs[answer])))
    return found


def _towards(leader: NDArray[np.float64], follower: NDArray[np.float64], answer: int) -> Commitment | None:
    """Return the best strategy to which that answer is a best one; None where there is none."""
    ours, theirs = leader[:, answer], follower[:, answer]
    envy = (follower - theirs[:, None]).T  # what other answers are worth to it, more than this one
    scale = max(np.abs(ours).max(), 1.0), max(np.abs(envy).max(), 1.0)
    solved = linprog(
        -ours / scale[0],
        A_ub=envy / scale[1],
        b_ub=np.zeros(len(envy)),
        A_eq=np.ones((1, len(ours))),
        b_eq=[1.0],
        bounds=(0, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE},
    )
    if not solved.success:
        return None
    strategy = np.clip(solved.x, 0, None)
    strategy /= strategy.sum()
    return Commitment(float(ours @ strategy), strategy, answer, float(theirs @ strategy))
