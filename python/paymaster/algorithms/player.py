"""A leader network that plays: it evaluates each step and draws the offers of the leader's process."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.process import draw_offers, held_offers
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.networks.acting import LeaderActor
from paymaster.networks.leader import LeaderNetwork

__all__ = ["Memory", "NetworkPlayer"]


class Memory(NamedTuple):
    """What a leader hands from one step of a batch of episodes to the next.

    Attributes:
        actor: its network, as it was when the episodes began.
        history: h, [B, N, H].
        fixed_goal: int64 [B, N], the goal that agent-wise exploration has set for the episode, by its place among those
            that the leader sees; or -1.
    """

    actor: LeaderActor
    history: Tensor
    fixed_goal: Tensor


class NetworkPlayer:
    """Plays with a leader network (:class:`~paymaster.algorithms.protocol.Player`).

    Attributes:
        config: which options start by rule, how it explores.
        network: evaluates the steps.
        device: where its parameters are.
    """

    config: EBPGConfig
    network: LeaderNetwork
    device: torch.device

    def initial_state(self, num_games: int, num_followers: int) -> Memory:
        """Return the memory before the first step of B episodes."""
        history = self.network.initial_history(num_games, num_followers)
        return Memory(LeaderActor(self.network), history, torch.full(history.shape[:-1], -1, device=self.device))

    def exploration_rate(self, episodes_done: int) -> float:
        """Return the exploration rate after so many episodes of training."""
        if episodes_done >= self.config.explore_episodes:
            return 0.0
        if self.config.exploration == "agents":
            return self.config.explore
        return self.config.explore * (1.0 - episodes_done / self.config.explore_episodes)

    def act(
        self,
        seen: LeaderInput,
        state: Memory,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""
        inputs, rules = (seen.follower, seen.goal, seen.previous, state.history), self.config.options
        by_agents = self.config.exploration == "agents" and explore > 0.0
        if not greedy and not by_agents:
            drawn = state.actor.offer(
                *inputs,
                expired=seen.expired if rules.expiring else None,
                opens=bool(rules.opens(seen.step)),
                explore=explore,
                generator=generator,
            )
            if drawn is not None:
                offer, attention, history = drawn
                return LeaderStep(offer, Memory(state.actor, history, state.fixed_goal), None, attention)
        with torch.inference_mode():
            output = state.actor.evaluate(*inputs)
            held = held_offers(rules, seen.previous, seen.expired, seen.step)
            fixed_goal, explored = state.fixed_goal, None
            if by_agents and not greedy:
                if seen.step == 0:
                    fixed_goal = self._draw_goals(seen.previous.shape, explore, generator)
                explored = fixed_goal >= 0
                output = output._replace(log_mu=self._with_goals(output.log_mu, fixed_goal))
                explore = 0.0
            offer = draw_offers(output, held, explore, generator, greedy)
        assert output.history is not None
        if self.network.config.near_goals:
            fixed_goal = fixed_goal.clamp(max=0)  # what a follower is offered comes first in the next step
        return LeaderStep(offer, Memory(state.actor, output.history, fixed_goal), explored, output.attention)

    def _draw_goals(self, shape: torch.Size, explore: float, generator: torch.Generator | None) -> Tensor:
        """Agent-wise exploration for one episode: a uniform goal, or -1, for each follower."""
        chosen = torch.rand(shape, generator=generator, device=self.device) < explore
        goals = torch.randint(self.network.config.candidates, shape, generator=generator, device=self.device)
        return goals.masked_fill(~chosen, -1)

    def _with_goals(self, log_mu: Tensor, fixed_goal: Tensor) -> Tensor:
        """log mu [B, N, O] given the goal, where one is fixed."""
        kind = torch.arange(log_mu.shape[-1], device=self.device) // self.network.config.num_bonuses
        other = (kind != fixed_goal.unsqueeze(-1)) & (fixed_goal >= 0).unsqueeze(-1)
        return torch.log_softmax(log_mu.masked_fill(other, -torch.inf), dim=-1)
