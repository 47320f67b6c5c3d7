"""Random numbers for a leader's draws: of one generator, or of one a seed where several seeds play side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["Draws", "SeedDraws", "draw_integers", "draw_uniform"]


class SeedDraws:
    """A generator a seed, from which it draws what it would draw alone: nothing any more once its games have ended.

    Args:
        generators: S of them, on one device.
        playing: S times whether that seed's games go on; whoever plays them keeps it up to date.
    """

    def __init__(self, generators: Sequence[torch.Generator], playing: Sequence[bool]) -> None:
        self.generators, self._playing = generators, playing

    def fill(self, numbers: Tensor) -> Iterator[tuple[Tensor, torch.Generator]]:
        """Rows of [S, ...] to be drawn, and from what."""
        for row, generator, plays in zip(numbers, self.generators, self._playing, strict=True):
            if plays:
                yield row, generator


Draws: TypeAlias = torch.Generator | SeedDraws


def draw_uniform(
    count: int, shape: torch.Size, draws: Draws | None, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Numbers in [0, 1), ``count`` of each entry, [count, *shape]; of torch's own generator where there are no draws.

    For S seeds ``shape`` is [S, ...]; each draws what it would draw for the rest of it.
    """
    if not isinstance(draws, SeedDraws):
        return torch.rand((count, *shape), generator=draws, device=device, dtype=dtype)
    numbers = torch.zeros((shape[0], count, *shape[1:]), device=device, dtype=dtype)
    for row, generator in draws.fill(numbers):
        row.uniform_(generator=generator)
    return numbers.movedim(1, 0)


def draw_integers(high: int, shape: torch.Size, draws: Draws | None, device: torch.device) -> Tensor:
    """Integers 0..high-1, as :func:`draw_uniform` draws numbers."""
    if not isinstance(draws, SeedDraws):
        return torch.randint(high, shape, generator=draws, device=device)
    numbers = torch.zeros(shape, device=device, dtype=torch.int64)
    for row, generator in draws.fill(numbers):
        row.random_(high, generator=generator)
    return numbers
