"""Keyword arguments that a task does not have: named first, with the nearest one that it has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from paymaster import _core

__all__ = ["ARGUMENTS", "check_keywords"]

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
    tasks = {entry["name"]: entry["parameters"] for entry in _core.tasks()}
    if task not in tasks:
        return
    known = [*tasks[task], *own]
    for name in parameters:
        if name not in known:
            others = [other for other, has in tasks.items() if name in has]
            if others:
                raise TypeError(
                    f"{name}: expected a parameter of {task}, got one of {', '.join(others)} (an unexpected keyword "
                    f"argument {name!r} here)"
                )
            like = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
            expected = f"{like[0]}, perhaps" if like else f"one of {', '.join(known)}"
            raise TypeError(f"{name:.80}: expected {expected}, got an unexpected keyword argument {name!r:.80}")
