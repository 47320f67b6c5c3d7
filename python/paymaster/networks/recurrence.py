"""A GRU over packed sequences, made for networks so small that starting operations takes longer than their arithmetic.

On the CPU torch's own was 40 % of an update. Here the backward pass has four operations a step in place of some 25:
all that does not depend on later steps is computed for all of them at once, before or after the loop.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from paymaster.networks.elementwise import tanh_

__all__ = ["recur"]


def recur(gru: nn.GRU, x: Tensor, start: Tensor, batch_sizes: Tensor) -> Tensor:
    """What ``gru`` makes of packed sequences; on CUDA by itself (cuDNN), on the CPU by :class:`Recurrence`.

    Args:
        gru: of one layer, with biases.
        x: inputs, [R, I], of one step after the other, packed as torch does: R is the sum of ``batch_sizes``.
        start: h before the first step, [batch_sizes[0], H].
        batch_sizes: int64 [T] on the CPU, sequences in each step, never more than in the step before.

    Returns:
        h after each step, [R, H].
    """
    if x.is_cuda:
        packed: PackedSequence = gru(PackedSequence(x, batch_sizes), start.unsqueeze(0))[0]
        return packed.data
    weight_x, weight_h, bias_x, bias_h = gru.all_weights[0]
    given = F.linear(x, weight_x, bias_x)
    states: Tensor = Recurrence.apply(given, start, weight_h, bias_h, batch_sizes.tolist())  # type: ignore[no-untyped-call]
    return states


class Recurrence(torch.autograd.Function):
    """r, z = sigmoid(x_rz + h_rz); n = tanh(x_n + r h_n); h' = (1 - z) n + z h, where h_. = W_. h + b_."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, weight: Tensor, bias: Tensor, batch_sizes: list[int]) -> Tensor:
        hidden = start.shape[-1]
        ends = list(pairwise(accumulate(batch_sizes, initial=0)))
        gates, new, states = (x.new_empty(len(x), width) for width in (3 * hidden, hidden, hidden))
        before, transposed = start, weight.t()
        for first, end in ends:
            before = before[: end - first]
            gate, given = gates[first:end], x[first:end]
            torch.addmm(bias, before, transposed, out=gate)
            gate[:, : 2 * hidden].add_(given[:, : 2 * hidden]).sigmoid_()
            proposed = new[first:end]
            torch.addcmul(given[:, 2 * hidden :], gate[:, :hidden], gate[:, 2 * hidden :], out=proposed)
            tanh_(proposed)
            before = torch.lerp(proposed, before, gate[:, hidden : 2 * hidden], out=states[first:end])
        ctx.save_for_backward(start, weight, gates, new, states)
        ctx.ends = ends
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        start, weight, gates, new, states = ctx.saved_tensors
        ends: list[tuple[int, int]] = ctx.ends
        reset, update, recurrent = gates.chunk(3, dim=-1)
        before = torch.cat([start, *(states[a : a + d - c] for (a, _), (c, d) in pairwise(ends))])
        # What the gradient of h' is multiplied with to be that of x_n, and of h_r, h_z and h_n side by side.
        to_new = (1.0 - update) * (1.0 - new * new)
        to_reset, to_update = to_new * recurrent * reset * (1.0 - reset), (before - new) * update * (1.0 - update)
        factors = torch.stack((to_reset, to_update, to_new * reset), dim=1)
        total, by_gate = grad.contiguous().clone(), torch.empty_like(factors)
        later: Tensor | None = None
        for first, end in reversed(ends):
            here = total[first:end]
            if later is not None:
                here[: len(later)].add_(later)
            torch.mul(here.unsqueeze(1), factors[first:end], out=by_gate[first:end])
            later = torch.addmm(here * update[first:end], by_gate[first:end].flatten(1), weight)
        assert later is not None
        flat = by_gate.flatten(1)
        from_x = torch.cat((flat[:, : -new.shape[-1]], total * to_new), dim=-1)
        return from_x, later, flat.t() @ before, flat.sum(0), None
