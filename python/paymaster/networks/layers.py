"""Layers whose weights may have a leading seed axis: S networks of the same shape, computed by one operation each.

A network starts with weights [out, in], as torch's layers have them. :func:`stack_networks` joins S of them into one
with weights [S, out, in], of which seed s sees rows [s, ...] of its inputs alone. All else in a network works on the
last axes and takes a leading one as it comes. `torch.func.vmap` does the same, but took five times as long for the
small arrays of which there are most (40 us a layer of 4 rows and 5 seeds, against 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Linear", "linear", "rows_of", "stack_networks"]

Network = TypeVar("Network", bound=nn.Module)


class Linear(nn.Linear):
    """[..., in] to [..., out]; with a seed axis, [S, ..., in] to [S, ..., out]."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps x."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b, of each seed where the weights have such an axis."""
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    rows = x.flatten(1, -2)
    product = rows.bmm(weight.mT) if bias is None else torch.baddbmm(bias.unsqueeze(1), rows, weight.mT)
    return product.view(*x.shape[:-1], -1)


def rows_of(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table [E, H], or of each seed's [S, E, H]: int64 [..., ] or [S, ...] to [..., H]."""
    if table.dim() == 3:
        first = torch.arange(0, table.shape[0] * table.shape[1], table.shape[1], device=index.device)
        index, table = index + first.view(-1, *[1] * (index.dim() - 1)), table.flatten(0, 1)
    return F.embedding(index, table)


def stack_networks(networks: Sequence[Network]) -> Network:
    """S networks as one, whose weights have a leading seed axis.

    Those given live on as views: what becomes of the joint weights becomes of theirs, and the other way round.
    """
    whole = deepcopy(networks[0])
    for path, module in whole.named_modules():
        own = [network.get_submodule(path) for network in networks]
        for name, _ in list(module.named_parameters(recurse=False)):
            parameters = [one.get_parameter(name) for one in own]
            joint = nn.Parameter(torch.stack([parameter.detach() for parameter in parameters]))
            setattr(module, name, joint)
            for parameter, view in zip(parameters, joint.detach(), strict=True):
                parameter.data = view
    return whole
