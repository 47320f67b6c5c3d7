"""An episode played for being looked at: every state of it and what happened between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.play.episode import play_episode
from paymaster.rendering import EpisodeRecord, draw_frame
from paymaster.scripted import Leader

__all__ = ["RecordedEpisode", "record_episode"]


@dataclass(frozen=True)
class RecordedEpisode:
    """One whole episode of one game.

    Attributes:
        title: of its pictures.
        parameters: of the game, with w and prices as they were in force.
        states: after 0, 1, ... steps, as ``LeaderEnv.state()`` returns them.
        record: what happened in between.
    """

    title: str
    parameters: dict[str, Any]
    states: list[dict[str, Any]]
    record: EpisodeRecord

    def frame(self, step: int, *, width: int = 1280, show_future: bool = False) -> NDArray[np.uint8]:
        """The picture after ``step`` steps; arguments as for :func:`paymaster.rendering.draw_frame`.

        Raises:
            ValueError: the episode has no such step.
        """
        if not 0 <= step < len(self.states):
            raise ValueError(f"step: expected a value in [0, {len(self.states) - 1}], got {step}")
        return draw_frame(
            self.states[step], self.parameters, self.record, title=self.title, width=width, show_future=show_future
        )

    def frames(self, *, width: int = 1280) -> Iterator[NDArray[np.uint8]]:
        """A picture after every step, the start included; the axes are those of the whole episode throughout."""
        for step in range(len(self.states)):
            yield self.frame(step, width=width)


def record_episode(env: LeaderVectorEnv, leader: Leader, title: str = "") -> RecordedEpisode:
    """Plays the next episode of a single game.

    Args:
        env: a batch of one game that does not reset itself (``autoreset_mode="Disabled"``).
        leader: decides. If it has an attribute ``attention``, its weights of the followers in its last decision (float
            [1, N] or None), they are recorded.
        title: of the pictures; by default the task's name.

    Raises:
        ValueError: more than one game, or one that resets itself.
    """
    if env.num_envs != 1:
        raise ValueError(f"env: expected a single game, got {env.num_envs}")
    steps = play_episode(env, leader)
    states, record, before = [_only(env.state())], EpisodeRecord(), 0.0
    for step in steps:
        attention = getattr(leader, "attention", None)
        states.append(_only(env.state()))
        gain = float(step.info["totals"]["gain"][0])  # not the reward, which is the objective where a game has one
        record.add(states[-1], step.info["payment"][0], gain - before, None if attention is None else attention[0])
        before = gain
    return RecordedEpisode(title or env.task.replace("_", " "), env.drawn_parameters(), states, record)


def _only(states: dict[str, NDArray[Any]]) -> dict[str, Any]:
    return {name: values[0] for name, values in states.items()}
