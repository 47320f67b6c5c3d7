"""A population that changes as the episodes go: the two tests of change of M3RL (Shu & Tian 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.validation.arguments import check_int

__all__ = ["Change", "Replacement"]

Change = Literal["people", "statistics"]
"""What happens to a member that is replaced: another follower comes in its place, with other traits and empty history
statistics (M3RL's text); or its traits stay, and only its statistics are cleared (M3RL's code)."""


@dataclass(frozen=True)
class Replacement:
    """After every ``every`` episodes a share of the P members, drawn anew each time, is replaced (Shu & Tian 2019).

    Attributes:
        share: of the members, in (0, 1]; the nearest whole number of them.
        every: episodes between two replacements, E.
        change: "people": new followers come, with other traits and empty statistics; "statistics": the followers stay,
            with empty statistics. The performance history is emptied as well, where the batch keeps one.

    Raises:
        ValueError, TypeError: a share, a period or a change that makes no sense.
    """

    share: float
    every: int
    change: Change = "people"

    def __post_init__(self) -> None:
        if isinstance(self.share, bool) or not isinstance(self.share, (int, float)):
            raise TypeError(f"replacement share: expected a number, got {type(self.share).__name__}")
        if not 0 < self.share <= 1:
            raise ValueError(f"replacement share: expected a share of the population in (0, 1], got {self.share}")
        check_int("replacement every", self.every, 1, 2**62)
        if self.change not in get_args(Change):
            raise ValueError(
                f"replacement change: expected one of {', '.join(get_args(Change))}, got {self.change!r:.80}"
            )

    @classmethod
    def of(cls, share: float | None, every: int | None, change: Any) -> Replacement | None:
        """Make one of options, or None where neither share nor period is given.

        Raises:
            ValueError, TypeError: one without the other, a change without both, or values that make no sense.
        """
        if share is None and every is None:
            if change is not None:
                raise ValueError(
                    f"replace_what: expected it only with --replace and --replace-every, got {change!r:.80}"
                )
            return None
        if every is None:
            raise ValueError(f"replace_every: expected --replace-every E with --replace {share}, got none")
        if share is None:
            raise ValueError(f"replace: expected --replace SHARE with --replace-every {every}, got none")
        return cls(share, every, "people" if change is None else change)

    def leaving(self, size: int) -> int:
        """Return how many of ``size`` members leave each time; half a member counts as a whole one."""
        return math.floor(self.share * size + 0.5)

    def check(self, size: int) -> None:
        """Raise ValueError where nobody of ``size`` members would ever leave."""
        if self.leaving(size) == 0:
            raise ValueError(
                f"replacement share: expected at least one of {size} members, got {self.share} ({self.share * size:g})"
            )

    def round_of(self, most: int) -> int:
        """Return games to play at once, at most ``most``: a divisor of E, so that a period is of whole rounds."""
        return next(games for games in range(min(most, self.every), 0, -1) if self.every % games == 0)

    def draw(self, size: int, seed: int, number: int) -> tuple[NDArray[np.int64], int]:
        """Return the ``number``-th replacement (from 1): who leaves, and the seed of the new traits."""
        rng = np.random.default_rng([seed, number])
        members = np.sort(rng.choice(size, self.leaving(size), replace=False))
        return members, int(rng.integers(2**63 - 1))

    def apply(self, env: LeaderVectorEnv, seed: int, number: int) -> NDArray[np.int64]:
        """Replace members of the population of ``env``, all of whose games have ended; return who they are."""
        members, traits = self.draw(env.parameters["population_size"], seed, number)
        if self.change == "people":
            env.replace_followers(members, traits)
        else:
            env.statistics.clear(members)
        return members

    def before(self, episodes: int) -> int:
        """Return how many replacements came before so many episodes were over; one that is due then is none yet."""
        return max(0, episodes - 1) // self.every

    def bring(self, env: LeaderVectorEnv, number: int) -> None:
        """Bring games to the population that a training with this replacement has behind its first ``number`` ones.

        Draws follow from the games' ``population_seed``, so that trainings of all seeds have the same people.
        Statistics stay as they are.

        Args:
            env: all of whose games are between episodes; its population is that at the start.
            number: how many there were.
        """
        if self.change != "people" or number == 0:
            return
        known = env.statistics.arrays()
        for one in range(1, number + 1):
            self.apply(env, env.parameters["population_seed"], one)
        env.statistics.set(**known)
