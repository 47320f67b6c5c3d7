"""The whole game for PettingZoo's parallel API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.ownership import one_at_a_time
from paymaster.integrations.agents import AgentsOfGame, ParallelStep, Vectors, action_of
from paymaster.integrations.game import LEADER, Infos
from paymaster.integrations.registration import ParallelEnv

__all__ = ["GameParallelEnv"]


class GameParallelEnv(AgentsOfGame, ParallelEnv[str, NDArray[np.float32], Any]):
    """Agents "leader", "follower_0", ...; a step of the game takes two of this environment's.

    In the first the leader makes its offers and nothing moves; in the second the followers, who now see what they are
    offered, answer, and the world moves. This is Stackelberg order: were all to act at once, followers would answer
    offers they have not seen, which is another game. Rewards come with the second step. Agents are all alive from
    beginning to end; what those say whose turn it is not is ignored and may be left out. Whose turn it is:
    ``infos[agent]["acts"]``, which is also the last number of every observation; a learner is to leave the other steps
    out of its loss. One that cannot had better take the AEC form, or one side. An episode has at most 2 T steps. Every
    environment has a history of followers of its own (``docs/integrations.md``, "What copies share").

    Observations are vectors of features, those that this package's own learners see: the leader's float32[N (F + G D) +
    1], a follower's its own view of the game with its traits and, once they are made, its offers; so the spaces of
    leader and followers differ. The leader's action is int[2 N], goal and bonus of each follower in turn; a follower's
    is a goal type or G for "stop" ("meta"), or a primitive action 0..4 ("primitive").

    Args:
        task: name of a preset, see :func:`paymaster.tasks`.
        seed, index: keys of the game's random draws: it is game ``index`` of a batch with that seed; without one it
            has a seed from the operating system's entropy, so that environments made without a seed differ.
        render_mode: None, "human" (text, printed whenever it changes), "ansi" (text) or "rgb_array" (a picture).
        followers: "meta" or "primitive".
        parameters: parameters of the task; ``population`` with ``learns`` lets some followers decide by rule, whose
            actions are ignored.

    Raises:
        ValueError, TypeError: as :class:`paymaster.TwoPhaseVectorEnv`, and for another render_mode.

    Attributes:
        game: the game; ``game.env`` is the batch it is played in, with ``state``, ``set_state``, ``statistics``, ...
        state_space: of :meth:`state`.
    """

    @one_at_a_time
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vectors, Infos]:
        """Starts the next episode; with a seed, episode 0 under that seed, with empty statistics. ``options`` are
        ignored."""
        self.game.reset(seed, options)
        self.agents = self.possible_agents[:]
        return self._observations(), self.game.infos()

    @one_at_a_time
    def step(self, actions: Mapping[str, Any]) -> ParallelStep:
        """The offers or the answers, as it is the leader's turn or the followers'.

        Raises:
            ValueError: the action of an agent that acts is missing or out of range; nothing changes.
            ResetNeeded: no episode is on.
            TypeError: it is not integers.
        """
        self._check_actions(actions)
        reward = dict.fromkeys(self.agents, 0.0)
        if self.game.leader_is_next:
            self.game.offer(action_of(actions, LEADER))
        else:
            self._answer(actions)
            reward = dict(self.game.reward)
        return self._observations(), reward, *self._ends(), self.game.infos()

    def _observations(self) -> Vectors:
        vectors = dict(zip(self.game.followers, self.game.follower_vectors(), strict=True))
        return {LEADER: self.game.leader_vector(), **vectors}
