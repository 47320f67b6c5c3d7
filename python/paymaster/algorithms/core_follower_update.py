"""Followers' gradient by the C++ core: network and losses, forward and back, in one call a gradient step.

What is computed is defined by :mod:`paymaster.networks.follower_policy` and :mod:`paymaster.algorithms.followers`. What
the core does not take goes by torch: CUDA, double precision, followers with weights of their own, subclasses, hooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from paymaster import _core
from paymaster.algorithms.joined_parameters import JoinedParameters, learned_as_usual
from paymaster.networks.follower_policy import FollowerNetwork

if TYPE_CHECKING:
    from paymaster.algorithms.followers import FollowerEpisodes, FollowerLearning

__all__ = ["CoreFollowerUpdate"]


class CoreFollowerUpdate:
    """Computes gradients for a network on the CPU, whose parameters it moves into one array.

    Args:
        network: of followers that share one set of weights.
        parameters: the network's (:func:`.learned_as_usual`).

    Attributes:
        parameters: the network's, float32 [P].
        gradient: theirs, likewise.
        count: followers' steps that were taken, int64 [].
    """

    def __init__(self, network: FollowerNetwork, parameters: Mapping[str, nn.Parameter]) -> None:
        self._joined = JoinedParameters(parameters)
        self.parameters, self.gradient = self._joined.values, self._joined.gradient
        sizes = {name: size for name, size in vars(network.config).items() if type(size) is int}
        self._core = _core.FollowerUpdate(self._joined.named, self.parameters.numpy(), self.gradient.numpy(), **sizes)
        self.count = torch.tensor(0)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # copied followers make one of their own

    @staticmethod
    def of(network: FollowerNetwork, before: CoreFollowerUpdate | None) -> CoreFollowerUpdate | None:
        """Return one for this network, ``before`` if its parameters are where that put them; None: torch's turn."""
        parameters = None if len(network.own.weight) > 1 else learned_as_usual(network, FollowerNetwork)
        if parameters is None:
            return None
        if before is not None and before._joined.are(parameters):
            return before
        return CoreFollowerUpdate(network, parameters)

    def take(self, episodes: FollowerEpisodes) -> None:
        """Hold the steps of these episodes in which followers acted, until others are taken."""
        names = ("own", "goal", "identity", "action", "acts")
        self._core.take(*(getattr(episodes, name).contiguous().numpy() for name in names))
        self.count, self._explore = episodes.acts.sum(), episodes.explore

    def judge(self) -> Tensor:
        """Return the values [T, B, N] of the steps taken, 0 where nobody acted."""
        return torch.from_numpy(self._core.judge())

    def learn(
        self, config: FollowerLearning, advantage: Tensor, targets: Tensor, scale: float, *, first: bool
    ) -> tuple[float, dict[str, float]]:
        """Write the gradient of the losses' weighted mean, times ``scale``.

        Args:
            config: how they learn.
            advantage: float [T, B, N].
            targets: of the values, float [T, B, N].
            scale: a factor.
            first: this is the first gradient step on these steps; against its policy later ones are clipped.

        Returns:
            The weighted mean, and the mean of each loss over all steps taken, by name.
        """
        sums = self._core.learn(
            advantage.contiguous().numpy(),
            targets.contiguous().numpy(),
            first=first,
            scale=scale,
            explore=self._explore,
            critic_weight=config.critic_weight,
            entropy_weight=config.lambda_entropy,
            clip=config.clip,
        )
        self._joined.show_gradient()
        means = {name: value / max(1, int(self.count)) for name, value in sums.items()}
        weights = {"policy_loss": 1.0, "critic_loss": config.critic_weight, "entropy": -config.lambda_entropy}
        return sum(weight * means[name] for name, weight in weights.items()), means
