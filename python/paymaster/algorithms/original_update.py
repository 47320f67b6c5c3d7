"""The gradient of a leader on planes: M3RL's losses and averages where they differ from ours."""

from __future__ import annotations

import torch
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.algorithms.torch_update import TorchUpdate
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.plane_leader import PlaneLeaderNetwork

__all__ = ["OriginalUpdate"]


class OriginalUpdate(TorchUpdate):
    """Computes gradients of :class:`.PlaneLeaderNetwork` as M3RL does (Shu & Tian 2019).

    Policy, entropy and critic are averaged over the steps in which the leader decides, the imitation over all. The
    critic is one for the team, its error the mean over heads of each kind.

    Args:
        network: the leader's.
        corrected: log(p + 1e-6) of the distribution that offers were drawn from, exploration included, and of the
            policy where they are maintained; else of the policy's goal and of its bonus, whatever was explored (M3RL).
    """

    def __init__(self, network: PlaneLeaderNetwork, *, corrected: bool) -> None:
        super().__init__(network)  # type: ignore[arg-type]  # evaluated here
        self._planes, self._corrected = network, corrected

    def _output_of_steps(self) -> LeaderOutput:
        steps = self._steps
        output: LeaderOutput = self._planes(
            *(steps.follower, steps.goal, steps.previous, self._start),
            offer=steps.offer,
            batch_sizes=steps.batch_sizes,
        )
        return output

    def _log_probs(self, output: LeaderOutput) -> tuple[Tensor, Tensor | None]:
        if self._corrected:
            policy, termination = super()._log_probs(output)
            return losses.floored(policy), termination
        bonuses = self._planes.config.num_bonuses
        policy = losses.floored_log_prob(output.log_mu, self._steps.offer, bonuses)
        if output.termination_logits is None:
            return policy, None
        logits = output.termination_logits
        return policy, losses.termination_log_prob(logits, self._steps.new_offer, self._held)

    def _losses(
        self, advantage: Tensor, targets: Tensor, old: tuple[Tensor, Tensor | None] | None
    ) -> dict[str, Tensor]:
        terms = super()._losses(advantage, targets, old)
        phi, goals = self._output.phi, self._planes.config.num_goals
        assert phi is not None
        error = (phi - targets.detach()).square()
        terms["critic_loss"] = 0.5 * (error[..., :goals].mean(-1) + error[..., goals:].mean(-1))
        if self._planes.termination is not None:
            return terms  # whether to go on is decided in every step
        decided = (self._held < 0).to(advantage.dtype)
        scale = decided / decided.mean().clamp(min=torch.finfo(decided.dtype).tiny)
        return {name: values if name == "imitation_loss" else values * scale for name, values in terms.items()}
