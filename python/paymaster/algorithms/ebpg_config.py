"""How a leader learns, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Interval

from paymaster.algorithms.advantages import Credit
from paymaster.algorithms.process import OptionRules
from paymaster.validation.quantities import Epochs, Positive, Share, Weight
from paymaster.validation.ranges import check_fields

__all__ = ["EBPGConfig", "Exploration", "Gradient"]

Gradient = Literal["dense", "sparse"]
Exploration = Literal["offers", "agents"]


@dataclass(frozen=True)
class EBPGConfig:
    """How the leader learns; where defaults differ from the paper's, it is said why.

    Attributes:
        gradient: "dense" (the paper's method, Remark 2) or "sparse" (Prop. 1).
        options: when options are opened by rule rather than by beta.
        termination_start: bias of beta's logit before training; at -6 options run on at first but for one step in 400.
        learning_rate: of everything but the baseline's heads. The paper's: with 0.001 dense EBPG learns
            faster but loses what it has learned again and again (docs/results.md).
        critic_learning_rate: of the baseline's heads (paper: 0.001).
        learning_rate_end: share of both learning rates that is left at the end of training, falling linearly.
        gamma: discount; 1 in the paper.
        gae_lambda: lambda of the advantage estimator.
        credit: "own", each follower's rewards minus payments, or "team", the paper's return.
        normalise_advantage: scale advantages to mean 0 and standard deviation 1 in each batch.
        lambda_entropy: lambda_1, weight of the policy's entropy (paper: 0.01, with unscaled returns).
        entropy_end: share of lambda_1 that is left at the end of training, falling linearly.
        entropy_of_decisions: count the entropy only where an offer was drawn, not on maintained steps.
        lambda_termination: lambda_2, weight of beta^2.
        critic_weight: weight of the baseline's loss.
        imitation_weight: weight of the follower model's loss.
        max_gradient_norm: the gradient is scaled down to this norm.
        epochs: gradient steps on each batch; from the second on the losses are clipped (PPO).
        clip: how far a choice's probability may move within a batch, as a share.
        exploration: "offers": each new offer is replaced by a uniform one with probability iota (paper); "agents": each
            follower is, for a whole episode, offered one uniform goal with that probability (M3RL).
        explore: iota at the beginning of training. The paper has 0.1; here the entropy explores, since early
            random offers teach beta to stay shut: with 0.1 the gain stuck at 12 instead of 19.
        explore_episodes: episodes over which iota falls linearly to 0 ("agents": after which it is 0).
    """

    gradient: Gradient = "dense"
    options: OptionRules = field(default_factory=OptionRules)
    termination_start: Annotated[float, Interval(ge=-1_000, le=1_000)] = 0.0
    learning_rate: Positive = 3e-4
    critic_learning_rate: Positive = 1e-3
    learning_rate_end: Share = 1.0
    gamma: Share = 1.0
    gae_lambda: Share = 0.9
    credit: Credit = "own"
    normalise_advantage: bool = True
    lambda_entropy: Weight = 0.05
    entropy_end: Share = 1.0
    entropy_of_decisions: bool = False
    lambda_termination: Weight = 0.001
    critic_weight: Weight = 0.5
    imitation_weight: Weight = 1.0
    max_gradient_norm: Positive = 1.0
    epochs: Epochs = 1
    clip: Positive = 0.2
    exploration: Exploration = "offers"
    explore: Share = 0.0
    explore_episodes: Annotated[int, Interval(ge=0, le=10**9)] = 5000

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
        if self.exploration == "agents" and self.options.interval != 1:
            raise ValueError(
                "exploration: 'agents' sets the goal of every step, so it expects options.interval = 1, got "
                f"{self.options.interval}"
            )
