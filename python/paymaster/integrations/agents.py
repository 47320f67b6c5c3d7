"""What the views for PettingZoo have in common: names, spaces, state and pictures of their game's agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from paymaster.envs.ownership import NoEpisodeError, View
from paymaster.integrations.game import LEADER, RENDER_MODES, Game, Infos

__all__ = ["AgentsOfGame", "ParallelStep", "Vectors", "action_of"]

Vectors = dict[str, NDArray[np.float32]]  # what each agent sees
ParallelStep = tuple[Vectors, dict[str, float], dict[str, bool], dict[str, bool], Infos]


class AgentsOfGame(View):
    """Goes before PettingZoo's class among the bases of a view.

    One thread at a time may call a view; a second one's call raises ``RuntimeError`` and changes nothing. A view can
    be pickled and copied: that gives a game of its own in the same state, with the same seed.
    Every copy has a history of followers of its own (``docs/integrations.md``, "What copies share").

    Attributes:
        game: the game.
        possible_agents: all agents of this view, by name.
        agents: those whose episode is on.
        render_mode, state_space: the game's.
    """

    metadata: dict[str, Any] = {"name": "paymaster_v0", "render_modes": RENDER_MODES, "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        task: str,
        *,
        seed: int | None = None,
        index: int = 0,
        render_mode: str | None = None,
        followers: str = "meta",
        **parameters: Any,
    ) -> None:
        self.game = Game(task, seed, index, render_mode, followers, **parameters)
        self._batch = self.game.env
        self.possible_agents = [LEADER, *self.game.followers]
        self.agents: list[str] = []
        self.render_mode = render_mode
        self.state_space = self.game.state_space

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The same object every time. Raises ValueError for an unknown agent."""
        return self.game.observation_spaces[self._known(agent)]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The same object every time. Raises ValueError for an unknown agent."""
        return self.game.action_spaces[self._known(agent)]

    def state(self) -> NDArray[np.float32]:
        """Everything, the offers and all traits included, as a vector."""
        return self.game.state()

    def render(self) -> str | NDArray[np.uint8] | None:
        """The game as ``render_mode`` says."""
        return self.game.render()

    def close(self) -> None:
        """Nothing to release. The environment can still be used."""

    def _known(self, agent: str) -> str:
        """The agent's name. Raises ValueError for an unknown one."""
        if agent not in self.possible_agents:
            raise ValueError(f"agent: expected one of {', '.join(self.possible_agents)}, got {agent!r:.80}")
        return agent

    def _check_actions(self, actions: Any) -> None:
        """Raises NoEpisodeError where no episode is on, and TypeError for what is not a dict of actions."""
        self._expect_agents()
        if not isinstance(actions, Mapping):
            raise TypeError(f"actions: expected a dict of agents' actions, got {type(actions).__name__}")

    def _answer(self, actions: Mapping[str, Any]) -> None:
        """The followers' answers; the world moves. Raises ValueError or TypeError; nothing changes."""
        names = self.game.followers
        self.game.answer([self.game.check_answer(name, action_of(actions, name)) for name in names])

    def _ends(self) -> tuple[dict[str, bool], dict[str, bool]]:
        """Which agents' games are over or cut short; those whose are leave."""
        over, truncated = dict.fromkeys(self.agents, self.game.over), dict.fromkeys(self.agents, False)
        if self.game.over:
            self.agents = []
        return over, truncated

    def _expect_agents(self) -> None:
        """Raises NoEpisodeError before the first reset and after the last step of an episode."""
        if not self.agents:
            raise NoEpisodeError("step: expected reset() first, since no episode is on, got an action")


def action_of(actions: Mapping[str, Any], name: str) -> Any:
    """An agent's action. Raises ValueError where there is none."""
    if name not in actions:
        came = ", ".join(map(str, actions)) or "none"
        raise ValueError(f"actions: expected one of {name!r}, whose turn it is, got {came:.80}")
    return actions[name]
