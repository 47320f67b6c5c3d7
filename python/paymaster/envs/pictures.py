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
        states: of all games now, with leading axis B.
        goal_reward: w of each goal type, where the leader is rewarded for more than its gain.
    """

    def __init__(self, task: str, states: States, goal_reward: NDArray[np.float32] | None = None) -> None:
        self._title = task.replace("_", " ")
        self._goal_reward = goal_reward
        self._records: list[EpisodeRecord] = []
        self.restart(states)

    def restart(self, states: States, mask: NDArray[np.bool_] | None = None) -> None:
        """Starts new records of the games in ``mask`` [B]; None means all."""
        if not self._records:
            self._records = [EpisodeRecord() for _ in states["step"]]
            self._gains: list[float | None] = [None] * len(self._records)
        for i, step in enumerate(states["step"]):
            if mask is None or mask[i]:
                self._start(i, int(step))

    def add(self, states: States, payment: NDArray[Any], reward: NDArray[Any], gain: NDArray[Any]) -> None:
        """Records a step of all games: bonuses paid [B, N], the leader's rewards [B], its gains so far [B]."""
        for i, record in enumerate(self._records):
            step = int(states["step"][i])
            if step == record.end + 1:
                state, earned = _game(states, i), float(reward[i])
                if self._goal_reward is not None:
                    earned = self._gained(state["completed"], payment[i], self._gains[i], float(gain[i]))
                record.add(state, payment[i], earned)
                self._gains[i] = float(gain[i])
            elif step != record.end:  # else it had ended and waits
                self._start(i, step)

    def draw(self, states: States, parameters: Mapping[str, Any]) -> tuple[NDArray[np.uint8], ...]:
        """A picture of every game, whose parameters are as ``LeaderVectorEnv.drawn_parameters()`` has them."""
        return tuple(
            draw_frame(_game(states, i), parameters, record, title=self._title)
            for i, record in enumerate(self._records)
        )

    def _gained(self, completed: NDArray[Any], payment: NDArray[Any], before: float | None, now: float) -> float:
        """What a step adds to the gain: by the totals, or after a state was set, by what it holds."""
        if before is not None:
            return now - before
        assert self._goal_reward is not None
        return float(self._goal_reward[completed[completed >= 0]].sum() - payment.sum())

    def _start(self, i: int, step: int) -> None:
        self._records[i] = EpisodeRecord(start=step)
        self._gains[i] = 0.0 if step == 0 else None


def _game(states: States, i: int) -> dict[str, Any]:
    return {name: values[i] for name, values in states.items()}
