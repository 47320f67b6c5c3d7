"""The leader of Fig. 1: all modules joined into one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge
from torch import Tensor, nn

from paymaster.networks.attention import FollowerAttention
from paymaster.networks.baselines import TwoHeadedBaseline
from paymaster.networks.follower_model import FollowerModel
from paymaster.networks.history_encoder import HistoryEncoder
from paymaster.networks.leader_policy import OfferPolicy, UnsharedOfferPolicy
from paymaster.networks.state_encoder import StateEncoder, UnsharedStateEncoder
from paymaster.networks.termination import TerminationFunction
from paymaster.validation.quantities import Size
from paymaster.validation.ranges import check_fields

__all__ = ["LeaderConfig", "LeaderNetwork", "LeaderOutput"]

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
        near_goals: C, goal types that it sees of each follower and offers one of; 0: all G.
        hidden: H, width of every layer.
        attention: "follower-specific" (the paper's) or "mean" over the followers ("w/o attention").
        termination: "learned" (beta), or "none": options end by rule only (:mod:`paymaster.algorithms.process`).
        termination_start: bias of beta's logit before training.
        heads: "sequential", the goal first and then its bonus (the paper's), or "independent" of each other (M3RL).
        shared_goal_weights: the same weights read every goal type's features, on the way in and in the heads. Else each
            goal type has inputs and logits of its own, as in M3RL.
        prediction: the follower-aware module; without it attention does not see what followers will do.
        other_rewards: the leader is rewarded for more than its gain, so that the baseline has a head for the rest.
    """

    num_goals: Size
    num_bonuses: Size
    num_actions: Size
    follower_features: Size
    goal_features: Size
    abstain: bool = False
    near_goals: Annotated[int, Ge(0)] = 0
    hidden: Size = 64
    attention: Attention = "follower-specific"
    termination: Termination = "learned"
    termination_start: float = 0.0
    heads: Heads = "sequential"
    shared_goal_weights: bool = True
    prediction: bool = True
    other_rewards: bool = False

    @property
    def candidates(self) -> int:
        """Goal types that it sees of each follower: C, or G."""
        return self.near_goals or self.num_goals

    @property
    def num_offers(self) -> int:
        """O = C K, and one more when the leader may abstain."""
        return self.candidates * self.num_bonuses + self.abstain

    @property
    def learns_termination(self) -> bool:
        """Whether there is a beta: with a single offer there is nothing to change to."""
        return self.termination == "learned" and self.num_offers > 1

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
        if self.near_goals and not self.shared_goal_weights:
            raise ValueError(
                "shared_goal_weights: expected True with near_goals, whose places hold other goal types from step to "
                "step, got False"
            )


class LeaderOutput(NamedTuple):
    """What the network says of a step, [B, N, ...], of whole episodes, [T, B, N, ...], or those played, [R, N, ...].

    Attributes:
        log_mu: log mu over all offers, unrestricted, [..., N, O]; [Q, O] with ``decisions``.
        termination_logits: logit of beta, [..., N]; None without a termination function (or with one offer).
        phi: expected completions to come by goal type, then payments to come by bonus level, [..., N, G + K], and
            other rewards where there are any; None without ``baseline``.
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
        features, shared = (config.follower_features, config.goal_features), config.shared_goal_weights
        self.state_encoder: StateEncoder | UnsharedStateEncoder = (
            StateEncoder(config.num_bonuses, *features, hidden)
            if shared
            else UnsharedStateEncoder(config.num_goals, *features, hidden)
        )
        self.history_encoder = HistoryEncoder(offers, hidden)
        self.follower_model = FollowerModel(config.num_actions, hidden) if config.prediction else None
        predicted = config.num_actions if config.prediction else 0
        self.attention = FollowerAttention(predicted, hidden, config.attention)
        self.termination = (
            TerminationFunction(offers, hidden, config.termination_start) if config.learns_termination else None
        )
        choice: dict[str, bool] = {"abstain": config.abstain, "sequential": config.heads == "sequential"}
        self.policy: OfferPolicy | UnsharedOfferPolicy = (
            OfferPolicy(config.num_bonuses, config.goal_features, hidden, **choice)
            if shared
            else UnsharedOfferPolicy(config.num_goals, config.num_bonuses, hidden, **choice)
        )
        self.baseline = TwoHeadedBaseline(config.num_goals, config.num_bonuses, offers, hidden, config.other_rewards)

    def initial_history(self, num_games: int, num_followers: int) -> Tensor:
        """h before the first step, zeros [B, N, H] on the network's device."""
        weight = self.state_encoder.own.weight
        return weight.new_zeros(num_games, num_followers, self.config.hidden)

    def forward(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        history: Tensor,
        *,
        batch_sizes: Tensor | None = None,
        decisions: Tensor | None = None,
        baseline: bool = True,
    ) -> LeaderOutput:
        """Evaluates one step, all of whole episodes, or those played of them, at once; the numbers are the same.

        Args:
            follower: features, [B, N, F], [T, B, N, F] or [R, N, F].
            goal: goal features, [B, N, C, D], [T, B, N, C, D] or [R, N, C, D].
            previous: omega_{t-1}, int64 [B, N], [T, B, N] or [R, N], -1 where no offer was made yet.
            history: h before the (first) step, [B, N, H].
            batch_sizes: of :class:`~paymaster.algorithms.packed_steps.PackedSteps`, if these are such steps.
            decisions: where to compute log mu, int64 [Q], indices into ``previous`` as one row; None: everywhere. The
                policy is the widest module, and few steps are decisions.
            baseline: whether to compute phi; acting needs none.
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
            log_mu=self.policy(_chosen(code, decisions, 1), _chosen(goal, decisions, 2)),
            termination_logits=None if self.termination is None else self.termination(code, previous),
            phi=self.baseline(code, previous) if baseline else None,
            prediction_logits=prediction_logits,
            attention=weights,
            history=history,
        )


def _chosen(values: Tensor, decisions: Tensor | None, own: int) -> Tensor:
    """Those entries of an array as one row of entries, which have ``own`` axes each; None: the array as it is."""
    if decisions is None:
        return values
    return values.flatten(0, -own - 1).index_select(0, decisions)
