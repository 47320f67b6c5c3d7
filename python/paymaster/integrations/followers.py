"""The followers' side for PettingZoo's parallel API: the leader plays inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.ownership import one_at_a_time
from paymaster.integrations.agents import AgentsOfGame, ParallelStep, Vectors
from paymaster.integrations.fixed_leader import FixedLeader, LeaderLike
from paymaster.integrations.game import LEADER, Infos
from paymaster.integrations.registration import ParallelEnv

__all__ = ["FollowersParallelEnv"]


class FollowersParallelEnv(AgentsOfGame, ParallelEnv[str, NDArray[np.float32], Any]):
    """Agents "follower_0", ..., all alike: equal spaces, and each sees the game from its own seat.

    What they see holds this step's offers, which the leader inside has just made; their answers move the world. One
    step is one of the game's. The followers act at once, in ignorance of each other's answers, as the game has it.
    Observations and actions as of :class:`paymaster.integrations.parallel.GameParallelEnv`; likewise what
    copies share.

    Args:
        leader: who makes the offers (:data:`.LeaderLike`): a scripted leader's name, an object like one,
            or a function from one game's observation to int[N, 2].
        task, seed, index, render_mode, followers, parameters: as of :class:`GameParallelEnv`.

    Raises:
        ValueError, TypeError: as :class:`GameParallelEnv`, and for what is no leader.

    Attributes:
        game: the game; ``game.env`` is the batch it is played in.
        state_space: of :meth:`state`.
    """

    metadata = {**AgentsOfGame.metadata, "name": "paymaster_followers_v0"}  # noqa: RUF012

    def __init__(self, task: str, leader: LeaderLike = "full_information", **arguments: Any) -> None:
        super().__init__(task, **arguments)
        self.possible_agents = self.game.followers[:]
        self._leader = FixedLeader(leader, self.game.seed)

    @one_at_a_time
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vectors, Infos]:
        """Starts the next episode; with a seed, episode 0 under that seed, with empty statistics. ``options`` are
        ignored."""
        self.game.reset(seed, options)
        self._leader.start(self.game, seed)
        self.agents = self.possible_agents[:]
        return self._offered()

    @one_at_a_time
    def step(self, actions: Mapping[str, Any]) -> ParallelStep:
        """The followers' answers; the world moves and the leader makes its next offers.

        Raises:
            ValueError: an action is missing or out of range; nothing changes.
            ResetNeeded: no episode is on.
            TypeError: not integers.
        """
        self._check_actions(actions)
        self._answer(actions)
        reward = {name: self.game.reward[name] for name in self.agents}
        observations, infos = self._offered()
        return observations, reward, *self._ends(), infos

    def _offered(self) -> tuple[Vectors, Infos]:
        """The leader acts, unless the game is over; what its followers then see."""
        self._leader.act(self.game)
        infos = self.game.infos()
        del infos[LEADER]
        return dict(zip(infos, self.game.follower_vectors(), strict=True)), infos
