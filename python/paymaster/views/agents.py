"""What the views for PettingZoo have in common: names, spaces, state and pictures of their game's agents."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from paymaster.views.game import Game

__all__ = ["AgentsOfGame"]


class AgentsOfGame:
    """Goes before PettingZoo's class among the bases of a view.

    Attributes:
        game: the game.
        possible_agents: all agents of this view, by name.
        agents: those whose episode is on.
        render_mode, state_space: the game's.
    """

    def _begin(self, game: Game, agents: list[str]) -> None:
        """With that game, before anything else."""
        self.game = game
        self.possible_agents = agents
        self.agents: list[str] = []
        self.render_mode = game.render_mode
        self.state_space = game.state_space

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The same object every time."""
        return self.game.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The same object every time."""
        return self.game.action_spaces[agent]

    def state(self) -> NDArray[np.float32]:
        """Everything, the offers and all traits included, as a vector."""
        return self.game.state()

    def render(self) -> str | NDArray[np.uint8] | None:
        """The game as ``render_mode`` says."""
        return self.game.render()

    def close(self) -> None:
        """Nothing to release."""
