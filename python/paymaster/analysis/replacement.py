"""A population whose members leave for others as the episodes go: M3RL's test of whether a leader adapts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.validation.arguments import check_int

__all__ = ["Replacement"]


@dataclass(frozen=True)
class Replacement:
    """After every ``every`` episodes a share of the P members, drawn anew each time, is replaced (Shu & Tian 2019).

    Attributes:
        share: of the members, in (0, 1]; the nearest whole number of them.
        every: episodes between two replacements, E.

    Raises:
        ValueError, TypeError: a share or a period that makes no sense.
    """

    share: float
    every: int

    def __post_init__(self) -> None:
        if isinstance(self.share, bool) or not isinstance(self.share, (int, float)):
            raise TypeError(f"replacement share: expected a number, got {type(self.share).__name__}")
        if not 0 < self.share <= 1:
            raise ValueError(f"replacement share: expected a share of the population in (0, 1], got {self.share}")
        check_int("replacement every", self.every, 1, 2**62)

    def leaving(self, size: int) -> int:
        """How many of ``size`` members leave each time; half a member counts as a whole one."""
        return math.floor(self.share * size + 0.5)

    def check(self, size: int) -> None:
        """Raises ValueError where nobody of ``size`` members would ever leave."""
        if self.leaving(size) == 0:
            raise ValueError(
                f"replacement share: expected at least one of {size} members, got {self.share} ({self.share * size:g})"
            )

    def round_of(self, most: int) -> int:
        """Games to play at once, at most ``most``: a divisor of E, so that a period is a whole number of rounds."""
        return next(games for games in range(min(most, self.every), 0, -1) if self.every % games == 0)

    def draw(self, size: int, seed: int, number: int) -> tuple[NDArray[np.int64], int]:
        """The ``number``-th replacement (from 1): who leaves, and the seed of the new traits."""
        rng = np.random.default_rng([seed, number])
        members = np.sort(rng.choice(size, self.leaving(size), replace=False))
        return members, int(rng.integers(2**63 - 1))

    def apply(self, env: LeaderVectorEnv, seed: int, number: int) -> None:
        """Replaces members of the population of ``env``, all of whose games have ended."""
        env.replace_followers(*self.draw(env.parameters["population_size"], seed, number))
