"""M3RL's mind tracker: what each follower has seen, done and been offered in this episode, learned by imitation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from paymaster.networks.planes import CellGroups, PlaneEncoding

__all__ = ["MindTracker"]


class MindTracker(nn.Module):
    """m^k_t = LSTM of (s_t, a_{t-1}, omega_t), and the prediction of a_t from (h, m_t) (Shu & Tian 2019).

    The previous action and the offer come in as constant planes, one-hot, behind those of the state.

    Args:
        cells, cell_planes, constant_planes, channels, hidden: of :class:`.PlaneEncoding`; ``constant_planes`` of the
            state.
        num_actions: A.
        num_offers: O = G K.
    """

    def __init__(
        self,
        cells: int,
        cell_planes: int,
        constant_planes: int,
        num_actions: int,
        num_offers: int,
        channels: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.num_actions, self.num_offers = num_actions, num_offers
        constant = constant_planes + num_actions + num_offers
        self.encoding = PlaneEncoding(cells, cell_planes, constant, channels, hidden)
        self.layer = nn.Linear(hidden, hidden)
        self.lstm = nn.LSTM(hidden, hidden)
        self.head = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, num_actions))

    def constant(self, state: Tensor, action: Tensor, offer: Tensor) -> Tensor:
        """Join the constant planes of the state [R, C], the previous actions and the offers, int64 [R]."""
        seen = (F.one_hot(action, self.num_actions), F.one_hot(offer, self.num_offers))
        return torch.cat((state, *(one.to(state.dtype) for one in seen)), -1)

    def forward(
        self,
        codes: Tensor,
        constant: Tensor,
        groups: CellGroups,
        start: Tensor,
        batch_sizes: Tensor,
    ) -> Tensor:
        """Follow followers through all steps of whole episodes.

        Args:
            codes, constant, groups: of :class:`.PlaneEncoding`, with all constant planes, of R followers.
            start: (m, LSTM's memory) side by side before the first of these steps, [S, 2 H].
            batch_sizes: int64 on the CPU: how many followers there are in each step, S first, never more than in the
                step before.

        Returns:
            m after each step, [R, H].
        """
        seen = torch.relu(self.layer(self.encoding(codes, constant, groups)))
        states = tuple(part.unsqueeze(0).contiguous() for part in start.chunk(2, dim=-1))
        if bool((batch_sizes == batch_sizes[0]).all()):
            steps: Tensor = self.lstm(seen.view(-1, len(start), seen.shape[-1]), states)[0]
            return steps.flatten(0, 1)
        packed: Tensor = self.lstm(PackedSequence(seen, batch_sizes), states)[0].data
        return packed

    def predict(self, history: Tensor, mind: Tensor) -> Tensor:
        """Map (h, m) [R, H] each to logits over the follower's actions, [R, A]."""
        logits: Tensor = self.head(torch.cat((history, mind), -1))
        return logits
