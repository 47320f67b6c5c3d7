"""Follower-specific attention: which followers matter now, and what each must know of the others."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from paymaster.networks.narrow import softmax, tanh

__all__ = ["FollowerAttention"]


class FollowerAttention(nn.Module):
    """c^k out of x^k = A(s, a-hat^k, h^k) and sum_j w^j x^j, w = softmax_j f(x^j) (paper, Sec. 4.2).

    Args:
        num_actions: A, number of primitive actions (width of a-hat); 0: there is no prediction.
        hidden: width H of s, h, x and c.
        kind: "follower-specific" learns the weights; "mean" gives every follower 1/N, as M3RL does.
    """

    def __init__(
        self, num_actions: int, hidden: int, kind: Literal["follower-specific", "mean"] = "follower-specific"
    ) -> None:
        super().__init__()
        self.blend_encoded = nn.Linear(2 * hidden, hidden)
        self.blend_predicted = nn.Linear(num_actions, hidden, bias=False) if num_actions > 0 else None
        self.score = nn.Linear(hidden, 1, bias=False) if kind == "follower-specific" else None
        self.own = nn.Linear(hidden, hidden)
        self.others = nn.Linear(hidden, hidden, bias=False)

    def forward(self, state_and_history: Tensor, predicted: Tensor | None) -> tuple[Tensor, Tensor]:
        """Attends over the followers of each game.

        Args:
            state_and_history: (s, h) side by side, [..., N, 2H].
            predicted: a-hat, probabilities [..., N, A]; None where there is no prediction.

        Returns:
            The codes c^k, [..., N, H], and the weights w^k, [..., N], which sum to 1 over the followers.
        """
        x = self.blend_encoded(state_and_history)
        if self.blend_predicted is not None:
            x = x + self.blend_predicted(predicted)
        x = torch.relu(x)
        if self.score is None:
            weights = x.new_full(x.shape[:-1], 1.0 / x.shape[-2])
        else:
            weights = softmax(self.score(x).squeeze(-1))
        summary = (weights.unsqueeze(-1) * x).sum(-2, keepdim=True)
        # Bounded: dense EBPG can push log mu of a maintained offer down without limit, and with a rectified
        # code the shared features grew until beta's logit stood at -150 and stayed there.
        return tanh(self.own(x) + self.others(summary)), weights
