"""Numbers that are NaN or infinite, which end a training run: what they are, and the error that names them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["DivergenceError", "check_metrics", "check_step", "first_not_finite", "step_is_finite"]


_OF_GAMES = frozenset({"gain", "payments", "incentive", "completions", "follower_reward", "length", "objective"})


class DivergenceError(ArithmeticError):
    """A loss, gradient, weight or gain is NaN or infinite, so training cannot go on; says which."""


def step_is_finite(loss: Tensor, norm: Tensor) -> bool:
    """Tell whether both are finite, with one transfer from the device; arguments as of :func:`check_step`."""
    return math.isfinite(float(loss.detach().to(norm.dtype) + norm))


def check_step(loss: Tensor, norm: Tensor, who: str) -> None:
    """Check the loss and the norm of the gradient before the optimiser makes a step of them.

    Args:
        loss: [].
        norm: of its gradient, [].
        who: learns, for the message, such as "leader".

    Raises:
        DivergenceError: one of them is not finite.
    """
    if step_is_finite(loss, norm):
        return
    both = torch.stack((loss.detach().to(norm.dtype), norm))
    for name, value in zip(("loss", "gradient norm"), both.tolist(), strict=True):
        if not math.isfinite(value):
            raise DivergenceError(f"{who}: {name}: expected a finite number, got {value}")


def check_metrics(metrics: Mapping[str, float]) -> None:
    """Check what an update reports: the games' sums, and all losses and norms; other metrics may have no value.

    Args:
        metrics: by name.

    Raises:
        DivergenceError: one of them is not finite.
    """
    for name, value in metrics.items():
        checked = name in _OF_GAMES or "loss" in name or "norm" in name
        if checked and not math.isfinite(value):
            raise DivergenceError(f"{name}: expected a finite number, got {value}")


def first_not_finite(tensors: Mapping[str, Tensor]) -> tuple[str, float] | None:
    """Find the first tensor, by name, that holds a number which is not finite: its name and that number."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name, float(tensor[~torch.isfinite(tensor)].flatten()[0])
    return None
