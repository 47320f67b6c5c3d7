"""What the leader may spend: a budget of the episode, and a cap on payments as a share of the revenue."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .rules import NONE, Rules

Offer = tuple[int, int]
_ROUNDING = 1e-9  # of the amounts compared


@dataclass
class Purse:
    """The money of one game, for one step: what has been paid and earned before it, and what is reserved for whom.

    Attributes:
        paid, revenue: bonuses paid, and w of contracts completed, in the episode so far.
        reserved: follower -> its offer, whose price is reserved for it.
    """

    rules: Rules
    paid: float
    revenue: float
    reserved: dict[int, Offer]

    def fits(self, k: int, offer: Offer, *, at_once: bool) -> bool:
        """Whether an offer to follower k can be paid beside what is reserved for the others.

        Under the cap a contract that is paid when it succeeds needs what its own w does not cover; one that is paid at
        once has to be covered by the revenue so far and the opening sum.
        """
        rules, price = self.rules, self.rules.price(offer[1])
        others = [other for j, other in self.reserved.items() if j != k]
        highest = rules.price(rules.num_bonuses - 1)
        if rules.budget < inf:
            spoken_for = self.paid + sum(rules.price(bonus) for _, bonus in others)
            if spoken_for + price > rules.budget + _ROUNDING * (rules.budget + highest):
                return False
        if rules.max_share < inf:
            limit = rules.max_share * self.revenue + (rules.opening_sum if at_once else 0.0)
            spoken_for = self.paid + sum(self.uncovered(other) for other in others)
            needed = price if at_once else self.uncovered(offer)
            if spoken_for + needed > limit + _ROUNDING * highest:
                return False
        return True

    def uncovered(self, offer: Offer) -> float:
        """What a contract needs beyond the share of its own w."""
        goal, bonus = offer
        return max(0.0, self.rules.price(bonus) - self.rules.max_share * self.rules.w(goal))

    def left(self) -> tuple[float, float]:
        """What is left of the budget and under the cap beside all that is reserved; inf without that limit."""
        rules, offers = self.rules, self.reserved.values()
        budget = rules.budget - self.paid - sum(rules.price(bonus) for _, bonus in offers)
        share = inf
        if rules.max_share < inf:
            share = rules.max_share * self.revenue + rules.opening_sum - self.paid
            share -= sum(self.uncovered(offer) for offer in offers)
        return budget, share


def reservations(payment: str, offers: list[Offer], running: list[bool], completed: list[int]) -> dict[int, Offer]:
    """For whom a price is reserved after a step: running contracts that are paid when they are completed; where
    outcomes are paid, whoever has an offer that was not just paid."""
    if payment == "completion":
        return {k: offer for k, offer in enumerate(offers) if running[k]}
    if payment == "outcome":
        return {k: offer for k, offer in enumerate(offers) if offer[0] != NONE and completed[k] == NONE}
    return {}


def equality(kind: str, earned: list[float]) -> float:
    """Of the followers' rewards so far: the least of them, or 1 - Gini index (0 as long as nobody has any)."""
    if kind == "poorest":
        return min(earned)
    size = sum(abs(x) for x in earned)
    if size == 0:
        return 0.0
    return 1.0 - sum(abs(x - y) for x in earned for y in earned) / (2 * len(earned) * size)
