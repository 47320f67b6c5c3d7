"""Tasks by name: what there is, and how to make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paymaster import _core
from paymaster.envs.single import LeaderEnv
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv, followers_of
from paymaster.validation.parameters import parameters_of
from paymaster.worlds.registration import find, find_all

__all__ = ["Task", "make", "make_vec", "parameter_meanings", "tasks"]


@dataclass(frozen=True)
class Task:
    """A preset.

    Attributes:
        name: what :func:`make_vec` takes.
        meaning: one line.
        parameters: option name -> default of this preset; :func:`parameter_meanings` says what they mean.
    """

    name: str
    meaning: str
    parameters: dict[str, Any]


def tasks() -> list[Task]:
    """All presets, with their parameters: the package's, those of installed packages, and what has been registered."""
    find_all()
    return [Task(**entry) for entry in _core.tasks()]


def parameter_meanings() -> dict[str, str]:
    """Parameter name -> what it means and its default's source."""
    meanings = {
        name: parameter.meaning for task in _core.tasks() for name, parameter in parameters_of(task["name"]).items()
    }
    meanings["population"] = (
        "dict of arrays skill bool[P, G], preference int[P], reservation float[P], and if you like learns bool[P], "
        "utility float[P, G], cost float[P, G] or [P], weight float[P], instead of a draw; or a published one's name"
    )
    return meanings


def make_vec(
    task: str, num_envs: int = 1, seed: int | None = None, num_threads: int = 0, **parameters: Any
) -> LeaderVectorEnv:
    """B games of ``task`` as one vector environment; see :class:`LeaderVectorEnv` for arguments and errors.

    With followers that are "meta" or "primitive" it is a :class:`TwoPhaseVectorEnv`.
    """
    task = find(task)
    kind = TwoPhaseVectorEnv if followers_of(task, parameters) in ("meta", "primitive") else LeaderVectorEnv
    return kind(task, num_envs, seed, num_threads, **parameters)


def make(
    task: str, seed: int | None = None, index: int = 0, render_mode: str | None = None, **parameters: Any
) -> LeaderEnv:
    """A single game, equal to environment ``index`` of a batch with the same seed; see :class:`LeaderEnv`."""
    return LeaderEnv(task, seed, index, render_mode, **parameters)
