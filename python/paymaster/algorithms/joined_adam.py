"""Adam for parameters that lie in one array: a step of the array is a step of them all, in a tenth of the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["JoinedAdam"]


class _Moments(NamedTuple):
    """The state of a group's parameters, as arrays of which theirs are views."""

    exp_avg: Tensor
    exp_avg_sq: Tensor
    step: Tensor


class JoinedAdam(torch.optim.Adam):
    """torch's fused Adam; its state is the same, by parameter, however it steps."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, fused=True)
        self._moments: list[_Moments] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_moments": None}

    def step(self, closure: Any = None) -> Any:
        """One step, parameter by parameter."""
        steps = [state["step"] for state in self.state.values() if "step" in state]
        if len({id(step) for step in steps}) < len(steps):  # one of a whole group, which would be counted up for each
            for state in self.state.values():
                state["step"] = state["step"].clone()
        self._moments = None
        return super().step(closure)

    @torch.no_grad()
    def step_joined(self, arrays: Sequence[tuple[Tensor, Tensor]]) -> None:
        """One step of all parameters.

        Args:
            arrays: of each group, its parameters one after the other, and their gradients.
        """
        if self._moments is None or not self._are_views(self._moments):
            self._moments = [self._joined(group["params"]) for group in self.param_groups]
        for group, (parameters, gradient), moments in zip(self.param_groups, arrays, self._moments, strict=True):
            beta1, beta2 = group["betas"]
            adam(
                [parameters],
                [gradient],
                [moments.exp_avg],
                [moments.exp_avg_sq],
                [],
                [moments.step],
                fused=True,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                lr=group["lr"],
                weight_decay=0.0,
                eps=group["eps"],
                maximize=False,
            )

    def _are_views(self, moments: list[_Moments]) -> bool:
        """Whether the parameters' state is still that which _joined() has given them, and not one that was loaded."""
        # Whoever gives a parameter another state gives one to all, with the first of a group.
        return all(
            self.state[group["params"][0]].get("step") is joined.step
            for group, joined in zip(self.param_groups, moments, strict=True)
        )

    def _joined(self, parameters: list[Tensor]) -> _Moments:
        """Their state, moved into arrays."""
        states = [self.state[parameter] for parameter in parameters]
        step = states[0]["step"].clone() if states[0] else torch.zeros((), device=parameters[0].device)

        def moved(name: str) -> Tensor:
            parts = [state.get(name, torch.zeros_like(p)) for state, p in zip(states, parameters, strict=True)]
            whole = torch.cat([part.flatten() for part in parts])
            for state, part, own in zip(states, torch.split(whole, [p.numel() for p in parts]), parts, strict=True):
                state[name] = part.view(own.shape)
            return whole

        moments = _Moments(moved("exp_avg"), moved("exp_avg_sq"), step)
        for state in states:
            state["step"] = step
        return moments
