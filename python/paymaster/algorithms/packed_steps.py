"""The steps of whole episodes that were played, one after the other: what a learner computes on.

On the grid a good leader's games end after little more than half of the steps, and padding would cost as much as play.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from paymaster.algorithms.episodes import Episodes

__all__ = ["PackedSteps"]


@dataclass(frozen=True)
class PackedSteps:
    """R steps of B episodes, those of one step t together, the longest episodes first (as torch packs sequences).

    Episodes of S seeds, which learn side by side, are packed each for itself into arrays [S, R, N, ...]. At step t each
    has as many rows as the seed with the most episodes that long, so some rows hold steps that were not played: in them
    nothing is a new offer, and they do not count in :meth:`mean` and :meth:`total`.

    Attributes:
        batch_sizes: int64 [T] on the CPU, how many episodes played step t; never more than the step before.
        rows: int64 [R] or [S, R], where each step stands in [T, B] as one row; None: all were played, in that order.
        played: bool [S, R, 1], which rows count; None: all of them.
        step: int64 [R, 1], t.
        follower, goal, previous, offer, new_offer, expired, explored, follower_action: of
            :class:`~paymaster.algorithms.episodes.Episodes`, [R, N, ...] or [S, R, N, ...].
        explore: of the episodes.
    """

    batch_sizes: Tensor
    rows: Tensor | None
    played: Tensor | None
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
        batch_sizes, step, rows = _longest_first(episodes.valid.unsqueeze(1))
        return _steps_of(episodes, batch_sizes, step, None if rows.numel() == episodes.valid.numel() else rows[0])

    @staticmethod
    def of_seeds(episodes: Episodes, seeds: int) -> PackedSteps:
        """The same of S seeds' episodes, which stand one seed after the other in the axis of B."""
        batch_sizes, step, rows = _longest_first(episodes.valid.view(len(episodes.valid), seeds, -1))
        return _steps_of(episodes, batch_sizes, step, rows, episodes.valid.flatten()[rows].unsqueeze(-1))

    @cached_property
    def count(self) -> Tensor:
        """How many steps of followers were played, int64 [], or [S] of each seed."""
        if self.played is None:
            return torch.tensor(self.previous.numel(), device=self.previous.device)
        return self.played.sum((-2, -1)) * self.previous.shape[-1]

    def total(self, values: Tensor) -> Tensor:
        """The sum of values over the steps played, [R, N] to [], or [S, R, N] to [S]."""
        return values.sum() if self.played is None else torch.where(self.played, values, 0).sum((-2, -1))

    def mean(self, values: Tensor) -> Tensor:
        """Their mean."""
        return values.mean() if self.played is None else self.total(values) / self.count.clamp(min=1)

    def pack(self, values: Tensor) -> Tensor:
        """Values [T, B, ...] of these steps, [R, ...] or [S, R, ...]."""
        return _packed(values, self.rows)

    def unpack(self, values: Tensor, shape: torch.Size) -> Tensor:
        """The inverse: values of these steps to [T, B, ...], ``shape`` [T, B].

        Where nothing was played, 0, or what stood in such a row.
        """
        if self.rows is None:
            return values.view(*shape, *values.shape[1:])
        values = values.flatten(0, self.rows.dim() - 1)
        whole = values.new_zeros((shape.numel(), *values.shape[1:]))
        return whole.index_copy(0, self.rows.flatten(), values).view(*shape, *values.shape[1:])


def _longest_first(valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``batch_sizes``, ``step`` and ``rows`` [S, R] of steps [T, S, B]."""
    games = valid.shape[2]
    batch_sizes = valid.sum(2).amax(1)
    step, place = (torch.arange(games, device=valid.device) < batch_sizes.unsqueeze(-1)).nonzero(as_tuple=True)
    longest_first = valid.sum(0).argsort(dim=1, descending=True, stable=True)  # [S, B]
    first = torch.arange(0, valid[0].numel(), games, device=valid.device).unsqueeze(-1)
    rows = step * valid[0].numel() + first + longest_first[:, place]
    return batch_sizes[batch_sizes > 0].cpu(), step.unsqueeze(-1), rows


def _steps_of(
    episodes: Episodes, batch_sizes: Tensor, step: Tensor, rows: Tensor | None, played: Tensor | None = None
) -> PackedSteps:
    names = ("follower", "goal", "previous", "offer", "new_offer", "expired", "explored", "follower_action")
    of_steps = {name: _packed(getattr(episodes, name), rows) for name in names}
    if played is not None:
        of_steps["new_offer"] &= played
    return PackedSteps(batch_sizes, rows, played, step, **of_steps, explore=episodes.explore)


def _packed(values: Tensor, rows: Tensor | None) -> Tensor:
    flat = values.flatten(0, 1)
    return flat if rows is None else flat.index_select(0, rows.flatten()).view(*rows.shape, *flat.shape[1:])
