"""State encoder: what the leader sees of one follower and of the goal types around it, as one vector."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paymaster.networks.narrow import mean_over

__all__ = ["OfferEmbedding", "StateEncoder", "UnsharedStateEncoder", "offered_goal"]


class StateEncoder(nn.Module):
    """s^k: what follower k is and does, what it was offered last, and what else there is to offer.

    A follower's features, those of the goal type it was offered last, and the mean over all goal types of
    their encoded features. Without the second part beta and the baseline could not tell a good running
    offer from a bad one: it would have to be found again in the mean. The weights are shared by all
    followers and, inside the mean, by all goal types.

    Args:
        num_bonuses: K, bonus levels per goal type.
        follower_features: F, features per follower.
        goal_features: D, features per goal type.
        hidden: width H of the result.
    """

    def __init__(self, num_bonuses: int, follower_features: int, goal_features: int, hidden: int) -> None:
        super().__init__()
        self.num_bonuses = num_bonuses
        # Half the width: this layer sees G times as many rows as the others, and its rows are averaged.
        goal_hidden = (hidden + 1) // 2
        self.goal = nn.Linear(goal_features, goal_hidden)
        self.pooled = nn.Linear(goal_hidden, hidden, bias=False)
        self.own = nn.Linear(follower_features + goal_features, hidden)

    def forward(self, follower: Tensor, goal: Tensor, previous: Tensor) -> Tensor:
        """Maps [..., N, F], [..., N, G, D] and omega_{t-1} int64 [..., N] to [..., N, H]."""
        pooled = self.pooled(mean_over(torch.relu(self.goal(goal))))
        own = torch.cat((follower, offered_goal(goal, previous, self.num_bonuses)), dim=-1)
        return torch.relu(self.own(own) + pooled)


class UnsharedStateEncoder(nn.Module):
    """s^k of a leader whose goal types share no weights: the follower's features and all goal types' side by side.

    A mean over goal types would not say which of them is near or has been refused, and heads without goal features
    would have to choose blindly. Which one was offered last, and at what bonus, is among the goal types' features.

    Args:
        num_goals: G, goal types.
        follower_features: F, features per follower.
        goal_features: D, features per goal type.
        hidden: width H of the result.
    """

    def __init__(self, num_goals: int, follower_features: int, goal_features: int, hidden: int) -> None:
        super().__init__()
        self.own = nn.Linear(follower_features + num_goals * goal_features, hidden)

    def forward(self, follower: Tensor, goal: Tensor, previous: Tensor) -> Tensor:
        """Map [..., N, F] and [..., N, G, D] to [..., N, H]; omega_{t-1} [..., N] is not needed."""
        return torch.relu(self.own(torch.cat((follower, goal.flatten(-2)), dim=-1)))


def offered_goal(goal: Tensor, previous: Tensor, num_bonuses: int) -> Tensor:
    """Features of the goal type in the offer: [..., G, D] and flat offers [...] to [..., D].

    Zeros where the offer names no goal: -1, none yet, and G K, abstaining.
    """
    num_goals = goal.shape[-2]
    kind = torch.div(previous, num_bonuses, rounding_mode="floor")
    there = kind.clamp(0, num_goals - 1)
    first = torch.arange(0, kind.numel() * num_goals, num_goals, device=kind.device)
    rows = goal.flatten(0, -2).index_select(0, there.flatten() + first)
    return rows.view(*kind.shape, -1) * (there == kind).unsqueeze(-1)


class OfferEmbedding(nn.Embedding):
    """A learned vector per offer omega_{t-1}, "no offer yet" (-1) included.

    Args:
        num_offers: O, number of offers.
        hidden: width H of the vectors.
    """

    def __init__(self, num_offers: int, hidden: int) -> None:
        super().__init__(num_offers + 1, hidden)
        # As wide as a linear layer of this width starts: the sums it enters are not drowned by it.
        nn.init.normal_(self.weight, std=hidden**-0.5)

    def forward(self, previous: Tensor) -> Tensor:
        """Maps offers int64 [...] in -1..O-1 to [..., H]."""
        if not torch.is_grad_enabled():
            return super().forward(previous + 1)
        rows: Tensor = _Rows.apply(self.weight, previous + 1)  # type: ignore[no-untyped-call]
        return rows


class _Rows(torch.autograd.Function):
    """Rows of a small table; its gradient by a product with the one-hot index, where torch's adds up row by row."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.size = len(table)
        return F.embedding(index, table)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        chosen = index.flatten() == torch.arange(ctx.size, device=index.device).unsqueeze(-1)
        return chosen.to(grad.dtype) @ grad.flatten(0, -2), None
