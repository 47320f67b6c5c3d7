"""What environments have in common as objects: one thread at a time, copies of their own, a specification that knows
the horizon."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import gymnasium
from gymnasium.envs.registration import EnvSpec

from paymaster import _core

__all__ = ["NoEpisodeError", "OwnGame", "SpecWithHorizon", "View", "one_at_a_time"]

Self = TypeVar("Self", bound="OwnGame")
Owner = TypeVar("Owner", bound="View")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_at_a_time(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Make a method raise RuntimeError, and change nothing, while another thread is in one of the same game."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: Owner, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        with self._guard(name):
            return method(self, *arguments, **named)

    return call


class NoEpisodeError(gymnasium.error.ResetNeeded, ValueError):
    """Something was asked of an environment whose episode has not begun, or is over: call ``reset()``."""


class OwnGame:
    """Goes before other bases: a copy has a game of its own, ``copy.copy`` like ``copy.deepcopy``.

    Two objects with one game would move each other's followers.
    """

    def __copy__(self: Self) -> Self:
        return copy.deepcopy(self)


class View(OwnGame):
    """Goes before other bases: plays in a batch that is an object by itself; one call at a time in either."""

    _batch: Any

    @property
    def _guard(self) -> _core.CallGuard:
        guard: _core.CallGuard = self._batch._guard
        return guard


class SpecWithHorizon:
    """Goes before Gymnasium's class among the bases: ``spec.max_episode_steps`` is the horizon.

    Gymnasium sets ``spec`` after it has made an environment by name. It adds no time limit for the horizon, since games
    end by themselves. It does add one where a game is made of this specification again, and the last step is then both
    terminated and truncated: ``gymnasium.make(env.spec, max_episode_steps=-1)`` makes the game without it.
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
