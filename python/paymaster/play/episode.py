"""The episode loop: one episode of every game of a batch, all games in step, until the last has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paymaster.scripted import Leader

__all__ = ["EpisodeTotals", "PlayedStep", "play_episode", "play_to_end"]


@dataclass(frozen=True)
class EpisodeTotals:
    """Sums over each of B finished episodes, as ``info["totals"]`` of the environment names them."""

    gain: NDArray[np.float32]
    payments: NDArray[np.float32]
    incentive: NDArray[np.float32]
    follower_reward: NDArray[np.float32]
    new_offers: NDArray[np.int32]
    length: NDArray[np.int32]
    completions: NDArray[np.int32]  # [B, G]
    # Where the leader is rewarded for more than its gain; equality only if that is among it.
    objective: NDArray[np.float32] | None = None
    welfare: NDArray[np.float32] | None = None
    equality: NDArray[np.float32] | None = None

    @property
    def returns(self) -> NDArray[np.float32]:
        """The leader's returns [B]: its gains, or the objective where it has another."""
        return self.gain if self.objective is None else self.objective

    def since(self, before: EpisodeTotals) -> EpisodeTotals:
        """These sums without those of the episodes' first steps; ``length`` and ``new_offers`` are of all steps."""
        whole = ("length", "new_offers")
        return EpisodeTotals(
            **{
                name: value if value is None or name in whole else value - getattr(before, name)
                for name, value in vars(self).items()
            }
        )

    def objectives(self) -> dict[str, NDArray[np.float32]]:
        """Those of the last three that there are."""
        given = {"objective": self.objective, "welfare": self.welfare, "equality": self.equality}
        return {name: values for name, values in given.items() if values is not None}


class PlayedStep(NamedTuple):
    """One step of B games; arrays are those of the environment, which may write to them in the next step.

    Attributes:
        playing: bool [B], the games that had not ended before the step.
        reward: of the leader, [B].
        info: of the environment's ``step``.
        opening: sums over steps at the start of the episodes that do not count; None: all count.
    """

    playing: NDArray[np.bool_]
    reward: NDArray[np.floating]
    info: Mapping[str, Any]
    opening: EpisodeTotals | None = None

    @property
    def totals(self) -> EpisodeTotals:
        """Copies of the sums so far; of the whole episodes after the last step."""
        totals = EpisodeTotals(**{name: values.copy() for name, values in self.info["totals"].items()})
        return totals if self.opening is None else totals.since(self.opening)


def play_episode(env: Any, leader: Leader) -> Iterator[PlayedStep]:
    """Reset the games and let the leader start; return an iterator that plays the steps.

    Args:
        env: a batch with ``autoreset_mode=DISABLED``, whose games wait for the last: a
            :class:`~paymaster.envs.LeaderVectorEnv`, or what steps like one.
        leader: makes the offers. What its first ``opening_steps`` bring, if it has such, is not in the totals.

    Raises:
        ValueError: another autoreset mode.
    """
    if env.autoreset_mode.value != "Disabled":
        raise ValueError(f"env: expected autoreset_mode 'Disabled', got {env.autoreset_mode.value!r:.80}")
    observation, _ = env.reset()
    leader.start(env)
    return _steps(env, leader, observation)


def play_to_end(env: Any, leader: Leader) -> EpisodeTotals:
    """Play one episode of every game; arguments and errors as of :func:`play_episode`."""
    last = deque(play_episode(env, leader), maxlen=1).pop()
    return last.totals


def _steps(env: Any, leader: Leader, observation: Any) -> Iterator[PlayedStep]:
    playing, opening = np.ones(env.num_envs, dtype=np.bool_), None
    uncounted = getattr(leader, "opening_steps", 0)
    while playing.any():
        observation, reward, ended, _, info = env.step(leader.offers(env, observation))
        uncounted -= 1
        if uncounted >= 0:
            opening = PlayedStep(playing, reward, info).totals
        yield PlayedStep(playing, reward, info, opening)
        playing = ~ended
