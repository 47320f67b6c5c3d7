"""Followers by name: who decides for them in a training, and in games that are played afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from paymaster.validation.imports import is_import_path
from paymaster.validation.parameters import check_parameters

__all__ = ["FOLLOWERS", "LEARNERS", "check_followers", "check_run_parameters", "in_games", "kind_in_games"]

FOLLOWERS: Final = {
    "rule": "they decide by the rule of the game",
    "meta": "they learn to choose goal types, by an actor-critic",
    "primitive": "they learn to choose actions, by an actor-critic",
    "q": "they learn to choose goal types, by tabular Q-learning",
}
"""Name -> meaning; a rule of your own has an import path, ``module:function``, for a name."""

LEARNERS: Final = ("meta", "primitive", "q")
"""Those who learn beside the leader."""


def check_followers(name: str) -> None:
    """Raise ValueError unless there are followers of that name."""
    if name not in FOLLOWERS and not is_import_path(name):
        raise ValueError(f"followers: expected one of {', '.join(FOLLOWERS)}, module:function, got {name!r:.80}")


def kind_in_games(name: str) -> str:
    """Return what the games' parameter ``followers`` is for followers of that name: "rule", "meta" or "primitive"."""
    return "meta" if name == "q" or is_import_path(name) else name


def in_games(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the games' kind of followers in place of their name."""
    name = parameters.get("followers")
    return {**parameters, "followers": kind_in_games(name)} if isinstance(name, str) else dict(parameters)


def check_run_parameters(task: str, given: Mapping[str, Any], prefix: str = "") -> None:
    """Check parameters of a run, whose ``followers`` may have any of these names.

    Arguments and errors as of :func:`~paymaster.validation.parameters.check_parameters`.
    """
    name = given.get("followers")
    if isinstance(name, str):
        try:
            check_followers(name)
        except ValueError as error:
            raise ValueError(f"{prefix}{error}") from None
    check_parameters(task, in_games(given), prefix)
