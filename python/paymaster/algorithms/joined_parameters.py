"""A network's parameters in one array, and their gradient in another, for those who compute it outside of torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from paymaster.networks.acting import core_names, parameters_of

__all__ = ["JoinedParameters", "learns_as_usual"]


class JoinedParameters:
    """Moves a network's parameters, float32 on the CPU, into one array.

    Args:
        network: theirs.

    Attributes:
        values: all of them, in their order in the network, float32 [P]; the network's own are views of it.
        gradient: theirs, likewise.
        named: views of ``values`` by the parameter's name.
    """

    def __init__(self, network: nn.Module) -> None:
        self._every = parameters_of(network)
        self.values = torch.cat([parameter.detach().flatten() for parameter in self._every])
        self.gradient = torch.zeros_like(self.values)
        each = [parameter.numel() for parameter in self._every]
        for parameter, part in zip(self._every, torch.split(self.values, each), strict=True):
            parameter.data = part.view(parameter.shape)
        self._gradients = [
            part.view(parameter.shape)
            for parameter, part in zip(self._every, torch.split(self.gradient, each), strict=True)
        ]
        self.named = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
        self._where = _addresses(self._every)

    def are_those_of(self, network: nn.Module) -> bool:
        """Tell whether the network's parameters still lie where this has put them."""
        return self._where == _addresses(parameters_of(network))

    def show_gradient(self) -> None:
        """Let each parameter's ``grad`` be its part of ``gradient``."""
        for parameter, gradient in zip(self._every, self._gradients, strict=True):
            parameter.grad = gradient


def learns_as_usual(network: nn.Module, kind: type[Any]) -> bool:
    """Tell whether the core may compute the gradient: all parameters learn, and nobody watches over their gradients."""
    return core_names(network, kind) is not None and all(map(_unwatched, parameters_of(network)))


def _unwatched(parameter: Tensor) -> bool:
    hooks = (getattr(parameter, name, None) for name in ("_backward_hooks", "_post_accumulate_grad_hooks"))
    return parameter.requires_grad and not any(hooks)


def _addresses(parameters: Iterable[Tensor]) -> list[int]:
    return [parameter.data_ptr() for parameter in parameters]
