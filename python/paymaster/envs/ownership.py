"""What environments have in common as objects: copies of their own, and a specification that knows the horizon."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, TypeVar

import gymnasium
from gymnasium.envs.registration import EnvSpec

__all__ = ["NoEpisodeError", "OwnGame", "SpecWithHorizon"]

Self = TypeVar("Self", bound="OwnGame")


class NoEpisodeError(gymnasium.error.ResetNeeded, ValueError):
    """Something was asked of an environment whose episode has not begun, or is over: call ``reset()``."""


class OwnGame:
    """Goes before other bases: a copy has a game of its own, ``copy.copy`` like ``copy.deepcopy``.

    Two objects with one game would move each other's followers.
    """

    def __copy__(self: Self) -> Self:
        return copy.deepcopy(self)


class SpecWithHorizon:
    """Goes before Gymnasium's class among the bases: ``spec.max_episode_steps`` is the horizon.

    Gymnasium sets ``spec`` after it has made an environment by name. It adds no time limit for the horizon, since games
    end by themselves.
    """

    _spec: EnvSpec | None = None
    _horizon: int

    @property
    def spec(self) -> Any:
        """The specification that ``gymnasium.make`` or ``make_vec`` has made this by; None without them."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None and spec.max_episode_steps is None:
            spec = dataclasses.replace(spec, max_episode_steps=self._horizon)
        self._spec = spec
