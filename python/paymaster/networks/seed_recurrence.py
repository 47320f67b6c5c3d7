"""The GRU of S seeds at once, whose weights have a leading seed axis: one step, and packed sequences.

Torch's own takes one set of weights. On the CPU a seed's steps are one call of the core, which takes less time than a
few operations a step for all of them; on CUDA it is the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from paymaster.networks.layers import linear
from paymaster.networks.recurrence import Recurrence

__all__ = ["recur_seeds", "step_seeds"]


def step_seeds(weights: Sequence[Tensor], x: Tensor, history: Tensor) -> Tensor:
    """h after one step, [S, ..., H]; ``weights`` as `nn.GRU` has them (input, recurrent, their biases), each [S, ...].

    Args:
        weights: of the cell.
        x: inputs, [S, ..., I].
        history: h before, [S, ..., H].
    """
    weight_x, weight_h, bias_x, bias_h = weights
    width = history.shape[-1]
    given, recurrent = linear(x, weight_x, bias_x), linear(history, weight_h, bias_h)
    reset, update = torch.sigmoid(given[..., : 2 * width] + recurrent[..., : 2 * width]).chunk(2, dim=-1)
    new = torch.tanh(torch.addcmul(given[..., 2 * width :], reset, recurrent[..., 2 * width :]))
    return torch.lerp(new, history, update)


def recur_seeds(weights: Sequence[Tensor], x: Tensor, start: Tensor, batch_sizes: Tensor) -> Tensor:
    """h after each of the steps played, [S, R, N, H], which are packed at the same places for all seeds.

    Args:
        weights: of the cell, as for :func:`step_seeds`.
        x: inputs, [S, R, N, I].
        start: h before the first step, [S, batch_sizes[0], N, H].
        batch_sizes: int64 [T] on the CPU, episodes in each step, never more than in the step before.
    """
    weight_x, weight_h, bias_x, bias_h = weights
    given = linear(x, weight_x, bias_x).flatten(1, 2)
    sequences = (batch_sizes * x.shape[2]).tolist()
    arguments = (given, start.flatten(1, 2), weight_h, bias_h)
    if x.is_cuda:
        states: Tensor = _Recurrence.apply(*arguments, sequences)  # type: ignore[no-untyped-call]
    else:
        each = zip(*(array.unbind() for array in arguments), strict=True)
        states = torch.stack([Recurrence.apply(*of_seed, sequences) for of_seed in each])  # type: ignore[no-untyped-call]
    return states.view(*x.shape[:-1], -1)


class _Recurrence(torch.autograd.Function):
    """r, z = sigmoid(x_rz + h_rz); n = tanh(x_n + r h_n); h' = (1 - z) n + z h, where h_. = W_. h + b_."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, start: Tensor, weight: Tensor, bias: Tensor, sizes: list[int]) -> Tensor:
        hidden = start.shape[-1]
        ends = list(pairwise(accumulate(sizes, initial=0)))
        gates, new, states = (x.new_empty(*x.shape[:2], width) for width in (3 * hidden, hidden, hidden))
        before, transposed, bias = start, weight.mT, bias.unsqueeze(1)
        for first, end in ends:
            here = slice(first, end)
            before = before[:, : end - first]
            gate, given, proposed = gates[:, here], x[:, here], new[:, here]
            gate.copy_(torch.baddbmm(bias, before, transposed))
            gate[..., : 2 * hidden].add_(given[..., : 2 * hidden]).sigmoid_()
            torch.addcmul(given[..., 2 * hidden :], gate[..., :hidden], gate[..., 2 * hidden :], out=proposed)
            proposed.tanh_()
            before = torch.lerp(proposed, before, gate[..., hidden : 2 * hidden], out=states[:, here])
        ctx.save_for_backward(start, weight, gates, new, states)
        ctx.ends = ends
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        start, weight, gates, new, states = ctx.saved_tensors
        ends: list[tuple[int, int]] = ctx.ends
        reset, update, recurrent = gates.chunk(3, dim=-1)
        before = torch.cat([start, *(states[:, a : a + d - c] for (a, _), (c, d) in pairwise(ends))], dim=1)
        # What the gradient of h' is multiplied with to be that of x_n, and of h_r, h_z and h_n side by side.
        to_new = (1.0 - update) * (1.0 - new * new)
        to_reset, to_update = to_new * recurrent * reset * (1.0 - reset), (before - new) * update * (1.0 - update)
        factors = torch.stack((to_reset, to_update, to_new * reset), dim=2)
        total, by_gate = grad.contiguous().clone(), torch.empty_like(factors)
        later: Tensor | None = None
        for first, end in reversed(ends):
            here = total[:, first:end]
            if later is not None:
                here[:, : later.shape[1]].add_(later)
            torch.mul(here.unsqueeze(2), factors[:, first:end], out=by_gate[:, first:end])
            later = torch.baddbmm(here * update[:, first:end], by_gate[:, first:end].flatten(2), weight)
        assert later is not None
        flat = by_gate.flatten(2)
        from_x = torch.cat((flat[..., : -new.shape[-1]], total * to_new), dim=-1)
        return from_x, later, flat.mT @ before, flat.sum(1), None
