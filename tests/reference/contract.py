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


def decide_on_employment(
    distance: Sequence[int], preference: int, reservation: float, offered: int, price: float, squared: bool
) -> tuple[int, bool]:
    """Return the goal type that M3RL's crafter goes for (-1: none), and whether it is committed to its offer.

    It declines without an offer, at a price of 0, and if it can reach what it prefers and is offered no more than c
    (``squared``: if the price times itself is no more than c). Then it goes for what it prefers by itself.
    """
    likes = distance[preference] != NONE
    offer = price * price if squared else price
    if offered == NONE or price == 0 or (likes and offer <= reservation):
        return (preference if likes else NONE), False
    if distance[offered] == NONE:
        return NONE, False
    return offered, True


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
