"""A leader that plays inside an environment whose agents are its followers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.integrations.game import Game
from paymaster.scripted import SCRIPTED, Leader, make_scripted, names_scripted
from paymaster.validation.arguments import as_array

__all__ = ["FixedLeader", "LeaderLike"]

LeaderLike: TypeAlias = "str | Leader | Callable[[dict[str, NDArray[Any]]], ArrayLike]"
"""A scripted leader's name; an object like one (``start``, ``offers``), a trained leader in
:class:`paymaster.analysis.open_run.RunLeader` say; or a function from the observation of one game, as
:class:`paymaster.LeaderEnv` gives it, to int[N, 2], (goal, bonus) a follower."""


class FixedLeader:
    """Makes the offers in a game.

    Args:
        leader: who decides.
        seed: of a scripted leader's draws, where it is given by name.

    Raises:
        ValueError: an unknown name.
        TypeError: not a leader.
    """

    def __init__(self, leader: LeaderLike, seed: int) -> None:
        if isinstance(leader, str) and not names_scripted(leader):
            raise ValueError(f"leader: expected one of {', '.join(SCRIPTED)}, module:Class, got {leader!r:.80}")
        if not isinstance(leader, (str, Leader)) and not callable(leader):
            raise TypeError(
                f"leader: expected a name, an object with start() and offers(), or a function, got "
                f"{type(leader).__name__}"
            )
        self._name = leader if isinstance(leader, str) else None
        self._leader: Any = make_scripted(leader, seed) if isinstance(leader, str) else leader

    def start(self, game: Game, seed: int | None) -> None:
        """An episode has begun; with a seed, a scripted leader given by name starts its draws anew."""
        if self._name is not None and seed is not None:
            self._leader = make_scripted(self._name, seed)
        if isinstance(self._leader, Leader):
            self._leader.start(game.env)

    def act(self, game: Game) -> None:
        """Makes its offers for the observed step, unless the game is over."""
        if game.over:
            return
        if isinstance(self._leader, Leader):
            game.offer(self._leader.offers(game.env, game.observed)[0])
        else:
            one = {name: np.asarray(values[0]) for name, values in game.observed.items()}
            game.offer(as_array("the leader's offers", self._leader(one)))
