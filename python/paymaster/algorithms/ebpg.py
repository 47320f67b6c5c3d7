"""The paper's leader trained by event-based policy gradient (Sec. 4.1, 4.2 and 4.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from paymaster import losses
from paymaster.advantages import Credit, head_prices, lambda_returns, normalise, reward_counts
from paymaster.algorithms.protocol import LeaderStep
from paymaster.episodes import Episodes
from paymaster.networks.leader import LeaderConfig, LeaderNetwork, LeaderOutput, sample_offers

__all__ = ["EBPG", "EBPGConfig"]

Gradient = Literal["dense", "sparse"]


@dataclass(frozen=True)
class EBPGConfig:
    """How the leader learns; defaults from shared/design/findings.md where the paper's differ.

    Attributes:
        gradient: "dense" (the paper's method, Remark 2) or "sparse" (Prop. 1).
        learning_rate: of everything but the baseline's heads. The paper's: with 0.001 dense EBPG learns
            faster but loses what it has learned again and again (bench/README.md).
        critic_learning_rate: of the baseline's heads (paper: 0.001).
        gamma: discount; 1 in the paper.
        gae_lambda: lambda of the advantage estimator.
        credit: "own", each follower's rewards minus payments, or "team", the paper's return.
        normalise_advantage: scale advantages to mean 0 and standard deviation 1 in each batch.
        lambda_entropy: lambda_1, weight of the policy's entropy (paper: 0.01, with unscaled returns).
        lambda_termination: lambda_2, weight of beta^2.
        critic_weight: weight of the baseline's loss.
        imitation_weight: weight of the follower model's loss.
        max_gradient_norm: the gradient is scaled down to this norm.
        explore: iota at the beginning of training. The paper has 0.1; here the entropy explores, since early
            random offers teach beta to stay shut: with 0.1 the gain stuck at 12 instead of 19.
        explore_episodes: episodes over which iota falls linearly to 0.
    """

    gradient: Gradient = "dense"
    learning_rate: float = 3e-4
    critic_learning_rate: float = 1e-3
    gamma: float = 1.0
    gae_lambda: float = 0.9
    credit: Credit = "own"
    normalise_advantage: bool = True
    lambda_entropy: float = 0.05
    lambda_termination: float = 0.001
    critic_weight: float = 0.5
    imitation_weight: float = 1.0
    max_gradient_norm: float = 1.0
    explore: float = 0.0
    explore_episodes: int = 5000

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        for name, kinds in (("gradient", Gradient), ("credit", Credit)):
            kind = getattr(self, name)
            if kind not in get_args(kinds):
                raise ValueError(f"{name}: expected one of {', '.join(get_args(kinds))}, got {kind!r}")
        for name in ("gamma", "gae_lambda", "explore"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name}: expected a number in [0, 1], got {share}")
        for name in ("learning_rate", "critic_learning_rate", "max_gradient_norm"):
            size = getattr(self, name)
            if not (size > 0.0 and math.isfinite(size)):
                raise ValueError(f"{name}: expected a finite number above 0, got {size}")
        for name in ("lambda_entropy", "lambda_termination", "critic_weight", "imitation_weight"):
            weight = getattr(self, name)
            if not (weight >= 0.0 and math.isfinite(weight)):
                raise ValueError(f"{name}: expected a finite number of at least 0, got {weight}")
        if self.explore_episodes < 0:
            raise ValueError(f"explore_episodes: expected at least 0, got {self.explore_episodes}")


class _Estimates(NamedTuple):
    """What the losses compare the network with: all constants."""

    advantage: Tensor  # [T, B, N]
    targets: Tensor  # [T, B, N, G + K], lambda-returns of the baseline's heads
    explained_variance: Tensor  # []


class EBPG:
    """A leader network, its optimiser, and the two things done with them: acting and learning.

    Args:
        leader: sizes and kinds of the network's modules.
        config: how it learns.
        device: where the parameters live.
        seed: of the initial weights; torch's global generator is left as it was.
    """

    def __init__(
        self,
        leader: LeaderConfig,
        config: EBPGConfig | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.config = EBPGConfig() if config is None else config
        self.config.validate()
        if self.config.gradient == "sparse" and leader.termination == "every-step":
            raise ValueError(
                "gradient: 'sparse' leaves out maintained offers, but termination='every-step' maintains "
                "none; expected gradient='dense' or termination='learned'"
            )
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.network = LeaderNetwork(leader).to(self.device)
        critic = list(self.network.baseline.parameters())
        others = [p for name, p in self.network.named_parameters() if not name.startswith("baseline.")]
        self.optimizer = torch.optim.Adam(
            [
                {"params": others, "lr": self.config.learning_rate},
                {"params": critic, "lr": self.config.critic_learning_rate},
            ],
            fused=True,
        )

    def initial_state(self, num_games: int, num_followers: int) -> Tensor:
        """The history before the first step, zeros [B, N, H]."""
        return self.network.initial_history(num_games, num_followers)

    def exploration_rate(self, episodes_done: int) -> float:
        """iota after so many episodes of training: falls linearly to 0."""
        if episodes_done >= self.config.explore_episodes:
            return 0.0
        return self.config.explore * (1.0 - episodes_done / self.config.explore_episodes)

    @torch.no_grad()
    def act(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        state: Tensor,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Offers for one step of B games; see :class:`~paymaster.algorithms.protocol.LeaderAlgorithm`."""
        output = self.network(follower, goal, previous, state)
        offer = sample_offers(output, previous, explore, generator, greedy)
        return LeaderStep(offer, output.history, output.attention)

    def update(self, episodes: Episodes) -> dict[str, float]:
        """One gradient step on a batch of whole episodes, evaluated at once.

        Loss = EBPG (theta and vartheta) + critic + imitation - lambda_1 entropy + lambda_2 beta^2, each the
        mean over followers and steps played.
        """
        episodes = episodes.to(self.device)
        start = self.initial_state(episodes.num_games, episodes.num_followers)
        output: LeaderOutput = self.network(episodes.follower, episodes.goal, episodes.previous, start)
        estimates = self._estimate(episodes, output)
        loss, metrics = self._loss(episodes, output, estimates)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.max_gradient_norm)
        self.optimizer.step()
        metrics |= {"loss": loss.detach(), "gradient_norm": norm, **_describe(episodes, output)}
        metrics["explained_variance"] = estimates.explained_variance
        # One transfer from the device for all of them.
        return dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))

    def modules(self) -> dict[str, nn.Module]:
        """The network, under the name checkpoints store it by."""
        return {"leader": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser, under the name checkpoints store it by."""
        return {"leader": self.optimizer}

    @torch.no_grad()
    def _estimate(self, episodes: Episodes, output: LeaderOutput) -> _Estimates:
        config, valid = self.config, episodes.valid
        phi = torch.cat((output.phi_goal, output.phi_bonus), dim=-1)
        counts = reward_counts(episodes, config.credit)
        targets = lambda_returns(counts, phi, valid, config.gamma, config.gae_lambda)
        prices = head_prices(episodes)
        value, target = phi @ prices, targets @ prices
        advantage = target - value
        played = valid.unsqueeze(-1).expand(advantage.shape)
        unexplained = advantage[played].var(correction=0) / target[played].var(correction=0).clamp(min=1e-8)
        if config.normalise_advantage:
            advantage = normalise(advantage, valid)
        return _Estimates(advantage, targets, 1.0 - unexplained)

    def _loss(
        self, episodes: Episodes, output: LeaderOutput, estimates: _Estimates
    ) -> tuple[Tensor, dict[str, Tensor]]:
        config, valid, action = self.config, episodes.valid, episodes.follower_action
        phi = torch.cat((output.phi_goal, output.phi_bonus), dim=-1)
        terms = {
            "policy_loss": (1.0, self._policy_loss(episodes, output, estimates.advantage)),
            "critic_loss": (config.critic_weight, losses.critic_loss(phi, estimates.targets)),
            "imitation_loss": (
                config.imitation_weight,
                losses.imitation_loss(output.prediction_logits, action),
            ),
            "entropy": (-config.lambda_entropy, losses.entropy(output.log_mu)),
        }
        if output.termination_logits is not None:
            logits, previous = output.termination_logits, episodes.previous
            terms |= {
                "termination_loss": (
                    1.0,
                    losses.termination_loss(logits, episodes.new_offer, previous, estimates.advantage),
                ),
                "termination_penalty": (
                    config.lambda_termination,
                    losses.termination_penalty(logits, previous),
                ),
            }
        means = {name: losses.masked_mean(values, valid) for name, (_, values) in terms.items()}
        loss = torch.stack([weight * means[name] for name, (weight, _) in terms.items()]).sum()
        return loss, {name: mean.detach() for name, mean in means.items()}

    def _policy_loss(self, episodes: Episodes, output: LeaderOutput, advantage: Tensor) -> Tensor:
        if output.termination_logits is None:
            return losses.every_step_policy_loss(output.log_mu, episodes.offer, advantage, episodes.explore)
        loss = losses.dense_policy_loss if self.config.gradient == "dense" else losses.sparse_policy_loss
        offer, previous, new_offer = episodes.offer, episodes.previous, episodes.new_offer
        return loss(output.log_mu, offer, previous, new_offer, advantage, episodes.explore)


@torch.no_grad()
def _describe(episodes: Episodes, output: LeaderOutput) -> dict[str, Tensor]:
    """What happened in the batch: events per episode, option length, accuracy of the prediction, beta."""
    valid, previous = episodes.valid, episodes.previous
    played = valid.unsqueeze(-1)
    events = (episodes.new_offer & played).sum()
    right = output.prediction_logits.argmax(-1) == episodes.follower_action
    described = {
        "events": events / episodes.num_games,
        "option_length": valid.sum() * episodes.num_followers / events.clamp(min=1),
        "prediction_accuracy": losses.masked_mean(right.to(episodes.payment.dtype), valid),
    }
    if output.termination_logits is not None:
        asked = played & (previous >= 0)
        beta = torch.where(asked, torch.sigmoid(output.termination_logits), 0.0)
        described["termination"] = beta.sum() / asked.sum().clamp(min=1)
    return described
