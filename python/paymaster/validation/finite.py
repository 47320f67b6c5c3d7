"""Numbers that are NaN or infinite, which end a training run: what they are, and the error that names them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["DivergenceError", "check_step", "first_not_finite"]


_OF_GAMES = frozenset({"gain", "payments", "incentive", "completions", "follower_reward", "length"})


class DivergenceError(ArithmeticError):
    """A loss, gradient, weight or gain is NaN or infinite, so training cannot go on; says which.

    Attributes:
        number: of the leader, from 0, where several learn at once.
    """

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


def check_step(loss: Tensor, norm: Tensor, who: str) -> None:
    """Check the loss and the norm of the gradient before the optimiser makes a step of them.

    Args:
        loss: [] or [S], of S seeds.
        norm: of its gradient, likewise.
        who: learns, for the message, such as "leader".

    Raises:
        DivergenceError: one of them is not finite.
    """
    both = torch.stack((loss.detach().to(norm.dtype), norm))
    if math.isfinite(float(both.sum())):  # one transfer from the device
        return
    for name, values in zip(("loss", "gradient norm"), both.reshape(2, -1).tolist(), strict=True):
        for number, value in enumerate(values):
            if not math.isfinite(value):
                raise DivergenceError(f"{who}: {name}: expected a finite number, got {value}", number)


def check_metrics(rows: Sequence[Mapping[str, float]]) -> None:
    """Check what an update reports: the games' sums, and all losses and norms; other metrics may have no value.

    Args:
        rows: by name; of each leader, where several learn at once.

    Raises:
        DivergenceError: one of them is not finite.
    """
    for number, row in enumerate(rows):
        for name, value in row.items():
            checked = name in _OF_GAMES or "loss" in name or "norm" in name
            if checked and not math.isfinite(value):
                raise DivergenceError(f"{name}: expected a finite number, got {value}", number)


def first_not_finite(tensors: Mapping[str, Tensor]) -> tuple[str, float] | None:
    """Find the first tensor, by name, that holds a number which is not finite: its name and that number."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name, float(tensor[~torch.isfinite(tensor)].flatten()[0])
    return None
