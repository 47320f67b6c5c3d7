"""Contracts with hidden action on a binary tree (Ivanov et al. 2024, App. D.1): payments for outcomes, not for effort.

In each state the follower chooses an action that nobody sees: 0 costs it nothing, 1 is effort. An outcome follows: 0,
to the left child, or 1, to the right; the action favours the outcome of its number, which then has probability 0.9. The
leader earns a prize by outcome 1 and offers a payment for one outcome, before the follower chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.draws import Draws
from paymaster.worlds.games.traits import able_and_free
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.world import Move, Moved, World

__all__ = ["FAVOURED", "ContractTree", "ContractTrees", "draw_trees"]

FAVOURED = 0.9
"""Probability of the outcome that an action favours."""

Floats = NDArray[np.float64]
_MOST_STATES = 2**27  # in one call: a gigabyte an array
_DEEPEST = 14  # so that an int16 numbers the states
_LEVELS = 32


@dataclass(frozen=True)
class ContractTrees:
    """Trees of the same depth D, with 2^D - 1 states numbered level by level: the children of s are 2s + 1 and 2s + 2.

    Attributes:
        effort: what action 1 costs the follower, float64 [trees, states].
        prize: what outcome 1 brings the leader, float64 [trees, states].
    """

    effort: Floats
    prize: Floats

    def __post_init__(self) -> None:
        """Raise ValueError for arrays that are no trees."""
        shape = self.effort.shape
        if len(shape) != 2 or shape != self.prize.shape or (shape[1] + 1) & shape[1] or shape[1] < 1:
            raise ValueError(
                f"effort, prize: expected [trees, 2^depth - 1] each, got shapes {shape} and {self.prize.shape}"
            )
        if not (np.isfinite(self.effort).all() and np.isfinite(self.prize).all()):
            raise ValueError("effort, prize: expected finite numbers, got others")

    @property
    def depth(self) -> int:
        """D, decisions on the way to a leaf."""
        return int(self.effort.shape[1] + 1).bit_length() - 1


def draw_trees(trees: int, depth: int, seed: int) -> ContractTrees:
    """Return random trees: effort u ~ U[0, 1 - v], v ~ U[0, 1]; prizes u' ~ U[0, 2 - v'], v' ~ U[0, 2].

    Args:
        trees: how many.
        depth: D, at least 1.
        seed: of the draws.

    Raises:
        ValueError: fewer than one tree or level, or more states than fit.
    """
    for name, number in (("trees", trees), ("depth", depth)):
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    if depth > _MOST_STATES.bit_length() or trees * 2**depth > _MOST_STATES:
        raise ValueError(f"depth: expected at most {_MOST_STATES:,} states in all, got {trees} trees of depth {depth}")
    draws, shape = np.random.default_rng(seed), (trees, 2**depth - 1)
    effort = draws.uniform(size=shape) * (1 - draws.uniform(size=shape))
    prize = draws.uniform(size=shape) * (2 - draws.uniform(0, 2, size=shape))
    return ContractTrees(effort, prize)


class ContractTree(World):
    """tree; a follower's effort is hidden, and payments are for outcomes; the horizon is the depth (Ivanov et al.)"""

    num_actions = 2
    max_goals = 2
    max_followers = 1
    parameters: Mapping[str, Any] = {"tree_seed": Parameter(0, "seed of the tree's costs and prizes", 0, 2**53 - 1)}
    defaults: ClassVar[Mapping[str, Any]] = {
        "num_followers": 1,
        "population_size": 1,
        "num_goals": 2,
        "num_bonuses": _LEVELS,
        "horizon": 10,
        "payment": "outcome",
        "prices": np.linspace(0.0, 1.25, _LEVELS).tolist(),
        "goal_reward": [0.0, 0.0],
        "skills_per_follower": 2,
    }

    node: NDArray[np.int16]
    effort: NDArray[np.float32]
    prize: NDArray[np.float32]

    def setup(self) -> None:
        """Draw the tree, and declare the state with its cost and prize."""
        if self.horizon > _DEEPEST:
            raise ValueError(f"horizon: expected at most {_DEEPEST}, the depth of a tree, got {self.horizon}")
        if self.num_goals != 2:
            raise ValueError(f"num_goals: expected 2 in contract_tree, its outcomes, got {self.num_goals}")
        tree = draw_trees(1, self.horizon, self.parameters["tree_seed"])
        self.tree = np.stack((tree.effort[0], tree.prize[0])).astype(np.float32)
        self.array("node", meaning="state of the tree; the children of s are 2s + 1, 2s + 2", high=2**self.horizon - 2)
        self.array("effort", (1,), "float32", "what effort costs here", low=0, high=1, feature="follower")
        self.array("prize", (1,), "float32", "what outcome 1 brings here", low=0, high=2, feature="follower")

    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Begin at the root."""
        self.node[games] = 0
        self._tell()

    def distance(self) -> NDArray[np.integer[Any]]:
        """Either outcome may be had in every step."""
        return np.zeros((self.num_games, 1, 2), np.int16)

    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Take the action that favours the chosen outcome; make no effort without one."""
        return np.maximum(chosen, 0)

    def move(self, step: Move) -> Moved:
        """Draw the outcome and go to its child; after the last step the state stays."""
        action = np.minimum(step.action[:, 0], 1)
        outcome = np.where(step.draws.unit(1)[:, 0] < FAVOURED, action, 1 - action)
        effort, prize = self.tree[:, self.node]
        child = 2 * self.node + 1 + outcome
        self.node = np.where(step.playing & (child < self.tree.shape[1]), child, self.node)
        self._tell()
        reached = outcome[:, None, None] == np.arange(2)
        return Moved(reached & step.skill, (-effort * action)[:, None], prize * outcome)

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return a follower who can reach both outcomes and prefers neither: it has payments and the cost of effort."""
        return able_and_free(parameters)

    def _tell(self) -> None:
        here = self.tree[:, self.node]
        self.effort, self.prize = here[0][:, None], here[1][:, None]
