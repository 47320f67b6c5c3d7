"""Networks that act: one step on the CPU without gradients, in a single call of the C++ core (``acting.hpp``).

A step of 32 games is so little arithmetic that torch took ten times as long to start its hundred operations. The
networks of this package remain the definition: what learns, is on CUDA, in double precision or of several seeds goes
through them, and whatever else the core does not take.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from paymaster import _core
from paymaster.networks.draws import Draws, draw_uniform
from paymaster.networks.follower_policy import FollowerNetwork
from paymaster.networks.leader import LeaderNetwork, LeaderOutput, sample_offers

__all__ = ["action_logits", "draw_offers", "evaluate_step"]

Step = TypeVar("Step")
Network = TypeVar("Network", LeaderNetwork, FollowerNetwork)


def evaluate_step(
    network: LeaderNetwork, follower: Tensor, goal: Tensor, previous: Tensor, history: Tensor
) -> LeaderOutput:
    """What a leader's network says of one step, without phi; the same as by calling it, to rounding.

    Args:
        network: the leader's.
        follower: features, [B, N, F].
        goal: goal features, [B, N, G, D].
        previous: omega_{t-1}, int64 [B, N], -1 where no offer was made yet.
        history: h before this step, [B, N, H].

    Raises:
        ValueError: shapes that do not fit, or an offer that there is not.
    """
    step = _LEADERS.step_of(network) if previous.dim() == 2 and _suits(previous, follower, goal, history) else None
    if step is None:
        output: LeaderOutput = network(follower, goal, previous, history, baseline=False)
        return output
    arrays = step.step(follower.numpy(), goal.numpy(), previous.numpy(), history.numpy())
    log_mu, termination, prediction, attention, after = (
        None if array is None else torch.from_numpy(array) for array in arrays
    )
    assert log_mu is not None and attention is not None
    return LeaderOutput(log_mu, termination, None, prediction, attention, after)


def draw_offers(
    output: LeaderOutput, held: Tensor, explore: float = 0.0, generator: Draws | None = None, greedy: bool = False
) -> Tensor:
    """:func:`~paymaster.networks.leader.sample_offers`: the same random numbers, and the same offers of them but where
    rounding decides."""
    log_mu, logits = output.log_mu, output.termination_logits
    if greedy or log_mu.shape[-1] == 1 or not _suits(held, *(log_mu,) if logits is None else (log_mu, logits)):
        return sample_offers(output, held, explore, generator, greedy)
    uniform = draw_uniform(2, held.shape, generator, held.device, log_mu.dtype)
    beta = None if logits is None else logits.numpy()
    return torch.from_numpy(
        _core.draw_offers(log_mu.numpy(), beta, held.numpy(), uniform.contiguous().numpy(), explore)
    )


def action_logits(network: FollowerNetwork, own: Tensor, goal: Tensor, identity: Tensor) -> Tensor:
    """Logits [B, N, A] of followers in one step, without their value; the same as by calling ``network``, to rounding.

    Args:
        network: theirs.
        own: features per follower, [B, N, F].
        goal: per follower and goal type, [B, N, G, D].
        identity: who the followers are, int64 [B, N].

    Raises:
        ValueError: shapes that do not fit, or a follower that there is not.
    """
    step = _FOLLOWERS.step_of(network) if identity.dim() == 2 and _suits(identity, own, goal) else None
    if step is None:
        logits: Tensor = network(own, goal, identity).logits
        return logits
    return torch.from_numpy(step.step(own.numpy(), goal.numpy(), identity.numpy()))


def _suits(index: Tensor, *numbers: Tensor) -> bool:
    """Arrays on the CPU as the core reads them, and no gradients wanted."""
    return (
        not torch.is_grad_enabled()
        and all(
            array.dtype is torch.float32 and array.is_cpu and array.is_contiguous() and not array.requires_grad
            for array in numbers
        )
        and index.dtype is torch.int64
        and index.is_contiguous()
    )


class _Steps(Generic[Network, Step]):
    """The core's steps of networks that have acted, each for as long as its network lives.

    Parameters are read where torch has them; so what an optimiser writes there is seen. But a parameter, its memory or
    a module may be replaced by another, or a hook may be registered, which is looked for at every step.

    Args:
        kind: the networks'; subclasses may compute something else.
        make: the core's step out of a network and its parameters as arrays.
    """

    def __init__(self, kind: type[Network], make: Callable[[Network, dict[str, Any]], Step | None]) -> None:
        self._kind: type[Network] = kind
        self._make: Callable[[Network, dict[str, Any]], Step | None] = make
        self._known: WeakKeyDictionary[Network, _Known[Step]] = WeakKeyDictionary()

    def step_of(self, network: Network) -> Step | None:
        """None where the core cannot do it."""
        known = self._known.get(network)
        if known is None or not known.holds():
            known = self._known[network] = _Known(network, self._made_of(network))
        return None if any(known.hooks) else known.step

    def _made_of(self, network: Network) -> Step | None:
        parameters = dict(network.named_parameters())
        if type(network) is not self._kind or not all(
            p.is_cpu and p.dtype is torch.float32 and p.is_contiguous() for p in parameters.values()
        ):
            return None
        with torch.device("meta"):  # which has no numbers, and draws none
            usual = self._kind(network.config)
        if _parts(network) != _parts(usual):  # of several seeds, or taken apart
            return None
        return self._make(network, {name: parameter.detach().numpy() for name, parameter in parameters.items()})


def _parts(network: nn.Module) -> tuple[list[type], list[tuple[str, torch.Size]]]:
    """Modules and shapes."""
    shapes = [(name, parameter.shape) for name, parameter in network.named_parameters()]
    return [type(module) for module in network.modules()], shapes


class _Known(Generic[Step]):
    """A step, and what it was made from. The memory seen then is held on to, so that no other has its address."""

    def __init__(self, network: nn.Module, step: Step | None) -> None:
        modules = list(network.modules())
        self.step = step
        self.hooks = [hooks for module in modules for hooks in (module._forward_hooks, module._forward_pre_hooks)]
        self._places = [
            (parts, name) for module in modules for parts in (module._modules, module._parameters) for name in parts
        ]
        self._parts = [parts[name] for parts, name in self._places]
        self._parameters = [part for part in self._parts if isinstance(part, Tensor)]
        self._memory = [parameter.detach() for parameter in self._parameters]
        self._addresses = [parameter.data_ptr() for parameter in self._parameters]

    def holds(self) -> bool:
        """Whether all of that is still where it was."""
        parts = [parts[name] for parts, name in self._places]
        return (
            all(map(is_, parts, self._parts))
            and [parameter.data_ptr() for parameter in self._parameters] == self._addresses
        )


def _leader(network: LeaderNetwork, parameters: dict[str, Any]) -> _core.ActingLeader:
    config = network.config
    return _core.ActingLeader(
        parameters,
        num_goals=config.num_goals,
        num_bonuses=config.num_bonuses,
        num_actions=config.num_actions,
        follower_features=config.follower_features,
        goal_features=config.goal_features,
        hidden=config.hidden,
    )


def _followers(network: FollowerNetwork, parameters: dict[str, Any]) -> _core.ActingFollowers | None:
    if len(network.own.weight) != 1:  # each has weights of its own
        return None
    config = network.config
    return _core.ActingFollowers(
        parameters,
        population=config.population,
        num_goals=config.num_goals,
        num_actions=config.num_actions,
        own_features=config.own_features,
        goal_features=config.goal_features,
        hidden=config.hidden,
    )


_LEADERS = _Steps(LeaderNetwork, _leader)
_FOLLOWERS = _Steps(FollowerNetwork, _followers)
