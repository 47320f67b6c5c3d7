"""A leader's gradient by torch's autograd: what is computed, on every device and in every precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.torch_gradient import TorchGradient
from paymaster.networks.leader import LeaderNetwork, LeaderOutput

__all__ = ["Judged", "TorchUpdate"]


class Judged(NamedTuple):
    """What a network says of steps before it learns from them; constants.

    Attributes:
        phi: the baseline's heads, [R, N, G + K].
        policy: log-probability of each offer, [R, N]; 0 where there was no choice.
        termination: of its start or its going on, [R, N]; None without a termination function.
        predicted: actions of followers that were foreseen, []; None without prediction.
        beta: over steps where an option could end, summed, []; None without a termination function.
    """

    phi: Tensor
    policy: Tensor
    termination: Tensor | None
    predicted: Tensor | None
    beta: Tensor | None


class TorchUpdate(TorchGradient):
    """Computes gradients for a network, wherever it is.

    Args:
        network: the leader's.
    """

    def __init__(self, network: LeaderNetwork) -> None:
        super().__init__(network)
        self._network = network

    def take(self, steps: PackedSteps, held: Tensor, config: EBPGConfig) -> None:
        """Hold these steps until others are taken, and evaluate them with the weights as they are.

        Args:
            steps: of whole episodes.
            held: omega_{t-1} while its option runs on, else -1, int64 [R, N].
            config: which losses there are.
        """
        self._steps, self._held, self._config = steps, held, config
        self._decisions = self._decided()
        self._start = self._network.initial_history(int(steps.batch_sizes[0]), steps.previous.shape[1])
        self._evaluate()

    def judge(self) -> Judged:
        """What the network says of the steps taken, before the first gradient step."""
        output, (policy, termination) = self._output, self._choices
        assert output.phi is not None
        predicted = beta = None
        with torch.no_grad():
            if output.prediction_logits is not None:
                predicted = (output.prediction_logits.argmax(-1) == self._steps.follower_action).sum()
            if output.termination_logits is not None:
                can_end = self._steps.previous >= 0
                beta = torch.sigmoid(output.termination_logits).masked_fill(~can_end, 0.0).sum()
        ended = None if termination is None else termination.detach()
        return Judged(output.phi.detach(), policy.detach(), ended, predicted, beta)

    def learn(
        self,
        weights: Mapping[str, float],
        judged: Judged,
        advantage: Tensor,
        targets: Tensor,
        scale: Tensor,
        *,
        first: bool,
    ) -> dict[str, Tensor]:
        """Compute the gradient of the losses' weighted mean, times ``scale``.

        Args:
            weights: of the losses, by name.
            judged: before the first gradient step.
            advantage: float [R, N].
            targets: of the baseline's heads, float [R, N, G + K].
            scale: a factor, float [].
            first: this is the first gradient step on these steps, for which they are evaluated already.

        Returns:
            The mean of each loss over all followers' steps, [], by name, and "loss", their weighted sum.
        """
        if not first:
            self._evaluate()
        old = None if first else (judged.policy, judged.termination)
        means = {name: values.mean() for name, values in self._losses(advantage, targets, old).items()}
        loss = torch.stack([weight * means[name] for name, weight in weights.items()]).sum(0)
        self._descend(loss, scale)
        return {name: mean.detach() for name, mean in (means | {"loss": loss}).items()}

    def _evaluate(self) -> None:
        """All steps of whole episodes at once."""
        self._output = self._output_of_steps()
        self._choices = self._log_probs(self._output)

    def _output_of_steps(self) -> LeaderOutput:
        steps = self._steps
        output: LeaderOutput = self._network(
            *(steps.follower, steps.goal, steps.previous, self._start),
            batch_sizes=steps.batch_sizes,
            decisions=self._decisions,
        )
        return output

    def _decided(self) -> Tensor | None:
        """Where the loss looks at mu, entries int64 [Q] of [R, N] as one row; None: everywhere."""
        if self._config.gradient == "dense" or not self._config.entropy_of_decisions:
            return None
        decided = self._steps.new_offer | (self._held < 0) | self._steps.explored
        return decided.flatten().nonzero().squeeze(-1)

    def _log_probs(self, output: LeaderOutput) -> tuple[Tensor, Tensor | None]:
        """How likely the leader's choices were, of mu and of beta, log-probabilities [R, N]."""
        steps, config, network = self._steps, self._config, self._network.config
        log_prob = losses.dense_log_prob if config.gradient == "dense" else losses.sparse_log_prob
        explore = steps.explore if config.exploration == "offers" else 0.0
        offer, new_offer, opened, explored = map(
            self._at_decisions, (steps.offer, steps.new_offer, self._held, steps.explored)
        )
        policy = log_prob(output.log_mu, offer, opened, new_offer, explore)
        if config.exploration == "agents":
            offered = network.candidates * network.num_bonuses  # "none" is no explored goal
            bonus = losses.bonus_log_prob(
                output.log_mu[..., :offered], offer.clamp(max=offered - 1), network.num_bonuses
            )
            policy = torch.where(explored, bonus, policy)
        policy = self._spread(policy)
        if output.termination_logits is None:
            return policy, None
        return policy, losses.termination_log_prob(output.termination_logits, steps.new_offer, self._held)

    def _losses(
        self, advantage: Tensor, targets: Tensor, old: tuple[Tensor, Tensor | None] | None
    ) -> dict[str, Tensor]:
        """Each at every step of every follower, [R, N, ...], by name."""
        steps, config, output, (policy, termination) = self._steps, self._config, self._output, self._choices
        assert output.phi is not None

        def chosen(log_prob: Tensor, old_log_prob: Tensor | None) -> Tensor:
            if old_log_prob is None:
                return losses.policy_gradient_loss(log_prob, advantage)
            return losses.clipped_loss(log_prob, old_log_prob, advantage, config.clip)

        entropy = self._spread(losses.entropy(output.log_mu))
        if config.entropy_of_decisions:
            entropy = torch.where(steps.new_offer | (self._held < 0), entropy, 0.0)
        terms = {
            "policy_loss": chosen(policy, None if old is None else old[0]),
            "critic_loss": losses.critic_loss(output.phi, targets),
            "entropy": entropy,
        }
        if output.prediction_logits is not None:
            terms["imitation_loss"] = losses.imitation_loss(output.prediction_logits, steps.follower_action)
        if termination is not None and output.termination_logits is not None:
            terms["termination_loss"] = chosen(termination, None if old is None else old[1])
            terms["termination_penalty"] = losses.termination_penalty(output.termination_logits, self._held)
        return terms

    def _at_decisions(self, values: Tensor) -> Tensor:
        """Values [R, N] at the decisions, [Q]; all of them where there are none."""
        return values if self._decisions is None else values.flatten().index_select(0, self._decisions)

    def _spread(self, values: Tensor) -> Tensor:
        """The inverse, 0 elsewhere."""
        if self._decisions is None:
            return values
        return values.new_zeros(self._held.numel()).index_copy(0, self._decisions, values).view(self._held.shape)
