"""Two-headed baseline: what is still to come, counted in completed goals and in payments."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.networks.state_encoder import OfferEmbedding

__all__ = ["TwoHeadedBaseline"]


class TwoHeadedBaseline(nn.Module):
    """phi_g and phi_b (paper, Sec. 4.4, after M3RL): expected completions by type, payments by level.

    Knowing neither w nor the prices, it fits counts; the baseline in units of reward is
    w . phi_g - price . phi_b. It must see omega_{t-1}: on an enumerated game the gradient's cosine fell
    from 0.92-0.99 to 0.62-0.82 without.

    Args:
        num_goals: G, goal types.
        num_bonuses: K, bonus levels.
        num_offers: O, number of offers.
        hidden: width H of the code c^k.
        other_rewards: one head more, for what the leader is rewarded beside w and payments.
    """

    def __init__(
        self, num_goals: int, num_bonuses: int, num_offers: int, hidden: int, other_rewards: bool = False
    ) -> None:
        super().__init__()
        self.code = nn.Linear(hidden, hidden)
        self.offer = OfferEmbedding(num_offers, hidden)
        self.out = nn.Linear(hidden, num_goals + num_bonuses + other_rewards)

    def forward(self, code: Tensor, previous: Tensor) -> Tensor:
        """Maps c [..., N, H] and omega_{t-1} int64 [..., N] to phi_g and phi_b side by side, [..., N, G + K],
        and what else is to come with ``other_rewards``."""
        counts: Tensor = self.out(torch.relu(self.code(code) + self.offer(previous)))
        return counts
