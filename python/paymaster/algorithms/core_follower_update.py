"""Followers' gradient by the C++ core: network and losses, forward and back, in one call a gradient step.

What is computed is defined by :mod:`paymaster.algorithms.torch_follower_update`, through which goes what the core does
not take: CUDA, double precision, followers with weights of their own, subclasses, hooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from paymaster import _core
from paymaster.algorithms.joined_adam import JoinedAdam
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
        gradients: of all parameters, in one array.
    """

    def __init__(self, network: FollowerNetwork, parameters: Mapping[str, nn.Parameter]) -> None:
        self._joined = JoinedParameters(parameters)
        self.gradients = [self._joined.gradient]
        sizes = {name: size for name, size in vars(network.config).items() if type(size) is int}
        values, gradient = self._joined.values.numpy(), self._joined.gradient.numpy()
        self._core = _core.FollowerUpdate(self._joined.named, values, gradient, **sizes)

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

    def take(self, episodes: FollowerEpisodes, config: FollowerLearning) -> None:
        """As :meth:`TorchFollowerUpdate.take`."""
        names = ("own", "goal", "identity", "action", "acts")
        self._core.take(*(getattr(episodes, name).contiguous().numpy() for name in names))
        self._joined.show_gradient()
        self._count, self._explore, self._config = max(1, int(episodes.acts.sum())), episodes.explore, config

    def judge(self) -> Tensor:
        """As :meth:`TorchFollowerUpdate.judge`."""
        return torch.from_numpy(self._core.judge())

    def learn(
        self, advantage: Tensor, targets: Tensor, scale: Tensor, *, first: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As :meth:`TorchFollowerUpdate.learn`."""
        config = self._config
        sums = self._core.learn(
            advantage.contiguous().numpy(),
            targets.contiguous().numpy(),
            first=first,
            scale=float(scale),
            explore=self._explore,
            critic_weight=config.critic_weight,
            entropy_weight=config.lambda_entropy,
            clip=config.clip,
        )
        means = {name: value / self._count for name, value in sums.items()}
        weights = {"policy_loss": 1.0, "critic_loss": config.critic_weight, "entropy": -config.lambda_entropy}
        loss = sum(weight * means[name] for name, weight in weights.items())
        return torch.tensor(loss), {f"follower_{name}": torch.tensor(mean) for name, mean in means.items()}

    def step(self, optimizer: JoinedAdam) -> None:
        """As :meth:`TorchFollowerUpdate.step`."""
        optimizer.step_joined(self._joined.values, self._joined.gradient)
