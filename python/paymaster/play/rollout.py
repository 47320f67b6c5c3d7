"""Whole episodes of a batch, played by a leader that learns from them."""

from __future__ import annotations

import torch

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Player
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.episode import EpisodeTotals, play_episode
from paymaster.play.network_leader import NetworkLeader

__all__ = ["EpisodeTotals", "Rollout"]


class Rollout:
    """Plays one episode of every game of ``env`` at a time, all games in step, until the last has ended.

    Args:
        env: a batch with ``autoreset_mode=DISABLED``: games that end early wait for the others.
        leader: who decides.
        generator: of the leader's random draws, on the leader's device.

    Raises:
        ValueError: another autoreset mode.
    """

    def __init__(self, env: LeaderVectorEnv, leader: Player, generator: torch.Generator) -> None:
        if env.autoreset_mode.value != "Disabled":
            raise ValueError(f"env: expected autoreset_mode 'Disabled', got {env.autoreset_mode.value!r:.80}")
        self.env, self.leader, self.generator = env, leader, generator

    @usual_torch()
    def play(
        self, *, explore: float = 0.0, greedy: bool = False, keep: bool = True
    ) -> tuple[Episodes | None, EpisodeTotals]:
        """Play the next episode of every game.

        Args:
            explore: the exploration rate, for training.
            greedy: the leader's most likely offers instead of a draw.
            keep: collect the episodes to learn from, without steps that are not the leader's own; else the first
                result is None.
        """
        leader = NetworkLeader(self.leader, self.generator, explore=explore, greedy=greedy, keep=keep)
        for step in play_episode(self.env, leader):
            if keep:
                leader.recording.result(step)
        totals = step.totals
        if not keep:
            return None, totals
        return leader.recording.episodes(totals.length, explore).after(leader.opening_steps), totals
