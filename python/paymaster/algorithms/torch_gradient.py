"""The gradient of a network by torch's autograd."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.networks.acting import parameters_of

__all__ = ["TorchGradient"]


class TorchGradient:
    """Computes gradients for a network, wherever it is, and makes the optimiser's steps by them.

    Args:
        network: whose parameters learn.
    """

    def __init__(self, network: nn.Module) -> None:
        self._parameters = parameters_of(network)

    @property
    def gradients(self) -> list[Tensor]:
        """Those of the last loss, to be changed in place."""
        # Which parameters have a gradient follows from the configuration, so it is the same on all ranks.
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the optimiser's step by :attr:`gradients`."""
        optimizer.step()

    def _descend(self, loss: Tensor, scale: Tensor) -> None:
        """Let :attr:`gradients` be those of the loss, [], times ``scale``, []."""
        for parameter in self._parameters:
            parameter.grad = None
        loss.backward(scale.to(loss.dtype))  # type: ignore[no-untyped-call]
