"""Actors: networks that act, one step on the CPU without gradients, in a single call of the C++ core (``acting.hpp``).

A step of 32 games is so little arithmetic that torch takes ten times as long to start its hundred operations. The
modules of this package remain the definition. What the core does not take goes through them: CUDA, double precision,
subclasses, hooks, and steps whose gradients are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paymaster import _core
from paymaster.networks.follower_policy import FollowerNetwork, draw_actions
from paymaster.networks.leader import LeaderNetwork, LeaderOutput

__all__ = ["FollowerActor", "LeaderActor", "core_parameters", "parameters_of", "readable"]


class _Actor:
    """A network that is evaluated step by step, by the core where it can.

    It reads parameters where torch keeps them, so it sees what an optimiser or ``load_state_dict`` writes there. Make
    another once a parameter, a module or a hook of the network has been replaced.
    """

    def __init__(self, network: nn.Module, kind: type[Any], core: type[Any] | None) -> None:
        self._network, self._core = network, None
        if core is not None and (parameters := core_parameters(network, kind)) is not None:
            settings, arrays = vars(network.config), {name: p.detach().numpy() for name, p in parameters.items()}
            self._core = core(arrays, **{name: size for name, size in settings.items() if type(size) is int})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._network,)


class LeaderActor(_Actor):
    """Evaluates a leader's network step by step, for a batch of episodes.

    Args:
        network: the leader's.
    """

    def __init__(self, network: LeaderNetwork) -> None:
        super().__init__(network, LeaderNetwork, _core.ActingLeader)
        self._single = network.config.num_offers == 1  # there is nothing to draw

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

    def offer(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        history: Tensor,
        *,
        expired: Tensor | None,
        opens: bool,
        explore: float,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensor] | None:
        """Evaluate a step and draw the offers of the leader's process (:mod:`paymaster.algorithms.process`) in one.

        Args:
            follower, goal, previous, history: as for :meth:`evaluate`.
            expired: bool [B, N], where an option ends by rule; None: nowhere.
            opens: all options end by rule.
            explore: iota in [0, 1].
            generator: the only source of randomness; the same numbers are drawn as without the core.

        Returns:
            Offers int64 [B, N], weights of the followers [B, N] and h after this step [B, N, H]; None where it takes
            other ways than the core.
        """
        if self._core is None or self._single or not _whole(previous, follower, goal, history):
            return None
        uniform = torch.rand((2, *previous.shape), generator=generator)
        offer, attention, after = self._core.offer(
            *(follower.numpy(), goal.numpy(), previous.numpy(), history.numpy()),
            *(None if expired is None else expired.numpy(), opens, uniform.numpy(), explore),
        )
        return torch.from_numpy(offer), torch.from_numpy(attention), torch.from_numpy(after)


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

    def draw(self, own: Tensor, goal: Tensor, identity: Tensor, uniform: Tensor | None, explore: float) -> Tensor:
        """Draw the followers' actions of one step, int64 [B, N].

        Args:
            own, goal, identity: as of :meth:`logits`.
            uniform: random numbers in [0, 1), [B, N]; None: the likeliest action instead.
            explore: iota, with which an action is a uniform one.

        Raises:
            ValueError: as of :meth:`logits`.
        """
        if self._core is None or identity.dim() != 2 or not readable(identity, own, goal):
            return draw_actions(self.logits(own, goal, identity), uniform, explore)
        numbers = None if uniform is None else uniform.numpy()
        return torch.from_numpy(self._core.draw(own.numpy(), goal.numpy(), identity.numpy(), numbers, explore))

    def answer(
        self,
        encoder: _core.FollowerEncoder,
        observation: Mapping[str, NDArray[Any]],
        own: NDArray[np.float32],
        goal: NDArray[np.float32],
        identity: NDArray[np.int64],
        *,
        explore: float,
        generator: torch.Generator | None,
        greedy: bool,
    ) -> NDArray[np.int64] | None:
        """Encode what the followers see of one step and draw their actions, in one call.

        Args:
            encoder: of all the features that the network looks at.
            observation: of a batch in which the leader has made its offers.
            own, goal, identity: where to write features and identities, shapes as of :meth:`logits`.
            explore: iota.
            generator: the only source of randomness; the same numbers are drawn as without the core.
            greedy: the likeliest action, no randomness at all.

        Returns:
            Actions int64 [B, N], 0 where nobody acts; None where it takes other ways than the core: nothing is written
            or drawn.

        Raises:
            ValueError, TypeError: not such an observation, or arrays that do not fit.
        """
        if self._core is None:
            return None
        uniform = None if greedy else torch.rand(identity.shape, generator=generator, dtype=torch.float32).numpy()
        action: NDArray[np.int64] = self._core.answer(encoder, observation, own, goal, identity, uniform, explore)
        return action


def readable(index: Tensor, *numbers: Tensor) -> bool:
    """Tell whether the core can read these arrays: contiguous, on the CPU, int64 and float32, no gradients wanted."""
    return not torch.is_grad_enabled() and _whole(index, *numbers)


def _whole(index: Tensor, *numbers: Tensor) -> bool:
    return (
        all(
            array.dtype is torch.float32 and array.is_cpu and array.is_contiguous() and not array.requires_grad
            for array in numbers
        )
        and index.dtype is torch.int64
        and index.is_contiguous()
    )


def core_parameters(network: nn.Module, kind: type[Any]) -> dict[str, nn.Parameter] | None:
    """Return a network's parameters by name, in their order; None if the core cannot evaluate it."""
    if type(network) is not kind:
        return None
    modules = list(_walk(network))
    parameters = _parameters_of(modules)
    if any(map(_hooked, modules)) or not all(
        p.is_cpu and p.dtype is torch.float32 and p.is_contiguous() for p in parameters
    ):
        return None
    usual = _usual_parts(kind, network.config)  # type: ignore[arg-type]  # for mypy a class hashes as its instances do
    if [type(module) for module in modules] != usual.kinds or [p.shape for p in parameters] != usual.shapes:
        return None  # a module was replaced
    return dict(zip(usual.names, parameters, strict=True))


class _Parts(NamedTuple):
    """Types of a network's modules; names and shapes of their parameters."""

    kinds: list[type]
    names: list[str]
    shapes: list[torch.Size]


@cache  # every batch makes an actor, and to make a network takes as long as half of a batch's play
def _usual_parts(kind: type[Any], config: Any) -> _Parts:
    """The parts of a network made of a configuration."""
    with torch.device("meta"):  # without numbers: it draws none
        network = kind(config)
    named = dict(network.named_parameters())
    return _Parts([type(module) for module in _walk(network)], list(named), [p.shape for p in named.values()])


def _hooked(module: nn.Module) -> bool:
    return bool(
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    )


def parameters_of(network: nn.Module) -> list[nn.Parameter]:
    """Return what ``parameters()`` does, in a tenth of the time."""
    return _parameters_of(_walk(network))


def _parameters_of(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [p for module in modules for p in module._parameters.values() if p is not None]


def _walk(module: nn.Module) -> Iterator[nn.Module]:
    """As ``modules()``, in a tenth of the time."""
    yield module
    for part in module._modules.values():
        if part is not None:
            yield from _walk(part)
