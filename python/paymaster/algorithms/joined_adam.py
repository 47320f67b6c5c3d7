"""Adam for parameters that lie in one array: a step of the array is a step of them all, in a tenth of the time."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["JoinedAdam"]


class _Part(NamedTuple):
    """Parameters with the same settings, and the arrays of which their states are views.

    Attributes:
        groups: which of the optimiser's have them.
        place: of them in an array of all parameters.
    """

    groups: list[dict[str, Any]]
    place: slice
    exp_avg: Tensor
    exp_avg_sq: Tensor
    step: Tensor


class JoinedAdam(torch.optim.Adam):
    """torch's fused Adam; its state is the same, by parameter, however it steps."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, fused=True)
        self._parts: list[_Part] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_parts": None}

    def step(self, closure: Any = None) -> Any:
        """One step, parameter by parameter."""
        steps = [state["step"] for state in self.state.values() if "step" in state]
        if len({id(step) for step in steps}) < len(steps):  # one of a whole part, which would be counted up for each
            for state in self.state.values():
                state["step"] = state["step"].clone()
        self._parts = None
        return super().step(closure)

    @torch.no_grad()
    def step_joined(self, parameters: Tensor, gradient: Tensor) -> None:
        """One step of all parameters, which lie one after the other in an array, and their gradient in another."""
        if self._parts is None or not all(map(self._is_current, self._parts)):
            self._parts = self._joined()
        for part in self._parts:
            settings = part.groups[0]
            beta1, beta2 = settings["betas"]
            adam(
                [parameters[part.place]],
                [gradient[part.place]],
                [part.exp_avg],
                [part.exp_avg_sq],
                [],
                [part.step],
                fused=True,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                lr=settings["lr"],
                weight_decay=0.0,
                eps=settings["eps"],
                maximize=False,
            )

    def _is_current(self, part: _Part) -> bool:
        """Whether the parameters' states are still those it has, not loaded ones, and their rates still the same."""
        # Whoever gives a parameter another state gives one to all, with the first of a group.
        return all(
            self.state[group["params"][0]].get("step") is part.step and group["lr"] == part.groups[0]["lr"]
            for group in part.groups
        )

    def _joined(self) -> list[_Part]:
        """All states, moved into arrays: one for all groups, if they have one rate."""
        rates = {group["lr"] for group in self.param_groups}
        parts, first = [], 0
        for groups in [self.param_groups] if len(rates) == 1 else [[group] for group in self.param_groups]:
            parameters = [parameter for group in groups for parameter in group["params"]]
            last = first + sum(parameter.numel() for parameter in parameters)
            states = [self.state[parameter] for parameter in parameters]
            step = states[0]["step"].clone() if states[0] else torch.zeros((), device=parameters[0].device)
            exp_avg, exp_avg_sq = (_moved(name, parameters, states) for name in ("exp_avg", "exp_avg_sq"))
            for state in states:
                state["step"] = step
            parts.append(_Part(groups, slice(first, last), exp_avg, exp_avg_sq, step))
            first = last
        return parts


def _moved(name: str, parameters: list[Tensor], states: list[dict[str, Tensor]]) -> Tensor:
    """An array of what the states have under that name, to which they are views from now on."""
    own = [state.get(name, torch.zeros_like(p)) for state, p in zip(states, parameters, strict=True)]
    whole = torch.cat([values.flatten() for values in own])
    for state, part, values in zip(states, torch.split(whole, [v.numel() for v in own]), own, strict=True):
        state[name] = part.view(values.shape)
    return whole
