"""Event-based policy gradient: the update behind every leader (paper Sec. 4.1, 4.2 and 4.4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.algorithms.advantages import head_prices, lambda_returns, reward_counts
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.player import NetworkPlayer
from paymaster.algorithms.process import held_offers
from paymaster.networks.leader import LeaderOutput

__all__ = ["Learner", "described_by", "sums_of"]


class _Estimates(NamedTuple):
    """What the losses compare the network with: all constants."""

    advantage: Tensor  # [R, N]
    targets: Tensor  # [R, N, G + K], lambda-returns of the baseline's heads
    explained_variance: Tensor  # []


class _Choices(NamedTuple):
    """How likely the leader's choices were, log-probabilities [R, N]."""

    policy: Tensor
    termination: Tensor | None

    def detach(self) -> _Choices:
        return _Choices(self.policy.detach(), None if self.termination is None else self.termination.detach())


class Learner(NetworkPlayer, ABC):
    """A leader network and its optimiser, with weights of one seed or of several.

    Subclasses define over what the means of an update are taken, and so the leading axis of everything here: arrays are
    [R, N] and means [] for one seed, [S, R, N] and [S] for several.

    Attributes:
        optimizer: of the network.
    """

    optimizer: JoinedAdam

    def _learn(self, episodes: Episodes, progress: float) -> dict[str, Tensor]:
        """One gradient step (or ``epochs`` of them); metrics of the first, [] or [S] each, still on the device.

        Loss = EBPG (theta and vartheta) + critic + imitation - lambda_1 entropy + lambda_2 beta^2, each the
        mean over followers and steps played.
        """
        episodes = episodes.to(self.device)
        self._set_rates(progress)
        steps = self._steps(episodes)
        held = held_offers(self.config.options, steps.previous, steps.expired, steps.step)
        decisions = self._decisions(steps, held)
        share = self._share(steps)
        start = self._initial_history(episodes.num_games, episodes.num_followers)
        seen = (steps.follower, steps.goal, steps.previous, start)
        described: dict[str, Tensor] = {}
        old: _Choices | None = None
        for epoch in range(self.config.epochs):
            # All steps of whole episodes at once.
            output: LeaderOutput = self.network(*seen, batch_sizes=steps.batch_sizes, decisions=decisions)
            if epoch == 0:
                assert output.phi is not None
                estimates = self._estimate(episodes, steps, output.phi, share)
            choices = self._choices(steps, output, held, decisions)
            loss, terms = self._loss(steps, output, held, decisions, estimates, choices, old, progress)
            if old is not None:
                self._descend(loss, share, [])
                continue
            old = choices.detach()
            means = {name: mean * share for name, mean in (terms | {"loss": loss.detach()}).items()}
            sums = sums_of(steps, episodes.num_games // loss.numel(), *_foreseen(steps, output))  # a loss a seed
            norm = self._descend(loss, share, [*means.values(), *sums.values()])
            described = {**means, "gradient_norm": norm, **described_by(sums)}
            described["explained_variance"] = estimates.explained_variance
        return described

    @abstractmethod
    def _steps(self, episodes: Episodes) -> PackedSteps:
        """What of the episodes is learned from."""

    @abstractmethod
    def _share(self, steps: PackedSteps) -> Tensor:
        """The weight of these steps' means in those of the update, [] or [S]."""

    @abstractmethod
    def _variance(self, steps: PackedSteps, values: Tensor, share: Tensor) -> Tensor:
        """Over all values [R, N] or [S, R, N] of the update, [] or [S]."""

    @abstractmethod
    def _normalise(self, steps: PackedSteps, advantage: Tensor) -> Tensor:
        """Advantages with mean 0 and standard deviation 1."""

    @abstractmethod
    def _descend(self, loss: Tensor, share: Tensor, report: list[Tensor]) -> Tensor:
        """One gradient step on the loss, [] or [S]; returns the gradient's norm. Reports are added up in place."""

    @torch.no_grad()
    def _estimate(self, episodes: Episodes, steps: PackedSteps, phi: Tensor, share: Tensor) -> _Estimates:
        config, valid = self.config, episodes.valid
        counts = reward_counts(episodes, config.credit)
        whole = steps.unpack(phi, valid.shape)
        targets = lambda_returns(counts, whole, valid, config.gamma, config.gae_lambda)
        prices = head_prices(episodes)
        targets = steps.pack(targets)
        target = targets @ prices
        advantage = target - phi @ prices
        unexplained = self._variance(steps, advantage, share) / self._variance(steps, target, share).clamp(min=1e-8)
        if config.normalise_advantage:
            advantage = self._normalise(steps, advantage)
        return _Estimates(advantage, targets, 1.0 - unexplained)

    def _decisions(self, steps: PackedSteps, held: Tensor) -> Tensor | None:
        """Where the loss looks at mu, entries [Q] of [R, N] as one row, or [S, Q] of [S, R, N]; None: everywhere."""
        if self.config.gradient == "dense" or not self.config.entropy_of_decisions:
            return None
        decided = steps.new_offer | (held < 0) | steps.explored
        if steps.played is None:
            return decided.flatten().nonzero().squeeze(-1)
        # As many of each seed as of that with the most: with others behind them, at which there is nothing to see.
        by_seed = (decided & steps.played).flatten(1)
        most = int(by_seed.sum(1).max())
        chosen = by_seed.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
        return chosen + torch.arange(0, by_seed.numel(), by_seed.shape[1], device=chosen.device).unsqueeze(-1)

    def _choices(self, steps: PackedSteps, output: LeaderOutput, held: Tensor, decisions: Tensor | None) -> _Choices:
        log_prob = losses.dense_log_prob if self.config.gradient == "dense" else losses.sparse_log_prob
        explore = steps.explore if self.config.exploration == "offers" else 0.0
        offer, new_offer, opened, explored = (
            _at(decisions, values) for values in (steps.offer, steps.new_offer, held, steps.explored)
        )
        policy = log_prob(output.log_mu, offer, opened, new_offer, explore)
        if self.config.exploration == "agents":
            offered = self.network.config.num_goals * self.network.config.num_bonuses  # "none" is no explored goal
            bonus = losses.bonus_log_prob(
                output.log_mu[..., :offered], offer.clamp(max=offered - 1), self.network.config.num_bonuses
            )
            policy = torch.where(explored, bonus, policy)
        policy = _spread(decisions, policy, held)
        if output.termination_logits is None:
            return _Choices(policy, None)
        return _Choices(policy, losses.termination_log_prob(output.termination_logits, steps.new_offer, held))

    def _loss(
        self,
        steps: PackedSteps,
        output: LeaderOutput,
        held: Tensor,
        decisions: Tensor | None,
        estimates: _Estimates,
        choices: _Choices,
        old: _Choices | None,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        config = self.config
        assert output.phi is not None

        def chosen(log_prob: Tensor, old_log_prob: Tensor | None) -> Tensor:
            if old_log_prob is None:
                return losses.policy_gradient_loss(log_prob, estimates.advantage)
            return losses.clipped_loss(log_prob, old_log_prob, estimates.advantage, config.clip)

        entropy = _spread(decisions, losses.entropy(output.log_mu), held)
        if config.entropy_of_decisions:
            entropy = torch.where(steps.new_offer | (held < 0), entropy, 0.0)
        terms = {
            "policy_loss": chosen(choices.policy, None if old is None else old.policy),
            "critic_loss": losses.critic_loss(output.phi, estimates.targets),
            "entropy": entropy,
        }
        if output.prediction_logits is not None:
            terms["imitation_loss"] = losses.imitation_loss(output.prediction_logits, steps.follower_action)
        if choices.termination is not None and output.termination_logits is not None:
            terms["termination_loss"] = chosen(choices.termination, None if old is None else old.termination)
            terms["termination_penalty"] = losses.termination_penalty(output.termination_logits, held)
        means = {name: steps.mean(values) for name, values in terms.items()}
        loss = torch.stack([weight * means[name] for name, weight in self._weights(progress).items()]).sum(0)
        return loss, {name: mean.detach() for name, mean in means.items()}

    def _weights(self, progress: float) -> dict[str, float]:
        """Of the losses that this network has, by name."""
        config, network = self.config, self.network.config
        weights = {
            "policy_loss": 1.0,
            "critic_loss": config.critic_weight,
            "entropy": -_annealed(config.lambda_entropy, config.entropy_end, progress),
        }
        if network.prediction:
            weights["imitation_loss"] = config.imitation_weight
        if network.learns_termination:
            weights |= {"termination_loss": 1.0, "termination_penalty": config.lambda_termination}
        return weights

    def _set_rates(self, progress: float) -> None:
        rates = (self.config.learning_rate, self.config.critic_learning_rate)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = _annealed(rate, self.config.learning_rate_end, progress)


def _at(decisions: Tensor | None, values: Tensor) -> Tensor:
    """Values [R, N] at these decisions, [Q], or [S, R, N] at [S, Q]; all of them where there are none."""
    return values if decisions is None else values.flatten().index_select(0, decisions.flatten()).view(decisions.shape)


def _spread(decisions: Tensor | None, values: Tensor, like: Tensor) -> Tensor:
    """The inverse of :func:`_at`, 0 elsewhere, of the shape of ``like``."""
    if decisions is None:
        return values
    return values.new_zeros(like.numel()).index_copy(0, decisions.flatten(), values.flatten()).view(like.shape)


def _annealed(start: float, share_at_the_end: float, progress: float) -> float:
    return start * (1.0 - (1.0 - share_at_the_end) * progress)


@torch.no_grad()
def sums_of(steps: PackedSteps, games: int, predicted: Tensor | None, beta: Tensor | None) -> dict[str, Tensor]:
    """What happened in a batch, as sums, [] or [S] each, which ranks can add up before they are divided.

    Args:
        steps: that were played.
        games: in which; of each seed, where there are several.
        predicted: right predictions; None: there are none.
        beta: where an option could end; None: there is no termination function.
    """
    sums = {
        "games": torch.tensor(games, device=steps.previous.device),
        "steps": steps.count,
        "new_offers": steps.total(steps.new_offer),
    }
    if predicted is not None:
        sums["predicted"] = predicted
    if beta is not None:
        sums |= {"held": steps.total(steps.previous >= 0), "beta": beta}
    return sums


def _foreseen(steps: PackedSteps, output: LeaderOutput) -> tuple[Tensor | None, Tensor | None]:
    """Right predictions, and beta where an option could end, summed."""
    predicted = beta = None
    with torch.no_grad():
        if output.prediction_logits is not None:
            right = output.prediction_logits.argmax(-1) == steps.follower_action
            predicted = steps.total(right.to(output.log_mu.dtype))
        if output.termination_logits is not None:
            held = steps.previous >= 0
            beta = steps.total(torch.where(held, torch.sigmoid(output.termination_logits), 0.0))
    return predicted, beta


def described_by(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return new offers per episode, option length, accuracy of the prediction, mean beta."""
    new_offers, steps = sums["new_offers"], sums["steps"]
    means = {
        "new_offers": new_offers / sums["games"],
        "option_length": new_offers.clamp(min=1).reciprocal() * steps,
    }
    if "predicted" in sums:
        means["prediction_accuracy"] = sums["predicted"] / steps
    if "held" in sums:
        means["termination"] = sums["beta"] / sums["held"].clamp(min=1)
    return means
