"""Functions that torch has too, by operations of its that are fast for arrays as narrow as a leader's on the CPU.

Along a last axis of a few numbers (followers, goal types, offers, actions) torch's reductions go row by row, and its
tanh takes six times as long as its sigmoid. On a GPU none of this is so, and torch's own are taken; also, of means and
tanh, where no gradient is asked for, by a leader that acts: for one step's rows a second operation costs more than it
saves.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["log_softmax", "mean_over", "softmax", "tanh"]


def log_softmax(x: Tensor) -> Tensor:
    """Over the last axis."""
    if not x.is_cpu:
        return torch.log_softmax(x, dim=-1)
    return torch.log_softmax(x.movedim(-1, 0), dim=0).movedim(0, -1)


def softmax(x: Tensor) -> Tensor:
    """Over the last axis."""
    if not x.is_cpu:
        return torch.softmax(x, dim=-1)
    return torch.softmax(x.movedim(-1, 0), dim=0).movedim(0, -1)


def mean_over(x: Tensor) -> Tensor:
    """Over the last axis but one, which is short."""
    if not x.is_cpu or not torch.is_grad_enabled():
        return x.mean(-2)
    mean: Tensor = _Mean.apply(x)  # type: ignore[no-untyped-call]
    return mean


def tanh(x: Tensor) -> Tensor:
    """2 sigmoid(2x) - 1; the same to rounding of numbers near 1."""
    if not x.is_cpu or not torch.is_grad_enabled():
        return torch.tanh(x)
    y: Tensor = _Tanh.apply(x)  # type: ignore[no-untyped-call]
    return y


class _Mean(torch.autograd.Function):
    """A sum of slices; its gradient is not copied to them but seen by all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        first, *others = x.unbind(-2)
        total = first / x.shape[-2]
        for other in others:
            total.add_(other, alpha=1.0 / x.shape[-2])
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        shape: torch.Size = ctx.shape
        return (grad / shape[-2]).unsqueeze(-2).expand(shape)


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = (x + x).sigmoid_().mul_(2.0).sub_(1.0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(grad, y)  # type: ignore[no-any-return]
