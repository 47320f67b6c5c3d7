"""A leader that plays inside an environment whose agents are its followers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.scripted import SCRIPTED, Leader, make_scripted
from paymaster.validation.arguments import as_array

__all__ = ["FixedLeader", "LeaderLike"]

LeaderLike: TypeAlias = "str | Leader | Callable[[dict[str, NDArray[Any]]], ArrayLike]"
"""A scripted leader's name; an object like one (``start``, ``offers``), a trained leader in
:class:`paymaster.analysis.open_run.RunLeader` say; or a function from the observation of one game, as
:class:`paymaster.LeaderEnv` gives it, to int[N, 2], (goal, bonus) a follower."""


class FixedLeader:
    """Makes offers in a batch of one game.

    Args:
        leader: who decides.
        seed: of a scripted leader's draws, where it is given by name.

    Raises:
        ValueError: an unknown name.
        TypeError: not a leader.
    """

    def __init__(self, leader: LeaderLike, seed: int) -> None:
        if isinstance(leader, str) and leader not in SCRIPTED:
            raise ValueError(f"leader: expected one of {', '.join(SCRIPTED)}, got {leader!r:.80}")
        if not isinstance(leader, (str, Leader)) and not callable(leader):
            raise TypeError(
                f"leader: expected a name, an object with start() and offers(), or a function, got "
                f"{type(leader).__name__}"
            )
        self._given = leader
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """A scripted leader given by name starts its draws anew; any other keeps its own."""
        self._leader = make_scripted(self._given, seed) if isinstance(self._given, str) else self._given

    def start(self, env: LeaderVectorEnv) -> None:
        """An episode has begun."""
        if isinstance(self._leader, Leader):
            self._leader.start(env)

    def offers(self, env: LeaderVectorEnv, observation: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Its offers [1, N, 2] for the observed step."""
        if isinstance(self._leader, Leader):
            return self._leader.offers(env, observation)
        assert not isinstance(self._leader, str)
        one = {name: np.asarray(values[0]) for name, values in observation.items()}
        return as_array("the leader's offers", self._leader(one))[None]
