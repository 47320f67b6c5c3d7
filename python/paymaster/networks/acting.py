"""Actors: networks that act, one step on the CPU without gradients, in a single call of the C++ core (``acting.hpp``).

A step of 32 games is so little arithmetic that torch takes ten times as long to start its hundred operations. The
modules of this package remain the definition. What the core does not take goes through them: CUDA, double precision,
networks of several seeds, subclasses, hooks, and steps whose gradients are wanted.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from paymaster import _core
from paymaster.networks.follower_policy import FollowerNetwork
from paymaster.networks.leader import LeaderNetwork, LeaderOutput

__all__ = ["FollowerActor", "LeaderActor", "readable"]


class _Actor:
    """A network that is evaluated step by step, by the core where it can.

    It reads parameters where torch keeps them, so it sees what an optimiser or ``load_state_dict`` writes there. Make
    another once a parameter, a module or a hook of the network has been replaced.
    """

    def __init__(self, network: nn.Module, kind: type[Any], core: type[Any] | None) -> None:
        self._network, self._core = network, None
        if core is not None and (parameters := _parameters(network, kind)) is not None:
            settings = vars(network.config)
            self._core = core(parameters, **{name: size for name, size in settings.items() if type(size) is int})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._network,)


class LeaderActor(_Actor):
    """Evaluates a leader's network step by step, for a batch of episodes.

    Args:
        network: the leader's.
    """

    def __init__(self, network: LeaderNetwork) -> None:
        super().__init__(network, LeaderNetwork, _core.ActingLeader)

    def evaluate(self, follower: Tensor, goal: Tensor, previous: Tensor, history: Tensor) -> LeaderOutput:
        """Return the network's output for one step, without phi; the same as by calling it, to rounding.

        Args:
            follower: features, [B, N, F].
            goal: goal features, [B, N, G, D].
            previous: omega_{t-1}, int64 [B, N], -1 where no offer was made yet.
            history: h before this step, [B, N, H].

        Raises:
            ValueError: shapes that do not fit, or an offer that does not exist.
        """
        if self._core is None or previous.dim() != 2 or not readable(previous, follower, goal, history):
            output: LeaderOutput = self._network(follower, goal, previous, history, baseline=False)
            return output
        arrays = self._core.step(follower.numpy(), goal.numpy(), previous.numpy(), history.numpy())
        log_mu, termination, prediction, attention, after = (
            None if array is None else torch.from_numpy(array) for array in arrays
        )
        assert log_mu is not None and attention is not None
        return LeaderOutput(log_mu, termination, None, prediction, attention, after)


class FollowerActor(_Actor):
    """Evaluates the followers' networks step by step, as :class:`LeaderActor` does the leader's.

    Args:
        network: theirs.
    """

    def __init__(self, network: FollowerNetwork) -> None:
        alike = len(network.own.weight) == 1  # else each follower has weights of its own
        super().__init__(network, FollowerNetwork, _core.ActingFollowers if alike else None)

    def logits(self, own: Tensor, goal: Tensor, identity: Tensor) -> Tensor:
        """Return the logits [B, N, A] of the followers' actions in one step.

        Args:
            own: features per follower, [B, N, F].
            goal: per follower and goal type, [B, N, G, D].
            identity: who the followers are, int64 [B, N].

        Raises:
            ValueError: shapes that do not fit, or a follower that does not exist.
        """
        if self._core is None or identity.dim() != 2 or not readable(identity, own, goal):
            logits: Tensor = self._network(own, goal, identity).logits
            return logits
        return torch.from_numpy(self._core.step(own.numpy(), goal.numpy(), identity.numpy()))


def readable(index: Tensor, *numbers: Tensor) -> bool:
    """Tell whether the core can read these arrays: contiguous, on the CPU, int64 and float32, no gradients wanted."""
    return (
        not torch.is_grad_enabled()
        and all(
            array.dtype is torch.float32 and array.is_cpu and array.is_contiguous() and not array.requires_grad
            for array in numbers
        )
        and index.dtype is torch.int64
        and index.is_contiguous()
    )


def _parameters(network: nn.Module, kind: type[Any]) -> dict[str, Any] | None:
    """A network's parameters by name, as arrays over torch's memory; None if the core cannot evaluate it."""
    parameters = dict(network.named_parameters())
    if type(network) is not kind or not all(
        p.is_cpu and p.dtype is torch.float32 and p.is_contiguous() for p in parameters.values()
    ):
        return None
    if any(module._forward_hooks or module._forward_pre_hooks for module in network.modules()):
        return None
    usual = _usual_parts(kind, network.config)  # type: ignore[arg-type]  # for mypy a class hashes as its instances do
    if _parts(network) != usual:  # of several seeds, or a module was replaced
        return None
    return {name: parameter.detach().numpy() for name, parameter in parameters.items()}


@cache  # every batch makes an actor, and to make a network takes as long as half of a batch's play
def _usual_parts(kind: type[Any], config: Any) -> tuple[list[type], list[tuple[str, torch.Size]]]:
    """What :func:`_parts` returns for a network made of a configuration."""
    with torch.device("meta"):  # without numbers: it draws none
        return _parts(kind(config))


def _parts(network: nn.Module) -> tuple[list[type], list[tuple[str, torch.Size]]]:
    """Types of the modules, shapes of the parameters."""
    shapes = [(name, parameter.shape) for name, parameter in network.named_parameters()]
    return [type(module) for module in network.modules()], shapes
