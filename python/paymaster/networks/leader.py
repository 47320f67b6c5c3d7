"""The leader of Fig. 1: all modules joined into one network, and the process its offers are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from paymaster.networks.attention import FollowerAttention
from paymaster.networks.baselines import TwoHeadedBaseline
from paymaster.networks.draws import Draws, draw_uniform
from paymaster.networks.follower_model import FollowerModel
from paymaster.networks.history_encoder import HistoryEncoder
from paymaster.networks.leader_policy import OfferPolicy, is_previous, restricted_log_probs
from paymaster.networks.state_encoder import StateEncoder
from paymaster.networks.termination import TerminationFunction

__all__ = ["LeaderConfig", "LeaderNetwork", "LeaderOutput", "offer_probs", "sample_offers"]

Attention = Literal["follower-specific", "mean"]
Termination = Literal["learned", "none"]
Heads = Literal["sequential", "independent"]


@dataclass(frozen=True)
class LeaderConfig:
    """Sizes and kinds of the leader's modules.

    Attributes:
        num_goals: G, goal types.
        num_bonuses: K, bonus levels.
        num_actions: A, the followers' primitive actions.
        follower_features: F, features per follower.
        goal_features: D, features per goal type as seen from a follower.
        abstain: the leader may offer "none".
        hidden: H, width of every layer.
        attention: "follower-specific" (the paper's) or "mean" over the followers ("w/o attention").
        termination: "learned" (beta), or "none": options end by rule only (:mod:`paymaster.algorithms.process`).
        termination_start: bias of beta's logit before training.
        heads: "sequential", the goal first and then its bonus (the paper's), or "independent" of each other (M3RL).
        prediction: the follower-aware module; without it attention does not see what followers will do.
    """

    num_goals: int
    num_bonuses: int
    num_actions: int
    follower_features: int
    goal_features: int
    abstain: bool = False
    hidden: int = 64
    attention: Attention = "follower-specific"
    termination: Termination = "learned"
    termination_start: float = 0.0
    heads: Heads = "sequential"
    prediction: bool = True

    @property
    def num_offers(self) -> int:
        """O = G K, and one more when the leader may abstain."""
        return self.num_goals * self.num_bonuses + self.abstain

    @property
    def learns_termination(self) -> bool:
        """Whether there is a beta: with a single offer there is nothing to change to."""
        return self.termination == "learned" and self.num_offers > 1

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        for name in (
            "num_goals",
            "num_bonuses",
            "num_actions",
            "follower_features",
            "goal_features",
            "hidden",
        ):
            size = getattr(self, name)
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}")
        if not math.isfinite(self.termination_start):
            raise ValueError(f"termination_start: expected a finite number, got {self.termination_start}")
        for name, kinds in (("attention", Attention), ("termination", Termination), ("heads", Heads)):
            kind = getattr(self, name)
            if kind not in get_args(kinds):
                raise ValueError(f"{name}: expected one of {', '.join(get_args(kinds))}, got {kind!r:.80}")


class LeaderOutput(NamedTuple):
    """What the network says of a step, [B, N, ...], of whole episodes, [T, B, N, ...], or those played, [R, N, ...].

    Attributes:
        log_mu: log mu over all offers, unrestricted, [..., N, O]; [Q, O] where Q rows were asked for.
        termination_logits: logit of beta, [..., N]; None without a termination function (or with one offer).
        phi: expected completions to come by goal type, then payments to come by bonus level, [..., N, G + K]; None
            where they were not asked for.
        prediction_logits: logits of the follower's next action, [..., N, A]; None without prediction.
        attention: weights of the followers, [..., N].
        history: h after the last of these steps, [B, N, H], to be handed to the next call; None of steps played, after
            which there is none.
    """

    log_mu: Tensor
    termination_logits: Tensor | None
    phi: Tensor | None
    prediction_logits: Tensor | None
    attention: Tensor
    history: Tensor | None


class LeaderNetwork(nn.Module):
    """Encoders -> prediction of the followers -> attention -> termination, policy and baseline (Fig. 1).

    All weights are shared by the followers, so their number is free and their order does not matter.
    """

    def __init__(self, config: LeaderConfig) -> None:
        config.validate()
        super().__init__()
        self.config = config
        hidden, offers = config.hidden, config.num_offers
        self.state_encoder = StateEncoder(config.num_bonuses, config.follower_features, config.goal_features, hidden)
        self.history_encoder = HistoryEncoder(offers, hidden)
        self.follower_model = FollowerModel(config.num_actions, hidden) if config.prediction else None
        predicted = config.num_actions if config.prediction else 0
        self.attention = FollowerAttention(predicted, hidden, config.attention)
        self.termination = (
            TerminationFunction(offers, hidden, config.termination_start) if config.learns_termination else None
        )
        self.policy = OfferPolicy(
            config.num_bonuses, config.goal_features, hidden, config.abstain, sequential=config.heads == "sequential"
        )
        self.baseline = TwoHeadedBaseline(config.num_goals, config.num_bonuses, offers, hidden)

    def initial_history(self, num_games: int, num_followers: int) -> Tensor:
        """h before the first step, zeros [B, N, H] on the network's device."""
        weight = self.state_encoder.goal.weight
        return weight.new_zeros(num_games, num_followers, self.config.hidden)

    def forward(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        history: Tensor,
        *,
        batch_sizes: Tensor | None = None,
        rows: Tensor | None = None,
        baseline: bool = True,
    ) -> LeaderOutput:
        """Evaluates one step, all of whole episodes, or those played of them, at once; the numbers are the same.

        Args:
            follower: features, [B, N, F], [T, B, N, F] or [R, N, F].
            goal: goal features, [B, N, G, D], [T, B, N, G, D] or [R, N, G, D].
            previous: omega_{t-1}, int64 [B, N], [T, B, N] or [R, N], -1 where no offer was made yet.
            history: h before the (first) step, [B, N, H].
            batch_sizes: of :class:`~paymaster.algorithms.packed_steps.PlayedSteps`, if these are such steps.
            rows: where log mu is asked for, int64 [Q], indices into ``previous`` as one row; None: everywhere. The
                policy is the widest module, and few steps are decisions.
            baseline: whether phi is asked for; acting needs none.
        """
        state = self.state_encoder(follower, goal, previous)
        encoded, history = self.history_encoder(state, previous, history, batch_sizes)
        state_and_history = torch.cat((state, encoded), dim=-1)
        prediction_logits = predicted = None
        if self.follower_model is not None:
            prediction_logits = self.follower_model(state_and_history)
            predicted = self.follower_model.predict(prediction_logits)
        code, weights = self.attention(state_and_history, predicted)
        return LeaderOutput(
            log_mu=self.policy(code, goal)
            if rows is None
            else self.policy(_chosen(code, rows, 1), _chosen(goal, rows, 2)),
            termination_logits=None if self.termination is None else self.termination(code, previous),
            phi=self.baseline(code, previous) if baseline else None,
            prediction_logits=prediction_logits,
            attention=weights,
            history=history,
        )


def _chosen(values: Tensor, rows: Tensor, own: int) -> Tensor:
    """Entries ``rows`` of an array as one row of entries, which have ``own`` axes each."""
    chosen = values.flatten(0, -own - 1).index_select(0, rows.flatten())
    return chosen.view(*rows.shape, *values.shape[values.dim() - own :])


def offer_probs(output: LeaderOutput, held: Tensor, explore: float = 0.0) -> Tensor:
    """The leader's process p(omega_t | s_t, omega_{t-1}) (paper, Sec. 4.1; docs/algorithm.md).

    (1 - beta) 1[omega_t = omega_{t-1}] + beta mu'(omega_t), where mu' is mu restricted to other offers,
    mixed iota-greedily with the uniform distribution over the same offers. Where a new option starts (``held`` = -1)
    beta is 1 and nothing is excluded. Without a termination function, or with a single offer, which can never change,
    beta is 0.

    Args:
        output: of the network, for one step or many.
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N].
        explore: iota in [0, 1].

    Returns:
        Probabilities [..., N, O].
    """
    num_offers = output.log_mu.shape[-1]
    if num_offers == 1:
        return output.log_mu.exp()
    fresh = held < 0
    beta = (
        torch.zeros_like(fresh, dtype=output.log_mu.dtype)
        if output.termination_logits is None
        else torch.sigmoid(output.termination_logits)
    )
    beta = beta.masked_fill(fresh, 1.0).unsqueeze(-1)
    new = restricted_log_probs(output.log_mu, held).exp()
    if explore > 0.0:
        support = (num_offers - 1 + fresh.to(new.dtype)).unsqueeze(-1)
        new = (1.0 - explore) * new + explore / support
    return torch.where(is_previous(held, num_offers), 1.0 - beta, beta * new)


def sample_offers(
    output: LeaderOutput,
    held: Tensor,
    explore: float = 0.0,
    generator: Draws | None = None,
    greedy: bool = False,
) -> Tensor:
    """Draws omega_t from :func:`offer_probs`: whether the option ends, then what is offered if it does.

    Greedy takes the mode of each of the two: an option ends when beta > 1/2 (or when a new one starts anyway),
    and an option that ended takes the most likely of the offers it may take. The mode of their product would seldom
    change anything, since the new offer's probability is split among many. Exploration plays no part in it.

    Args:
        output: of the network, for one step or many.
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N].
        explore: iota in [0, 1].
        generator: the only source of randomness, on the device of ``output``.
        greedy: no randomness at all.

    Returns:
        omega_t, flat offers int64 [..., N].
    """
    log_mu = output.log_mu
    num_offers = log_mu.shape[-1]
    if greedy or num_offers == 1:
        return _most_likely(output, held)
    uniform = draw_uniform(2, held.shape, generator, held.device, log_mu.dtype)
    ends = held < 0
    excluded = is_previous(held, num_offers)
    likely = log_mu.masked_fill(excluded, -torch.inf)
    weights = (likely - likely.amax(-1, keepdim=True)).exp()
    if explore > 0.0:
        # Of weights that add up to 1, as mu does.
        share = explore / (num_offers - 1 + ends.to(weights.dtype)).unsqueeze(-1)
        weights = (1.0 - explore) * weights / weights.sum(-1, keepdim=True) + share.where(~excluded, 0.0)
    if output.termination_logits is not None:
        ends = ends | (uniform[0] < torch.sigmoid(output.termination_logits))
    cumulative = weights.cumsum(-1)
    # Scaled by the total, so that rounding in the sum never selects an offer of probability zero.
    drawn = (cumulative <= uniform[1].unsqueeze(-1) * cumulative[..., -1:]).sum(-1)
    return torch.where(ends, drawn, held)


def _most_likely(output: LeaderOutput, held: Tensor) -> Tensor:
    if output.log_mu.shape[-1] == 1:
        return output.log_mu.argmax(-1)
    ends = held < 0
    if output.termination_logits is not None:
        ends = ends | (output.termination_logits > 0.0)
    return torch.where(ends, restricted_log_probs(output.log_mu, held).argmax(-1), held)
