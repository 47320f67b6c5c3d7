"""A network's parameters in one array, and their gradient in another, for those who compute it outside of torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from paymaster.networks.acting import core_parameters

__all__ = ["JoinedParameters", "learned_as_usual"]


class JoinedParameters:
    """Moves parameters, float32 on the CPU, into one array.

    Args:
        parameters: of a network, all of them, by name, in their order in the network.

    Attributes:
        values: the parameters, float32 [P]; the network's own are views of it.
        gradient: theirs, likewise.
        named: views of ``values`` by the parameter's name.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._every = list(parameters.values())
        self.values = torch.cat([parameter.detach().flatten() for parameter in self._every])
        self.gradient = torch.zeros_like(self.values)
        each = [parameter.numel() for parameter in self._every]
        for parameter, part in zip(self._every, torch.split(self.values, each), strict=True):
            parameter.data = part.view(parameter.shape)
        self._gradients = [
            part.view(parameter.shape)
            for parameter, part in zip(self._every, torch.split(self.gradient, each), strict=True)
        ]
        self.named = {name: parameter.detach().numpy() for name, parameter in parameters.items()}
        self._where = _addresses(self._every)

    def are(self, parameters: Mapping[str, nn.Parameter]) -> bool:
        """Tell whether these are the parameters, and still lie where this has put them."""
        return self._where == _addresses(parameters.values())

    def show_gradient(self) -> None:
        """Let each parameter's ``grad`` be its part of ``gradient``."""
        for parameter, gradient in zip(self._every, self._gradients, strict=True):
            parameter.grad = gradient


def learned_as_usual(network: nn.Module, kind: type[Any]) -> dict[str, nn.Parameter] | None:
    """Return a network's parameters by name if the core can compute their gradient: all of them learn, and nobody
    watches over their gradients. Else None."""
    parameters = core_parameters(network, kind)
    return parameters if parameters is not None and all(map(_unwatched, parameters.values())) else None


def _unwatched(parameter: Tensor) -> bool:
    hooks = (getattr(parameter, name, None) for name in ("_backward_hooks", "_post_accumulate_grad_hooks"))
    return parameter.requires_grad and not any(hooks)


def _addresses(parameters: Iterable[Tensor]) -> list[int]:
    return [parameter.data_ptr() for parameter in parameters]
