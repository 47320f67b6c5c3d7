"""What a batch keeps of its episodes for the sake of pictures, and the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.rendering import EpisodeRecord, draw_frame

__all__ = ["Pictures"]

States = Mapping[str, NDArray[Any]]


class Pictures:
    """Follows B games step by step. A game that is reset, or set to another state, starts a new record.

    Args:
        task: by name, the title of every picture.
        parameters: of the games, with w and prices as they are in force, and the task's name.
        states: of all games now, with leading axis B.
    """

    def __init__(self, task: str, parameters: Mapping[str, Any], states: States) -> None:
        self._title = task.replace("_", " ")
        self._parameters = parameters
        self._records: list[EpisodeRecord] = []
        self.restart(states)

    def restart(self, states: States, mask: NDArray[np.bool_] | None = None) -> None:
        """Starts new records of the games in ``mask`` [B]; None means all."""
        fresh = [EpisodeRecord(start=int(step)) for step in states["step"]]
        if mask is None:
            self._records = fresh
        else:
            self._records = [fresh[i] if mask[i] else record for i, record in enumerate(self._records)]

    def add(self, states: States, payment: NDArray[Any], reward: NDArray[Any]) -> None:
        """Records a step of all games: bonuses paid [B, N] and the leader's rewards [B]."""
        for i, record in enumerate(self._records):
            ahead = int(states["step"][i]) - record.end
            if ahead == 1:
                record.add(_game(states, i), payment[i], float(reward[i]))
            elif ahead != 0:  # 0: it had ended and waits
                self._records[i] = EpisodeRecord(start=int(states["step"][i]))

    def draw(self, states: States) -> tuple[NDArray[np.uint8], ...]:
        """A picture of every game."""
        return tuple(
            draw_frame(_game(states, i), self._parameters, record, title=self._title)
            for i, record in enumerate(self._records)
        )


def _game(states: States, i: int) -> dict[str, Any]:
    return {name: values[i] for name, values in states.items()}
