"""Random numbers of a world: keyed, so that a game's are the same in every batch and on any number of threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paymaster import _core

__all__ = ["Draws"]


class Draws:
    """Random numbers of B games, each game's its own: those of (seed, game, episode), and in a move of the step too.

    A game that does not begin (in ``reset``) or that is over (in ``move``) draws nothing and gets zeros. A game's
    numbers do not depend on those of other games. A world uses no other random numbers, so that equal seeds give equal
    games.
    """

    def __init__(self, games: _core.WorldGames, start: bool) -> None:
        self._games, self._start = games, start

    def below(self, n: int, count: int) -> NDArray[np.int64]:
        """Return ``count`` whole numbers from 0 to ``n`` - 1 a game, int64 [B, count]."""
        return self._games.below(self._start, n, count)

    def unit(self, count: int) -> NDArray[np.float64]:
        """Return ``count`` numbers in [0, 1) a game, float64 [B, count]."""
        return self._games.unit(self._start, count)
