"""Keyword arguments that a task does not have: named first, with the nearest one that it has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from paymaster import _core

__all__ = ["ARGUMENTS", "check_keywords", "unknown_parameter"]

ARGUMENTS = (
    "num_envs", "seed", "num_threads", "autoreset_mode", "first_index", "copy", "population", "render_mode",
    "max_episode_steps",
)  # fmt: skip
"""Of a batch, beside the parameters of its task."""


def check_keywords(task: str, parameters: Mapping[str, Any], own: Iterable[str]) -> None:
    """Refuse keyword arguments that are neither parameters of the task nor ``own`` ones of what is being made.

    The text holds Python's own words, "unexpected keyword argument 'name'", which TorchRL looks for.

    Raises:
        TypeError: the first unknown one. (An unknown task is left to those who look it up.)
    """
    if not isinstance(task, str):
        raise TypeError(f"task: expected a str, got {type(task).__name__}")
    if not _core.has_task(task):
        return
    known = [*_core.task(task)["parameters"], *own]
    for name in parameters:
        if name not in known:
            came = f"an unexpected keyword argument {name!r:.80}"
            raise TypeError(unknown_parameter(task, name, known, came))


def unknown_parameter(task: str, name: str, known: Iterable[str], came: str = "") -> str:
    """Say that a task has no parameter of that name: whose parameter it is, or which one may be meant.

    Args:
        task: there is one of that name.
        name: of the parameter.
        known: names that there are.
        came: what the name is, where that says more.
    """
    known = list(known)
    others = [entry["name"] for entry in _core.tasks() if name in entry["parameters"]]
    if others and task not in others:
        return f"{name}: expected a parameter of {task}, got one of {', '.join(others)}" + (
            f" ({came})" if came else ""
        )
    like = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    kind = "an argument" if came else "a parameter"
    expected = f"{kind} of {task} (did you mean {like[0]}?)" if like else f"one of {', '.join(known)}"
    return f"{name:.80}: expected {expected}, got {came or 'another name'}"
