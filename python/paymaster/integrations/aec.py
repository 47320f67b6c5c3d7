"""The whole game for PettingZoo's AEC API: one agent after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.ownership import NoEpisodeError, one_at_a_time
from paymaster.integrations.agents import AgentsOfGame
from paymaster.integrations.game import LEADER
from paymaster.integrations.registration import AECEnv

__all__ = ["GameAECEnv"]


_OF_AN_EPISODE = ("agent_selection", "rewards", "_cumulative_rewards", "terminations", "truncations", "infos")


class GameAECEnv(AgentsOfGame, AECEnv[str, NDArray[np.float32], Any]):
    """Agents "leader", "follower_0", ... act in this order; the world moves after the last one (Stackelberg order).

    Each follower sees the leader's offers, none what the others answer. Rewards come when the world moves.
    Observations, actions, infos, arguments, errors and attributes as of
    :class:`paymaster.integrations.parallel.GameParallelEnv`; likewise what copies share.
    """

    metadata = {**AgentsOfGame.metadata, "is_parallelizable": False}  # noqa: RUF012

    _answers: list[int]  # of this step, so far

    @one_at_a_time
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Starts the next episode; with a seed, episode 0 under that seed, with empty statistics. ``options`` are
        ignored."""
        self.game.reset(seed, options)
        self.agents = self.possible_agents[:]
        self._answers = []
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = self.game.infos()
        self.agent_selection = LEADER

    @one_at_a_time
    def step(self, action: Any) -> None:
        """The action of the agent whose turn it is (``agent_selection``); None of one whose game is over.

        Raises:
            ValueError: out of range, or another shape; nothing changes.
            TypeError: not integers.
            ResetNeeded: no episode is on.
        """
        self._expect_agents()
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        if agent == LEADER:
            self.game.offer(action)
        else:
            self._answers.append(self.game.check_answer(agent, action))
        self._clear_rewards()
        self._cumulative_rewards[agent] = 0.0
        if len(self._answers) == len(self.game.followers):
            self.game.answer(self._answers)
            self._answers = []
            self.rewards = dict(self.game.reward)
            self.terminations = dict.fromkeys(self.agents, self.game.over)
        self.infos = self.game.infos()
        self.agent_selection = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
        self._accumulate_rewards()

    @one_at_a_time
    def last(self, observe: bool = True) -> tuple[NDArray[np.float32] | None, float, bool, bool, dict[str, Any]]:
        """What the agent whose turn it is sees, what it has earned since its last turn, and whether its game is over.

        Raises:
            ResetNeeded: before the first reset, or when all agents have made their last step.
        """
        self.game.expect_begun("last")
        if not self.agents:
            raise NoEpisodeError("last: expected reset() first, since the episode is over, got none")
        result: tuple[NDArray[np.float32] | None, float, bool, bool, dict[str, Any]] = super().last(observe)
        return result

    def agent_iter(self, max_iter: int = 2**63) -> Iterable[str]:
        """The agents in turn, until the episode is over. Raises ResetNeeded before the first reset."""
        self.game.expect_begun("agent_iter")
        agents: Iterable[str] = super().agent_iter(max_iter)
        return agents

    def __getattr__(self, name: str) -> Any:
        if name in _OF_AN_EPISODE:
            raise AttributeError(f"{name}: expected reset() first, since no episode has begun, got none")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @one_at_a_time
    def observe(self, agent: str) -> NDArray[np.float32]:
        """What an agent sees now; followers see offers from the leader's turn until the world moves."""
        if self._known(agent) == LEADER:
            return self.game.leader_vector()
        vector: NDArray[np.float32] = self.game.follower_vectors()[self.game.followers.index(agent)]
        return vector
