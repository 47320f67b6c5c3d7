"""Termination function: is the leader's offer to this follower going to change now?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.networks.state_encoder import OfferEmbedding

__all__ = ["TerminationFunction"]


class TerminationFunction(nn.Module):
    """beta^k(c^k, omega_{t-1}), the probability that the offer to follower k changes (paper, Sec. 4.1).

    Args:
        num_offers: O, number of offers.
        hidden: width H of the code c^k.
        start: the logit's bias before training; -3 starts with beta near 0.05, options that mostly run on.
    """

    def __init__(self, num_offers: int, hidden: int, start: float = 0.0) -> None:
        super().__init__()
        self.code = nn.Linear(hidden, hidden)
        self.offer = OfferEmbedding(num_offers, hidden)
        self.out = nn.Linear(hidden, 1)
        if start != 0.0:
            nn.init.constant_(self.out.bias, start)

    def forward(self, code: Tensor, previous: Tensor) -> Tensor:
        """Maps c [..., N, H] and omega_{t-1} int64 [..., N] to the logit of beta, [..., N]."""
        logits: Tensor = self.out(torch.relu(self.code(code) + self.offer(previous)))
        return logits.squeeze(-1)
