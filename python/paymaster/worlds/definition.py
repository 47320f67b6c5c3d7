"""A task of one's own as data, which a run or another process can be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paymaster.validation.parameters import ParameterValue, plain_parameters

__all__ = ["Definition"]


@dataclass(frozen=True)
class Definition:
    """What another process needs to know of a task that was registered.

    Attributes:
        task: what it is made of: one of the package's tasks or of an installed package's, or ``module:Class`` of a
            world.
        meaning: one line for ``paymaster tasks``; empty for that of ``task``.
        parameters: in place of those of ``task``.
        population: skill [P][G] of 0 and 1, preference [P], reservation [P], learns [P] if only some learn, and utility
            [P][G], cost [P][G], weight [P] if they were given; None draws it.
    """

    task: str
    meaning: str = ""
    parameters: dict[str, ParameterValue] = field(default_factory=dict, hash=False)
    population: dict[str, list[Any]] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        """Have limits that are "inf", as files say it, as numbers."""
        if isinstance(self.parameters, Mapping):
            object.__setattr__(self, "parameters", plain_parameters(self.parameters))
