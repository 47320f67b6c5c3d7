"""Contracts with hidden action on binary trees, solved by backward induction (Ivanov et al. 2024, App. D.1).

:mod:`paymaster.worlds.games.contract_tree` has the rules. Here the leader may promise any payment for each outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.worlds.games.contract_tree import FAVOURED, ContractTrees, draw_trees

__all__ = ["FAVOURED", "ContractTrees", "TreeEquilibrium", "draw_trees", "tree_equilibrium"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TreeEquilibrium:
    """What a leader and a follower do in each state when both look ahead, and what comes of it.

    Attributes:
        action: what the leader makes the follower do, int64 [trees, states].
        payment: what it promises for the outcome which that action favours, float64 [trees, states]; 0 for the other.
        leader_value: expected from the state on, float64 [trees, states].
        follower_value: likewise.
    """

    action: NDArray[np.int64]
    payment: Floats
    leader_value: Floats
    follower_value: Floats


def tree_equilibrium(trees: ContractTrees, prices: ArrayLike | None = None) -> TreeEquilibrium:
    """Return the subgame-perfect equilibrium of each tree.

    To have action a done, the leader promises for the outcome that a favours the least that makes the follower prefer
    a: what the other action is worth more to it, over 0.8. A follower to whom both are worth the same obeys; a leader
    to whom both are worth the same has action 0 done.

    Args:
        trees: to be solved.
        prices: that the leader can promise, float [levels]; None: any of 0 or more. An action that takes more than the
            highest is out of reach.

    Raises:
        ValueError: prices that are no finite numbers of 0 or more, or without a 0.
    """
    levels = None if prices is None else np.sort(np.asarray(prices, dtype=np.float64).ravel())
    if levels is not None and not (len(levels) and np.isfinite(levels).all() and levels[0] == 0):
        raise ValueError(f"prices: expected finite numbers of 0 or more, 0 among them, got {prices!r:.80}")
    shape = trees.effort.shape
    action, payment = np.zeros(shape, np.int64), np.zeros(shape)
    leader, follower = np.zeros(shape), np.zeros(shape)
    for level in reversed(range(trees.depth)):
        here = slice(2**level - 1, 2 ** (level + 1) - 1)
        ahead = [_children(values, level, trees.depth) for values in (leader, follower)]
        brings = ahead[0] + np.stack((np.zeros_like(trees.prize[:, here]), trees.prize[:, here]), -1)
        costs = np.stack((np.zeros_like(trees.effort[:, here]), trees.effort[:, here]), -1)
        likely = np.array([[FAVOURED, 1 - FAVOURED], [1 - FAVOURED, FAVOURED]])  # [action, outcome]
        own = ahead[1] @ likely.T - costs  # what each action is worth to the follower without payments
        promised = _at_least((own[..., ::-1] - own) / (2 * FAVOURED - 1), levels)
        gained = brings @ likely.T - FAVOURED * promised
        chosen = gained.argmax(-1)
        action[:, here] = chosen
        payment[:, here], leader[:, here], follower[:, here] = (
            np.take_along_axis(of, chosen[..., None], -1)[..., 0]
            for of in (promised, gained, own + FAVOURED * promised)
        )
    return TreeEquilibrium(action, payment, leader, follower)


def _children(values: Floats, level: int, depth: int) -> Floats:
    """Return what the states below a level are worth, [trees, states of the level, outcome]; 0 below the last."""
    if level == depth - 1:
        return np.zeros((len(values), 2**level, 2))
    return values[:, 2 ** (level + 1) - 1 : 2 ** (level + 2) - 1].reshape(len(values), -1, 2)


def _at_least(needed: Floats, levels: Floats | None) -> Floats:
    """Return the least promise of so much; infinite above the highest level."""
    if levels is None:
        return np.maximum(needed, 0.0)
    return np.append(levels, np.inf)[np.searchsorted(levels, needed, side="left")]
