"""What the training loop, the evaluation and the checkpoints ask of any leader algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process_group import Ranks

if TYPE_CHECKING:
    from paymaster.algorithms.followers import FollowerAlgorithm, FollowerEpisodes

__all__ = [
    "ForeseesFollowers",
    "Insight",
    "KnowsFollowers",
    "LeaderAlgorithm",
    "LeaderInput",
    "LeaderStep",
    "LearnsOnRanks",
    "Player",
]


class LeaderInput(NamedTuple):
    """What a leader sees of one step of B games, all in the same step of their episodes.

    Attributes:
        follower: features of the followers, float [B, N, F].
        goal: features of the goal types as seen from each follower, float [B, N, C, D]: of all G, or of
            the C nearest in a game with ``near_goals``.
        previous: omega_{t-1}, int64 [B, N], -1 in the first step.
        expired: bool [B, N], that offer has run its course: its contract was completed, the follower is not committed
            to it, or its goal cannot be reached.
        step: t.
    """

    follower: Tensor
    goal: Tensor
    previous: Tensor
    expired: Tensor
    step: int


class LeaderStep(NamedTuple):
    """One decision of the leader for B games.

    Attributes:
        offer: omega_t, flat offers int64 [B, N].
        state: what the leader remembers, to be handed to its next decision.
        explored: bool [B, N], the goal was set by agent-wise exploration, not by the policy; None: nowhere.
        attention: its weights of the followers in this decision, float [B, N], which sum to 1; None without such.
    """

    offer: Tensor
    state: Any
    explored: Tensor | None = None
    attention: Tensor | None = None


class Insight(NamedTuple):
    """What went on in a leader while it played episodes; None where it has no such part.

    Attributes:
        attention: its weights of the followers, float [T, B, N], which sum to 1.
        termination: beta, float [T, B, N]; nan where a new option started anyway.
        prediction: how likely it thought each follower's actions, float [T, B, N, A].
        entropy: of mu in nats, float [T, B, N].
    """

    attention: Tensor | None
    termination: Tensor | None
    prediction: Tensor | None
    entropy: Tensor | None


@runtime_checkable
class Player(Protocol):
    """A leader that can play. All tensors are on ``device``."""

    @property
    def device(self) -> torch.device:
        """Where the leader's parameters are."""

    def initial_state(self, num_games: int, num_followers: int) -> Any:
        """What the leader remembers before the first step of an episode."""

    def act(
        self,
        seen: LeaderInput,
        state: Any,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Offers for one step of B games.

        Args:
            seen: the step.
            state: from :meth:`initial_state` or the step before.
            explore: the exploration rate, from :meth:`exploration_rate`.
            generator: the only source of randomness, on ``device``; None for torch's own.
            greedy: no randomness at all.
        """


@runtime_checkable
class LeaderAlgorithm(Player, Protocol):
    """A leader that can play and learn."""

    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learns from a batch of whole episodes; returns metrics by name.

        Args:
            episodes: played by this leader as it is now.
            progress: share of the training done before them, in [0, 1], for what changes as training goes on.

        Metrics with "loss" or "norm" in their name must be finite, as must all weights: else training ends.
        """

    def inspect(self, episodes: Episodes) -> Insight:
        """What went on in it while it played these episodes."""

    def exploration_rate(self, episodes_done: int) -> float:
        """The exploration rate to train with after so many episodes."""

    def modules(self) -> dict[str, nn.Module]:
        """The networks, by name, whose parameters make up the leader."""

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers, by name, whose state training needs to continue exactly."""


@runtime_checkable
class LearnsOnRanks(Protocol):
    """A leader that several processes can train together, each on games of its own.

    Attributes:
        ranks: set by the training loop. :meth:`LeaderAlgorithm.update` is then called on all ranks and must leave all
            of them with the same parameters, the gradients added up by it.
    """

    ranks: Ranks


@runtime_checkable
class KnowsFollowers(Protocol):
    """A leader that keeps something of each follower beside the history statistics, such as how often it explored."""

    def forget_followers(self, identities: NDArray[np.integer]) -> None:
        """Forget members of the population, int[R], in whose places others have come."""


@runtime_checkable
class ForeseesFollowers(Protocol):
    """A leader that looks into followers that learn, and learns from what these would learn."""

    def foresee(self, followers: FollowerAlgorithm, lived: FollowerEpisodes) -> None:
        """Take up the followers as they are, and what they have lived through, before each update of the leader.

        It keeps copies of what it needs: they may learn while the leader does.
        """
