"""A task's parameters as the core describes them: what each may be, and the check of values given by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Interval

from paymaster import _core
from paymaster.validation.keywords import unknown_parameter
from paymaster.validation.ranges import NO_LIMIT, check_value

__all__ = [
    "ParameterValue",
    "TaskParameter",
    "check_parameters",
    "check_together",
    "has_own_objective",
    "in_json",
    "parameters_of",
    "plain_parameters",
]

_INF = "inf"  # in JSON, which has no infinite number

ParameterValue: TypeAlias = bool | int | float | str | list[float] | NO_LIMIT


@dataclass(frozen=True)
class TaskParameter:
    """A parameter of a task.

    Attributes:
        name: as a keyword argument.
        default: of this task.
        meaning: one line.
        low, high: of numbers, both ends included; None of others.
        choices: of a word; () where any text is one.
        several: it may be a list of numbers, too.
    """

    name: str
    default: ParameterValue
    meaning: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] = ()
    several: bool = False

    @property
    def kind(self) -> Any:
        """The declared type that :mod:`paymaster.validation.ranges` checks and describes."""
        if isinstance(self.default, bool):
            return bool
        if isinstance(self.default, str):
            return Literal[self.choices] if self.choices else str
        if isinstance(self.default, int):
            return Annotated[int, _interval(self.low, self.high)]
        number = Annotated[float, _interval(self.low, self.high)]
        if self.high == math.inf:
            return number | NO_LIMIT
        return number | list[number] if self.several else number


def parameters_of(task: str) -> dict[str, TaskParameter]:
    """Return a task's parameters by name.

    Raises:
        ValueError: an unknown task.
    """
    return {entry[0]: TaskParameter(*entry) for entry in _core.parameters(task)}


def plain_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as Python's numbers, texts and lists, without those that are None and leave a task's value.

    A limit that is "inf", as files have it, becomes the number.
    """
    return {
        name: math.inf if isinstance(value, str) and value == _INF and name in _limits() else _plain(value)
        for name, value in given.items()
        if value is not None
    }


def in_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain parameters as JSON has them: an infinite limit, which JSON has not, as the text "inf"."""
    return {
        name: _INF if isinstance(value, float) and value == math.inf else value for name, value in parameters.items()
    }


def check_parameters(task: str, given: Mapping[str, Any], prefix: str = "") -> None:
    """Check the names and values of parameters against the core's description of a task.

    What they must be together says :func:`check_together`.

    Args:
        task: its name.
        given: name -> value.
        prefix: stands before a parameter's name in messages.

    Raises:
        ValueError: an unknown task, a name that is no parameter of it, a value of another type or out of its range.
    """
    known = parameters_of(task)
    for name, value in given.items():
        if name not in known:
            raise ValueError(prefix + unknown_parameter(task, str(name), known))
        check_value(known[name].kind, value, prefix + name)


def check_together(task: str, given: Mapping[str, Any], prefix: str = "") -> None:
    """Check that parameters, each of which :func:`check_parameters` has passed, fit each other and the task's others.

    Args:
        task, given, prefix: as there.

    Raises:
        ValueError: the error that making games of them would raise.
    """
    try:
        _core.check_parameters(task, plain_parameters(given))
    except ValueError as error:
        raise ValueError(f"{prefix}{error}") from None


def has_own_objective(parameters: Mapping[str, Any]) -> bool:
    """Tell whether games with these parameters, all of them, reward the leader for anything but its gain."""
    weights = ("weight_gain", "weight_welfare", "weight_equality")
    return tuple(parameters[name] for name in weights) != (1.0, 0.0, 0.0)


@cache
def _limits() -> frozenset[str]:
    """Parameters of all tasks that may be infinite."""
    return frozenset(entry[0] for entry in _core.parameters(_core.tasks()[0]["name"]) if entry[4] == math.inf)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple):
        return [_plain(item) for item in value]
    return value


def _interval(low: float | None, high: float | None) -> Interval:
    """A range. One that ends with the largest int64 is open, as messages say it shorter; so is one without an end."""
    if high == math.inf:
        return Interval(ge=low)
    return Interval(ge=low, lt=2**63) if high == 2**63 - 1 else Interval(ge=low, le=high)
