"""What the field's leaders have in common: the offers they can make, how long they keep them, what each brought."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from paymaster.algorithms.advantages import head_prices, reward_counts
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process import OptionRules, held_offers
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep

__all__ = [
    "NEARNESS",
    "REACHABLE",
    "FieldLeader",
    "Menus",
    "OfferSpace",
    "decides",
    "first_best",
    "nearest_goals",
    "outcomes",
    "returns",
    "worth",
]

REACHABLE: Final = 0
"""Place among a goal type's features: 1 where the follower can reach it (``cpp/features/features.hpp``)."""
NEARNESS: Final = 1
"""Place among a goal type's features: the higher, the fewer steps away; 0 out of reach."""

_UNTIL_EXPIRED: Final = OptionRules(expiring=True)


@dataclass(frozen=True)
class OfferSpace:
    """The offers that a leader can make, and what it sees.

    Attributes:
        num_goals: G.
        num_bonuses: K.
        candidates: C, goal types that it sees of each follower, and offers; G where these are all.
        abstain: it may offer "none".
        follower_features: F.
        goal_features: D.
        goal_reward: w, float [G].
        price: float [K].
    """

    num_goals: int
    num_bonuses: int
    candidates: int
    abstain: bool
    follower_features: int
    goal_features: int
    goal_reward: Tensor
    price: Tensor

    @property
    def num_offers(self) -> int:
        """O = C K, and one more where it may abstain."""
        return self.candidates * self.num_bonuses + self.abstain

    @property
    def unit(self) -> float:
        """The highest w, or 1 where nothing is worth anything."""
        return float(self.goal_reward.max()) or 1.0


class Menus(NamedTuple):
    """What a leader remembers that has announced levels for a whole episode.

    Attributes:
        levels: of the goal types in each game, int64 [B, G]; None before the first step.
    """

    levels: Tensor | None


class FieldLeader(ABC):
    """What a leader of the field is beside how it decides and learns (:class:`~paymaster.algorithms.LeaderAlgorithm`).

    It computes on the CPU, in float64, and keeps all that it has learned in one module's buffers.

    Attributes:
        all_goals: it sees and offers every goal type, also in a game with ``near_goals``.
        learned: the module.
    """

    device = torch.device("cpu")
    all_goals = False
    learned: nn.Module

    @abstractmethod
    def initial_state(self, num_games: int, num_followers: int) -> Any:
        """Return what it remembers before the first step of B episodes."""

    @abstractmethod
    def act(
        self,
        seen: LeaderInput,
        state: Any,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""

    @abstractmethod
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learn from a batch of whole episodes; see :class:`~paymaster.algorithms.LeaderAlgorithm`."""

    def exploration_rate(self, episodes_done: int) -> float:
        """Return 1: while it trains it explores as its method says, else not at all."""
        return 1.0

    def inspect(self, episodes: Episodes) -> Insight:
        """Return that it has neither attention nor termination nor prediction."""
        return Insight(None, None, None, None)

    def modules(self) -> dict[str, nn.Module]:
        """Return what it has learned, under the name checkpoints store it by."""
        return {"leader": self.learned}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Return that it has no optimiser."""
        return {}


def decides(seen: LeaderInput | Episodes) -> Tensor:
    """Return whose offer has run its course, so that the leader decides on a new one, bool [..., N].

    Args:
        seen: a step, or whole episodes.
    """
    return held_offers(_UNTIL_EXPIRED, seen.previous, seen.expired, 0) < 0


def first_best(values: Tensor) -> Tensor:
    """Return the place of the highest of values [..., O], the first where several are, int64 [...]: argmax alone may
    return any of them."""
    return (values == values.amax(-1, keepdim=True)).int().argmax(-1)


def nearest_goals(goal: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of the goal type that each follower reaches first, int64 [..., N], and whether there is one.

    Of equally near types it is the first; of a follower that reaches none, 0.

    Args:
        goal: features, float [..., N, C, D].
    """
    near = torch.where(goal[..., REACHABLE] > 0, goal[..., NEARNESS], -1.0)
    reachable = near.amax(-1) >= 0
    return torch.where(reachable, first_best(near), 0), reachable


def worth(episodes: Episodes) -> Tensor:
    """Return what each follower brought the leader in each step, float64 [T, B, N]; 0 where nothing was played."""
    counts = reward_counts(episodes).double()
    prices: Tensor = head_prices(episodes).double()
    return counts @ prices


def returns(episodes: Episodes) -> Tensor:
    """Return what each episode brought the leader, float64 [B]."""
    brought = worth(episodes).sum((0, 2))
    if episodes.common is None:
        return brought
    shared = torch.where(episodes.valid, episodes.common, 0.0).double().sum(0)  # which every follower is credited with
    return brought - (episodes.num_followers - 1) * shared


def outcomes(episodes: Episodes) -> tuple[Tensor, Tensor]:
    """Return what each offer brought until it ended.

    Returns:
        Which steps are decisions, bool [T, B, N]; and the sum of :func:`worth` from there to the step before the next
        one, float64 [T, B, N], which means nothing elsewhere.
    """
    brought = worth(episodes)
    decided = decides(episodes) & episodes.valid.unsqueeze(-1)
    sums = torch.empty_like(brought)
    later = torch.zeros_like(brought[0])
    for step in reversed(range(len(brought))):
        sums[step] = brought[step] + later
        later = torch.where(decided[step], 0.0, sums[step])
    return decided, sums
