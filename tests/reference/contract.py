"""A rule-based follower's decision, and what one step did to one follower's contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .rules import NONE


def decide(
    distance: Sequence[int],
    preference: int,
    reservation: float,
    offered: int,
    price: float,
    own: Sequence[float],
    cost: Sequence[float],
) -> int:
    """Return the goal type with the highest utility, -1 if nothing reachable is worth anything.

    u(g) = c [g = preference] + own(g) + price [g = offered] - cost(g) (distance(g) + 1), over the types that can be
    reached (distance not -1).
    """
    utility: dict[int, float] = {}
    for goal in range(len(distance)):
        u = (reservation if goal == preference else 0.0) + (price if goal == offered else 0.0)
        u += own[goal] - cost[goal] * (distance[goal] + 1)
        if distance[goal] != NONE and u > 0:
            utility[goal] = u
    if not utility:
        return NONE
    best = max(utility.values())
    winners = [goal for goal in utility if utility[goal] == best]
    if len(winners) > 1 and offered in winners:
        winners.remove(offered)  # a tie goes against the offer
    return winners[0]  # then to the lowest index


@dataclass(frozen=True)
class ContractRecord:
    """What the history statistics need to know about one follower and one step.

    trial: no contract for this offer was running when the step began, and the goal could be reached.
    age: of the contract that ran in this step, counted from 0 in the step it started; -1 if none ran.
    outcome: 1 completed, 0 given up by the follower or cut off by the end of the episode, -1 neither.
    """

    identity: int
    goal: int
    bonus: int
    trial: bool
    committed: bool
    age: int
    completed: bool
    outcome: int
