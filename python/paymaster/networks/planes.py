"""The first layers on planes: a 1 x 1 convolution, flattened into a linear layer (M3RL, Shu & Tian 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["CellGroups", "PlaneEncoding"]


@dataclass(frozen=True)
class CellGroups:
    """Cells that can be summed before they are weighed: those that have one and the same code wherever they are seen.

    Attributes:
        group: int64 [cells], the group of each cell.
        codes: int64 [U], codes of the groups of more cells than one; group u holds the cells of code ``codes[u]``.
        varying: int64 [V], the cells that are groups by themselves, U + v.
    """

    group: Tensor
    codes: Tensor
    varying: Tensor

    @staticmethod
    def of(codes: Tensor, varying: Tensor | None = None) -> CellGroups:
        """Group the cells of R followers.

        Args:
            codes: int64 [R, cells], R > 0.
            varying: bool [cells], cells to keep apart, at least those that differ among the R; by default just these.
        """
        if varying is None:
            varying = (codes != codes[0]).any(0)
        own = varying.nonzero().squeeze(-1)
        shared, group = torch.unique(codes[0].masked_fill(varying, -1), return_inverse=True)
        apart = int(len(own) > 0)  # -1 is the first of them
        group = group - apart
        group[own] = len(shared) - apart + torch.arange(len(own), device=own.device)
        return CellGroups(group, shared[apart:], own)

    @property
    def count(self) -> int:
        """U + V."""
        return len(self.codes) + len(self.varying)


class PlaneEncoding(nn.Module):
    """relu(linear(relu(convolution 1 x 1 of the planes))), of followers that see P planes of cells.

    :meth:`plain` is the definition, in torch's words. A cell has few codes, so :meth:`forward` asks the convolution
    once for each code and not once for each cell, and weighs cells that have one code throughout as one: on M3RL's map
    a tenth of the arithmetic. The numbers are the same but for rounding.

    Args:
        cells: on the map.
        cell_planes: planes that differ between cells: plane i is 1 in cells of code i + 1, else 0.
        constant_planes: planes of one number each.
        channels: of the convolution.
        hidden: width of the result.

    Attributes:
        weight: of the linear layer, [cells, channels, hidden].
    """

    def __init__(self, cells: int, cell_planes: int, constant_planes: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.cell_planes = cell_planes
        self.convolution = nn.Linear(cell_planes + constant_planes, channels)
        self.weight = nn.Parameter(torch.empty(cells, channels, hidden))
        self.bias = nn.Parameter(torch.empty(hidden))

    def plain(self, codes: Tensor, constant: Tensor) -> Tensor:
        """Map cells int64 [R, cells] and constant planes [R, C] to [R, hidden]."""
        cells = F.one_hot(codes, self.cell_planes + 1)[..., 1:].to(constant.dtype)
        planes = torch.cat((cells, constant.unsqueeze(1).expand(-1, codes.shape[1], -1)), -1).transpose(1, 2)
        seen = torch.relu(F.conv1d(planes, self.convolution.weight.unsqueeze(-1), self.convolution.bias))
        weight = self.weight.permute(2, 1, 0).flatten(1)
        return torch.relu(F.linear(seen.flatten(1), weight, self.bias))

    def forward(self, codes: Tensor, constant: Tensor, groups: CellGroups) -> Tensor:
        """The same by groups that hold the cells."""
        by_code, by_constant = torch.split(self.convolution.weight, [self.cell_planes, constant.shape[1]], dim=1)
        of_code = F.pad(by_code.T, (0, 0, 1, 0))
        of_follower = F.linear(constant, by_constant, self.convolution.bias)
        seen = torch.relu(of_follower.unsqueeze(1) + of_code)  # [R, codes, channels]
        shared = groups.codes.expand(len(codes), -1)
        code = torch.cat((shared, codes.index_select(1, groups.varying)), dim=1)
        rows = torch.arange(0, seen.shape[0] * seen.shape[1], seen.shape[1], device=code.device).unsqueeze(1) + code
        looked_up = seen.flatten(0, 1).index_select(0, rows.flatten()).view(len(codes), -1)
        return torch.relu(torch.addmm(self.bias, looked_up, self.sum_up(groups)))

    def sum_up(self, groups: CellGroups) -> Tensor:
        """Return the weights of the groups, [groups x channels, hidden]."""
        cells, channels, hidden = self.weight.shape
        sums = self.weight.new_zeros(groups.count, channels * hidden)
        return sums.index_add(0, groups.group, self.weight.view(cells, -1)).view(-1, hidden)
