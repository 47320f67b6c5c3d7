"""RMSprop that reads and writes each number once, on the CPU: torch's goes over the parameters six times."""

from __future__ import annotations

from typing import Any

import torch

from paymaster import _core

__all__ = ["CoreRMSprop"]


class CoreRMSprop(torch.optim.RMSprop):
    """torch's RMSprop without momentum and weight decay; its state is the same, and so are its steps but for rounding.

    Args:
        groups: of parameters, with their learning rates.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, alpha=0.99, eps=1e-8)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make one step, in the core where it can read the arrays."""
        learned = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        arrays = [array for p in learned if p.grad is not None for array in (p, p.grad)]
        if closure is not None or not all(
            array.is_cpu and array.dtype is torch.float32 and array.is_contiguous() for array in arrays
        ):
            return super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros(())
                    state["square_avg"] = torch.zeros_like(parameter)
                state["step"] += 1
                _core.rms_step(
                    *(parameter.detach().numpy(), parameter.grad.numpy(), state["square_avg"].numpy()),
                    rate=group["lr"],
                    alpha=group["alpha"],
                    epsilon=group["eps"],
                )
        return None
