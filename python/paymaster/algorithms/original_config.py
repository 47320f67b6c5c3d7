"""What sets learning as in M3RL's released code apart from :class:`~paymaster.algorithms.EBPGConfig`, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from paymaster.validation.quantities import Share
from paymaster.validation.ranges import check_fields

__all__ = ["OriginalLearning"]

Episodes = Annotated[int, Interval(ge=0, le=10**9)]


@dataclass(frozen=True)
class OriginalLearning:
    """How a leader on planes plays and learns (Shu & Tian 2019); read by the leaders "as the original had it" alone.

    Attributes:
        see_others: cells where another follower stands are not free in a follower's planes. M3RL's code means to show
            them, and does not.
        optimizer: "rmsprop" (M3RL), or "adam" (the paper).
        clip_norm: of the whole gradient, which is scaled down to learner.max_gradient_norm: "l1" (M3RL) or "l2".
        warm_up_episodes: of training, in which payments do not count: they are left out of the advantage, and phi_b is
            taught 0. M3RL: 80,000 of 200,000 in Crafting, none in resource collection.
        exploration: "workers", M3RL's two kinds: of goals (explore_goals, explore_goals_episodes) and of bonuses
            (explore_bonuses, explore_bonuses_episodes); or "offers", the paper's: learner.explore.
        explore_goals: with this probability a follower keeps the goal of the random first offer for the whole episode,
            while its bonuses follow the policy.
        explore_goals_episodes: of each follower's own training, after which that ends. M3RL: 5,000, about 50,000 of
            training with 4 of 40; 10,000 in Crafting.
        explore_bonuses: with this probability all bonuses of a step are uniform; falls linearly to 0 over
            explore_bonuses_episodes.
        explore_bonuses_episodes: of training, at the end of which explore_bonuses has fallen to 0.
    """

    see_others: bool = False
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    clip_norm: Literal["l1", "l2"] = "l1"
    warm_up_episodes: Episodes = 0
    exploration: Literal["workers", "offers"] = "workers"
    explore_goals: Share = 0.1
    explore_goals_episodes: Episodes = 5_000
    explore_bonuses: Share = 0.1
    explore_bonuses_episodes: Episodes = 100_000

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
