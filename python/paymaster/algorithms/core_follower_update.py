"""Followers' gradient by the C++ core: network and losses, forward and back, in one call a gradient step.

What is computed is defined by :mod:`paymaster.algorithms.torch_follower_update`, through which goes what the core does
not take: CUDA, double precision, followers with weights of their own, subclasses, hooks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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

    def estimate(
        self, episodes: FollowerEpisodes, value: Tensor, total: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return advantages and targets of the value, float [T, B, N], as :class:`.FollowerActorCritic` defines them.

        One call in place of a dozen operations of torch, which take longer than it takes to judge the steps. Where
        nobody acted, advantages are any numbers.

        Args:
            episodes: those taken.
            value: of their steps (:meth:`judge`).
            total: makes a sum over this batch one over all ranks' (:func:`.normalise`).
        """
        arrays = (array.contiguous().numpy() for array in (episodes.reward, value, episodes.acts))
        advantage, targets, (count, mean, squares) = _core.follower_advantages(
            *arrays, gamma=self._config.gamma, gae_lambda=self._config.gae_lambda
        )
        every, summed = total(torch.tensor((count, count * mean), dtype=torch.float64)).tolist()
        every = max(1.0, every)
        centre = summed / every
        squares = float(total(torch.tensor(squares + count * (mean - centre) ** 2, dtype=torch.float64)))
        advantage -= centre
        advantage /= math.sqrt(squares / every) + 1e-8
        return torch.from_numpy(advantage), torch.from_numpy(targets)

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
