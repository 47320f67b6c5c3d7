"""The steps of whole episodes that were played, one after the other: what a learner computes on.

On the grid a good leader's games end after little more than half of the steps, and padding would cost as much as play.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paymaster.algorithms.episodes import Episodes

__all__ = ["PackedSteps"]


@dataclass(frozen=True)
class PackedSteps:
    """R steps of B episodes, those of one step t together, the longest episodes first (as torch packs sequences).

    Attributes:
        batch_sizes: int64 [T] on the CPU, how many episodes played step t; never more than the step before.
        rows: int64 [R], where each step stands in [T, B] as one row; None: all were played, in that order.
        step: int64 [R, 1], t.
        follower, goal, previous, offer, new_offer, expired, explored, follower_action: of
            :class:`~paymaster.algorithms.episodes.Episodes`, [R, N, ...].
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
    expired: Tensor
    explored: Tensor
    follower_action: Tensor
    explore: float

    @staticmethod
    def of(episodes: Episodes) -> PackedSteps:
        """The steps where ``episodes.valid``, which is true up to the end of each episode and false from there on."""
        valid = episodes.valid
        playing, games = valid.sum(1), valid.shape[1]
        batch_sizes = games_of_steps(playing)
        number = int(batch_sizes.sum())
        step = torch.repeat_interleave(playing, output_size=number)
        rows: Tensor | None = None
        if number < valid.numel():
            longest_first = valid.sum(0).argsort(descending=True, stable=True)
            first = playing.cumsum(0) - playing  # of each step's rows
            place = torch.arange(number, device=valid.device) - first[step]
            rows = step * games + longest_first[place]
        names = ("follower", "goal", "previous", "offer", "new_offer", "expired", "explored", "follower_action")
        of_steps = {name: _packed(getattr(episodes, name), rows) for name in names}
        return PackedSteps(batch_sizes, rows, step.unsqueeze(-1), **of_steps, explore=episodes.explore)

    @property
    def count(self) -> Tensor:
        """How many steps of followers were played, int64 []."""
        return torch.full((), self.previous.numel(), device=self.previous.device)

    def pack(self, values: Tensor) -> Tensor:
        """Values [T, B, ...] of these steps, [R, ...]."""
        return _packed(values, self.rows)

    def unpack(self, values: Tensor, shape: torch.Size) -> Tensor:
        """The inverse: values of these steps to [T, B, ...], ``shape`` [T, B]; 0 where nothing was played."""
        if self.rows is None:
            return values.view(*shape, *values.shape[1:])
        whole = values.new_zeros((shape.numel(), *values.shape[1:]))
        return whole.index_copy(0, self.rows, values).view(*shape, *values.shape[1:])


def games_of_steps(playing: Tensor) -> Tensor:
    """How many games play each step that any plays, int64 on the CPU, from those of all T steps, int64 [T].

    The one thing about the packing that the CPU must know: it waits for the device here, and only here.
    """
    sizes = playing.cpu()
    return sizes[sizes > 0]


def _packed(values: Tensor, rows: Tensor | None) -> Tensor:
    flat = values.flatten(0, 1)
    return flat if rows is None else flat.index_select(0, rows)
