"""A leader's gradient by the C++ core: network and losses, forward and back, in one call a gradient step.

Of an update by torch, matrix products take a quarter, at one episode an update a twentieth; the rest is starting
operations, and reading and writing the arrays between them. What is computed is defined by
:mod:`paymaster.algorithms.torch_update`, through which goes what the core does not take: CUDA, double precision,
subclasses, hooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from paymaster import _core
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.joined_parameters import JoinedParameters, learned_as_usual
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.torch_update import Judged
from paymaster.networks.leader import LeaderNetwork

__all__ = ["CoreUpdate"]


class CoreUpdate:
    """Computes gradients for a network on the CPU, whose parameters it moves into one array.

    Args:
        network: the leader's.
        parameters: the network's (:func:`.learned_as_usual`).

    Attributes:
        gradients: of all parameters, in one array.
    """

    def __init__(self, network: LeaderNetwork, parameters: Mapping[str, nn.Parameter]) -> None:
        self._joined = JoinedParameters(parameters)
        self.gradients = [self._joined.gradient]
        sizes = {name: size for name, size in vars(network.config).items() if type(size) is int}
        values, gradient = self._joined.values.numpy(), self._joined.gradient.numpy()
        self._core = _core.LeaderUpdate(self._joined.named, values, gradient, **sizes)
        self._predicts = network.config.prediction

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # a copied leader makes one of its own

    @staticmethod
    def of(network: LeaderNetwork, before: CoreUpdate | None) -> CoreUpdate | None:
        """Return one for this network, ``before`` if its parameters are where that put them; None: torch's turn.

        That is where something in the network is not as usual, and for goal types that share no weights.
        """
        if not network.config.shared_goal_weights:
            return None
        parameters = learned_as_usual(network, LeaderNetwork)
        if parameters is None:
            return None
        return before if before is not None and before._joined.are(parameters) else CoreUpdate(network, parameters)

    def take(self, steps: PackedSteps, held: Tensor, config: EBPGConfig) -> None:
        """As :meth:`TorchUpdate.take`."""
        agents = config.exploration == "agents"
        explored = steps.explored if agents else torch.zeros_like(steps.explored)
        arrays = (
            *(steps.follower, steps.goal, steps.previous, steps.offer, held),
            *(steps.follower_action, steps.new_offer, explored),
        )
        self._core.take(steps.batch_sizes.tolist(), *(array.contiguous().numpy() for array in arrays))
        self._core.encode()
        self._joined.show_gradient()
        self._rows, self._config = held.numel(), config
        self._explore = 0.0 if agents else steps.explore

    def judge(self) -> Judged:
        """As :meth:`TorchUpdate.judge`."""
        phi, policy, termination, sums = self._core.judge(self._settings({}))
        predicted, beta = torch.tensor(sums["predicted"]), torch.tensor(sums["beta"])
        ended = None if termination is None else torch.from_numpy(termination)
        return Judged(
            *(torch.from_numpy(phi), torch.from_numpy(policy), ended),
            *(predicted if self._predicts else None, None if ended is None else beta),
        )

    def learn(
        self,
        weights: Mapping[str, float],
        judged: Judged,
        advantage: Tensor,
        targets: Tensor,
        scale: Tensor,
        *,
        first: bool,
    ) -> dict[str, Tensor]:
        """As :meth:`TorchUpdate.learn`."""
        if not first:
            self._core.encode()
        old = (None, None) if first else (_array(judged.policy), _array(judged.termination))
        sums = self._core.learn(
            *(self._settings(weights), _array(advantage), _array(targets), *old, float(scale)),
        )
        means = {name: sums[name] / max(1, self._rows) for name in weights}
        means["loss"] = sum(weight * means[name] for name, weight in weights.items())
        return dict(zip(means, torch.tensor(list(means.values())).unbind(), strict=True))

    def step(self, optimizer: JoinedAdam) -> None:
        """As :meth:`TorchUpdate.step`."""
        optimizer.step_joined(self._joined.values, self._joined.gradient)

    def _settings(self, weights: Mapping[str, float]) -> Any:
        return _core.LossSettings(
            dense=self._config.gradient == "dense",
            entropy_of_decisions=self._config.entropy_of_decisions,
            explore=self._explore,
            critic_weight=weights.get("critic_loss", 0.0),
            entropy_weight=-weights.get("entropy", 0.0),
            imitation_weight=weights.get("imitation_loss", 0.0),
            penalty_weight=weights.get("termination_penalty", 0.0),
            clip=self._config.clip,
        )


def _array(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.contiguous().numpy()
