"""A GRU over packed sequences, made for networks so small that starting operations takes longer than their arithmetic.

On the CPU torch's own was 40 % of an update. The part that goes step by step is the C++ core's
(``cpp/networks/recurrence.hpp``); products that do for all steps at once are torch's.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from paymaster import _core

__all__ = ["recur"]


def recur(gru: nn.GRU, x: Tensor, start: Tensor, batch_sizes: Tensor) -> Tensor:
    """What ``gru`` makes of packed sequences; on a GPU by itself (cuDNN), on the CPU by :class:`Recurrence`.

    Args:
        gru: of one layer, with biases, of float32 or float64.
        x: inputs, [R, I], of one step after the other, packed as torch does: R is the sum of ``batch_sizes``.
        start: h before the first step, [batch_sizes[0], H].
        batch_sizes: int64 [T] on the CPU, sequences in each step, never more than in the step before.

    Returns:
        h after each step, [R, H].
    """
    if not x.is_cpu:
        packed: PackedSequence = gru(PackedSequence(x, batch_sizes), start.unsqueeze(0))[0]
        return packed.data
    weight_x, weight_h, bias_x, bias_h = gru.all_weights[0]
    given = F.linear(x, weight_x, bias_x)
    sizes = batch_sizes.tolist()
    if not torch.is_grad_enabled():
        return _forward(given, start, weight_h, bias_h, sizes)[-1]
    states: Tensor = Recurrence.apply(given, start, weight_h, bias_h, sizes)  # type: ignore[no-untyped-call]
    return states


class Recurrence(torch.autograd.Function):
    """r, z = sigmoid(x_rz + h_rz); n = tanh(x_n + r h_n); h' = (1 - z) n + z h, where h_. = W_. h + b_."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, weight: Tensor, bias: Tensor, batch_sizes: list[int]) -> Tensor:
        gates, proposed, states = _forward(x, start, weight, bias, batch_sizes)
        ctx.save_for_backward(start, weight, gates, proposed, states)
        ctx.batch_sizes = batch_sizes
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        start, weight, gates, proposed, states = ctx.saved_tensors
        results = (gates, gates, states, start)
        from_x, from_h, before, from_start = (
            torch.empty_like(one, memory_format=torch.contiguous_format) for one in results
        )
        arrays = (grad, start, weight, gates, proposed, states, from_x, from_h, before, from_start)
        _core.recur_backward(ctx.batch_sizes, *map(_array, arrays))
        return from_x, from_start, from_h.t() @ before, from_h.sum(0), None


def _forward(
    x: Tensor, start: Tensor, weight: Tensor, bias: Tensor, batch_sizes: list[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and h_n side by side, [R, 3H]; n and h', [R, H]."""
    hidden = start.shape[-1]
    gates, proposed, states = (x.new_empty(len(x), width) for width in (3 * hidden, hidden, hidden))
    _core.recur_forward(batch_sizes, *map(_array, (x, start, weight, bias, gates, proposed, states)))
    return gates, proposed, states


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()
