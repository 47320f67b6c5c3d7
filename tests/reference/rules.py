"""Codes and parameters of the tasks on the grid (tasks.md, "World 1: grid"; names as in ``paymaster.make_vec``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

MOVE, TURN_LEFT, TURN_RIGHT, DIG, STOP = range(5)  # primitive actions
HEADINGS = ((-1, 0), (0, -1), (1, 0), (0, 1))  # up, left, down, right as (row, column)
NONE = -1  # "no goal", "no offer", "no claimant", "unreachable"

DEFAULT_MAP = "\n".join(["#" * 11] + ["#" + "." * 9 + "#"] * 9 + ["#" * 11])


def turned(heading: int, action: int) -> int:
    """Heading after a turn: left is +1, right is +3 (mod 4) in the order up, left, down, right."""
    return (heading + (1 if action == TURN_LEFT else 3)) % 4


@dataclass(frozen=True)
class Rules:
    """Parameters of one task; the defaults are those of `resource_collection`. ``crafting``: it is in that world."""

    num_followers: int = 4
    num_goals: int = 4
    num_bonuses: int = 2
    horizon: int = 30
    payment: str = "completion"
    followers: str = "rule"
    decision: str = "utility"
    noise: float = 0.0
    abstain: bool = False
    observe_routes: bool = False
    num_resources: int = 10
    map: str = DEFAULT_MAP
    goal_reward: float | Sequence[float] | None = None
    prices: Sequence[float] = ()
    budget: float = inf
    max_share: float = inf
    opening_sum: float = 0.0
    weight_gain: float = 1.0
    weight_welfare: float = 0.0
    weight_equality: float = 0.0
    equality: str = "gini"
    effort_cost: float = 0.0
    crafting: bool = False
    population_size: int = 40
    population_seed: int = 0
    skills_per_follower: int = 3
    preference_among_skills: bool = True
    max_reservation: int = 1
    new_preferences: bool = False

    def w(self, goal: int) -> float:
        """What the leader earns for a completed contract."""
        if self.goal_reward is None:
            return float(min(self.num_bonuses + 1, 5))
        return float(self.goal_reward[goal] if isinstance(self.goal_reward, Sequence) else self.goal_reward)

    def price(self, bonus: int) -> float:
        """What a bonus level pays."""
        return float(self.prices[bonus]) if len(self.prices) else bonus + 1.0

    @property
    def limited(self) -> bool:
        """Whether there is a budget, or a cap on the share of the revenue."""
        return isfinite(self.budget) or isfinite(self.max_share)

    @property
    def own_objective(self) -> bool:
        """Whether the leader is rewarded for more than its gain."""
        return (self.weight_gain, self.weight_welfare, self.weight_equality) != (1.0, 0.0, 0.0)


_COLLECTION = Rules()
_CRAFTING = Rules(
    num_followers=8,
    num_goals=8,
    num_bonuses=3,
    decision="employment",
    prices=(0, 1, 2),
    goal_reward=(0, 0, 0, 0, 0, 0, 10, 10),
    skills_per_follower=5,
    crafting=True,
)
_MULTI_BONUS = Rules(num_bonuses=4, max_reservation=3, payment="advance")

PRESETS: dict[str, Rules] = {
    "resource_collection": _COLLECTION,
    "multi_bonus_resource_collection": _MULTI_BONUS,
    "resource_collection_new_preferences": replace(
        _COLLECTION, skills_per_follower=1, preference_among_skills=False, new_preferences=True
    ),
    "resource_collection_one_skill": replace(_COLLECTION, skills_per_follower=1, preference_among_skills=False),
    "multi_bonus_resource_collection_one_skill": replace(
        _MULTI_BONUS, skills_per_follower=1, preference_among_skills=False
    ),
    "resource_collection_eight_types": replace(
        _COLLECTION, num_goals=8, skills_per_follower=1, preference_among_skills=False, payment="advance"
    ),
    "multi_bonus_resource_collection_effort": replace(
        _MULTI_BONUS,
        num_goals=8,
        skills_per_follower=1,
        preference_among_skills=False,
        payment="completion",
        effort_cost=0.2,
    ),
}
CRAFTING_PRESETS: dict[str, Rules] = {
    "crafting": _CRAFTING,
    "multi_bonus_crafting": replace(_CRAFTING, num_bonuses=5, prices=(0, 1, 2, 3, 4), max_reservation=3),
}
