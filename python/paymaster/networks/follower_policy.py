"""The followers' networks: policy and value of P self-interested learners, computed for all that play at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from paymaster.validation.quantities import Size
from paymaster.validation.ranges import check_fields

__all__ = [
    "FollowerConfig",
    "FollowerNetwork",
    "FollowerOutput",
    "Identities",
    "IdentityLinear",
    "draw_actions",
    "mixed_with_uniform",
]

Identities = Literal["separate", "embedded"]


@dataclass(frozen=True)
class FollowerConfig:
    """Sizes of the followers' networks, and how they differ.

    Attributes:
        population: P, followers.
        num_goals: goal types that a follower sees: G, or C in a game with ``near_goals``.
        num_actions: actions they choose from: one more than that for "meta" (goal types, then "stop"), else primitive
            ones.
        meta: they choose goal types.
        own_features: features per follower.
        goal_features: features per goal type as seen from a follower.
        hidden: H, width of every layer.
        identities: "embedded": one set of weights, and a learned vector a follower; "separate": every follower has
            weights of its own.
    """

    population: Size
    num_goals: Size
    num_actions: Size
    meta: bool
    own_features: Size
    goal_features: Size
    hidden: Size = 32
    identities: Identities = "embedded"

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
        if self.meta and self.num_actions != self.num_goals + 1:
            raise ValueError(f"num_actions: expected num_goals + 1 = {self.num_goals + 1}, got {self.num_actions}")


class FollowerOutput(NamedTuple):
    """Of one step ([B, N, ...]) or of whole episodes ([T, B, N, ...]).

    Attributes:
        logits: of the actions, [..., N, A].
        value: what the follower still expects to earn, [..., N].
    """

    logits: Tensor
    value: Tensor


class IdentityLinear(nn.Module):
    """A linear layer with weights of its own for each of P followers.

    An episode's followers keep their identities, so the weights are gathered once an episode and not once a step: one
    batched product [B N, T, in] x [B N, in, out] serves them all.

    Args:
        population: P; 1: all share one set.
        inputs, outputs: widths.
    """

    def __init__(self, population: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)  # as nn.Linear starts
        # All start alike: they differ by what they live through.
        self.weight = nn.Parameter(torch.empty(1, inputs, outputs).uniform_(-bound, bound).repeat(population, 1, 1))
        self.bias = nn.Parameter(torch.empty(1, outputs).uniform_(-bound, bound).repeat(population, 1))

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """Maps rows [B, N, R, in] of followers int64 [B, N] to [B, N, R, out]."""
        if self.weight.shape[0] == 1:
            return nn.functional.linear(x, self.weight[0].t(), self.bias[0])
        weight, bias = self.weight[identity], self.bias[identity]
        return x @ weight + bias.unsqueeze(-2)


class FollowerNetwork(nn.Module):
    """pi^k(a | s-hat) and V^k(s-hat), s-hat = (s, omega^k) and the follower's own traits (paper, Sec. 4.3).

    One small network looks at each goal type beside the follower's own features. The goal types' codes give the logits
    of the goal types ("meta"; "stop" has one read off the follower's own), or are joined, each counting for what it is,
    and give those of the primitive actions.
    """

    def __init__(self, config: FollowerConfig) -> None:
        config.validate()
        super().__init__()
        self.config = config
        people = config.population if config.identities == "separate" else 1
        hidden = config.hidden
        self.embedding = nn.Embedding(config.population, hidden) if config.identities == "embedded" else None
        if self.embedding is not None:
            nn.init.zeros_(self.embedding.weight)
        self.own = IdentityLinear(people, config.own_features, hidden)
        self.goal = IdentityLinear(people, config.goal_features, hidden)
        self.joined = IdentityLinear(people, 2 * hidden, hidden)
        self.goal_logit = IdentityLinear(people, hidden, 1) if config.meta else None
        self.logits = IdentityLinear(people, hidden, 1 if config.meta else config.num_actions)
        self.value = IdentityLinear(people, hidden, 1)

    def forward(self, own: Tensor, goal: Tensor, identity: Tensor) -> FollowerOutput:
        """Evaluates one step, or all T steps of whole episodes at once.

        Args:
            own: features per follower, [B, N, F] or [T, B, N, F].
            goal: per follower and goal type, [B, N, G, D] or [T, B, N, G, D].
            identity: who the followers are, int64 [B, N], in 0..P-1.
        """
        single = own.dim() == 3
        if single:
            own, goal = own.unsqueeze(0), goal.unsqueeze(0)
        steps, goals = own.shape[0], goal.shape[-2]
        rows = own.permute(1, 2, 0, 3)  # [B, N, T, F]
        each = goal.permute(1, 2, 0, 3, 4).flatten(2, 3)  # [B, N, T G, D]
        code = self.own(rows, identity)
        if self.embedding is not None:
            code = code + self.embedding(identity).unsqueeze(-2)
        seen = self.goal(each, identity).unflatten(2, (steps, goals))
        kinds = torch.relu(seen + code.unsqueeze(-2))  # [B, N, T, G, H]
        joined = torch.relu(self.joined(torch.cat((kinds.mean(-2), kinds.amax(-2)), dim=-1), identity) + code)
        logits = self.logits(joined, identity)
        if self.goal_logit is not None:
            by_goal = self.goal_logit(kinds.flatten(2, 3), identity).unflatten(2, (steps, goals)).squeeze(-1)
            logits = torch.cat((by_goal, logits), dim=-1)
        logits, value = logits.permute(2, 0, 1, 3), self.value(joined, identity).squeeze(-1).permute(2, 0, 1)
        return FollowerOutput(logits[0], value[0]) if single else FollowerOutput(logits, value)


def mixed_with_uniform(probability: Tensor, explore: float, actions: int) -> Tensor:
    """Return (1 - iota) p + iota / A, of any shape."""
    return (1.0 - explore) * probability + explore / actions


def draw_actions(logits: Tensor, uniform: Tensor | None, explore: float) -> Tensor:
    """Draw actions, int64 [...].

    Args:
        logits: of the actions, [..., A].
        uniform: random numbers in [0, 1), [...]; None: the likeliest action instead.
        explore: iota, with which an action is a uniform one.
    """
    if uniform is None:
        return logits.argmax(-1)
    probability = torch.softmax(logits, dim=-1)
    cumulative = mixed_with_uniform(probability, explore, logits.shape[-1]).cumsum(-1)
    drawn: Tensor = (cumulative <= uniform.unsqueeze(-1) * cumulative[..., -1:]).sum(-1)
    return drawn
