"""History encoder: h^k_t of each follower, a recurrent summary of (s, a^k, omega^k) up to step t."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.networks.recurrence import recur
from paymaster.networks.state_encoder import OfferEmbedding

__all__ = ["HistoryEncoder"]


class HistoryEncoder(nn.Module):
    """One GRU shared by all followers (paper, Sec. 4.2: h^k_t = (s_t', a^k_t', omega^k_t') for t' <= t).

    The follower's last action and its identity's statistics are among its features, hence in s^k; the
    leader's last offer to it comes in here.

    Args:
        num_offers: O, number of offers.
        hidden: width H of the state code, of the history and of the result.
    """

    def __init__(self, num_offers: int, hidden: int) -> None:
        super().__init__()
        self.offer = OfferEmbedding(num_offers, hidden)
        self.gru = nn.GRU(hidden, hidden)

    def forward(
        self, state: Tensor, previous: Tensor, history: Tensor, batch_sizes: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Advances the history by one step, or by all steps of whole episodes at once.

        Args:
            state: s^k, [B, N, H] for one step, [T, B, N, H] for episodes, [R, N, H] for the steps played.
            previous: omega_{t-1}, int64 [B, N], [T, B, N] or [R, N].
            history: [B, N, H], the history before the first of these steps; zeros when a game starts.
            batch_sizes: int64 [T] on the CPU, of :class:`~paymaster.algorithms.packed_steps.PackedSteps`, if these are
                such steps; then ``history`` is in the order of its episodes.

        Returns:
            The histories h^k at these steps, of the shape of ``state``, and the last one, [B, N, H]; None where
            ``batch_sizes`` are given, since those episodes are over.
        """
        seen = state + self.offer(previous)
        width = seen.shape[-1]
        if batch_sizes is None and seen.dim() > 3:
            steps, last = self.gru(seen.flatten(1, 2), history.reshape(1, -1, width))
            return steps.view(seen.shape), last.view(history.shape)
        episodes = torch.tensor([len(seen)], device="cpu") if batch_sizes is None else batch_sizes
        sequences = episodes * seen.shape[1]
        after = recur(self.gru, seen.flatten(0, 1), history.reshape(-1, width), sequences).view(seen.shape)
        return after, after if batch_sizes is None else None
