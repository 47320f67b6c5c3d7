"""A torch optimiser's state as named tensors and JSON, and back, bit for bit and without pickle.

Made for Adam and its kin: state that is tensors per parameter, options that are numbers. Tensors are named
`PARAMETER.NAME`, such as `3.exp_avg`, by the parameter's place in the optimiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from paymaster.storage.checkpoint_format import CheckpointError, OptimizerState

__all__ = ["load_optimizer", "optimizer_tensors"]

# How the step is computed, not what: these belong to the machine, so the fresh optimiser keeps its own.
_IMPLEMENTATION = ("params", "foreach", "fused", "capturable", "differentiable")


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], OptimizerState]:
    """The optimiser's state: moments and step counts as tensors, the groups' options for JSON.

    The tensors are the optimiser's own, so save them before the next step.

    Raises:
        TypeError: the optimiser has an option that is not a number.
    """
    state = optimizer.state_dict()
    tensors = {
        f"{parameter}.{name}": value for parameter, named in state["state"].items() for name, value in named.items()
    }
    return tensors, OptimizerState(type(optimizer).__name__, [_options(group) for group in state["param_groups"]])


def load_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], state: OptimizerState
) -> None:
    """Give a fresh optimiser over parameters of the same shapes the state that `optimizer_tensors` returned.

    Args:
        optimizer: of the same class, with the same groups; its own options are overwritten by the saved ones,
            but for those that choose the implementation (foreach, fused, capturable, differentiable).
        tensors: the tensors, on any device; they are copied.
        state: the rest.

    Raises:
        CheckpointError: they do not fit this optimiser; it is then unchanged.
    """
    fresh = optimizer.state_dict()["param_groups"]
    facts = {
        "class": (type(optimizer).__name__, state.type),
        "groups": (len(fresh), len(state.groups)),
        "options": ([_kinds(_options(group)) for group in fresh], [_kinds(group) for group in state.groups]),
    }
    for what, (expected, came) in facts.items():
        if expected != came:
            raise CheckpointError(f"optimizer: {what}: expected {expected}, got {came}: of another model?")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        if not (number.isdecimal() and len(number) < 9 and int(number) < len(parameters) and name):
            raise CheckpointError(
                f"optimizer tensor {key!r}: expected PARAMETER.NAME with a parameter below {len(parameters)}"
            )
        shape = parameters[int(number)].shape
        if tensor.shape != shape and not (name == "step" and tensor.dim() == 0):
            raise CheckpointError(f"optimizer tensor {key!r}: expected shape {list(shape)}, got {list(tensor.shape)}")
        if not tensor.is_floating_point():
            raise CheckpointError(f"optimizer tensor {key!r}: expected floating numbers, got {tensor.dtype}")
        entries.setdefault(int(number), {})[name] = tensor.clone()  # the optimiser would go on in the given tensor
    # Every parameter that has state has the same names of it; one without had no gradient yet.
    names = set().union(*entries.values())
    for place, named in entries.items():
        if names != named.keys():
            raise CheckpointError(f"optimizer state of parameter {place}: {sorted(names - named.keys())} missing")
    groups = [group | _restored(saved) for group, saved in zip(fresh, state.groups, strict=True)]
    optimizer.load_state_dict({"state": dict(sorted(entries.items())), "param_groups": groups})


def _options(group: Mapping[str, Any]) -> dict[str, Any]:
    """What of a group is stored, with lists in place of tuples, as JSON has them."""
    options = {name: value for name, value in group.items() if name not in _IMPLEMENTATION}
    for name, value in options.items():
        numbers = value if isinstance(value, tuple | list) else [value]
        if not all(one is None or isinstance(one, bool | int | float | str) for one in numbers):
            raise TypeError(f"optimizer option {name}: expected numbers, got {type(value).__name__}")
        options[name] = list(value) if isinstance(value, tuple) else value
    return options


def _kinds(options: Mapping[str, Any]) -> dict[str, str]:
    """The options' names and kinds of values, which a saved group shares with a fresh one."""

    def kind(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(kind, value))}]"
        return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__

    return {name: kind(value) for name, value in sorted(options.items())}


def _restored(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
