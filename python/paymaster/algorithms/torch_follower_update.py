"""Followers' gradient by torch's autograd: what is computed, on every device and in every precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.algorithms.torch_gradient import TorchGradient
from paymaster.networks.follower_policy import FollowerNetwork, FollowerOutput, mixed_with_uniform
from paymaster.networks.narrow import log_softmax

if TYPE_CHECKING:
    from paymaster.algorithms.followers import FollowerEpisodes, FollowerLearning

__all__ = ["TorchFollowerUpdate"]


class TorchFollowerUpdate(TorchGradient):
    """Computes gradients for the followers' network, wherever it is.

    Args:
        network: theirs.
    """

    def __init__(self, network: FollowerNetwork) -> None:
        super().__init__(network)
        self._network = network

    def take(self, episodes: FollowerEpisodes, config: FollowerLearning) -> None:
        """Hold the steps of these episodes in which followers acted, until others are taken; evaluate them.

        Args:
            episodes: whole ones.
            config: how they learn.
        """
        self._episodes, self._config = episodes, config
        self._alone = self._asked_alone()
        self._old: Tensor | None = None
        self._output = self._evaluate()

    def judge(self) -> Tensor:
        """Return the values [T, B, N] of the steps taken; they count where somebody acted."""
        return self._output.value.detach()

    def learn(
        self, advantage: Tensor, targets: Tensor, scale: Tensor, *, first: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the gradient of the losses' weighted mean, times ``scale``.

        Args:
            advantage: float [T, B, N].
            targets: of the values, float [T, B, N].
            scale: a factor, [].
            first: this is the first gradient step on these steps; against its policy later ones are clipped.

        Returns:
            The weighted mean, [], and the mean of each loss over all steps taken, [], by name.
        """
        if not first:
            self._output = self._evaluate()
        episodes, config, output = self._episodes, self._config, self._output
        log_pi = log_softmax(output.logits)
        chosen = log_pi.gather(-1, episodes.action.unsqueeze(-1)).squeeze(-1)
        if episodes.explore > 0.0:
            chosen = mixed_with_uniform(chosen.exp(), episodes.explore, log_pi.shape[-1]).log()
        if self._old is None:
            policy, self._old = losses.policy_gradient_loss(chosen, advantage), chosen.detach()
        else:
            policy = losses.clipped_loss(chosen, self._old, advantage, config.clip)
        terms = {
            "follower_policy_loss": (1.0, policy),
            "follower_critic_loss": (config.critic_weight, 0.5 * (output.value - targets).square()),
            "follower_entropy": (-config.lambda_entropy, losses.entropy(log_pi)),
        }
        means = {name: losses.masked_mean(values.unsqueeze(-1), episodes.acts) for name, (_, values) in terms.items()}
        loss = torch.stack([weight * means[name] for name, (weight, _) in terms.items()]).sum()
        self._descend(loss, scale)
        return loss.detach(), {name: mean.detach() for name, mean in means.items()}

    def _asked_alone(self) -> tuple[Tensor, tuple[Tensor, ...]] | None:
        """Where somebody acted, rows [R] of [T, B, N], and what they saw there, as R games of one follower each;
        None where everybody has weights of their own, which go by episodes."""
        episodes = self._episodes
        if self._config.identities == "separate":
            return None
        rows = episodes.acts.flatten().nonzero().squeeze(-1)
        every = (episodes.own, episodes.goal, episodes.identity.expand(episodes.acts.shape))
        return rows, tuple(part.flatten(0, 2).index_select(0, rows).unsqueeze(1) for part in every)

    def _evaluate(self) -> FollowerOutput:
        """The networks on whole episodes, [T, B, N, ...], or on those steps alone, and 0 elsewhere."""
        episodes = self._episodes
        if self._alone is None:
            output: FollowerOutput = self._network(episodes.own, episodes.goal, episodes.identity)
            return output
        (rows, seen), shape = self._alone, episodes.acts.shape
        logits, value = self._network(*seen)
        whole = value.new_zeros(shape.numel(), logits.shape[-1])
        return FollowerOutput(
            whole.index_copy(0, rows, logits.squeeze(1)).view(*shape, -1),
            whole[:, 0].index_copy(0, rows, value.squeeze(1)).view(shape),
        )
