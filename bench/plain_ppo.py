"""PPO as CleanRL publishes it: one file, its documented hyperparameters, several discrete actions at a time.

CleanRL is read and copied, not installed: its newest release on PyPI, 0.4.8, is one of scripts for the Gym of before
Gymnasium. This file is written anew from what CleanRL documents (https://docs.cleanrl.dev/rl-algorithms/ppo/, and the
settings at https://huggingface.co/cleanrl/ppo): separate tanh networks for policy and value with orthogonal weights,
generalised advantages that bootstrap at the end of a rollout, advantages normalised a minibatch, clipped policy and
value losses, Adam with epsilon 1e-5 and a learning rate that falls linearly to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn
from torch.distributions import Categorical

__all__ = ["Agent", "Settings", "learn"]


@dataclass(frozen=True)
class Settings:
    """Hyperparameters with CleanRL's defaults for ``ppo.py``."""

    learning_rate: float = 2.5e-4
    num_steps: int = 128
    gamma: float = 0.99
    gae_lambda: float = 0.95
    num_minibatches: int = 4
    update_epochs: int = 4
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


def layer(inputs: int, outputs: int, gain: float = 2**0.5) -> nn.Linear:
    """Return a linear layer with orthogonal weights and no bias at the start."""
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, gain)
    nn.init.zeros_(made.bias)
    return made


def body(inputs: int, width: int) -> list[nn.Module]:
    """Return two hidden layers of so many units."""
    return [layer(inputs, width), nn.Tanh(), layer(width, width), nn.Tanh()]


class Agent(nn.Module):
    """A policy over several discrete actions, independent given the observation, and a value.

    Args:
        features: numbers in an observation.
        choices: of each action.
        width: units of each of the two hidden layers.
    """

    def __init__(self, features: int, choices: list[int], width: int) -> None:
        super().__init__()
        self.choices = choices
        self.critic = nn.Sequential(*body(features, width), layer(width, 1, 1.0))
        self.actor = nn.Sequential(*body(features, width), layer(width, sum(choices), 0.01))

    def value(self, observation: Tensor) -> Tensor:
        """Return values [...]."""
        return self.critic(observation).squeeze(-1)

    def act(self, observation: Tensor, action: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return actions [..., A], drawn unless they are given, their log probability, entropies and values [...]."""
        of_each = [Categorical(logits=logits) for logits in self.actor(observation).split(self.choices, dim=-1)]
        if action is None:
            action = torch.stack([one.sample() for one in of_each], dim=-1)
        log_prob = sum(one.log_prob(action[..., k]) for k, one in enumerate(of_each))
        entropy = sum(one.entropy() for one in of_each)
        return action, log_prob, entropy, self.value(observation)


def learn(
    env: VectorEnv[Any, Any, Any], agent: Agent, settings: Settings, left: Callable[[dict[str, Any]], float]
) -> None:
    """Train until nothing is left.

    Args:
        env: with autoreset in the step that ends an episode.
        agent: who learns.
        settings: hyperparameters.
        left: is called with ``info`` after every step and returns the share of the training that is left; 0 ends it.
    """
    optimizer = torch.optim.Adam(agent.parameters(), lr=settings.learning_rate, eps=1e-5)
    shape = (settings.num_steps, env.num_envs)
    observations = torch.zeros(*shape, agent.critic[0].in_features)
    actions = torch.zeros(*shape, len(agent.choices), dtype=torch.int64)
    log_probs, rewards, begins, values = (torch.zeros(shape) for _ in range(4))
    share = 1.0
    seen = torch.from_numpy(env.reset()[0])
    begin = torch.zeros(env.num_envs)
    while True:
        optimizer.param_groups[0]["lr"] = share * settings.learning_rate
        for t in range(settings.num_steps):
            observations[t], begins[t] = seen, begin
            with torch.no_grad():
                actions[t], log_probs[t], _, values[t] = agent.act(seen)
            observation, reward, terminated, truncated, info = env.step(actions[t].numpy())
            rewards[t] = torch.from_numpy(np.asarray(reward, dtype=np.float32))
            seen = torch.from_numpy(observation)
            begin = torch.from_numpy((terminated | truncated).astype(np.float32))
            share = left(info | {"over": terminated | truncated})
            if share <= 0:
                return
        with torch.no_grad():
            advantages = generalised_advantages(settings, rewards, values, begins, agent.value(seen), begin)
        batch = [
            part.flatten(0, 1) for part in (observations, actions, log_probs, advantages, advantages + values, values)
        ]
        for _ in range(settings.update_epochs):
            for rows in torch.randperm(shape[0] * shape[1]).chunk(settings.num_minibatches):
                loss = ppo_loss(agent, settings, *(part[rows] for part in batch))
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), settings.max_grad_norm)
                optimizer.step()


def generalised_advantages(
    settings: Settings, rewards: Tensor, values: Tensor, begins: Tensor, next_value: Tensor, next_begin: Tensor
) -> Tensor:
    """Return generalised advantages [T, B].

    Args:
        settings: with gamma and lambda.
        rewards: of each step, [T, B].
        values: before each step, [T, B].
        begins: 1 where a step is the first of its episode, [T, B].
        next_value: of what is seen after the last step, [B].
        next_begin: 1 where that is the beginning of an episode, [B].
    """
    advantages, following, going_on = torch.zeros_like(rewards), torch.zeros_like(next_value), 1 - next_begin
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + settings.gamma * next_value * going_on - values[t]
        following = delta + settings.gamma * settings.gae_lambda * going_on * following
        advantages[t], next_value, going_on = following, values[t], 1 - begins[t]
    return advantages


def ppo_loss(
    agent: Agent,
    settings: Settings,
    observation: Tensor,
    action: Tensor,
    old_log_prob: Tensor,
    advantage: Tensor,
    target: Tensor,
    old_value: Tensor,
) -> Tensor:
    """Return the clipped loss of policy and value of a minibatch, with the entropy bonus."""
    _, log_prob, entropy, value = agent.act(observation, action)
    ratio = (log_prob - old_log_prob).exp()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    clipped = ratio.clamp(1 - settings.clip_coef, 1 + settings.clip_coef)
    policy_loss = -torch.min(advantage * ratio, advantage * clipped).mean()
    near = old_value + (value - old_value).clamp(-settings.clip_coef, settings.clip_coef)
    value_loss = 0.5 * torch.max((value - target) ** 2, (near - target) ** 2).mean()
    return policy_loss - settings.ent_coef * entropy.mean() + settings.vf_coef * value_loss
