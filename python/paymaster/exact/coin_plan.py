"""The most welfare that two followers can have in the Coin Game, by dynamic programming over places and coin."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.games.coin_game import OTHERS, moves_on_a_torus

__all__ = ["CoinPlan", "coin_plan"]

_LARGEST = 5  # 31,250 states times 25 joint moves
_WORTHS = ((1.0, OTHERS), (OTHERS, 1.0))  # of a coin of each colour to the follower of colour 0, and of colour 1


@dataclass(frozen=True)
class CoinPlan:
    """Two followers who play for the sum of their own rewards.

    Attributes:
        welfare: that sum, expected in an episode.
        action: what each does, int8 [T, cells, cells, cells, 2, 2]: by step, cell of the follower whose colour is 0,
            cell of the other, cell and colour of the coin, and follower in that order.
    """

    welfare: float
    action: NDArray[np.int8]


def coin_plan(size: int = 3, horizon: int = 20) -> CoinPlan:
    """Return the best joint play of the Coin Game.

    Nobody can have more welfare: a leader's payments change who does what, not what there is. Both see places and
    coin; where the next coin appears they do not know.

    Args:
        size: cells of a side of the torus, 2 to 5.
        horizon: T, steps of an episode, at least 1.

    Raises:
        ValueError: a size or horizon out of its range.
    """
    if not 2 <= size <= _LARGEST:
        raise ValueError(f"size: expected 2 to {_LARGEST}, got {size}")
    if horizon < 1:
        raise ValueError(f"horizon: expected at least 1, got {horizon}")
    there, cells = moves_on_a_torus(size), size * size
    free, every = np.ones((cells, cells, cells)), np.arange(cells)  # [a cell, another, coin's]: a coin may lie there
    free[every, :, every] = 0
    free[:, every, every] = 0
    chance = free / free.sum(-1, keepdims=True)
    value = np.zeros((cells, cells, cells, 2))
    action = np.zeros((horizon, *value.shape, 2), np.int8)
    for step in reversed(range(horizon)):
        anew = (chance[..., None] * value).sum((2, 3)) / 2  # once a coin was taken
        best = np.full(value.shape, -np.inf)
        for pair in itertools.product(range(there.shape[1]), repeat=2):
            one, other = there[:, pair[0], None, None], there[None, :, pair[1], None]
            takes, too = one == every, other == every
            ahead = np.where((takes | too)[..., None], anew[one, other][..., None], value[one, other, every])
            worth = ahead + np.stack([own * takes + theirs * too for own, theirs in _WORTHS], -1)
            better = worth > best + 1e-12
            best[better], action[step][better] = worth[better], pair
        value = best
    return CoinPlan(float((chance[..., None] * value).sum((2, 3)).mean() / 2), action)
