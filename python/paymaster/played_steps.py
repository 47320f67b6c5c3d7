"""The steps of whole episodes that were played, one after the other: what a learner computes on.

On the grid a good leader's games end after little more than half of the steps, and padding would cost as much as play.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paymaster.episodes import Episodes

__all__ = ["PlayedSteps"]


@dataclass(frozen=True)
class PlayedSteps:
    """R steps of B episodes, those of one step t together, the longest episodes first (as torch packs sequences).

    Attributes:
        batch_sizes: int64 [T] on the CPU, how many episodes played step t; never more than the step before.
        rows: int64 [R], where each step stands in [T, B] as one row; None: all were played, in that order.
        step: int64 [R, 1], t.
        follower, goal, previous, offer, new_offer, ended, explored, follower_action: of
            :class:`~paymaster.episodes.Episodes`, [R, N, ...].
        explore: of the episodes.
    """

    batch_sizes: Tensor
    rows: Tensor | None
    step: Tensor
    follower: Tensor
    goal: Tensor
    previous: Tensor
    offer: Tensor
    new_offer: Tensor
    ended: Tensor
    explored: Tensor
    follower_action: Tensor
    explore: float

    @staticmethod
    def of(episodes: Episodes) -> PlayedSteps:
        """The steps where ``episodes.valid``, which is true up to the end of each episode and false from there on."""
        valid = episodes.valid
        lengths = valid.sum(0)
        batch_sizes = valid.sum(1).cpu()
        batch_sizes = batch_sizes[batch_sizes > 0]
        rows = None
        step = torch.arange(len(valid), device=valid.device)[:, None].expand(valid.shape)
        if len(batch_sizes) < len(valid) or int(batch_sizes[-1]) < valid.shape[1]:
            longest_first = lengths.argsort(descending=True, stable=True)
            played = valid[:, longest_first].flatten().nonzero().squeeze(-1)
            games = valid.shape[1]
            rows = played // games * games + longest_first[played % games]
        return PlayedSteps(
            batch_sizes=batch_sizes,
            rows=rows,
            step=_packed(step, rows).unsqueeze(-1),
            follower=_packed(episodes.follower, rows),
            goal=_packed(episodes.goal, rows),
            previous=_packed(episodes.previous, rows),
            offer=_packed(episodes.offer, rows),
            new_offer=_packed(episodes.new_offer, rows),
            ended=_packed(episodes.ended, rows),
            explored=_packed(episodes.explored, rows),
            follower_action=_packed(episodes.follower_action, rows),
            explore=episodes.explore,
        )

    def pack(self, values: Tensor) -> Tensor:
        """Values [T, B, ...] of these steps, [R, ...]."""
        return _packed(values, self.rows)

    def unpack(self, values: Tensor, shape: torch.Size) -> Tensor:
        """The inverse: values [R, ...] to [T, B, ...], ``shape`` [T, B]; 0 where nothing was played."""
        whole_shape = (*shape, *values.shape[1:])
        if self.rows is None:
            return values.view(whole_shape)
        whole = values.new_zeros((shape.numel(), *values.shape[1:]))
        return whole.index_copy(0, self.rows, values).view(whole_shape)


def _packed(values: Tensor, rows: Tensor | None) -> Tensor:
    flat = values.flatten(0, 1)
    return flat if rows is None else flat.index_select(0, rows)
